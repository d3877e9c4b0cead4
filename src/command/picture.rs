//! The chain of command as one drawing: where each box, line and word goes. Text is broken by an estimate of its width,
//! so that the same chain always gives the same bytes on every machine; none is cut, as paper has nothing else to read.
//! Colours are the stylesheet's.

use super::levels::{Level, Words};

pub const WIDTH: i64 = 960;
const TOP: i64 = 34;
const ROW: i64 = 66;
const GAP: i64 = 16;
const NAME_WIDTH: f64 = 184.0;
const NAME_LINE: i64 = 18;
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
    /// Whether a payment method comes down any of the way.
    pub flows: bool,
}

/// One account, or all that are folded.
pub struct Row {
    /// What it is called aloud, in full.
    pub title: String,
    pub class: &'static str,
    pub href: String,
    pub y: i64,
    pub height: i64,
    pub middle: i64,
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
        let mut rows: Vec<Row> = Vec::new();
        for (n, level) in levels.iter().enumerate() {
            let y = rows.last().map_or(TOP, |row| row.y + row.height + GAP);
            rows.push(row(y, level, n + 1 == levels.len()));
        }
        Picture {
            width: WIDTH,
            height: rows.last().map_or(TOP, |row| row.y + row.height) + 2,
            title: format!("Chain of command of {account}"),
            heads: [
                (1, "Account"),
                (PEOPLE_AT, "Roles given here"),
                (AGREEMENTS_AT, "Agreements"),
                (PAYMENT_AT, "Payment"),
            ],
            flows: rows.iter().any(|row| row.lane.is_some()),
            rows,
        }
    }
}

/// As high as the longest of its columns needs.
fn row(y: i64, level: &Level, last: bool) -> Row {
    let name = lines(&level.name, NAME_WIDTH, 14.0);
    let mut people = people(level);
    let mut agreements = words(&level.agreements, AGREEMENTS_AT, AGREEMENTS_WIDTH);
    let mut payment = words(&level.payment, PAYMENT_AT, PAYMENT_WIDTH);
    let most = people.len().max(agreements.len()).max(payment.len()) as i64;
    let height = ROW.max(most * LINE + 10).max((name.len() as i64 + 1) * NAME_LINE + 12);
    let middle = y + height / 2;
    stack(people.iter_mut().map(|one| &mut one.line), middle);
    stack(agreements.iter_mut(), middle);
    stack(payment.iter_mut(), middle);
    let first = middle + 3 - name.len() as i64 * (NAME_LINE / 2);
    let mark_at = match name.len() as i64 {
        0 => middle + 5,
        1 => first + NAME_LINE + 3,
        many => first + many * NAME_LINE,
    };
    let at = |(n, text)| Line { x: 44, y: first + n as i64 * NAME_LINE, class: "name", text };
    Row {
        title: spoken(level),
        class: class(level),
        href: level.href.clone(),
        y,
        height,
        middle,
        name: name.into_iter().enumerate().map(at).collect(),
        mark: Line { x: 44, y: mark_at, class: "quiet", text: level.mark.clone() },
        people,
        agreements,
        payment,
        link: (!last).then_some((y + height, y + height + GAP)),
        lane: lane(level, y, middle, y + height + GAP),
        dot: match (level.begins, level.comes, level.goes) {
            (true, ..) => Some((middle, "starts")),
            (false, true, false) if level.payment.state.is_empty() => None,
            (false, true, _) => Some((middle, "paid")),
            _ => None,
        },
    }
}

/// Lines below each other around the row's middle.
fn stack<'a>(lines: impl ExactSizeIterator<Item = &'a mut Line>, middle: i64) {
    let first = middle + 5 - (lines.len().max(1) as i64 - 1) * LINE / 2;
    for (n, line) in lines.enumerate() {
        line.y = first + n as i64 * LINE;
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
fn lane(level: &Level, y: i64, middle: i64, next: i64) -> Option<(i64, i64)> {
    match (level.comes, level.goes) {
        (true, true) => Some((y, next)),
        (true, false) => Some((y, middle)),
        (false, true) => Some((middle, next)),
        (false, false) => None,
    }
}

/// Each person with their role beside the name, or below it where there is no room.
fn people(level: &Level) -> Vec<Linked> {
    let line = |x: i64, class: &'static str, text: String| Line { x, y: 0, class, text };
    let mut all: Vec<Linked> = Vec::new();
    for person in &level.people {
        let names = lines(&person.name, PEOPLE_WIDTH, 13.0);
        let room = PEOPLE_WIDTH - names.last().map_or(0.0, |last| width(last, 13.0)) - 8.0;
        for text in names {
            let href = person.href.clone();
            all.push(Linked { href, line: line(PEOPLE_AT, "who", text), more: String::new() });
        }
        match all.last_mut() {
            Some(last) if width(&person.role, 12.0) <= room => last.more.clone_from(&person.role),
            _ => all.extend(lines(&person.role, PEOPLE_WIDTH - 12.0, 12.0).into_iter().map(|text| Linked {
                href: String::new(),
                line: line(PEOPLE_AT + 12, "quiet", text),
                more: String::new(),
            })),
        }
    }
    let (class, text) = match (all.is_empty(), level.more.is_empty()) {
        (true, true) => ("quiet", "None given here".to_owned()),
        (_, false) => ("who", level.more.clone()),
        (false, true) => return all,
    };
    all.push(Linked { href: level.more_href.clone(), line: line(PEOPLE_AT, class, text), more: String::new() });
    all
}

fn words(words: &Words, x: i64, room: f64) -> Vec<Line> {
    let class = match words.tone {
        "good" => "good",
        "warn" => "warn",
        _ => "bad",
    };
    let line = |class| move |text| Line { x, y: 0, class, text };
    let state = lines(&words.state, room, 13.0).into_iter().map(line(class));
    state.chain(lines(&words.detail, room, 12.0).into_iter().map(line("quiet"))).collect()
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

/// The text on as many lines as it needs: broken between words, and within one that is too long for a line.
fn lines(text: &str, room: f64, size: f64) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in text.split_whitespace() {
        match lines.last_mut() {
            Some(line) if width(line, size) + width(word, size) + size * 0.4 <= room => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.extend(pieces(word, room, size)),
        }
    }
    lines
}

/// The word itself, or pieces of it that fit.
fn pieces(word: &str, room: f64, size: f64) -> Vec<String> {
    let mut pieces = vec![String::new()];
    for c in word.chars() {
        let fits =
            |piece: &String| piece.is_empty() || width(piece, size) + width(c.encode_utf8(&mut [0; 4]), size) <= room;
        match pieces.last_mut() {
            Some(piece) if fits(piece) => piece.push(c),
            _ => pieces.push(c.to_string()),
        }
    }
    pieces
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_broken_between_and_only_long_ones_within_and_none_is_lost() {
        assert_eq!(lines("Acme", 200.0, 14.0), ["Acme"]);
        let text = "Northwind Managed Services of the Upper Rhine and beyond";
        let many = lines(text, 160.0, 14.0);
        assert!(many.len() > 2 && many.iter().all(|line| width(line, 14.0) <= 160.0), "{many:?}");
        assert_eq!(many.join(" "), text);
        assert!(lines("", 100.0, 14.0).is_empty());
        let long = "x".repeat(64);
        let pieces = lines(&long, 100.0, 13.0);
        assert!(pieces.iter().all(|piece| width(piece, 13.0) <= 100.0), "{pieces:?}");
        assert_eq!(pieces.concat(), long);
    }
}
