//! Agreements that were accepted, and payment methods: for the roots, which offer theirs to everybody below, and for
//! some of their customers.

use rand::Rng;

use super::people::People;
use super::{Keys, Say, Steps, World, id};
use crate::consent;
use crate::problem::Problem;
use crate::store::Db;
use crate::store::bulk::Rows;

const CONSENTS: [&str; 8] =
    ["key", "id", "account_key", "document_key", "user_key", "from_account_key", "address", "accepted_at"];
const METHODS: [&str; 14] = [
    "account_key",
    "id",
    "collection_method",
    "name",
    "email",
    "street",
    "city",
    "state",
    "postal_code",
    "country",
    "allow_child_accounts",
    "verified",
    "created_at",
    "version",
];

pub fn fill(db: &mut Db, world: &World, people: &People, say: Say<'_>) -> Result<(), Problem> {
    let documents = consent::in_force(db)?;
    let mut rng = world.dice(7);
    let mut keys = Keys::default();
    let mut steps = Steps::new(say, "Agreements", world.forest.len());
    let mut rows = Rows::into(db, "consents", &CONSENTS);
    for n in &world.by_age {
        steps.one();
        if world.forest.depth[*n as usize] > 0 && rng.random_bool(0.3) {
            continue;
        }
        let root = world.root_of(*n);
        for document in &documents {
            let at = world.created[*n as usize];
            rows.push([
                keys.at(at).into(),
                id("consent", &mut rng).into(),
                world.key[*n as usize].into(),
                document.key.into(),
                people.administrator(root).into(),
                world.key[root as usize].into(),
                "192.0.2.1".into(),
                at.into(),
            ])?;
        }
    }
    rows.end()?;
    methods(db, world)
}

fn methods(db: &mut Db, world: &World) -> Result<(), Problem> {
    let mut rng = world.dice(8);
    let mut rows = Rows::into(db, "payment_methods", &METHODS);
    for n in &world.by_age {
        let (at, depth) = (*n as usize, world.forest.depth[*n as usize]);
        if depth > 0 && (depth > 3 || !rng.random_bool(0.05)) {
            continue;
        }
        let name: String = world.forest.name[at].chars().take(64).collect();
        rows.push([
            world.key[at].into(),
            id("billing", &mut rng).into(),
            "NET_30".into(),
            name.into(),
            "accounts@customer.example".into(),
            "1 Example Street".into(),
            "Frankfurt".into(),
            "".into(),
            "60311".into(),
            "DE".into(),
            (depth == 0 || rng.random_bool(0.7)).into(),
            true.into(),
            world.created[at].into(),
            1.into(),
        ])?;
    }
    Ok(rows.end()?)
}
