//! The lists of direct children and of all below are read in two ways, as children have everything from above from the
//! same accounts: what they say of an account is the same.

use subtenant::access::policy::CreateBilling;
use subtenant::billing;

use crate::agreements::{AUP, MSA};
use crate::browser::Browser;
use crate::money::invoice;
use crate::suspension::suspend;
use crate::world::World;

const CHILDREN: [&str; 4] = ["bound", "keeps", "plain", "stopped"];

/// What an account has of its own: nothing, or a method, offered or not, that can be charged or not.
const METHODS: [Option<(bool, bool)>; 5] =
    [None, Some((true, true)), Some((false, true)), Some((true, false)), Some((false, false))];

#[actix_web::test]
async fn direct_children_and_all_below_say_the_same_of_an_account() {
    let world = World::new();
    world.account("acme").child("mid").administrator("otto").children(&CHILDREN);
    let mut admin = world.browser("admin-of-acme").await;
    let mut otto = world.browser("otto").await;
    admin.get(&world.path("bound", "consent")).await;
    admin.submit("Accept", &[(MSA, "yes"), (AUP, "yes")]).await;
    let mut said = std::collections::BTreeSet::new();
    for suspended in ["", "stopped", "mid"] {
        if !suspended.is_empty() {
            let from = if suspended == "mid" { "acme" } else { "mid" };
            suspend(&world, "admin-of-acme", from, suspended).expect("it is suspended");
        }
        for top in METHODS {
            for middle in METHODS {
                world.sql("DELETE FROM payment_methods");
                // From below, as nobody then loses who pays.
                for (account, method) in [("keeps", Some((false, true))), ("mid", middle), ("acme", top)] {
                    give(&world, account, method);
                }
                for browser in [&mut admin, &mut otto] {
                    let direct = rows(browser, &world.path("mid", "child-accounts")).await;
                    let below = rows(browser, &world.path("mid", "child-accounts?scope=below")).await;
                    assert_eq!(direct.len(), CHILDREN.len());
                    assert_eq!(direct, below, "suspended {suspended}, acme {top:?}, mid {middle:?}");
                    said.extend(direct.into_iter().map(|row| row[1..].join(", ")));
                }
            }
        }
    }
    assert!(said.len() > 12, "everything that can be said is said: {said:?}");
}

fn give(world: &World, account: &str, method: Option<(bool, bool)>) {
    let Some((offered, verified)) = method else { return };
    let by = world.grant::<CreateBilling>("admin-of-acme", account).expect("an administrator");
    world.write(|db| billing::add(db, &by, &invoice(account, offered), "")).expect("a payment method");
    if !verified {
        let key = world.key(account);
        world.sql(&format!("UPDATE payment_methods SET verified = FALSE WHERE account_key = {key}"));
    }
}

/// Name, state, agreements and payment of each row.
async fn rows(browser: &mut Browser, address: &str) -> Vec<Vec<String>> {
    browser.get(address).await;
    let named = |row: Vec<String>| [vec![row[0].split(' ').next().unwrap_or_default().to_owned()], row[3..6].to_vec()];
    browser.page.rows().into_iter().map(|row| named(row).concat()).collect()
}
