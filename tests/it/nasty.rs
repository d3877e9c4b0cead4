//! Texts that break things: too long, not text, from right to left, half of a protocol, a quote too many. Some are sent
//! as bytes that no encoder would make.

/// A value and how it stands in a form's body.
#[derive(Debug, Clone)]
pub struct Nasty {
    /// What is meant, where the bytes are text at all.
    pub text: Option<String>,
    pub encoded: String,
}

impl Nasty {
    /// Whether a database could take it in another way than the next one does: what is no text, is a number, is very
    /// long, or has signs that databases read.
    pub fn troubles_a_database(&self) -> bool {
        let Some(text) = &self.text else { return true };
        let number = text.parse::<f64>().is_ok();
        number || text.len() > 60 || text.chars().any(|c| c.is_control() || "'\"\\%".contains(c) || c > '\u{fff0}')
    }

    pub fn shown(&self) -> String {
        self.encoded.chars().take(60).collect()
    }
}

fn text(value: impl Into<String>) -> Nasty {
    let value = value.into();
    let encoded = url::form_urlencoded::byte_serialize(value.as_bytes()).collect();
    Nasty { text: Some(value), encoded }
}

fn raw(encoded: &str) -> Nasty {
    Nasty { text: None, encoded: encoded.to_owned() }
}

pub const MARKUP: [&str; 12] = [
    "<script>alert(1)</script>",
    "\"><img src=x onerror=alert(1)>",
    "'><svg onload=alert(1)>",
    "</textarea><script>alert(1)</script>",
    "</title><script>alert(1)</script>",
    "<!-- ",
    "]]><x>",
    "<a href=\"javascript:alert(1)\">x</a>",
    "&lt;script&gt;&#60;b&#62;",
    "{{7*7}}<b>${7*7}</b>{% raw %}",
    "<x y='\"`>&amp;",
    "\u{2028}<b>\u{2029}",
];

const WORDS: [&str; 46] = [
    "",
    " ",
    "\t",
    "\n",
    "\r\n\r\n",
    "\0",
    "a\0b",
    "\u{1b}[31mred\u{7}",
    "\u{7f}\u{80}\u{9f}",
    "\u{202e}desrever",
    "\u{2066}\u{2069}",
    "\u{200f}",
    "\u{200b}\u{feff}",
    "\u{fffd}\u{fffe}\u{ffff}",
    "👨‍👩‍👧‍👦🏳️‍🌈",
    "ﷺ",
    "株式会社 Łódź Ærø",
    "\u{1d54f}\u{10ffff}",
    "a\r\nSet-Cookie: evil=1",
    "a\nLocation: //evil.example",
    "../../../../etc/passwd",
    "..\\..\\windows",
    "/a/ac-AAAAAAAAAAAAAAAAAAAAAA/settings",
    "file:///etc/passwd",
    "//evil.example/",
    "https://evil.example",
    "javascript:alert(1)",
    "0",
    "-1",
    "9223372036854775807",
    "9223372036854775808",
    "-9223372036854775809",
    "99999999999999999999999999999999",
    "1e309",
    "NaN",
    "１２３",
    "' OR '1'='1",
    "\"; DROP TABLE accounts; --",
    "%_\\",
    "%s%n%x",
    "=cmd|' /C calc'!A0",
    "null",
    "[]",
    "{\"$ne\":1}",
    "a@b.co\nBcc: c@d.co",
    "\"a b\"@[127.0.0.1]",
];

const RAW: [&str; 9] =
    ["%FF%FE", "%C0%AF%C0%AF", "%ED%A0%80", "%F4%90%80%80", "%", "%zz", "%u0041", "\u{e4}\u{f6}", "a;b=c"];

/// Everything, long ones included.
pub fn all() -> Vec<Nasty> {
    let mut all: Vec<Nasty> = WORDS.into_iter().chain(MARKUP).map(text).collect();
    all.extend(RAW.map(raw));
    for long in ["x".repeat(65), "x".repeat(300), "ä".repeat(5_000), "<".repeat(20_000), "x".repeat(1 << 20)] {
        all.push(text(long));
    }
    all.push(text("a\u{301}".repeat(3_000)));
    all.push(text("a@example.com,".repeat(400)));
    all.push(text((0..60).map(|n| format!("tag {n}: {n}\n")).collect::<String>()));
    all.push(text("\r\n".repeat(1_000)));
    all
}
