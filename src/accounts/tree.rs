//! The accounts below one as a tree of plain nested lists: the first 500 level by level, each branch that was cut with
//! a link to its own page.

use std::collections::{HashMap, HashSet};

use super::list::Row;
use crate::ids::Key;

/// Accounts shown at once.
pub const MOST_NODES: i64 = 500;

/// One line of the flattened tree, as the template writes it: lists open and close around it.
#[derive(Debug)]
pub struct Line {
    pub id: String,
    pub name: String,
    pub children: i64,
    pub below: i64,
    /// It, or an account above it, is suspended.
    pub suspended: bool,
    /// Children of this account that are shown.
    pub shown: i64,
    /// How many nested lists end after this line.
    pub closes: usize,
    /// For each list that ends after this line, from the inside: (id, name, children left out) of the account it
    /// belongs to.
    pub ends: Vec<Cut>,
}

/// A list of children that ends, and how many of them are not shown.
#[derive(Debug, Clone)]
pub struct Cut {
    pub id: String,
    pub name: String,
    pub left_out: i64,
}

/// Orders rows that came level by level into lines from the top down. `suspended`: those that are so themselves, and
/// whether the account at the top is, with everything below it.
pub fn lines(top: Key, rows: &[Row], suspended: &HashSet<Key>, top_is: bool) -> Vec<Line> {
    let suspended = with_those_below(top, rows, suspended, top_is);
    let mut children: HashMap<Key, Vec<&Row>> = HashMap::new();
    for row in rows {
        children.entry(row.parent_key.unwrap_or(top)).or_default().push(row);
    }
    let mut lines: Vec<Line> = Vec::with_capacity(rows.len());
    // (row, what ends after it); an explicit stack, as a chain may be a thousand deep.
    let mut stack: Vec<Step> = Vec::new();
    push_children(&mut stack, &children, top);
    while let Some(step) = stack.pop() {
        match step {
            Step::Row(row) => {
                let shown = children.get(&row.key).map_or(0, Vec::len);
                lines.push(Line {
                    id: row.id.clone(),
                    name: row.name.clone(),
                    children: row.children_count,
                    below: row.below_count,
                    suspended: suspended.contains(&row.key),
                    shown: i64::try_from(shown).unwrap_or(0),
                    closes: 0,
                    ends: Vec::new(),
                });
                if shown > 0 {
                    let left_out = row.children_count - i64::try_from(shown).unwrap_or(0);
                    stack.push(Step::End(Cut { id: row.id.clone(), name: row.name.clone(), left_out }));
                    push_children(&mut stack, &children, row.key);
                }
            }
            Step::End(cut) => {
                if let Some(line) = lines.last_mut() {
                    line.closes += 1;
                    line.ends.push(cut);
                }
            }
        }
    }
    lines
}

/// The level above comes first, so that what an account has from there is known.
fn with_those_below(top: Key, rows: &[Row], themselves: &HashSet<Key>, top_is: bool) -> HashSet<Key> {
    let mut suspended: HashSet<Key> = top_is.then_some(top).into_iter().collect();
    for row in rows {
        if themselves.contains(&row.key) || suspended.contains(&row.parent_key.unwrap_or(top)) {
            suspended.insert(row.key);
        }
    }
    suspended
}

enum Step<'a> {
    Row(&'a Row),
    End(Cut),
}

fn push_children<'a>(stack: &mut Vec<Step<'a>>, children: &HashMap<Key, Vec<&'a Row>>, of: Key) {
    if let Some(rows) = children.get(&of) {
        stack.extend(rows.iter().rev().map(|row| Step::Row(row)));
    }
}
