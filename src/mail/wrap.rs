//! Lines of plain text that are no longer than people like to read.

/// Columns.
const WIDTH: usize = 72;

/// The text with its own line breaks kept and others put in between words. A longer word, as an address, stays whole.
pub fn wrapped(text: &str) -> String {
    text.lines().map(line).collect::<Vec<_>>().join("\n")
}

fn line(text: &str) -> String {
    let mut out = String::new();
    let mut column = 0;
    for word in text.split(' ').filter(|word| !word.is_empty()) {
        let length = word.chars().count();
        if column > 0 && column + 1 + length > WIDTH {
            out.push('\n');
            column = 0;
        } else if column > 0 {
            out.push(' ');
            column += 1;
        }
        out.push_str(word);
        column += length;
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_stay_whole_and_lines_short() {
        let long = format!("{} https://console.example.com/{} end", "word ".repeat(30), "x".repeat(90));
        let lines = wrapped(&long);
        assert!(lines.lines().all(|line| line.chars().count() <= WIDTH || !line.contains(' ')), "{lines}");
        assert_eq!(lines.split_whitespace().count(), long.split_whitespace().count());
        assert_eq!(wrapped("one\n\ntwo"), "one\n\ntwo");
    }
}
