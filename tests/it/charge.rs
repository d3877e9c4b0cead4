//! Somebody stays in charge (T20): two last administrators of a root account who demote, narrow, end, remove or leave
//! at the same moment, on connections of their own, leave at least one who may do everything there for good.

use chrono::Duration;
use subtenant::access::Scope;
use subtenant::access::policy::{DeleteMembers, SeeAccount, UpdateMembers};
use subtenant::ids;
use subtenant::members::{self, Wanted};
use subtenant::problem::{Problem, Reason};
use subtenant::roles;

use crate::invited::role_id;
use crate::races::{Act, Rivals, won};
use crate::world::{World, admin_of};

/// One of the ways in which `who` takes everything from `whom`, or goes.
fn act(world: &World, root: &str, who: &str, whom: &str, way: usize) -> Act<'static> {
    let id = world.person_id(whom);
    let wanted =
        |role: &str, scope: Scope, ends_at| vec![Wanted { role_id: role_id(world, who, root, role), scope, ends_at }];
    let all = Scope::HereAndBelow;
    let wanted = match way {
        0 => wanted("Read only", all, ids::never()),
        1 => wanted("Administrator", Scope::Below, ids::never()),
        2 => wanted("Administrator", all, ids::now() + Duration::days(1)),
        3 => {
            let by = world.grant::<DeleteMembers>(who, root).expect("an administrator may");
            return Box::new(move |db| members::remove(db, &by, &id, None));
        }
        _ => {
            let by = world.grant::<SeeAccount>(who, root).expect("a member sees it");
            return Box::new(move |db| members::leave(db, &by, None));
        }
    };
    let by = world.grant::<UpdateMembers>(who, root).expect("an administrator may");
    Box::new(move |db| members::give(db, &by, &id, &wanted, None))
}

#[test]
fn two_last_administrators_leave_one_whatever_they_do_to_each_other() {
    let world = World::new();
    let rivals = Rivals::of(&world);
    for round in 0..75 {
        let (root, other) = (format!("root {round}"), format!("other {round}"));
        world.account(&root).administrator(&other);
        let admin = admin_of(&root);
        let (one, two) = (round % 5, round / 5 % 5);
        let acts = vec![act(&world, &root, &admin, &other, one), act(&world, &root, &other, &admin, two)];
        let outcomes = rivals.race(acts);
        let fine = |p: &Problem| {
            let kept = matches!(p, Problem::Conflict(Reason::AdminAccessMustExist));
            kept || matches!(p, Problem::NotFound | Problem::Forbidden { .. })
        };
        assert!(won(&outcomes, fine) >= 1, "round {round}: {outcomes:?}");
        let key = world.key(&root);
        world.read(|db| roles::keeps_administrator(db, key)).unwrap_or_else(|p| panic!("round {round}: {p}"));
    }
    world.assert_sound();
}
