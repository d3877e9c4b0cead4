//! The chain of command as one drawing: where each box, line and word goes. Text is cut by an estimate of its width,
//! so that the same chain always gives the same bytes on every machine. Colours are the stylesheet's.

use super::levels::{Level, Words};

pub const WIDTH: i64 = 960;
const TOP: i64 = 34;
const ROW: i64 = 66;
const GAP: i64 = 16;
const PEOPLE_AT: i64 = 258;
const PEOPLE_WIDTH: f64 = 286.0;
const AGREEMENTS_AT: i64 = 560;
const AGREEMENTS_WIDTH: f64 = 164.0;
pub const LANE: i64 = 744;
const PAYMENT_AT: i64 = 762;
const PAYMENT_WIDTH: f64 = 196.0;
const LINE: i64 = 19;

/// The drawing, ready for its template.
pub struct Picture {
    pub width: i64,
    pub height: i64,
    pub title: String,
    pub rows: Vec<Row>,
    /// Heads of the columns.
    pub heads: [(i64, &'static str); 4],
}

/// One account, or all that are folded.
pub struct Row {
    /// What it is called aloud, in full.
    pub title: String,
    pub class: &'static str,
    pub href: String,
    pub y: i64,
    pub height: i64,
    pub name: Vec<Line>,
    pub mark: Line,
    pub people: Vec<Linked>,
    pub agreements: Vec<Line>,
    pub payment: Vec<Line>,
    /// The line to the next box.
    pub link: Option<(i64, i64)>,
    /// The payment method's line beside it, and the dot where it begins or ends.
    pub lane: Option<(i64, i64)>,
    pub dot: Option<(i64, &'static str)>,
}

pub struct Line {
    pub x: i64,
    pub y: i64,
    pub class: &'static str,
    pub text: String,
}

pub struct Linked {
    pub href: String,
    pub line: Line,
    /// The rest of the line, quieter.
    pub more: String,
}

impl Picture {
    pub fn of(account: &str, levels: &[Level]) -> Picture {
        let count = i64::try_from(levels.len()).unwrap_or(1);
        let rows: Vec<Row> =
            levels.iter().enumerate().map(|(n, level)| row(n as i64, level, n + 1 == levels.len())).collect();
        Picture {
            width: WIDTH,
            height: TOP + count * (ROW + GAP) - GAP + 2,
            title: format!("Chain of command of {account}"),
            rows,
            heads: [
                (1, "Account"),
                (PEOPLE_AT, "People who reach it"),
                (AGREEMENTS_AT, "Agreements"),
                (PAYMENT_AT, "Payment"),
            ],
        }
    }
}

fn row(n: i64, level: &Level, last: bool) -> Row {
    let y = TOP + n * (ROW + GAP);
    let name = lines(&level.name, 184.0, 14.0, 2);
    let first = if name.len() == 2 { y + 18 } else { y + 26 };
    let name: Vec<Line> = name
        .into_iter()
        .enumerate()
        .map(|(n, text)| Line { x: 44, y: first + n as i64 * 18, class: "name", text })
        .collect();
    let mark_at =
        if name.is_empty() { y + 38 } else { first + name.len() as i64 * 18 + i64::from(name.len() == 1) * 3 };
    let mark = Line { x: 44, y: mark_at, class: "quiet", text: level.mark.clone() };
    let middle = y + ROW / 2;
    Row {
        title: spoken(level),
        class: class(level),
        href: level.href.clone(),
        y,
        height: ROW,
        name,
        mark,
        people: people(level, middle),
        agreements: words(&level.agreements, AGREEMENTS_AT, AGREEMENTS_WIDTH, middle),
        payment: words(&level.payment, PAYMENT_AT, PAYMENT_WIDTH, middle),
        link: (!last).then_some((y + ROW, y + ROW + GAP)),
        lane: lane(level, y, middle),
        dot: match (level.begins, level.comes, level.goes) {
            (true, ..) => Some((middle, "starts")),
            (false, true, false) if level.payment.state.is_empty() => None,
            (false, true, _) => Some((middle, "paid")),
            _ => None,
        },
    }
}

fn class(level: &Level) -> &'static str {
    match (level.here, level.name.is_empty()) {
        (true, _) => "box here",
        (_, true) => "box closed",
        _ => "box",
    }
}

/// From the row before, to the next one, or both.
fn lane(level: &Level, y: i64, middle: i64) -> Option<(i64, i64)> {
    match (level.comes, level.goes) {
        (true, true) => Some((y, y + ROW + GAP)),
        (true, false) => Some((y, middle)),
        (false, true) => Some((middle, y + ROW + GAP)),
        (false, false) => None,
    }
}

fn people(level: &Level, middle: i64) -> Vec<Linked> {
    let count = level.people.len() + usize::from(!level.more.is_empty());
    let first = middle + 5 - (count.max(1) as i64 - 1) * LINE / 2;
    let at = |n: usize| first + n as i64 * LINE;
    if count == 0 {
        let line = Line { x: PEOPLE_AT, y: first, class: "quiet", text: "Nobody".to_owned() };
        return vec![Linked { href: String::new(), line, more: String::new() }];
    }
    let mut all: Vec<Linked> = level
        .people
        .iter()
        .enumerate()
        .map(|(n, person)| {
            let text = cut(&person.name, PEOPLE_WIDTH * 0.6, 13.0);
            let more = cut(&person.role, PEOPLE_WIDTH - width(&text, 13.0) - 8.0, 13.0);
            Linked { href: person.href.clone(), line: Line { x: PEOPLE_AT, y: at(n), class: "who", text }, more }
        })
        .collect();
    if !level.more.is_empty() {
        let line = Line { x: PEOPLE_AT, y: at(all.len()), class: "who", text: level.more.clone() };
        all.push(Linked { href: level.more_href.clone(), line, more: String::new() });
    }
    all
}

fn words(words: &Words, x: i64, room: f64, middle: i64) -> Vec<Line> {
    if words.state.is_empty() {
        return Vec::new();
    }
    let class = match words.tone {
        "good" => "good",
        "warn" => "warn",
        _ => "bad",
    };
    let y = if words.detail.is_empty() { middle + 5 } else { middle - 4 };
    let mut lines = vec![Line { x, y, class, text: cut(&words.state, room, 13.0) }];
    if !words.detail.is_empty() {
        lines.push(Line { x, y: y + LINE, class: "quiet", text: cut(&words.detail, room, 12.0) });
    }
    lines
}

/// The whole row in words, uncut.
fn spoken(level: &Level) -> String {
    let mut parts =
        vec![if level.name.is_empty() { level.mark.clone() } else { format!("{}, {}", level.name, level.mark) }];
    parts.extend(level.people.iter().map(|person| format!("{}: {}", person.name, person.role)));
    parts.extend(
        [&level.more, &level.agreements.state, &level.payment.state].into_iter().filter(|w| !w.is_empty()).cloned(),
    );
    parts.join("; ")
}

/// How wide a text is about to be, in pixels.
fn width(text: &str, size: f64) -> f64 {
    let em = |c: char| match c {
        'i' | 'j' | 'l' | 'I' | '.' | ',' | ':' | ';' | '\'' | '|' | '!' => 0.3,
        'f' | 't' | 'r' | ' ' | '-' | '(' | ')' | '/' => 0.38,
        'm' | 'w' | 'M' | 'W' | '@' | '%' => 0.92,
        c if c.is_ascii_uppercase() => 0.72,
        c if c.is_ascii() => 0.58,
        c if (c as u32) < 0x2000 => 0.66,
        _ => 1.05,
    };
    text.chars().map(em).sum::<f64>() * size
}

/// The text, with an ellipsis where it does not fit.
fn cut(text: &str, room: f64, size: f64) -> String {
    if width(text, size) <= room {
        return text.to_owned();
    }
    let mut kept = String::new();
    for c in text.chars() {
        kept.push(c);
        if width(&kept, size) + width("…", size) > room {
            kept.pop();
            break;
        }
    }
    format!("{}…", kept.trim_end())
}

/// The text on up to `most` lines, broken between words where that is possible.
fn lines(text: &str, room: f64, size: f64, most: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in text.split_whitespace() {
        match lines.last_mut() {
            Some(line) if width(line, size) + width(word, size) + size * 0.3 <= room => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(word.to_owned()),
        }
    }
    let last = lines.split_off(lines.len().min(most));
    if let (Some(line), false) = (lines.last_mut(), last.is_empty()) {
        line.push(' ');
        line.push_str(&last.join(" "));
    }
    lines.iter().map(|line| cut(line, room, size)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_broken_between_and_then_cut() {
        assert_eq!(lines("Acme", 200.0, 14.0, 2), ["Acme"]);
        let two = lines("Northwind Managed Services of the Upper Rhine and beyond", 160.0, 14.0, 2);
        assert_eq!(two.len(), 2);
        assert!(two[1].ends_with('…') && two.iter().all(|line| width(line, 14.0) <= 160.0), "{two:?}");
        assert!(lines("", 100.0, 14.0, 2).is_empty());
        let long = "x".repeat(64);
        assert!(width(&cut(&long, 100.0, 13.0), 13.0) <= 100.0);
    }
}
