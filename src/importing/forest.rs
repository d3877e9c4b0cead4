//! Who is below whom: each line's parent is found among the lines of the file and the accounts that are there already, in
//! any order of the lines. Knows no database: what is there is asked of a [`Ground`], many questions at once.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::lines::Line;
use super::table::Column;
use crate::ids::{self, Key};
use crate::problem::Problem;
use crate::text::name_key;

/// Between the names of a path.
pub const BETWEEN: &str = " / ";

/// A line of the file by its place among them, or an account that is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Node {
    Line(usize),
    Account(Key),
}

/// A parent, and the nearest line of the file on the way to it: itself, or what an account was reached through.
type Way = (Node, Option<usize>);

/// The accounts that are there, as far as this person may know of them.
pub trait Ground {
    /// The account of the import.
    fn top(&self) -> Key;
    /// Accounts at or below the top with these ids.
    fn by_id(&mut self, ids: &[String]) -> Result<HashMap<String, Key>, Problem>;
    /// Accounts below the top with these external references, each with its parent.
    fn by_reference(&mut self, references: &[String]) -> Result<HashMap<String, Vec<(Key, Key)>>, Problem>;
    /// Children of these accounts with names that fold to these keys.
    fn children(&mut self, wanted: &[(Key, String)]) -> Result<HashMap<(Key, String), Vec<Key>>, Problem>;
    /// How an account is called that more than one could be meant by.
    fn id_of(&self, account: Key) -> String;
}

/// Where a line belongs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Spot {
    /// None where a complaint says why.
    pub parent: Option<Node>,
    /// The line that it hangs on: its parent, or the one that its parent, an account, was reached through.
    pub through: Option<usize>,
    /// The account that it is already.
    pub there: Option<Key>,
    /// The nearest account above it that is there, and how many levels below that it is.
    pub ground: Key,
    pub steps: i64,
}

/// The spots of all lines, and the order in which parents come before what is below them. Complaints go to the lines.
pub fn grow(lines: &mut [Line], ground: &mut dyn Ground) -> Result<(Vec<Spot>, Vec<usize>), Problem> {
    let mut forest = Forest::of(lines, ground.top());
    forest.know_references(lines, ground)?;
    forest.place_directly(lines, ground)?;
    forest.place_by_path(lines, ground)?;
    forest.find_what_is_there(lines, ground);
    Ok(forest.order(lines))
}

#[derive(Default)]
struct Forest {
    top: Key,
    names: Vec<String>,
    parents: Vec<Option<Way>>,
    /// Lines by their external reference.
    own: HashMap<String, Vec<usize>>,
    known: HashMap<String, Vec<(Key, Key)>>,
    /// Lines by parent and folded name.
    below: HashMap<(Node, String), Vec<usize>>,
    /// Lines that are accounts already, unless they turn out to be elsewhere.
    same: HashMap<usize, Key>,
}

impl Forest {
    fn of(lines: &[Line], top: Key) -> Forest {
        let names = lines.iter().map(|line| name_key(&line.name)).collect();
        Forest { top, names, parents: vec![None; lines.len()], ..Forest::default() }
    }

    fn know_references(&mut self, lines: &mut [Line], ground: &mut dyn Ground) -> Result<(), Problem> {
        let mut asked = BTreeSet::new();
        for (n, line) in lines.iter().enumerate() {
            if !line.reference.is_empty() {
                self.own.entry(line.reference.clone()).or_default().push(n);
                asked.insert(line.reference.clone());
            }
            if !line.parent.is_empty() && line.parent.chars().count() <= 64 {
                asked.insert(line.parent.clone());
            }
        }
        self.known = ground.by_reference(&asked.into_iter().collect::<Vec<_>>())?;
        for (reference, owners) in &self.own {
            if owners.len() > 1 {
                let all = numbers(lines, owners);
                let words = format!("Lines {all} have the same external reference; each line needs its own");
                owners.iter().for_each(|n| lines[*n].complain(Column::Reference, &words));
            }
            match self.known.get(reference).map(Vec::as_slice) {
                Some([(account, _)]) => self.same.extend(owners.iter().map(|n| (*n, *account))),
                Some(several) => {
                    let ids = several.iter().map(|(key, _)| ground.id_of(*key)).collect::<Vec<_>>().join(", ");
                    let words = format!("{} accounts below have this external reference: {ids}", several.len());
                    owners.iter().for_each(|n| lines[*n].complain(Column::Reference, &words));
                }
                None => {}
            }
        }
        Ok(())
    }

    /// What a line is: itself, or the account that it is already.
    fn way(&self, line: usize) -> Way {
        (self.same.get(&line).map_or(Node::Line(line), |account| Node::Account(*account)), Some(line))
    }

    fn put(&mut self, line: usize, way: Way) {
        self.parents[line] = Some(way);
        self.below.entry((way.0, self.names[line].clone())).or_default().push(line);
    }

    /// Parents that are named by nothing, by an id or by an external reference.
    fn place_directly(&mut self, lines: &mut [Line], ground: &mut dyn Ground) -> Result<(), Problem> {
        let is_id = |line: &Line| ids::looks_like_id("ac", &line.parent);
        let ids: BTreeSet<String> = lines.iter().filter(|l| is_id(l)).map(|l| l.parent.clone()).collect();
        let accounts = ground.by_id(&ids.into_iter().collect::<Vec<_>>())?;
        for (n, line) in lines.iter_mut().enumerate() {
            if line.parent.is_empty() {
                self.put(n, (Node::Account(self.top), None));
            } else if is_id(line) {
                match accounts.get(&line.parent) {
                    Some(account) => self.put(n, (Node::Account(*account), None)),
                    None => {
                        line.complain(Column::Parent, "There is no account with this id here or below that you see")
                    }
                }
            } else if let Some(owners) = self.own.get(&line.parent) {
                let owner = owners[0];
                match owners.len() {
                    1 => self.put(n, self.way(owner)),
                    _ => line.complain(Column::Parent, "More than one line has this external reference"),
                }
            } else if let Some(found) = self.known.get(&line.parent) {
                match found.as_slice() {
                    &[(account, _)] => self.put(n, (Node::Account(account), None)),
                    several => {
                        let ids: Vec<String> = several.iter().map(|(key, _)| ground.id_of(*key)).collect();
                        let words = "More than one account below has this external reference; write one of these ids";
                        line.complain(Column::Parent, format!("{words}: {}", ids.join(", ")));
                    }
                }
            }
        }
        Ok(())
    }

    /// Parents that are named by a path: the shortest first, as longer ones may lead through lines that hang on them.
    fn place_by_path(&mut self, lines: &mut [Line], ground: &mut dyn Ground) -> Result<(), Problem> {
        let is_path = |n: usize, line: &Line| self.parents[n].is_none() && !line.complains_of(Column::Parent);
        let keys = |line: &Line| -> Vec<String> { line.parent.split(BETWEEN).map(name_key).collect() };
        let paths: BTreeMap<usize, Vec<String>> =
            lines.iter().enumerate().filter(|(n, l)| is_path(*n, l)).map(|(n, line)| (n, keys(line))).collect();
        let longest = paths.values().map(Vec::len).max().unwrap_or(0);
        let mut reached: HashMap<&[String], Vec<Way>> =
            HashMap::from([(&[][..], vec![(Node::Account(self.top), None)])]);
        for length in 1..=longest {
            let prefixes: BTreeSet<&[String]> =
                paths.values().filter(|path| path.len() >= length).map(|path| &path[..length]).collect();
            reached = self.step(&prefixes, &reached, ground)?;
            for (n, path) in paths.iter().filter(|(_, path)| path.len() == length) {
                match reached.get(path.as_slice()).map_or(&[][..], Vec::as_slice) {
                    [one] => self.put(*n, *one),
                    found => {
                        let words = self.unclear(lines, found, ground);
                        lines[*n].complain(Column::Parent, words);
                    }
                }
            }
        }
        Ok(())
    }

    /// From the places that the paths reached so far to those of their next names.
    fn step<'p>(
        &self,
        prefixes: &BTreeSet<&'p [String]>,
        reached: &HashMap<&[String], Vec<Way>>,
        ground: &mut dyn Ground,
    ) -> Result<HashMap<&'p [String], Vec<Way>>, Problem> {
        let mut wanted = BTreeSet::new();
        let mut from: Vec<(&'p [String], &String, &[Way])> = Vec::new();
        for prefix in prefixes {
            let Some((name, before)) = prefix.split_last() else { continue };
            let nodes = reached.get(before).map_or(&[][..], Vec::as_slice);
            from.push((prefix, name, nodes));
            wanted.extend(nodes.iter().filter_map(|(node, _)| match node {
                Node::Account(account) => Some((*account, name.clone())),
                Node::Line(_) => None,
            }));
        }
        let children = ground.children(&wanted.into_iter().collect::<Vec<_>>())?;
        let next = |(prefix, name, nodes): (&'p [String], &String, &[Way])| {
            let mut found: BTreeMap<Node, Option<usize>> = BTreeMap::new();
            for (node, through) in nodes {
                if let Node::Account(account) = node {
                    let there = children.get(&(*account, name.clone()));
                    found.extend(there.into_iter().flatten().map(|key| (Node::Account(*key), *through)));
                }
            }
            // After the accounts: where a line is one of them, the way leads through it.
            for (node, _) in nodes {
                let lines = self.below.get(&(*node, name.clone()));
                found.extend(lines.into_iter().flatten().map(|line| self.way(*line)));
            }
            (prefix, found.into_iter().collect())
        };
        Ok(from.into_iter().map(next).collect())
    }

    fn unclear(&self, lines: &[Line], found: &[Way], ground: &dyn Ground) -> String {
        let name = |(node, _): &Way| match node {
            Node::Line(n) => format!("line {}", lines[*n].line),
            Node::Account(key) => ground.id_of(*key),
        };
        let all: Vec<String> = found.iter().take(5).map(name).collect();
        match found {
            [] => {
                "No account and no line is called so: write an id, an external reference, or the names from below this \
                   account, as in “North / Office”"
                    .to_owned()
            }
            _ => format!("More than one is meant by this: {}. Write an id or an external reference", all.join(", ")),
        }
    }

    /// A line whose external reference is known is that account, if it is where the line says.
    fn find_what_is_there(&mut self, lines: &mut [Line], ground: &dyn Ground) {
        for (n, account) in &self.same {
            let line = &mut lines[*n];
            let known = self.known.get(&line.reference).and_then(|found| found.first());
            let (Some((parent, _)), Some((_, above))) = (self.parents[*n], known) else { continue };
            if parent != Node::Account(*above) {
                let id = ground.id_of(*account);
                let words = format!("The account with this external reference ({id}) is below another one");
                line.complain(Column::Reference, words);
            }
        }
    }

    /// From the top down, level by level; complaints are handed on to what is below, and circles found.
    fn order(self, lines: &mut [Line]) -> (Vec<Spot>, Vec<usize>) {
        let mut spots = vec![Spot::default(); lines.len()];
        let mut children: HashMap<usize, Vec<usize>> = HashMap::new();
        let mut order: Vec<usize> = Vec::with_capacity(lines.len());
        for (n, way) in self.parents.iter().enumerate() {
            let (parent, through) = (way.map(|way| way.0), way.and_then(|way| way.1));
            spots[n] = Spot { parent, through, there: self.same.get(&n).copied(), ..Spot::default() };
            if let Some(Node::Account(account)) = parent {
                (spots[n].ground, spots[n].steps) = (account, 1);
            }
            match through {
                Some(above) => children.entry(above).or_default().push(n),
                None => order.push(n),
            }
        }
        let mut next = 0;
        while let Some(n) = order.get(next).copied() {
            next += 1;
            for child in children.remove(&n).unwrap_or_default() {
                if spots[child].parent == Some(Node::Line(n)) {
                    (spots[child].ground, spots[child].steps) = (spots[n].ground, spots[n].steps + 1);
                }
                order.push(child);
            }
        }
        // What was not reached hangs on itself.
        let mut left: Vec<usize> = children.into_values().flatten().collect();
        left.sort_unstable();
        for n in left {
            lines[n]
                .complain(Column::Parent, "It would be below itself: the lines name each other as parents in a circle");
            order.push(n);
        }
        (spots, order)
    }
}

fn numbers(lines: &[Line], which: &[usize]) -> String {
    let mut all: Vec<String> = which.iter().take(5).map(|n| lines[*n].line.to_string()).collect();
    if which.len() > 5 {
        all.push("others".to_owned());
    }
    let last = all.pop().unwrap_or_default();
    if all.is_empty() { last } else { format!("{} and {last}", all.join(", ")) }
}
