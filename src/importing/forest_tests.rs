//! Whole trees in any order of their lines, with parents named in every way: what grows is what was meant.

use std::collections::HashMap;

use proptest::prelude::*;

use super::check;
use super::forest::{self, BETWEEN, Ground, Node};
use super::lines::Line;
use crate::ids::{self, Key};
use crate::problem::Problem;
use crate::text::name_key;

const TOP: Key = 1;

/// Accounts that are there: key, parent, name, external reference.
#[derive(Default)]
struct There(Vec<(Key, Key, String, String)>);

fn id(key: Key) -> String {
    format!("ac-{key:022}")
}

impl Ground for There {
    fn top(&self) -> Key {
        TOP
    }

    fn by_id(&mut self, ids: &[String]) -> Result<HashMap<String, Key>, Problem> {
        let keys = self.0.iter().map(|(key, ..)| *key).chain([TOP]);
        Ok(keys.map(|key| (id(key), key)).filter(|(id, _)| ids.contains(id)).collect())
    }

    fn by_reference(&mut self, references: &[String]) -> Result<HashMap<String, Vec<(Key, Key)>>, Problem> {
        let mut found: HashMap<String, Vec<(Key, Key)>> = HashMap::new();
        for (key, parent, _, reference) in self.0.iter().filter(|row| references.contains(&row.3)) {
            found.entry(reference.clone()).or_default().push((*key, *parent));
        }
        Ok(found)
    }

    fn children(&mut self, wanted: &[(Key, String)]) -> Result<HashMap<(Key, String), Vec<Key>>, Problem> {
        let mut found: HashMap<(Key, String), Vec<Key>> = HashMap::new();
        for (key, parent, name, _) in &self.0 {
            let place = (*parent, name_key(name));
            if wanted.contains(&place) {
                found.entry(place).or_default().push(*key);
            }
        }
        Ok(found)
    }

    fn id_of(&self, account: Key) -> String {
        id(account)
    }
}

fn line(number: i64, name: &str, parent: &str, reference: &str) -> Line {
    let (name, parent, reference) = (name.to_owned(), parent.to_owned(), reference.to_owned());
    Line { line: number, name, parent, reference, ..Line::default() }
}

fn words(line: &Line) -> String {
    line.complaints.iter().map(|c| c.words.clone()).collect::<Vec<_>>().join("; ")
}

/// A forest: each node's parent comes before it, or is the top; the first few are there already. How each names its
/// parent, and where its line stands.
fn forests() -> impl Strategy<Value = (Vec<(usize, u8)>, usize, Vec<usize>)> {
    (1..60_usize).prop_flat_map(|n| {
        let nodes = prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), n);
        let nodes = nodes.prop_map(|nodes| {
            nodes.into_iter().enumerate().map(|(n, (index, way))| (index.index(n + 1), way)).collect::<Vec<_>>()
        });
        (nodes, 0..=n / 3, Just((0..n).collect::<Vec<_>>()).prop_shuffle())
    })
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]
    #[test]
    fn any_order_of_lines_grows_the_same_forest((nodes, there, places) in forests()) {
        // Node 0 is the top; node n + 1 the n-th of the forest.
        let name = |n: usize| format!("Name {n}");
        let key = |n: usize| if n == 0 { TOP } else { 100 + n as Key };
        let path = |mut n: usize| {
            let mut names = Vec::new();
            while n > 0 {
                names.push(name(n));
                n = nodes[n - 1].0;
            }
            names.reverse();
            names.join(BETWEEN)
        };
        let mut ground = There::default();
        let mut lines = vec![Line::default(); nodes.len() - there];
        let mut at = vec![0; nodes.len() + 1];
        let mut places = places.into_iter().filter(|place| *place < nodes.len() - there);
        for (n, (parent, way)) in nodes.iter().enumerate() {
            let reference = format!("R {}", n + 1);
            if n < there {
                ground.0.push((key(n + 1), key(*parent), name(n + 1), reference));
                continue;
            }
            let named = match (parent, way % 3) {
                (0, _) => String::new(),
                (_, 0) => format!("R {parent}"),
                (_, 1) if *parent <= there => id(key(*parent)),
                _ => path(*parent),
            };
            at[n + 1] = places.next().expect("a place");
            lines[at[n + 1]] = line(at[n + 1] as i64 + 2, &name(n + 1), &named, &reference);
        }
        let (spots, order) = forest::grow(&mut lines, &mut ground).expect("it grows");
        for (n, (parent, _)) in nodes.iter().enumerate().skip(there) {
            let grown = &lines[at[n + 1]];
            prop_assert!(!grown.is_wrong(), "{}: {}", grown.name, words(grown));
            let meant = if *parent <= there { Node::Account(key(*parent)) } else { Node::Line(at[*parent]) };
            prop_assert_eq!(spots[at[n + 1]].parent, Some(meant));
        }
        let mut turn = vec![0; lines.len()];
        order.iter().enumerate().for_each(|(when, n)| turn[*n] = when);
        prop_assert_eq!(order.len(), lines.len());
        for (n, spot) in spots.iter().enumerate() {
            if let Some(Node::Line(above)) = spot.parent {
                prop_assert!(turn[above] < turn[n]);
                prop_assert_eq!(spots[above].steps + 1, spot.steps);
            }
        }
    }
}

#[test]
fn circles_are_found_wherever_they_begin() {
    let mut lines = vec![
        line(2, "A", "C", "a"),
        line(3, "B", "a", "b"),
        line(4, "C", "b", "C"),
        line(5, "below", "b", ""),
        line(6, "itself", "i", "i"),
        line(7, "fine", "", ""),
    ];
    let (_, order) = forest::grow(&mut lines, &mut There::default()).expect("it grows");
    assert_eq!(order.len(), lines.len());
    let wrong: Vec<i64> = lines.iter().filter(|l| l.is_wrong()).map(|l| l.line).collect();
    assert_eq!(wrong, [2, 3, 4, 5, 6]);
    assert!(words(&lines[0]).contains("circle"));
}

#[test]
fn what_more_than_one_could_be_meant_by_is_said_with_their_ids() {
    let there = |key: Key, name: &str, reference: &str| (key, TOP, name.to_owned(), reference.to_owned());
    let mut ground = There(vec![
        there(5, "Twin", ""),
        there(6, "twin", ""),
        there(7, "One", "same"),
        there(8, "Two", "same"),
        there(9, "Three", "twice"),
        there(10, "Four", "twice"),
    ]);
    let mut lines = vec![
        line(2, "a", "Twin", ""),
        line(3, "b", "same", ""),
        line(4, "c", "", "twice"),
        line(5, "d", "nowhere / at all", ""),
        line(6, "e", "", "x"),
        line(7, "f", "", "x"),
        line(8, "g", "x", ""),
        line(9, "One", "", ""),
        line(10, "h", "One", ""),
        line(11, "i", &ids::new_id("ac"), ""),
    ];
    forest::grow(&mut lines, &mut ground).expect("it grows");
    for (n, said) in [
        (0, format!("More than one is meant by this: {}, {}", id(5), id(6))),
        (1, format!("{}, {}", id(7), id(8))),
        (2, "2 accounts below have this external reference".to_owned()),
        (3, "No account and no line is called so".to_owned()),
        (4, "Lines 6 and 7 have the same external reference".to_owned()),
        (6, "More than one line has this external reference".to_owned()),
        (8, format!("line 9, {}", id(7))),
        (9, "There is no account with this id".to_owned()),
    ] {
        assert!(words(&lines[n]).contains(&said), "line {}: {}", lines[n].line, words(&lines[n]));
    }
    assert!(!lines[7].is_wrong());
}

#[test]
fn a_known_reference_is_that_account_if_it_is_where_the_line_says() {
    let mut ground =
        There(vec![(5, TOP, "North".to_owned(), "n".to_owned()), (6, 5, "Harbour".to_owned(), "h".to_owned())]);
    let mut lines = vec![
        line(2, "Crane", "h", ""),
        line(3, "Harbour, renamed", "n", "h"),
        line(4, "North", "", "n"),
        line(5, "Dock", "North / Harbour", ""),
    ];
    let (spots, _) = forest::grow(&mut lines, &mut ground).expect("it grows");
    assert!(lines.iter().all(|line| !line.is_wrong()), "{:?}", lines.iter().map(words).collect::<Vec<_>>());
    assert_eq!(spots.iter().map(|spot| spot.there).collect::<Vec<_>>(), [None, Some(6), Some(5), None]);
    assert_eq!([spots[0].parent, spots[3].parent], [Some(Node::Account(6)); 2]);
    let mut lines = vec![line(2, "Harbour", "", "h")];
    forest::grow(&mut lines, &mut ground).expect("it grows");
    assert!(words(&lines[0]).contains("is below another one"), "{}", words(&lines[0]));
}

#[test]
fn what_is_below_a_wrong_line_is_wrong_too() {
    let mut lines =
        vec![line(2, "A", "nobody", "a"), line(3, "B", "a", "b"), line(4, "C", "b", ""), line(5, "D", "", "")];
    let (spots, order) = forest::grow(&mut lines, &mut There::default()).expect("it grows");
    check::hand_down(&mut lines, &spots, &order);
    check::hand_down(&mut lines, &spots, &order);
    assert_eq!(lines.iter().map(|l| l.complaints.len()).collect::<Vec<_>>(), [1, 1, 1, 0]);
    assert!(words(&lines[2]).contains("The line of its parent, 3"));
}
