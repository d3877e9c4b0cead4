//! One cell of a catalogue's line: what it may say, and the complaint when it does not.

use super::Terms;

/// Checks the cells of a line and collects complaints about it.
pub struct Cells<'a> {
    /// The file and the line.
    pub at: &'a str,
    pub wrong: &'a mut Vec<String>,
}

impl Cells<'_> {
    fn complain(&mut self, why: String) {
        self.wrong.push(format!("{}: {why}", self.at));
    }

    pub fn id(&mut self, name: &str, value: &str) -> String {
        let fine = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
        if value.is_empty() || value.len() > 64 || !value.chars().all(fine) {
            self.complain(format!("{name} {value:?}: 1 to 64 letters, digits, “-”, “_” and “.”"));
        }
        value.to_owned()
    }

    pub fn line(&mut self, name: &str, value: &str, least: usize, most: usize) -> String {
        let length = value.chars().count();
        if length < least || length > most || value.chars().any(char::is_control) {
            self.complain(format!("{name} {value:?}: {least} to {most} characters on one line"));
        }
        value.to_owned()
    }

    /// Degrees as millionths.
    pub fn degrees(&mut self, name: &str, value: &str, most: f64) -> i64 {
        match value.parse::<f64>().ok().filter(|degrees| degrees.abs() <= most) {
            Some(degrees) => (degrees * 1e6).round() as i64,
            None => {
                self.complain(format!("{name} {value:?}: degrees from -{most} to {most}"));
                0
            }
        }
    }

    pub fn one_of(&mut self, name: &str, value: &str, offered: &[&str]) -> String {
        if !offered.contains(&value) {
            self.complain(format!("{name} {value:?}: one of {}", offered.join(", ")));
        }
        value.to_owned()
    }

    /// Words with blanks between them, each known.
    pub fn some_of(&mut self, name: &str, value: &str, offered: &[&str]) -> String {
        let words: Vec<&str> = value.split_whitespace().collect();
        if words.is_empty() || words.iter().any(|word| !offered.contains(word)) {
            self.complain(format!("{name} {value:?}: one or more of {}", offered.join(", ")));
        }
        words.join(" ")
    }

    pub fn speed(&mut self, value: &str, offered: &[i64]) -> i64 {
        value.parse().ok().filter(|speed| offered.contains(speed)).unwrap_or_else(|| {
            let all: Vec<String> = offered.iter().map(i64::to_string).collect();
            self.complain(format!("speed {value:?}: one of {} (Mbit/s)", all.join(", ")));
            offered[0]
        })
    }

    pub fn yes(&mut self, name: &str, value: &str) -> bool {
        self.one_of(name, value, &["yes", "no"]) == "yes"
    }

    pub fn prices(&mut self, cells: &[String]) -> Terms {
        let terms = Terms { monthly: cells[0].clone(), one_year: cells[1].clone(), two_year: cells[2].clone() };
        if terms.offered().next().is_none() {
            self.complain("it has no price code for any term".to_owned());
        }
        terms
    }
}
