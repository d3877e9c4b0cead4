//! Accounts with everything above each, their tags, and which of them are closed, suspended or limited.

use chrono::Duration;
use rand::Rng;

use super::people::People;
use super::{Say, Steps, World, names};
use crate::problem::Problem;
use crate::store::Db;
use crate::store::bulk::Rows;
use crate::text::name_key;

const ACCOUNTS: [&str; 15] = [
    "key",
    "id",
    "parent_key",
    "parent_depth",
    "root_key",
    "depth",
    "name",
    "name_key",
    "description",
    "contacts",
    "children_count",
    "closed_at",
    "created_at",
    "version",
    "below_count",
];

pub fn fill(db: &mut Db, world: &World, people: &People, say: Say<'_>) -> Result<(), Problem> {
    rows(db, world, say)?;
    ancestry(db, world, say)?;
    tags(db, world)?;
    suspensions(db, world, people)
}

fn rows(db: &mut Db, world: &World, say: Say<'_>) -> Result<(), Problem> {
    let forest = &world.forest;
    let mut children = vec![0_i64; forest.len()];
    for n in world.numbers() {
        if let Some(parent) = forest.parent[n as usize].filter(|_| !world.closed[n as usize]) {
            children[parent as usize] += 1;
        }
    }
    let mut below = vec![0_i64; forest.len()];
    for n in world.numbers().rev() {
        if let Some(parent) = forest.parent[n as usize] {
            below[parent as usize] += below[n as usize] + i64::from(!world.closed[n as usize]);
        }
    }
    let mut rng = world.dice(2);
    let mut steps = Steps::new(say, "Accounts", forest.len());
    let mut rows = Rows::into(db, "accounts", &ACCOUNTS);
    for n in world.by_age.iter().map(|n| *n as usize) {
        let parent = forest.parent[n].map(|parent| parent as usize);
        let closed = world.closed[n].then(|| world.end - Duration::hours(rng.random_range(1..2_000)));
        rows.push([
            world.key[n].into(),
            world.id[n].as_str().into(),
            parent.map(|parent| world.key[parent]).into(),
            parent.map(|parent| i64::from(forest.depth[parent])).into(),
            world.key[forest.root[n] as usize].into(),
            i64::from(forest.depth[n]).into(),
            forest.name[n].as_str().into(),
            name_key(&forest.name[n]).into(),
            if rng.random_bool(0.2) { "Served from the nearest region." } else { "" }.into(),
            if rng.random_bool(0.5) { "noc@northwind.example" } else { "" }.into(),
            children[n].into(),
            closed.map(|at| at.max(world.created[n])).into(),
            world.created[n].into(),
            1.into(),
            below[n].into(),
        ])?;
        steps.one();
    }
    Ok(rows.end()?)
}

fn ancestry(db: &mut Db, world: &World, say: Say<'_>) -> Result<(), Problem> {
    let forest = &world.forest;
    let all: u64 = forest.depth.iter().map(|depth| u64::from(*depth) + 1).sum();
    let mut steps = Steps::new(say, "Who is above whom", all as usize);
    let mut rows = Rows::into(db, "account_ancestry", &["descendant_key", "ancestor_key", "distance", "name_key"]);
    let mut above: Vec<(i64, i64)> = Vec::new();
    for n in &world.by_age {
        above.clear();
        above.extend((0..).zip(forest.up(*n)).map(|(distance, up)| (world.key[up as usize], distance)));
        above.sort_unstable();
        let name = name_key(&forest.name[*n as usize]);
        for (ancestor, distance) in &above {
            rows.push([world.key[*n as usize].into(), (*ancestor).into(), (*distance).into(), name.as_str().into()])?;
            steps.one();
        }
    }
    Ok(rows.end()?)
}

fn tags(db: &mut Db, world: &World) -> Result<(), Problem> {
    let mut rng = world.dice(3);
    let mut rows = Rows::into(db, "account_tags", &["account_key", "name", "value", "value_key"]);
    for n in &world.by_age {
        let key = world.key[*n as usize];
        if rng.random_bool(0.1) {
            let city = names::city(&mut rng);
            rows.push([key.into(), "city".into(), city.into(), name_key(&format!("city {city}")).into()])?;
        }
        if rng.random_bool(0.02) {
            rows.push([key.into(), "tier".into(), "gold".into(), name_key("tier gold").into()])?;
        }
    }
    Ok(rows.end()?)
}

fn suspensions(db: &mut Db, world: &World, people: &People) -> Result<(), Problem> {
    let mut rng = world.dice(4);
    let mut rows = Rows::into(db, "suspensions", &["account_key", "suspended_at", "reason", "user_key"]);
    for n in world.by_age.iter().filter(|n| world.forest.depth[**n as usize] > 1) {
        if rng.random_bool(0.0005) {
            rows.push([
                world.key[*n as usize].into(),
                world.later(*n, &mut rng).into(),
                "Unpaid since September.".into(),
                people.administrator(world.root_of(*n)).into(),
            ])?;
        }
    }
    rows.end()?;
    limits(db, world)
}

fn limits(db: &mut Db, world: &World) -> Result<(), Problem> {
    let mut rows = Rows::into(db, "resource_limits", &["account_key", "resource", "reach", "most", "set_at"]);
    for n in world.numbers().filter(|n| world.forest.depth[*n as usize] == 1).step_by(50) {
        let at = world.created[n as usize];
        rows.push([world.key[n as usize].into(), "CONNECTION".into(), "BRANCH".into(), 100_000.into(), at.into()])?;
    }
    Ok(rows.end()?)
}
