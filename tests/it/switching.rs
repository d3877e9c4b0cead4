//! The switcher finds what the pages let somebody see, and nothing else, whichever way a search is carried out: it knows
//! from where roles were given what may be seen, and does not ask account by account.

use subtenant::access::Scope;
use subtenant::ids;

use crate::browser::Browser;
use crate::world::World;

/// One chain and a stranger's, each account with a word of its own.
const ACCOUNTS: [&str; 7] = ["Amber", "Birch", "Cedar", "Olive", "Elder", "Fennel", "Stranger"];

/// Who holds a role where, and how far down.
const PEOPLE: [(&str, &[(&str, Scope)]); 8] = [
    ("all", &[("Amber", Scope::HereAndBelow)]),
    ("below", &[("Birch", Scope::Below)]),
    ("here", &[("Cedar", Scope::Here)]),
    ("gaps", &[("Amber", Scope::Here), ("Cedar", Scope::Below), ("Elder", Scope::HereAndBelow)]),
    ("nested", &[("Cedar", Scope::HereAndBelow), ("Olive", Scope::Below), ("Birch", Scope::Here)]),
    ("both", &[("Cedar", Scope::Below), ("Cedar", Scope::Here)]),
    ("two", &[("Olive", Scope::HereAndBelow), ("Stranger", Scope::Here)]),
    ("low", &[("Elder", Scope::Below), ("Birch", Scope::HereAndBelow)]),
];

#[actix_web::test]
async fn the_switcher_finds_what_the_pages_show() {
    let world = World::new();
    let mut at = world.account(ACCOUNTS[0]);
    for name in &ACCOUNTS[1..6] {
        at = at.child(name);
    }
    world.account(ACCOUNTS[6]);
    for (person, roles) in PEOPLE {
        for (number, (account, scope)) in roles.iter().enumerate() {
            // Each role once for an account and a person.
            let role = ["Read only", "Account manager", "Billing manager"][number];
            world.account(if *account == "Stranger" { "Stranger" } else { "Amber" }).at(account).member_until(
                person,
                role,
                *scope,
                ids::never(),
            );
        }
    }
    for (person, _) in PEOPLE {
        let mut browser = world.browser(person).await;
        let mut seen = Vec::new();
        for account in ACCOUNTS {
            browser.get(&world.path(account, "dashboard")).await;
            if browser.page.status == 200 {
                seen.push(account);
            }
        }
        let from = seen.first().expect("everybody sees something");
        // As a small tree and as a large one.
        for below in [5, 1_000_000] {
            world.sql(&format!("UPDATE accounts SET below_count = {below} WHERE children_count > 0"));
            for account in ACCOUNTS {
                let found = finds(&mut browser, &world, from, account, account).await;
                assert_eq!(found, seen.contains(&account), "{account} for {person}, {below} below");
                for above in ACCOUNTS.iter().take_while(|name| **name != account).filter(|_| account != "Stranger") {
                    let both = seen.contains(&account) && seen.contains(above);
                    // Two letters are looked up in no index.
                    let short = &above[..2];
                    for text in
                        [format!("{above} / {account}"), format!("{account} {above}"), format!("{short} / {account}")]
                    {
                        let found = finds(&mut browser, &world, from, &text, account).await;
                        assert_eq!(found, both, "{text} for {person}, {below} below");
                    }
                }
            }
        }
    }
}

async fn finds(browser: &mut Browser, world: &World, from: &str, text: &str, account: &str) -> bool {
    let text: String = url::form_urlencoded::byte_serialize(text.as_bytes()).collect();
    browser.get(&format!("{}?part=hits&q={text}", world.path(from, "switch"))).await;
    assert_eq!(browser.page.status, 200, "{}", browser.page);
    browser.page.links().contains(&world.path(account, "dashboard"))
}
