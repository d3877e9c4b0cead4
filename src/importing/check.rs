//! The check before anything is made: whether each line could be carried out now by this person. The run asks all of it
//! again, account by account; this is so that nobody begins what cannot end well.

use std::collections::{HashMap, HashSet};

use super::forest::{self, BETWEEN, Node, Spot};
use super::ground::{Accounts, Known};
use super::lines::{self, Line};
use super::table::{Column, Table};
use crate::access::Grant;
use crate::access::policy::{Action, CreateAccounts, ReadAccounts, UpdateAccounts};
use crate::ids::Key;
use crate::limits::{self, Room};
use crate::problem::{Problem, Reason};
use crate::store::Db;
use crate::text::name_key;

/// What the session and the installation allow.
#[derive(Debug, Clone, Copy)]
pub struct Bounds {
    pub second_factor: bool,
    pub max_depth: i64,
}

/// Lines with all their complaints, where they belong, and their order.
pub struct Checked {
    pub lines: Vec<Line>,
    pub spots: Vec<Spot>,
    /// Parents before what is below them.
    pub order: Vec<usize>,
    pub known: HashMap<Key, Known>,
}

impl Checked {
    /// The id of an account that is there.
    pub fn id_of(&self, account: Key) -> Option<&str> {
        self.known.get(&account).and_then(Known::here).map(|step| step.place.id.as_str())
    }
}

pub fn check(db: &mut Db, by: &Grant<CreateAccounts>, table: Table, bounds: Bounds) -> Result<Checked, Problem> {
    let mut lines = lines::read(table);
    let mut ground = Accounts::of(db, by);
    let (spots, order) = forest::grow(&mut lines, &mut ground)?;
    warn_of_namesakes(&mut lines, &spots, &mut ground, by)?;
    let known = ground.into_known();
    for (line, spot) in lines.iter_mut().zip(&spots).filter(|(_, spot)| spot.there.is_none()) {
        if let Some(known) = known.get(&spot.ground) {
            permit(line, spot, known, bounds);
        }
    }
    hand_down(&mut lines, &spots, &order);
    keep_limits(db, &mut lines, &spots, &order, &known)?;
    hand_down(&mut lines, &spots, &order);
    name_paths(&mut lines, &spots, &order, &known, by.account().depth);
    Ok(Checked { lines, spots, order, known })
}

/// What the person may do where the line belongs.
fn permit(line: &mut Line, spot: &Spot, known: &Known, bounds: Bounds) {
    let Some(here) = known.here() else { return };
    let name = &here.place.name;
    let may = if spot.steps == 1 { here.may::<CreateAccounts>() } else { CreateAccounts::NEEDS.met_by(known.below) };
    if !may {
        let words = if spot.steps == 1 { format!("in {name}") } else { format!("in accounts below {name}") };
        line.complain(
            Column::Parent,
            format!("It needs the permission “accounts: create” {words}, which you do not have"),
        );
    }
    if line.accept && !UpdateAccounts::NEEDS.met_by(known.below) {
        let words = "You may not accept agreements for accounts below; write leave, for the account's administrator";
        line.complain(Column::Agreements, format!("{words} ({name})"));
    }
    if !bounds.second_factor && known.chain.iter().any(|step| step.place.requires_second_factor) {
        let words = format!("{name} asks for a second factor, and you signed in without one");
        line.complain(Column::Parent, words);
    }
    if here.place.depth + spot.steps >= bounds.max_depth {
        line.complain(Column::Parent, Reason::TooDeep(bounds.max_depth).in_form());
    }
}

/// The same name under one parent is no mistake, and said.
fn warn_of_namesakes(
    lines: &mut [Line],
    spots: &[Spot],
    ground: &mut Accounts<'_>,
    by: &Grant<CreateAccounts>,
) -> Result<(), Problem> {
    let mut first: HashMap<(Node, String), i64> = HashMap::new();
    let mut wanted = HashSet::new();
    for (line, spot) in lines.iter_mut().zip(spots).filter(|(_, spot)| spot.there.is_none()) {
        let Some(parent) = spot.parent else { continue };
        let key = name_key(&line.name);
        match first.get(&(parent, key.clone())) {
            Some(other) => line.warning = format!("Line {other} has the same name under the same parent"),
            None => _ = first.insert((parent, key.clone()), line.line),
        }
        if let Node::Account(account) = parent {
            wanted.insert((account, key));
        }
    }
    // Whoever may not see the accounts below does not learn their names by trying.
    if !by.frame().may_below::<ReadAccounts>() {
        return Ok(());
    }
    let mut wanted: Vec<(Key, String)> = wanted.into_iter().collect();
    wanted.sort_unstable();
    let taken = ground.taken(&wanted)?;
    for (line, spot) in lines.iter_mut().zip(spots).filter(|(_, spot)| spot.there.is_none()) {
        let Some(Node::Account(account)) = spot.parent else { continue };
        if line.warning.is_empty() && taken.contains_key(&(account, name_key(&line.name))) {
            line.warning = "There is already an account of this name under the same parent".to_owned();
        }
    }
    Ok(())
}

/// Limits on child accounts: those that fit first are in the order in which they would be made.
fn keep_limits(
    db: &mut Db,
    lines: &mut [Line],
    spots: &[Spot],
    order: &[usize],
    known: &HashMap<Key, Known>,
) -> Result<(), Problem> {
    let fresh = |lines: &[Line], n: usize| spots[n].there.is_none() && !lines[n].is_wrong();
    let grounds: HashSet<Key> = order.iter().filter(|n| fresh(lines, **n)).map(|n| spots[*n].ground).collect();
    let above = |ground: &Key| known.get(ground).map_or(&[][..], |known| &known.chain);
    let mut keys: Vec<Key> = grounds.iter().flat_map(above).map(|step| step.place.key).collect();
    keys.sort_unstable();
    keys.dedup();
    let mut rooms: HashMap<Key, Vec<Room>> = HashMap::new();
    for some in keys.chunks(500) {
        for room in limits::rooms(db, some)? {
            rooms.entry(room.at).or_default().push(room);
        }
    }
    if rooms.is_empty() {
        return Ok(());
    }
    for n in order {
        if !fresh(lines, *n) {
            continue;
        }
        let spot = &spots[*n];
        let own = |room: &Room| spot.steps == 1 && room.at == spot.ground;
        let chain: Vec<Key> = above(&spot.ground).iter().map(|step| step.place.key).collect();
        let mut holding = chain.iter().flat_map(|key| rooms.get(key)).flatten().filter(|r| r.branch || own(r));
        if let Some(full) = holding.find(|room| room.has >= room.most) {
            let reason = Reason::LimitReached { resource: limits::Resource::Account.plural(), most: full.most };
            lines[*n].complain(Column::Parent, reason.in_form());
            continue;
        }
        for key in chain {
            let rooms = rooms.get_mut(&key).into_iter().flatten();
            rooms
                .filter(|room| room.branch || (spot.steps == 1 && room.at == spot.ground))
                .for_each(|room| room.has += 1);
        }
    }
    Ok(())
}

/// A line below one that cannot be made cannot be made either, nor one below an account that such a line stands for.
/// In the order in which parents come first.
pub(super) fn hand_down(lines: &mut [Line], spots: &[Spot], order: &[usize]) {
    for n in order {
        if let Some(above) = spots[*n].through
            && lines[above].is_wrong()
            && !lines[*n].complains_of(Column::Parent)
        {
            let words = format!("The line of its parent, {}, cannot be imported", lines[above].line);
            lines[*n].complain(Column::Parent, words);
        }
    }
}

/// Names of a path that are written out; the middle of a longer one is left out.
const MOST_NAMES: usize = 12;

fn name_paths(lines: &mut [Line], spots: &[Spot], order: &[usize], known: &HashMap<Key, Known>, depth: i64) {
    for n in order {
        let mut path: Vec<String> = match spots[*n].parent {
            Some(Node::Line(above)) => lines[above].path.split(BETWEEN).map(str::to_owned).collect(),
            Some(Node::Account(account)) => {
                let chain = known.get(&account).map_or(&[][..], |known| &known.chain);
                chain.iter().filter(|step| step.place.depth > depth).map(seen_name).collect()
            }
            None => continue,
        };
        path.push(lines[*n].name.clone());
        if path.len() > MOST_NAMES {
            path.splice(2..path.len() - 3, ["…".to_owned()]);
        }
        lines[*n].path = path.join(BETWEEN);
    }
}

fn seen_name(step: &crate::access::Step) -> String {
    if step.held.is_empty() { "restricted".to_owned() } else { step.place.name.clone() }
}
