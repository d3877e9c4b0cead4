//! Two tabs of one browser hold two accounts (T11): random steps of looking, typing, sending, going back and sending an
//! old form once more, in whichever tab. Every write must land in the account of the form's own address and heading,
//! and a page must always be about the account in its address.

use diesel::prelude::*;
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use subtenant::ids::Key;
use subtenant::store::schema::accounts;

use crate::browser::Browser;
use crate::journeys::LEAVE;
use crate::page::Page;
use crate::world::World;

const STEPS: usize = 500;
const SEED: u64 = 11;
const NAMES: [&str; 6] = ["alpha", "beta", "gamma", "delta", "epsilon", "zeta"];

/// One tab: the pages it showed, the last one in front.
type Tab = Vec<Page>;

fn world() -> World {
    let world = World::new();
    let root = world.account("alpha");
    root.child("beta").child("gamma");
    root.child("delta").child("epsilon");
    world.account("zeta").administrator("admin-of-alpha");
    world
}

/// The keys of the open accounts whose description is this.
fn described(world: &World, text: &str) -> Vec<Key> {
    let rows = accounts::table.filter(accounts::description.eq(text)).select(accounts::key);
    world.read(|db| Ok(rows.load(db)?)).expect("accounts are read")
}

/// The parents of the accounts with this name.
fn parents(world: &World, name: &str) -> Vec<Option<Key>> {
    let rows = accounts::table.filter(accounts::name.eq(name)).select(accounts::parent_key);
    world.read(|db| Ok(rows.load(db)?)).expect("accounts are read")
}

fn account_of(world: &World, page: &Page) -> &'static str {
    let id = page.path().split('/').nth(2).expect("an account in the address");
    NAMES.into_iter().find(|name| world.id(name) == id).expect("one of the six")
}

async fn look(world: &World, browser: &mut Browser, tab: &mut Tab, dice: &mut StdRng) {
    let name = NAMES[dice.random_range(0..NAMES.len())];
    let section = ["settings", "child-accounts/new"][dice.random_range(0..2)];
    browser.get(&world.path(name, section)).await;
    assert_eq!(browser.page.breadcrumb().last().map(String::as_str), Some(name));
    assert!(browser.page.title().contains(&format!(" {name} ")), "{}", browser.page.title());
    tab.push(browser.page.clone());
}

/// Sends the form of the page in front; what it wrote is in the account of its address and nowhere else.
async fn write(world: &World, browser: &mut Browser, tab: &mut Tab, step: usize) {
    let page = tab.last().cloned().expect("a page in front");
    let account = world.key(account_of(world, &page));
    let canary = format!("written in step {step}");
    browser.page = page.clone();
    if page.path().ends_with("/settings") {
        browser.submit("Save", &[("Description", &canary)]).await;
        let written = described(world, &canary);
        let refused = browser.page.status == 409;
        assert_eq!(written, if refused { vec![] } else { vec![account] }, "step {step}: {}", browser.page);
    } else {
        browser.submit("Save", &[("Name", &canary), (LEAVE, "yes")]).await;
        let written = parents(world, &canary);
        let refused = browser.page.status == 409;
        assert_eq!(written, if refused { vec![] } else { vec![Some(account)] }, "step {step}: {}", browser.page);
    }
}

#[actix_web::test]
async fn every_write_of_two_tabs_lands_in_the_account_of_its_address() {
    let world = world();
    let mut browser = world.browser("admin-of-alpha").await;
    let mut dice = StdRng::seed_from_u64(SEED);
    let mut tabs: [Tab; 2] = [Vec::new(), Vec::new()];
    let (mut writes, mut stale) = (0, 0);
    for step in 0..STEPS {
        let tab = &mut tabs[dice.random_range(0..2)];
        match dice.random_range(0..10) {
            _ if tab.is_empty() => look(&world, &mut browser, tab, &mut dice).await,
            0..4 => look(&world, &mut browser, tab, &mut dice).await,
            4..6 => drop(tab.pop()),
            _ => {
                write(&world, &mut browser, tab, step).await;
                writes += 1;
                stale += usize::from(browser.page.status == 409);
            }
        }
    }
    assert!(writes > 150 && stale > 10 && writes - stale > 50, "{writes} writes, {stale} of them stale");
    world.assert_sound();
}
