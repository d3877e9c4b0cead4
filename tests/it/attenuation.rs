//! T8: nobody gives, by whatever form or operation, what they do not hold themselves where it reaches. Somebody with
//! random permissions at some account, in some scope, tries everything that gives rights, with boxes that were not
//! offered, with bits nobody knows and with fields that only the server sets. Afterwards nobody else may do anything
//! new that the giver may not do there.

use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use subtenant::access::policy::{CreateMembers, CreateRoles, Permission, Permissions, UpdateMembers, UpdateRoles};
use subtenant::access::{Origin, Scope, lookup};
use subtenant::ids;
use subtenant::members::{self, NewInvitation, Wanted};
use subtenant::problem::Problem;
use subtenant::roles::{self, NewRole};

use crate::browser::{Answer, Browser};
use crate::invited::{link, pending};
use crate::page::Page;
use crate::place::postgres;
use crate::powers::{give, one_of, role};
use crate::world::{World, email};

/// Sets of permissions that are tried; a run of all checks tries as many others on PostgreSQL.
const SETS: u64 = 100;
/// From the root down, with a branch aside.
const ACCOUNTS: [&str; 5] = ["top", "mid", "low", "leaf", "aside"];
/// What the server alone decides about a role.
const FIELDS_OF_OURS: [&str; 8] =
    ["owner", "built_in", "account", "account_key", "key", "id", "permissions", "version"];
const PEOPLE: [&str; 4] = ["giver", "friend", "other", "guest"];

/// A set with some permissions, now and then a wide one.
fn random_set(rng: &mut StdRng) -> Permissions {
    let dense = rng.random_range(1..=6);
    let every = Permission::every().filter(|_| rng.random_range(0..12) < dense);
    every.map(Permissions::one).fold(Permissions::NONE, Permissions::and)
}

/// The permissions that let somebody try at all.
fn tools() -> Permissions {
    one_of(&["accounts: read", "members: all", "roles: all"])
}

struct Attempt {
    world: World,
    rng: StdRng,
    at: &'static str,
    /// What the giver may put into a role of each account, and what everybody held before.
    before: Vec<(&'static str, &'static str, Permissions)>,
    /// Forms that were carried out: not everything may be refused.
    taken: usize,
}

impl Attempt {
    fn new(seed: u64) -> Attempt {
        let mut rng = StdRng::seed_from_u64(seed);
        let world = World::new();
        world.account("top").child("mid").child("low").child("leaf");
        world.account("top").child("aside");
        let set = random_set(&mut rng).and(tools());
        let scope = Scope::EVERY[rng.random_range(0..3)];
        let at = ACCOUNTS[rng.random_range(0..3)];
        let giving = role(&world, "top", "top", "Giving", set);
        give(&world, "giver", at, &giving, scope);
        // Something to copy, to edit and to be inherited, and a friend who holds some of it.
        let small = role(&world, "top", "mid", "Small", random_set(&mut rng).and(one_of(&["ports: read"])));
        give(&world, "friend", "low", &small, Scope::HereAndBelow);
        let wide = role(&world, "top", "top", "Wide", random_set(&mut rng).and(one_of(&["ports: read"])));
        give(&world, "other", "mid", &wide, Scope::Here);
        let before = everything(&world);
        Attempt { world, rng, at, before, taken: 0 }
    }

    /// Nobody but the giver may do something new that the giver could not give there; the giver nothing new at all.
    fn assert_no_gain(&self, what: &str) {
        for (who, account, now) in everything(&self.world) {
            let then = self.held_before(who, account);
            let most = if who == "giver" { then } else { then.and(self.held_before("giver", account)) };
            assert!(most.cover(now), "{who} at {account} by {what}: {:?}", now.beyond(most).list().collect::<Vec<_>>());
        }
    }

    /// The role allows what the giver held at the account and below it when all began.
    fn assert_within(&self, account: &str, role: &roles::Role) {
        let below = ACCOUNTS[..4].iter().skip_while(|one| **one != account).take(2);
        for reached in below {
            let most = self.held_before("giver", reached);
            assert!(most.cover(role.permissions), "{role:?} was made at {account} beyond {most:?} at {reached}");
        }
    }

    fn held_before(&self, who: &str, account: &str) -> Permissions {
        let found = self.before.iter().find(|(w, a, _)| *w == who && *a == account);
        found.map(|(_, _, held)| *held).expect("everybody was asked everywhere")
    }

    /// Where the giver can be: there, or one level below.
    fn places(&self) -> &'static [&'static str] {
        let from = ACCOUNTS.iter().position(|account| *account == self.at).expect("one of them");
        &ACCOUNTS[from..from + 2]
    }
}

fn everything(world: &World) -> Vec<(&'static str, &'static str, Permissions)> {
    let keys = ACCOUNTS.map(|account| world.key(account));
    let of = |who: &&'static str| {
        let user = world.person(who);
        let chains = world.read(|db| lookup::chains(db, user, &keys)).expect("rights are read");
        let held = keys.map(|key| chains.get(&key).and_then(|steps| steps.last()).map(|step| step.held));
        let who = *who;
        ACCOUNTS.into_iter().zip(held).map(move |(account, held)| (who, account, held.unwrap_or(Permissions::NONE)))
    };
    PEOPLE.iter().flat_map(of).collect()
}

/// Through the operations themselves, with sets that no form would send.
fn by_operations(attempt: &mut Attempt) {
    for account in attempt.places() {
        let sets = [random_set(&mut attempt.rng), Permissions::every(), Permissions(-1), Permissions(1 << 45)];
        for (n, permissions) in sets.into_iter().enumerate() {
            let new = NewRole { name: format!("By operation {n}"), description: String::new(), permissions };
            let Ok(by) = attempt.world.grant::<CreateRoles>("giver", account) else { continue };
            let made = attempt.world.write(|db| roles::create(db, &by, new.clone()));
            check_made(attempt, account, permissions, made);
            let Ok(by) = attempt.world.grant::<UpdateRoles>("giver", account) else { continue };
            let list = attempt.world.read(|db| roles::available(db, by.frame())).expect("roles are listed");
            for old in list {
                let edited = NewRole { name: old.name.clone(), ..new.clone() };
                let done = attempt.world.write(|db| roles::update(db, &by, &old.id, edited, old.version));
                check_made(attempt, account, permissions, done);
            }
        }
        attempt.assert_no_gain("an operation");
    }
}

/// What was taken has no bit that nobody knows, and allows nothing beyond its maker.
fn check_made(attempt: &Attempt, account: &str, wanted: Permissions, outcome: Result<roles::Role, Problem>) {
    let Ok(made) = outcome else { return };
    assert!(wanted.is_known() && made.permissions.is_known() && !made.built_in, "{wanted:?} became {made:?}");
    attempt.assert_within(account, &made);
}

/// Roles given to members, oneself among them, and offered to a guest, who accepts.
fn by_members(attempt: &mut Attempt) {
    let world = &attempt.world;
    for account in attempt.places() {
        let Ok(by) = world.grant::<UpdateMembers>("giver", account) else { continue };
        let list = world.read(|db| roles::available(db, by.frame())).expect("roles are listed");
        for role in &list {
            let scope = Scope::EVERY[attempt.rng.random_range(0..3)];
            let wanted = Wanted { role_id: role.id.clone(), scope, ends_at: ids::never() };
            for person in ["friend", "giver"] {
                let Ok(by) = world.grant::<UpdateMembers>("giver", account) else { continue };
                let user = world.person_id(person);
                let given = world.write(|db| members::give(db, &by, &user, std::slice::from_ref(&wanted), None));
                attempt.taken += usize::from(given.is_ok());
            }
            let new = NewInvitation {
                addresses: vec![email("guest")],
                role_ids: vec![role.id.clone()],
                scope,
                ends_at: ids::never(),
                message: String::new(),
                site: "http://127.0.0.1:8080".to_owned(),
            };
            let Ok(by) = world.grant::<CreateMembers>("giver", account) else { continue };
            let sent = world.write(|db| members::invite(db, &by, &new)).unwrap_or_default();
            if sent.iter().any(|(_, answer)| *answer == members::Answer::Invited) {
                let path = link(world, "giver", account, &pending(world, account, &email("guest")));
                let token = path.rsplit('/').next().unwrap_or_default().to_owned();
                let actor =
                    world.read(|db| lookup::frame(db, world.person("guest"), &world.id("top"))).expect("a guest").actor;
                let accepted = world.write(|db| members::accept(db, &actor, &Origin::default(), &token));
                attempt.taken += usize::from(accepted.is_ok());
            }
        }
        attempt.assert_no_gain("giving or inviting");
    }
}

/// The same through the forms, with every box ticked, offered or not.
async fn by_members_forms(attempt: &mut Attempt, browser: &mut Browser) {
    for account in attempt.places() {
        let friend = attempt.world.person_id("friend");
        for page in ["members/new".to_owned(), format!("members/{friend}/change")] {
            let uri = attempt.world.path(account, &page);
            browser.get(&uri).await;
            let Some(mut form) = browser.page.forms().into_iter().find(|form| form.action == uri) else { continue };
            let chosen: Vec<bool> = form.controls.iter().map(|_| attempt.rng.random_bool(0.5)).collect();
            for (control, chosen) in form.controls.iter_mut().zip(chosen) {
                match control.kind.as_str() {
                    "checkbox" => control.on = chosen,
                    "textarea" if control.name == "emails" => control.value = "stranger@example.com".to_owned(),
                    _ => {}
                }
            }
            for more in [None, Some("granted_by"), Some("account")] {
                form.set("_key", &ids::token());
                let mut pairs = form.pairs();
                pairs.extend(more.map(|name| (name.to_owned(), attempt.world.id("top"))));
                let answer = browser.post(&uri, &pairs).await;
                assert!(answer.status.as_u16() < 500, "{uri}: {}", answer.text());
                assert!(more.is_none() || answer.status.is_client_error(), "{uri} took {more:?}");
            }
        }
        attempt.assert_no_gain("a form of members");
    }
}

/// Through the forms: every box ticked, offered or not, and fields that are ours alone.
async fn by_forms(attempt: &mut Attempt, browser: &mut Browser) {
    for account in attempt.places() {
        let Ok(by) = attempt.world.grant::<CreateRoles>("giver", account) else { continue };
        let list = attempt.world.read(|db| roles::available(db, by.frame())).expect("roles are listed");
        let picked = attempt.rng.random_range(0..list.len());
        let mut pages = vec!["roles/new".to_owned(), format!("roles/{}/copy", list[picked].id)];
        pages.extend(list.iter().filter(|role| !role.built_in).map(|role| format!("roles/{}/edit", role.id)));
        for page in pages {
            let uri = attempt.world.path(account, &page);
            browser.get(&uri).await;
            let Some(form) = browser.page.forms().into_iter().find(|form| form.action == uri) else { continue };
            let ours = FIELDS_OF_OURS[attempt.rng.random_range(0..FIELDS_OF_OURS.len())];
            for more in [None, Some(ours)] {
                let pairs = pairs(attempt, &form, account, more);
                let answer = send(browser, &uri, &pairs).await;
                assert!(answer.status.as_u16() < 500, "{uri}: {}", answer.text());
                assert!(more.is_none() || answer.status.is_client_error(), "{uri} took {more:?}");
                attempt.taken += usize::from(answer.status.is_redirection());
            }
        }
        attempt.assert_no_gain("a form");
        let Ok(by) = attempt.world.grant::<CreateRoles>("giver", account) else { continue };
        let list = attempt.world.read(|db| roles::available(db, by.frame())).expect("roles are listed");
        for role in list.iter().filter(|role| role.name.starts_with("By form") && role.account == by.account().key) {
            assert!(!role.built_in, "{role:?}");
            attempt.assert_within(account, role);
        }
    }
}

/// Sends the form, and says yes when asked whether members should gain or lose what it says.
async fn send(browser: &mut Browser, uri: &str, pairs: &[(String, String)]) -> Answer {
    let answer = browser.post(uri, pairs).await;
    let page = Page::read(uri, &answer);
    if !page.has_button("Save the role") {
        return answer;
    }
    let yes = page.form("Save the role").pairs();
    browser.post(uri, &yes).await
}

/// The form with a random set of its boxes ticked, at times all, and a field that no page of ours has.
fn pairs(attempt: &mut Attempt, form: &crate::page::Form, account: &str, more: Option<&str>) -> Vec<(String, String)> {
    let set = if attempt.rng.random_bool(0.3) { Permissions::every() } else { random_set(&mut attempt.rng) };
    let wanted: Vec<String> = set.list().map(Permission::title).collect();
    let mut form = form.clone();
    for control in form.controls.iter_mut().filter(|control| control.kind == "checkbox") {
        control.on = wanted.contains(&control.label);
    }
    form.set("_key", &ids::token());
    form.set("name", &format!("By form {}", attempt.rng.random::<u32>()));
    let mut pairs = form.pairs();
    if let Some(name) = more {
        let value = match name {
            "built_in" => "true".to_owned(),
            "permissions" | "key" | "version" => "-1".to_owned(),
            _ => attempt.world.id(account),
        };
        pairs.push((name.to_owned(), value));
    }
    pairs
}

#[actix_web::test]
async fn nobody_gives_more_than_they_hold_by_any_form_or_operation() {
    let mut taken = 0;
    let first = if postgres().is_some() { SETS } else { 0 };
    for seed in first..first + SETS {
        let mut attempt = Attempt::new(seed);
        let mut browser = attempt.world.browser("giver").await;
        by_members_forms(&mut attempt, &mut browser).await;
        by_forms(&mut attempt, &mut browser).await;
        by_operations(&mut attempt);
        by_members(&mut attempt);
        attempt.world.assert_sound();
        taken += attempt.taken;
    }
    assert!(taken > 100, "only {taken} forms were carried out");
}
