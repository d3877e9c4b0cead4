//! Roles as those who make them meet them: the matrix, what goes along, the count before an edit is saved, what is
//! built in, inherited, in use or somebody else's by now, and that somebody stays in charge. That nobody gains
//! anything beyond what they hold is [`crate::attenuation`]'s to try.

use diesel::prelude::*;
use subtenant::access::Scope;
use subtenant::access::policy::{Permission, Permissions, Resource, Verb};
use subtenant::ids::{self, Key};
use subtenant::roles;
use subtenant::store::schema::{assignments, audit_entries, roles as rows};

use crate::page::{Page, without_random};
use crate::powers::{give, give_until, held, one, role};
use crate::world::World;

fn stored(world: &World, id: &str) -> Permissions {
    let row = rows::table.filter(rows::id.eq(id)).select(rows::permissions);
    Permissions(world.read(|db| Ok(row.first(db)?)).expect("the role exists"))
}

fn path(world: &World, account: &str, role: &roles::Role, page: &str) -> String {
    world.path(account, &format!("roles/{}{page}", role.id))
}

#[actix_web::test]
async fn a_role_is_made_in_the_matrix_and_what_goes_along_is_said() {
    let world = World::new();
    world.account("acme");
    let mut admin = world.browser("admin-of-acme").await;
    admin.get(&world.path("acme", "dashboard")).await;
    admin.click("Roles").await;
    assert_eq!(admin.page.all("main h2")[..2], ["Own roles", "Built-in roles"]);
    assert!(admin.page.text().contains("No role of its own yet"), "{}", admin.page);
    admin.click("Create a role").await;
    admin.submit("Save", &[("Name", "Technician"), ("Ports: update", "yes"), ("Networks: read", "yes")]).await;
    assert_eq!(admin.page.flash(), "Role created. Added, because it goes along: Ports: read.");
    assert_eq!(admin.page.heading(), "Technician");
    assert!(admin.page.text().contains("may see networks; see and change ports"), "{}", admin.page);
    admin.get(&world.path("acme", "roles")).await;
    assert_eq!(admin.page.row("Technician")[2], "0");
    let logged = audit_entries::table.filter(audit_entries::event_type.eq("ROLE_CREATE")).select(audit_entries::after);
    let after: String = world.read(|db| Ok(logged.first(db)?)).expect("an entry");
    assert!(after.contains("networks: read, ports: read, ports: update"), "{after}");
}

#[actix_web::test]
async fn what_is_wrong_is_said_at_its_field_and_the_boxes_stay_ticked() {
    let world = World::new();
    world.account("acme");
    role(&world, "acme", "acme", "Technician", one(Resource::Ports, Verb::Read));
    let mut admin = world.browser("admin-of-acme").await;
    admin.get(&world.path("acme", "roles/new")).await;
    admin.submit("Save", &[("Name", " TECHNICIAN "), ("Audit: read", "yes")]).await;
    assert_eq!(admin.page.status, 422);
    assert_eq!(admin.page.error("Name"), "Another role of this account has this name");
    assert!(admin.page.form("Save").controls.iter().any(|c| c.label == "Audit: read" && c.on));
    admin.submit("Save", &[("Name", "Empty"), ("Audit: read", "no")]).await;
    assert_eq!(admin.page.status, 422);
    assert_eq!(admin.page.problems(), ["Tick at least one permission"]);
}

#[actix_web::test]
async fn an_edit_of_a_role_in_use_says_first_who_gains_and_loses_what() {
    let world = World::new();
    world.account("acme").child("Lab").children(&["Bench", "Stock"]);
    world.account("acme").children(&["Shop", "gone"]);
    let role = role(&world, "acme", "acme", "Technician", one(Resource::Ports, Verb::Read));
    give(&world, "ann", "Lab", &role, Scope::HereAndBelow);
    give(&world, "ann", "Bench", &role, Scope::Here);
    give(&world, "bob", "Lab", &role, Scope::Below);
    give(&world, "cem", "Shop", &role, Scope::Here);
    give_until(&world, "dora", "Shop", &role, Scope::Here, ids::now());
    let mut admin = world.browser("admin-of-acme").await;
    admin.get(&path(&world, "acme", &role, "/edit")).await;
    admin.submit("Save", &[("Ports: delete", "yes"), ("Networks: update", "yes")]).await;
    assert_eq!(admin.page.heading(), "Save the role “Technician”?");
    assert_eq!(admin.page.all("main section h2, main section p"), ["Gains", "3 members in 4 accounts"]);
    assert_eq!(admin.page.all("main section li"), ["Networks: read", "Networks: update", "Ports: delete"]);
    assert!(admin.page.text().contains("goes along with what you ticked: Networks: read"), "{}", admin.page);
    assert_eq!(stored(&world, &role.id), role.permissions, "nothing is saved yet");

    // Somebody more gets the role meanwhile: what was shown cannot be confirmed.
    give(&world, "eve", "acme", &role, Scope::Here);
    admin.submit("Save the role", &[]).await;
    assert_eq!(admin.page.status, 409);
    assert!(admin.page.text().contains("Gains4 members in 5 accounts"), "{}", admin.page);
    assert_eq!(stored(&world, &role.id), role.permissions);
    admin.submit("Go back to the form", &[]).await;
    admin.submit("Save", &[("Ports: read", "no"), ("Ports: delete", "no")]).await;
    assert!(admin.page.text().contains("Loses4 members in 5 accountsPorts: read"), "{}", admin.page);
    admin.submit("Save the role", &[]).await;
    assert_eq!(admin.page.flash(), "Role saved. Added, because it goes along: Networks: read.");
    assert!(held(&world, "ann", "Bench").allow(Permission(Resource::Networks, Verb::Update)));
    assert!(!held(&world, "ann", "Bench").allow(Permission(Resource::Ports, Verb::Read)));
}

#[actix_web::test]
async fn a_name_alone_or_a_role_that_nobody_has_is_saved_at_once() {
    let world = World::new();
    world.account("acme");
    let used = role(&world, "acme", "acme", "Used", one(Resource::Ports, Verb::Read));
    let unused = role(&world, "acme", "acme", "Unused", one(Resource::Ports, Verb::Read));
    give(&world, "ann", "acme", &used, Scope::Here);
    let mut admin = world.browser("admin-of-acme").await;
    admin.get(&path(&world, "acme", &used, "/edit")).await;
    admin.submit("Save", &[("Name", "Much used")]).await;
    assert_eq!((admin.page.flash(), admin.page.heading()), ("Role saved.".to_owned(), "Much used".to_owned()));
    admin.get(&path(&world, "acme", &unused, "/edit")).await;
    admin.submit("Save", &[("Ports: all", "yes")]).await;
    assert_eq!(admin.page.flash(), "Role saved.");
}

#[actix_web::test]
async fn a_stale_form_shows_both_versions_and_keeps_what_was_chosen() {
    let world = World::new();
    world.account("acme");
    let role = role(&world, "acme", "acme", "Technician", one(Resource::Ports, Verb::Read));
    let mut admin = world.browser("admin-of-acme").await;
    admin.get(&path(&world, "acme", &role, "/edit")).await;
    let mut late = admin.clone();
    late.get(&path(&world, "acme", &role, "/edit")).await;
    admin.submit("Save", &[("Name", "Engineer"), ("Ports: update", "yes")]).await;
    late.submit("Save", &[("Audit: read", "yes")]).await;
    assert_eq!(late.page.status, 409);
    let row = late.page.row("Permissions");
    assert_eq!(row[1..], ["Ports: read, Ports: update", "Ports: read, Audit: read"]);
    late.submit("Save", &[]).await;
    assert_eq!(late.page.flash(), "Role saved.");
    assert_eq!(late.page.heading(), "Technician");
}

#[actix_web::test]
async fn built_in_and_inherited_roles_are_copied_and_not_changed() {
    let world = World::new();
    world.account("acme").child("Lab").administrator("liz");
    let above = role(&world, "acme", "acme", "Technician", one(Resource::Ports, Verb::Read));
    let mut liz = world.browser("liz").await;
    liz.get(&world.path("Lab", "roles")).await;
    assert_eq!(liz.page.all("main h2")[..2], ["Own roles", "Inherited roles"]);
    assert_eq!(liz.page.row("Technician")[2], "an account above");
    assert_eq!(liz.page.link("Edit Technician"), None);
    liz.get(&path(&world, "Lab", &above, "/edit")).await;
    assert!(liz.page.flash().starts_with("This role belongs to an account above."), "{}", liz.page);
    assert!(!liz.page.text().contains("acme"), "{}", liz.page);
    liz.click("Copy").await;
    liz.submit("Save", &[]).await;
    assert_eq!(liz.page.heading(), "Copy of Technician");

    let mut admin = world.browser("admin-of-acme").await;
    admin.get(&world.path("Lab", "roles")).await;
    assert_eq!(admin.page.row("Technician")[2], "acme");
    assert!(admin.page.links().contains(&path(&world, "acme", &above, "")), "{}", admin.page);
    let key = world.read(|db| roles::built_in(db, world.key("acme"), "Read only")).expect("a built-in role");
    let id: String = world.read(|db| Ok(rows::table.find(key).select(rows::id).first(db)?)).expect("its id");
    for page in ["edit", "delete"] {
        admin.get(&world.path("acme", &format!("roles/{id}/{page}"))).await;
        assert!(admin.page.flash().starts_with("Built-in roles stay as they are."), "{}", admin.page);
    }
}

#[actix_web::test]
async fn only_a_role_that_nobody_has_is_deleted_and_ended_assignments_go_with_it() {
    let world = World::new();
    world.account("acme").child("Lab");
    let role = role(&world, "acme", "acme", "Technician", one(Resource::Ports, Verb::Read));
    give(&world, "ann", "Lab", &role, Scope::HereAndBelow);
    let mut admin = world.browser("admin-of-acme").await;
    let delete = path(&world, "acme", &role, "/delete");
    admin.get(&delete).await;
    assert!(admin.page.text().contains("It is given 1 time."), "{}", admin.page);
    assert!(!admin.page.has_button("Delete the role"));
    world.sql(&format!("UPDATE assignments SET ends_at = '2026-01-01 00:00:00' WHERE role_key = {}", role.key));
    admin.get(&delete).await;
    let late = admin.clone();
    give(&world, "bob", "acme", &role, Scope::Here);
    let mut late_one = late.clone();
    late_one.submit("Delete the role", &[]).await;
    assert_eq!(late_one.page.status, 409);
    assert_eq!(late_one.page.heading(), "This role is in use");
    world.sql(&format!("DELETE FROM assignments WHERE user_key = {}", world.person("bob")));
    admin.get(&delete).await;
    admin.submit("Delete the role", &[]).await;
    assert_eq!(admin.page.flash(), "Role deleted.");
    let left = assignments::table.filter(assignments::role_key.eq(role.key)).count();
    assert_eq!(world.read(|db| Ok(left.get_result::<i64>(db)?)).expect("a count"), 0);
}

#[actix_web::test]
async fn an_edit_that_would_leave_nobody_in_charge_is_refused() {
    let world = World::new();
    world.account("acme");
    let owner = role(&world, "acme", "acme", "Owner", one(Resource::All, Verb::All));
    give(&world, "olga", "acme", &owner, Scope::HereAndBelow);
    let built_in: Key = world.read(|db| roles::built_in(db, world.key("acme"), "Administrator")).expect("a key");
    world.sql(&format!("DELETE FROM assignments WHERE role_key = {built_in}"));
    let mut olga = world.browser("olga").await;
    olga.get(&path(&world, "acme", &owner, "/edit")).await;
    olga.submit("Save", &[("All resources: all", "no"), ("Roles: all", "yes")]).await;
    assert_eq!(olga.page.status, 409);
    assert!(olga.page.problems()[0].starts_with("Somebody must stay in charge."), "{}", olga.page);
    assert_eq!(stored(&world, &owner.id), owner.permissions);
    olga.submit("Save", &[("Roles: all", "no"), ("All resources: all", "yes"), ("Name", "Boss")]).await;
    assert_eq!(olga.page.flash(), "Role saved.");
}

#[actix_web::test]
async fn boxes_that_are_not_held_are_shown_and_not_offered() {
    let world = World::new();
    world.account("acme").child("Lab").account_manager("amy");
    let money = role(&world, "acme", "Lab", "Money", one(Resource::Billing, Verb::Read));
    let mut amy = world.browser("amy").await;
    amy.get(&world.path("Lab", "roles/new")).await;
    assert!(amy.page.text().contains("nobody can give what they do not hold themselves"), "{}", amy.page);
    let lacking = amy.page.all("td.lacking label");
    assert!(
        lacking.contains(&"Billing: read".to_owned()) && !lacking.contains(&"Roles: all".to_owned()),
        "{lacking:?}"
    );
    // Somebody who sends it all the same.
    let mut form = amy.page.form("Save");
    form.fill("Name", "More");
    form.fill("Billing: read", "yes");
    let answer = amy.post(&form.action, &form.pairs()).await;
    assert_eq!(answer.status, 422);
    let said = "You do not hold this here and in the accounts below yourself: Billing: read";
    assert_eq!(Page::read(&form.action, &answer).problems(), [said]);
    amy.get(&path(&world, "Lab", &money, "/edit")).await;
    assert!(amy.page.flash().starts_with("You cannot give what you do not hold."), "{}", amy.page);
    amy.click("Copy").await;
    assert!(amy.page.text().contains("Left out of the copy"), "{}", amy.page);
    // Who may do something here only cannot put it into a role, as that would reach below.
    let narrow = role(&world, "acme", "acme", "Narrow", one(Resource::Roles, Verb::All));
    give(&world, "nora", "Lab", &narrow, Scope::Here);
    let mut nora = world.browser("nora").await;
    nora.get(&world.path("Lab", "roles/new")).await;
    assert_eq!(nora.page.all("td.lacking").len(), 45);
}

#[actix_web::test]
async fn two_roles_are_compared_in_words_and_who_has_one_is_listed() {
    let world = World::new();
    world.account("acme").child("Lab");
    let small = role(&world, "acme", "acme", "Small", one(Resource::Ports, Verb::Read));
    let large = role(&world, "acme", "acme", "Large", one(Resource::Ports, Verb::All));
    give(&world, "ann", "Lab", &small, Scope::Below);
    let mut admin = world.browser("admin-of-acme").await;
    admin.get(&world.path("acme", &format!("roles/compare?one={}&other={}", small.id, large.id))).await;
    assert!(admin.page.text().contains("They differ at 1 of 8 resources."), "{}", admin.page);
    let row = admin.page.row("Ports");
    assert_eq!(row[1..], ["read", "create, only here read update, only here delete, only here", "Different"]);
    assert_eq!(admin.page.row("Audit")[3], "Same");
    admin.get(&path(&world, "acme", &small, "")).await;
    assert_eq!(admin.page.row("ann Example")[2], "All below only");
    // Whoever may not see members sees the role and not who has it.
    let readers = role(&world, "acme", "acme", "Readers", one(Resource::Roles, Verb::Read));
    give(&world, "rita", "acme", &readers, Scope::HereAndBelow);
    let mut rita = world.browser("rita").await;
    rita.get(&path(&world, "acme", &small, "")).await;
    assert!(rita.page.text().contains("You may not see who has which role here."), "{}", rita.page);
    assert!(!without_random(&rita.page.text()).contains("ann"), "{}", rita.page);
}

#[actix_web::test]
async fn a_long_list_of_people_is_paged() {
    let world = World::new();
    world.account("acme").child("Lab");
    let role = role(&world, "acme", "acme", "Technician", one(Resource::Ports, Verb::Read));
    for n in 0..60 {
        give(&world, &format!("p{n}"), "Lab", &role, Scope::HereAndBelow);
    }
    let mut admin = world.browser("admin-of-acme").await;
    admin.get(&path(&world, "acme", &role, "")).await;
    assert!(admin.page.text().contains("p59 Example") && !admin.page.text().contains("p9 Example"), "{}", admin.page);
    admin.click("Next").await;
    assert!(admin.page.text().contains("p9 Example") && admin.page.link("Next").is_none(), "{}", admin.page);
    admin.get(&world.path("Lab", "roles")).await;
    assert_eq!(admin.page.row("Technician")[3], "60");
}
