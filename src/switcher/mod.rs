//! Switching accounts: finding one among all that a person may see, recents, favourites, and the accounts around the
//! current one. Switching itself is a link; nothing is written but what somebody marks as a favourite.

mod pages;
mod reach;
mod search;
mod store;
mod texts;
mod wanted;

use crate::access::Grant;
use crate::access::Step;
use crate::access::lookup;
use crate::access::policy::{ReadAccounts, SeeAccount};
use crate::accounts::list::{self, Filter, Scope, Sort};
use crate::ids::Key;
use crate::problem::Problem;
use crate::store::{self as database, Db};
use crate::web::paging::Want;
use crate::web::route::{Route, get, post};
pub use search::MOST_HITS;
use search::{COUNTED, Hits};

pub fn routes() -> Vec<Route> {
    vec![
        get("/a/{account}/switch", pages::index),
        get("/a/{account}/switch/favourite", pages::back),
        post("/a/{account}/switch/favourite", pages::mark),
        get("/a/{account}/switch/recents", pages::back),
        post("/a/{account}/switch/recents", pages::clear),
    ]
}

/// Accounts of which one is a member, offered before anything is typed.
const YOURS_OFFERED: i64 = 20;
/// Children of the current account offered before anything is typed.
const CHILDREN_OFFERED: usize = 20;

/// An account one can go to: its chain from the root, with what the person holds at each step.
pub type Chain = Vec<Step>;

/// What is offered before anything is typed.
#[derive(Debug, Default)]
pub struct Around {
    pub current: Option<Chain>,
    pub parent: Option<Chain>,
    pub favourites: Vec<Chain>,
    pub recents: Vec<Chain>,
    /// Memberships that are none of these yet.
    pub yours: Vec<Chain>,
    pub children: Vec<Chain>,
    pub is_favourite: bool,
}

/// What a search found.
#[derive(Debug, Default)]
pub struct Found {
    pub hits: Vec<Chain>,
    /// How many there are, counted up to a thousand; None where more were found than are shown and nobody counted.
    pub total: Option<usize>,
}

/// The accounts around the current one, favourites and recents.
pub fn around(db: &mut Db, by: &Grant<SeeAccount>) -> Result<Around, Problem> {
    let (user, account) = (by.actor().key, by.account());
    let favourites = store::favourites(db, user)?;
    let recents: Vec<Key> = store::recents(db, user)?.into_iter().filter(|key| *key != account.key).collect();
    let children = if account.children_count > 0 && by.frame().may_below::<ReadAccounts>() {
        let filter = Filter { scope: Scope::Direct, text: String::new(), sort: Sort::Name, descending: false };
        let rows = list::page(db, account, &filter, &Want::First, CHILDREN_OFFERED)?.rows;
        rows.iter().take(CHILDREN_OFFERED).map(|row| row.key).collect()
    } else {
        Vec::new()
    };
    let mut yours = store::memberships(db, user, YOURS_OFFERED)?;
    yours.retain(|key| *key != account.key && !favourites.contains(key) && !recents.contains(key));
    let parent = by.frame().visible_parent().map(|place| place.key);
    let mut keys: Vec<Key> = [account.key].into_iter().chain(parent).collect();
    keys.extend(favourites.iter().chain(&recents).chain(&yours).chain(&children));
    let chains = lookup::chains(db, user, &keys)?;
    let pick = |keys: &[Key]| keys.iter().filter_map(|key| chains.get(key).cloned()).collect::<Vec<_>>();
    Ok(Around {
        current: chains.get(&account.key).cloned(),
        parent: parent.and_then(|key| chains.get(&key).cloned()),
        is_favourite: favourites.contains(&account.key),
        favourites: pick(&favourites),
        recents: pick(&recents),
        yours: pick(&yours),
        children: pick(&children),
    })
}

/// Accounts that this person may see and that match the text, in the order of their names, those that begin with it
/// first. The hits are looked up again with the person's rights in the same transaction.
pub fn search(db: &mut Db, by: &Grant<SeeAccount>, text: &str) -> Result<Found, Problem> {
    let user = by.actor().key;
    let Some(wanted) = wanted::Wanted::parse(text) else { return Ok(Found::default()) };
    let Hits { keys, total } = search::find(db, user, &wanted)?;
    let chains = lookup::chains(db, user, &keys[..keys.len().min(MOST_HITS)])?;
    Ok(Found { hits: keys.iter().filter_map(|key| chains.get(key).cloned()).collect(), total })
}

/// Marks the account as a favourite of the person, or takes the mark away. Nobody else sees it, and it is not audited:
/// it changes nothing in the account.
pub fn mark(db: &mut Db, by: &Grant<SeeAccount>, favourite: bool) -> Result<(), Problem> {
    database::write(db, |db| store::set_favourite(db, by.actor().key, by.account().key, favourite))
}

/// Forgets the accounts that the person used lately.
pub fn clear_recents(db: &mut Db, by: &Grant<SeeAccount>) -> Result<(), Problem> {
    database::write(db, |db| store::clear_recents(db, by.actor().key))
}
