//! Readiness below an account with very many below: the page looks through names until it is full, and says of each what
//! a small branch would say.

use subtenant::limits::Resource;

use crate::browser::Browser;
use crate::large::{crowd, pretend, rows, wide};
use crate::limits::limit;
use crate::ordered::{connection, network};
use crate::world::{World, admin_of};

/// Accounts in their order, by their numbers: here and there, and more in a row than one step of a file.
fn wanted() -> Vec<i64> {
    (10_001..=50_100).filter(|n| n % 1_500 == 0 || (20_000..20_600).contains(n)).collect()
}

fn numbers(rows: &[Vec<String>]) -> Vec<i64> {
    rows.iter().map(|row| row[0].strip_prefix("Unit ").expect("a unit")[..5].parse().expect("a number")).collect()
}

/// The pages from here on that this link leads to.
async fn walk(admin: &mut Browser, first: &str, link: &str) -> Vec<Vec<i64>> {
    let mut pages = vec![numbers(&rows(admin, first).await)];
    while let Some(next) = admin.page.link(link) {
        pages.push(numbers(&rows(admin, &next).await));
        assert!(pages.len() < 100, "it goes on and on: {next}");
    }
    pages
}

#[actix_web::test]
async fn every_account_that_lacks_something_comes_once_forwards_backwards_and_in_the_file() {
    let world = World::new();
    crowd(&world);
    world.sql(
        "INSERT INTO suspensions (account_key, suspended_at, reason)
         SELECT key, created_at, 'unpaid' FROM accounts WHERE closed_at IS NULL AND
             CASE WHEN name_key LIKE 'unit _____' THEN CAST(substr(name_key, 6, 5) AS INTEGER) % 1500 = 0
                 OR name_key BETWEEN 'unit 20000' AND 'unit 20599' ELSE 1 = 0 END",
    );
    let mut admin = world.browser(&admin_of("acme")).await;
    let list = world.path("acme", "readiness?missing=resuming");
    let pages = walk(&mut admin, &list, "Next").await;
    assert_eq!(pages.concat(), wanted());
    assert!(pages.iter().all(|page| page.len() <= 50) && pages.iter().any(|page| page.len() == 50), "{pages:?}");
    let mut pages = walk(&mut admin, &format!("{list}&page=last"), "Previous").await;
    pages.reverse();
    assert_eq!(pages.concat(), wanted());
    let file = admin.get(&world.path("acme", "readiness/below.csv?missing=resuming")).await;
    let lines = file.body.lines().skip(1).map(|line| line.split(',').nth(1).expect("a name").to_owned());
    assert_eq!(numbers(&lines.map(|name| vec![name]).collect::<Vec<_>>()), wanted());
}

#[actix_web::test]
async fn accounts_over_a_limit_are_the_same_however_much_is_below() {
    let world = wide();
    for account in ["North of acme", "Zebra South of acme", "Con South of acme", "Con Conrad Holding of acme"] {
        let network = network(&world, &admin_of("acme"), account, "Backbone");
        connection(&world, account, &network, "Tunnel", "ACTIVE");
    }
    // For an account alone, for a branch, and one that is kept.
    limit(&world, "North of acme", Resource::Connection, false, 0);
    limit(&world, "South of acme", Resource::Connection, true, 1);
    limit(&world, "Conrad Holding of acme", Resource::Connection, true, 1);
    let mut admin = world.browser(&admin_of("acme")).await;
    let list = world.path("acme", "readiness?missing=room");
    let small = rows(&mut admin, &list).await;
    pretend(&world, "acme", 1_000_000);
    assert_eq!(rows(&mut admin, &list).await, small);
    let of = |name: &str| small.iter().filter(|row| row[0].contains(name)).count();
    assert_eq!((of("North of acme"), of("South of acme"), small.len()), (1, 13, 14), "{small:?}");
}
