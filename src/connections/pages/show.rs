//! One connection: where it stands and why, what was ordered, and every state that it was in.

use actix_web::HttpResponse;
use actix_web::web::Path;
use askama::Template;

use crate::access::policy::{DeleteNetworks, ReadNetworks, UpdateNetworks};
use crate::access::{Frame, In};
use crate::connections::history::{self, Step};
use crate::connections::settings::{Fact, Kind, Settings};
use crate::connections::state::{Happening, State, next};
use crate::connections::work::{self, Work};
use crate::connections::{Connection, advice, keys, lines, list, store};
use crate::problem::Problem;
use crate::store::Db;
use crate::web::site::Keep;
use crate::web::when::When;
use crate::web::{Section, Shell, Site};
use crate::{tags, text};

#[derive(Template)]
#[template(path = "connections/show.html")]
struct ShowPage {
    shell: Shell,
    account: String,
    connection: Connection,
    kind: String,
    network: Option<(String, String)>,
    location: String,
    speed: String,
    term: &'static str,
    price: String,
    tags: String,
    facts: Vec<Fact>,
    /// How many pre-shared keys there are.
    keys: String,
    since: When,
    created: When,
    active: Option<When>,
    deleted: Option<When>,
    /// What the state means for whoever waits.
    meaning: &'static str,
    waits: Vec<(String, String)>,
    advice: &'static str,
    steps: Vec<StepView>,
    may_describe: bool,
    may_change: bool,
    may_retry: bool,
    may_delete: bool,
}

struct StepView {
    at: When,
    state: &'static str,
    tone: &'static str,
    who: String,
    error_code: String,
    message: String,
}

/// Steps that the page shows.
const MOST_STEPS: i64 = 200;

/// GET /a/{account}/connections/{connection}
pub async fn show(by: In<ReadNetworks>, site: Site, path: Path<(String, String)>) -> Result<HttpResponse, Problem> {
    let (grant, id) = (by.clone(), path.into_inner().1);
    let read = move |db: &mut Db| {
        let account = grant.account().key;
        let connection = store::find(db, account, &id)?;
        let network = list::network_names(db, connection.network.into_iter().collect())?.into_values().next();
        let location = list::location_names(db, connection.location.into_iter().collect())?.into_values().next();
        let tags = tags::of(db, account, &connection.id)?;
        let steps = history::of(db, account, connection.key, MOST_STEPS)?;
        let names = lines::names(db, Settings::of_stored(&connection.settings).as_ref())?;
        let price = lines::price_of(db, grant.frame(), &connection.price_code)?;
        let keys = keys::count(db, connection.key)?;
        let work = work::open(db, account, &connection.id)?;
        Ok((connection, network, location.unwrap_or_default(), tags, steps, names, price, keys, work))
    };
    let (connection, network, location, tags, steps, names, price, keys, work) = site.pool.read(read).await?;
    let frame = by.frame();
    let facts = Settings::of_stored(&connection.settings)
        .map(|settings| settings.facts(|id| names.get(id).cloned().unwrap_or_else(|| id.to_owned())))
        .unwrap_or_default();
    let allowed = |happening| next(connection.state, happening).is_some();
    let may_update = frame.may::<UpdateNetworks>();
    let page = ShowPage {
        shell: site.shell(&by, Section::Connections, &connection.name),
        account: by.account().id.clone(),
        kind: Kind::label(&connection.kind),
        network,
        location,
        speed: text::speed(connection.speed),
        term: lines::term_words(&connection.term),
        price,
        tags: tags::line(&tags),
        facts,
        keys: match keys {
            0 => String::new(),
            1 => "One is stored, sealed. It is not shown.".to_owned(),
            n => format!("{n} are stored, sealed. They are not shown."),
        },
        since: connection.state_since.into(),
        created: connection.created_at.into(),
        active: connection.active_at.map(When::from),
        deleted: connection.deleted_at.map(When::from),
        meaning: meaning(&connection, work.as_ref()),
        waits: waits(&connection, frame),
        advice: if connection.error_code.is_empty() { "" } else { advice::of_error(&connection.error_code) },
        steps: steps.into_iter().map(view).collect(),
        may_describe: may_update && connection.state != State::Deleted,
        may_change: may_update && allowed(Happening::Edit) && Settings::of_stored(&connection.settings).is_some(),
        may_retry: may_update && allowed(Happening::Retry),
        may_delete: frame.may::<DeleteNetworks>() && allowed(Happening::Delete),
        connection,
    };
    site.page(&page, Keep::Private)
}

fn view(step: Step) -> StepView {
    StepView {
        at: step.at.into(),
        state: step.state.words(),
        tone: step.state.tone(),
        who: step.who,
        error_code: step.error_code,
        message: step.message,
    }
}

/// Each reason to wait with the page where something is done about it.
fn waits(connection: &Connection, frame: &Frame) -> Vec<(String, String)> {
    let account = &frame.account().id;
    let one = |code| {
        let (words, section) = advice::of_waiting(code);
        (words, if section.is_empty() { String::new() } else { format!("/a/{account}/{section}") })
    };
    connection.waits_for.split_whitespace().map(one).collect()
}

fn meaning(connection: &Connection, work: Option<&Work>) -> &'static str {
    let slow = work.is_some_and(|work| work.is_stuck);
    match connection.state {
        State::Initializing => "The order is being looked at.",
        State::WaitingToProvision if !connection.waits_for.is_empty() => {
            "It starts by itself when nothing holds it up."
        }
        State::WaitingToProvision | State::Approved => "It starts in a moment.",
        State::PendingApproval => "The operator looks at orders of this kind before they start.",
        State::Provisioning | State::Updating | State::Deleting if slow => {
            "This takes longer than usual. It is tried again by itself; ask your support contact if it goes on."
        }
        State::Provisioning => "It is being made. This page does not have to stay open.",
        State::Updating => "The change is being carried out.",
        State::Deleting => "It is being taken down.",
        State::Down => "It is made, and carries no traffic now.",
        State::FailedToProvision => "The order failed. What it reserved is kept until it is deleted.",
        State::FailedToUpdate => "The last change failed.",
        State::FailedToDelete => "It could not be taken down and still exists.",
        State::Active | State::Deleted => "",
    }
}
