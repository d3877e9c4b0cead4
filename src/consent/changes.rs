//! What is different between two versions of a document: line by line, and inside a line that was reworded word by
//! word, each under the heading that it stands below. Lines that stayed are left out.

use std::time::Duration;

use similar::{ChangeTag, DiffOp, TextDiff};

/// However long two texts are, their comparison ends after this time; what is left counts as replaced.
const PATIENCE: Duration = Duration::from_millis(200);

/// One line that is not as it was.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// The nearest heading above it; empty before the first one.
    pub heading: String,
    pub pieces: Vec<Piece>,
}

/// Some words of a changed line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Piece {
    pub kind: &'static str,
    pub text: String,
}

const SAME: &str = "same";
const GONE: &str = "gone";
const NEW: &str = "new";

/// From the older text to the newer one.
pub fn between(older: &str, newer: &str) -> Vec<Change> {
    let old: Vec<&str> = lines(older);
    let new: Vec<&str> = lines(newer);
    let diff = TextDiff::configure().timeout(PATIENCE).diff_slices(&old, &new);
    diff.ops().iter().flat_map(|op| changes(op, &old, &new)).collect()
}

/// Blank lines say nothing to a reader.
fn lines(text: &str) -> Vec<&str> {
    text.lines().map(str::trim_end).filter(|line| !line.is_empty()).collect()
}

fn changes(op: &DiffOp, old: &[&str], new: &[&str]) -> Vec<Change> {
    let heading = heading_above(new, op.new_range().start);
    let change = |pieces: Vec<Piece>| Change { heading: heading.clone(), pieces };
    let whole = |kind: &'static str, line: &&str| change(vec![Piece { kind, text: plain(line) }]);
    let (gone, came) = (&old[op.old_range()], &new[op.new_range()]);
    match op {
        DiffOp::Equal { .. } => Vec::new(),
        DiffOp::Delete { .. } => gone.iter().map(|line| whole(GONE, line)).collect(),
        DiffOp::Insert { .. } => came.iter().map(|line| whole(NEW, line)).collect(),
        DiffOp::Replace { .. } => {
            let both = gone.iter().zip(came).map(|(old, new)| change(words(&plain(old), &plain(new))));
            let more_gone = gone.iter().skip(came.len()).map(|line| whole(GONE, line));
            let more_new = came.iter().skip(gone.len()).map(|line| whole(NEW, line));
            both.chain(more_gone).chain(more_new).collect()
        }
    }
}

fn heading_above(lines: &[&str], at: usize) -> String {
    let above = lines[..at.min(lines.len())].iter().rev().find(|line| line.starts_with('#'));
    above.map(|line| plain(line)).unwrap_or_default()
}

/// The line without the signs that made it a heading, an item or bold.
fn plain(line: &str) -> String {
    line.trim_start_matches(['#', ' ']).trim_start_matches("- ").replace("**", "")
}

fn words(old: &str, new: &str) -> Vec<Piece> {
    let diff = TextDiff::configure().timeout(PATIENCE).diff_words(old, new);
    let mut pieces: Vec<Piece> = Vec::new();
    for change in diff.iter_all_changes() {
        let kind = match change.tag() {
            ChangeTag::Equal => SAME,
            ChangeTag::Delete => GONE,
            ChangeTag::Insert => NEW,
        };
        match pieces.last_mut() {
            Some(last) if last.kind == kind => last.text.push_str(change.value()),
            _ => pieces.push(Piece { kind, text: change.value().to_owned() }),
        }
    }
    pieces
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(changes: &[Change]) -> Vec<String> {
        let piece = |p: &Piece| match p.kind {
            GONE => format!("[-{}-]", p.text),
            NEW => format!("[+{}+]", p.text),
            _ => p.text.clone(),
        };
        changes.iter().map(|c| format!("{}: {}", c.heading, c.pieces.iter().map(piece).collect::<String>())).collect()
    }

    #[test]
    fn a_reworded_line_is_marked_word_by_word_under_its_heading() {
        let old = "# T\n\n## 1. Notice\n\nWe give 14 days.\n\n- one\n- two\n";
        let new = "# T\n\n## 1. Notice\n\nWe give 30 days.\n\n- one\n- two\n- three\n";
        assert_eq!(shown(&between(old, new)), ["1. Notice: We give [-14-][+30+] days.", "1. Notice: [+three+]"]);
    }

    #[test]
    fn the_same_text_has_no_changes_whatever_its_blank_lines() {
        assert!(between("# T\n\na\n\n\nb", "# T\na\nb\n").is_empty());
    }
}
