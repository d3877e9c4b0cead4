//! The table of states, whole: what leads where, and that nothing else leads anywhere.

use super::*;

/// Each happening with the pairs of states that it leads between.
const TABLE: [(Happening, &[(State, State)]); 12] = [
    (Happening::Checked, &[(Initializing, WaitingToProvision)]),
    (Happening::NeedsApproval, &[(Initializing, PendingApproval), (WaitingToProvision, PendingApproval)]),
    (Happening::Approve, &[(PendingApproval, Approved)]),
    (Happening::Refuse, &[(Initializing, FailedToProvision), (PendingApproval, FailedToProvision)]),
    (Happening::Start, &[(WaitingToProvision, Provisioning), (Approved, Provisioning)]),
    (Happening::Done, &[(Provisioning, Active), (Updating, Active), (Deleting, Deleted)]),
    (Happening::Fail, &[(Provisioning, FailedToProvision), (Updating, FailedToUpdate), (Deleting, FailedToDelete)]),
    (Happening::GoDown, &[(Active, Down)]),
    (Happening::ComeUp, &[(Down, Active)]),
    (Happening::Edit, &[(Active, Updating), (Down, Updating), (FailedToUpdate, Updating)]),
    (Happening::Retry, &[(FailedToProvision, WaitingToProvision)]),
    (
        Happening::Delete,
        &[
            (Initializing, Deleted),
            (WaitingToProvision, Deleted),
            (PendingApproval, Deleted),
            (Approved, Deleted),
            (FailedToProvision, Deleting),
            (Active, Deleting),
            (Down, Deleting),
            (FailedToUpdate, Deleting),
            (FailedToDelete, Deleting),
        ],
    ),
];

#[test]
fn every_state_and_happening_leads_where_the_table_says() {
    for (n, (happening, pairs)) in TABLE.into_iter().enumerate() {
        assert_eq!(Happening::EVERY[n], happening);
        for state in State::EVERY {
            let to = pairs.iter().find(|(from, _)| *from == state).map(|(_, to)| *to);
            assert_eq!(next(state, happening), to, "{happening:?} in {state:?}");
        }
    }
}

#[test]
fn a_deleted_connection_stays_deleted_and_every_other_can_come_there() {
    for state in State::EVERY {
        let mut reached = vec![state];
        let mut n = 0;
        while n < reached.len() {
            let more = Happening::EVERY.into_iter().filter_map(|h| next(reached[n], h));
            for to in more.collect::<Vec<_>>() {
                if !reached.contains(&to) {
                    reached.push(to);
                }
            }
            n += 1;
        }
        assert!(reached.contains(&Deleted), "{state:?}");
        assert_eq!(state == Deleted, reached.len() == 1, "{state:?}");
    }
}

#[test]
fn codes_are_read_back() {
    for state in State::EVERY {
        assert_eq!(State::of_code(state.code()), Some(state));
    }
}
