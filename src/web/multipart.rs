//! A form that carries a file, read into the same pairs that every other form is: the file's text under its field's name,
//! what the file was called under that name and [`NAME_OF`]. The body is whole and bounded before it comes here; nothing
//! is written to a disk, and bytes that are no text become the character that stands for those.

use url::form_urlencoded::Serializer;

use crate::problem::Problem;

/// Comes after the name of a file's field and makes that of its name.
pub const NAME_OF: &str = ".name";

/// Parts of one form; no page of ours has nearly as many.
const MOST_PARTS: usize = 50;

const BROKEN: Problem = Problem::Malformed("The form did not arrive whole.");

/// The text between the parts, if the form is sent in parts.
pub fn boundary(content_type: &str) -> Option<&str> {
    let mut parts = content_type.split(';');
    if !parts.next()?.trim().eq_ignore_ascii_case("multipart/form-data") {
        return None;
    }
    let boundary = parts.find_map(|part| parameter(part, "boundary"))?;
    let fine = (1..=70).contains(&boundary.len()) && boundary.bytes().all(|b| (b' '..=b'~').contains(&b) && b != b'"');
    fine.then_some(boundary)
}

/// The same form as a body of the ordinary kind.
pub fn as_form(body: &[u8], boundary: &str) -> Result<Vec<u8>, Problem> {
    let mark = format!("--{boundary}");
    let mut rest = body.strip_prefix(mark.as_bytes()).ok_or(BROKEN)?;
    let end = format!("\r\n{mark}");
    let mut form = Serializer::new(String::new());
    for n in 0.. {
        if rest.starts_with(b"--") {
            break;
        }
        if n >= MOST_PARTS {
            return Err(Problem::Malformed("The form has more fields than any page of this console."));
        }
        let part = rest.strip_prefix(b"\r\n").ok_or(BROKEN)?;
        let (head, part) = cut(part, b"\r\n\r\n").ok_or(BROKEN)?;
        let (content, after) = cut(part, end.as_bytes()).ok_or(BROKEN)?;
        let (name, file) = names(head).ok_or(BROKEN)?;
        form.append_pair(&name, &String::from_utf8_lossy(content));
        if let Some(file) = file {
            form.append_pair(&format!("{name}{NAME_OF}"), &file);
        }
        rest = after;
    }
    Ok(form.finish().into_bytes())
}

fn cut<'a>(text: &'a [u8], at: &[u8]) -> Option<(&'a [u8], &'a [u8])> {
    let mut from = 0;
    // From one line end to the next: whatever is looked for begins with one.
    while let Some(found) = text[from..].iter().position(|b| *b == b'\r') {
        let start = from + found;
        if text[start..].starts_with(at) {
            return Some((&text[..start], &text[start + at.len()..]));
        }
        from = start + 1;
    }
    None
}

/// The names of the field and of its file.
fn names(head: &[u8]) -> Option<(String, Option<String>)> {
    let head = String::from_utf8_lossy(head);
    let line = head.split("\r\n").find_map(|line| {
        let (name, value) = line.split_once(':')?;
        name.trim().eq_ignore_ascii_case("content-disposition").then_some(value)
    })?;
    let parts = pieces(line);
    if parts.first()?.trim() != "form-data" {
        return None;
    }
    let find = |wanted: &str| parts.iter().find_map(|part| parameter(part, wanted)).map(unescaped);
    Some((find("name")?, find("filename")))
}

/// Cut at the semicolons that are not in quotes.
fn pieces(line: &str) -> Vec<&str> {
    let mut quoted = false;
    line.split(|c| {
        quoted ^= c == '"';
        c == ';' && !quoted
    })
    .collect()
}

fn parameter<'a>(part: &'a str, wanted: &str) -> Option<&'a str> {
    let (name, value) = part.trim().split_once('=')?;
    let value = value.trim();
    let bare = value.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')).unwrap_or(value);
    name.trim().eq_ignore_ascii_case(wanted).then_some(bare)
}

/// As browsers write what would end the name.
fn unescaped(name: &str) -> String {
    name.replace("%22", "\"").replace("%0D", "\r").replace("%0A", "\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(body: &str) -> Option<String> {
        let body = body.replace('\n', "\r\n");
        as_form(body.as_bytes(), "x-y").ok().map(|form| String::from_utf8(form).unwrap())
    }

    #[test]
    fn parts_become_pairs() {
        let body = "--x-y\nContent-Disposition: form-data; name=\"_token\"\n\nabc\n--x-y\n\
            content-disposition: form-data; name=\"file\"; filename=\"a;b %22c%22.csv\"\nContent-Type: text/csv\n\n\
            name\n--x-\n\n--x-y--\n";
        let form = read(body).unwrap();
        assert_eq!(form, "_token=abc&file=name%0D%0A--x-%0D%0A&file.name=a%3Bb+%22c%22.csv");
        assert_eq!(read("--x-y--\n").unwrap(), "");
    }

    #[test]
    fn what_is_no_form_is_refused() {
        for broken in
            ["", "--x-y", "--x-y\n", "--x-y\nname", "--x-y\nA: b\n\nx\n--x-y--", "--other--", "--x-y\n\n\nx\n--x-y--"]
        {
            assert!(read(broken).is_none(), "{broken:?}");
        }
        let part = "--x-y\nContent-Disposition: form-data; name=\"a\"\n\n1\n";
        assert!(read(&format!("{}--x-y--", part.repeat(50))).is_some());
        assert!(read(&format!("{}--x-y--", part.repeat(51))).is_none());
    }

    #[test]
    fn the_boundary_is_in_the_type() {
        assert_eq!(boundary("multipart/form-data; boundary=----WebKit7"), Some("----WebKit7"));
        assert_eq!(boundary("Multipart/Form-Data;charset=x; Boundary=\"a b\""), Some("a b"));
        for other in ["multipart/form-data", "text/plain; boundary=x", "multipart/form-data; boundary="] {
            assert_eq!(boundary(other), None, "{other}");
        }
    }
}
