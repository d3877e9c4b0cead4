//! Somebody stays in charge (T20): the last two administrators of a root account remove, demote and outvote each other
//! or leave, at the same moment, in every combination. Whatever the order, one is left who may do everything for good,
//! and whoever lost was told why.

use diesel::prelude::*;
use subtenant::access::Scope;
use subtenant::access::policy::{
    CreateRoles, DeleteMembers, LeaveAccount, Permission, Permissions, Resource, UpdateMembers, UpdateRoles, Verb,
};
use subtenant::ids;
use subtenant::members::{self, Wanted};
use subtenant::problem::{Problem, Reason};
use subtenant::roles::{self, NewRole};
use subtenant::store::schema::{assignments, roles as role_rows};

use crate::races::{Act, Rivals, won};
use crate::world::{World, admin_of};

const ROUNDS: usize = 300;
const EVERYTHING: Permissions = Permissions::of(&[Permission(Resource::All, Verb::All)]);
const SIGHT: Permissions = Permissions::of(&[Permission(Resource::All, Verb::Read)]);

/// A root account with two in charge: one as Administrator, one in a role of the account's own.
struct Root<'w> {
    world: &'w World,
    name: String,
    people: [String; 2],
    /// The ids of a role that sees everything and of the account's own.
    reader: String,
    boss: String,
}

impl Root<'_> {
    fn new(world: &World, round: usize) -> Root<'_> {
        let (name, second) = (format!("root-{round}"), format!("second-{round}"));
        let people = [admin_of(&name), second];
        world.account(&name).viewer(&people[1]);
        let by = world.grant::<CreateRoles>(&people[0], &name).expect("the administrator may");
        let new = NewRole { name: "Boss".to_owned(), description: String::new(), permissions: EVERYTHING };
        let boss = world.write(|db| roles::create(db, &by, new)).expect("a role").id;
        let reader = role_rows::table
            .filter(role_rows::account_key.eq(world.key(&name)))
            .filter(role_rows::name.eq("Read only"))
            .select(role_rows::id);
        let reader = world.read(|db| Ok(reader.first(db)?)).expect("the built-in role");
        let root = Root { world, name, people, reader, boss };
        let act = root.giving(0, 1, &root.boss, ids::never());
        world.write(act).expect("the second one is in charge, too");
        root
    }

    fn giving(&self, who: usize, whom: usize, role: &str, ends_at: chrono::NaiveDateTime) -> Act<'_> {
        let by = self.world.grant::<UpdateMembers>(&self.people[who], &self.name).expect("an administrator may");
        let wanted = [Wanted { role_id: role.to_owned(), scope: Scope::HereAndBelow, ends_at }];
        let whom = self.world.person_id(&self.people[whom]);
        Box::new(move |db| members::give(db, &by, &whom, &wanted, None))
    }

    /// One of the ways in which this one, alone, would leave the other or nobody in charge.
    fn act(&self, who: usize, way: usize) -> Act<'_> {
        let other = 1 - who;
        let soon = ids::now() + chrono::Duration::days(1);
        match way {
            0 => {
                let by = self.world.grant::<DeleteMembers>(&self.people[who], &self.name).expect("may");
                let whom = self.world.person_id(&self.people[other]);
                Box::new(move |db| members::remove(db, &by, &whom, None))
            }
            1 => self.giving(who, other, &self.reader, ids::never()),
            2 => {
                let by = self.world.grant::<LeaveAccount>(&self.people[who], &self.name).expect("may");
                Box::new(move |db| members::leave(db, &by, None))
            }
            3 => self.giving(who, who, &self.boss, soon),
            _ => {
                let by = self.world.grant::<UpdateRoles>(&self.people[who], &self.name).expect("may");
                let new = NewRole { name: "Boss".to_owned(), description: String::new(), permissions: SIGHT };
                let role = self.boss.clone();
                Box::new(move |db| roles::update(db, &by, &role, new, 1).map(drop))
            }
        }
    }

    /// Those who may do everything here for good, by what is stored.
    fn in_charge(&self) -> usize {
        let rows = assignments::table
            .inner_join(role_rows::table.on(role_rows::key.eq(assignments::role_key)))
            .filter(assignments::account_key.eq(self.world.key(&self.name)))
            .filter(assignments::ends_at.eq(ids::never()))
            .filter(assignments::scope.ne("below"))
            .select(role_rows::permissions);
        let sets: Vec<i64> = self.world.read(|db| Ok(rows.load(db)?)).expect("assignments are read");
        sets.into_iter().filter(|bits| Permissions(*bits).cover(EVERYTHING)).count()
    }
}

#[test]
fn of_two_in_charge_who_act_against_each_other_one_stays() {
    const WAYS: usize = 5;
    let world = World::new();
    let rivals = Rivals::of(&world);
    let fine = |p: &Problem| {
        matches!(
            p,
            Problem::NotFound
                | Problem::Forbidden { .. }
                | Problem::Conflict(Reason::AdminAccessMustExist | Reason::MoreThanHeld | Reason::Stale)
        )
    };
    for round in 0..ROUNDS {
        let root = Root::new(&world, round);
        let (first, second) = (round % WAYS, round / WAYS % WAYS);
        let outcomes = rivals.race(vec![root.act(0, first), root.act(1, second)]);
        won(&outcomes, fine);
        assert!(root.in_charge() > 0, "round {round}, {first} against {second}: nobody is in charge: {outcomes:?}");
    }
    world.assert_sound();
}
