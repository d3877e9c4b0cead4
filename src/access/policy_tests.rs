//! The sets of permissions: what they allow and cover.

use super::*;

#[test]
fn all_stands_for_every_verb_and_every_resource() {
    let admin = BUILT_IN_ROLES[0].permissions;
    assert!(admin.allow(Permission(Billing, Verb::Delete)));
    let reader = BUILT_IN_ROLES[4].permissions;
    assert!(reader.allow(Permission(Audit, Verb::Read)));
    assert!(!reader.allow(Permission(Audit, Verb::Update)));
    assert!(Permissions::NONE.is_empty());
}

#[test]
fn whoever_acts_sees_and_a_difference_is_said_in_the_fewest_words() {
    let set = Permissions::of(&[Permission(Ports, Verb::Delete), Permission(Roles, Verb::All)]);
    let whole = set.with_implied();
    assert_eq!(whole.beyond(set), Permissions::one(Permission(Ports, Verb::Read)));
    assert_eq!(whole.with_implied(), whole);
    let admin = BUILT_IN_ROLES[0].permissions;
    assert_eq!(admin.beyond(Permissions::NONE), admin);
    assert_eq!(admin.beyond(admin), Permissions::NONE);
    let rest: Vec<String> = admin.beyond(BUILT_IN_ROLES[4].permissions).list().map(Permission::title).collect();
    assert_eq!(rest, ["All resources: create", "All resources: update", "All resources: delete"]);
    assert!(!Permissions(1 << 45).is_known() && !Permissions(-1).is_known() && whole.is_known());
}

#[test]
fn nobody_covers_more_than_they_hold() {
    let [admin, manager, _, _, reader] = BUILT_IN_ROLES.each_ref().map(|role| role.permissions);
    assert!(admin.cover(manager) && admin.cover(reader));
    assert!(!manager.cover(reader) && !reader.cover(manager));
    let spelled_out = Permissions::of(&[
        Permission(Ports, Verb::Create),
        Permission(Ports, Verb::Read),
        Permission(Ports, Verb::Update),
        Permission(Ports, Verb::Delete),
    ]);
    assert!(spelled_out.cover(Permissions::of(&[Permission(Ports, Verb::All)])));
}
