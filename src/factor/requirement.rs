//! An account may ask for a second factor of everybody who enters it or anything below, people from above included.
//! Whoever switches that on uses one at that moment, so that nobody locks themselves out. It holds from the next
//! request on: the access check reads it with the chain.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use askama::Template;
use diesel::prelude::*;
use diesel::sql_types::BigInt;

use crate::access::policy::RequireSecondFactor;
use crate::access::{Frame, Grant, In, lookup};
use crate::audit::{self, Event, EventType, Subject};
use crate::ids::{self, Key};
use crate::problem::{Errors, Problem, Reason};
use crate::store::Db;
use crate::store::dialect::{Run, said};
use crate::store::schema::{account_ancestry, accounts, assignments};
use crate::text;
use crate::web::site::Keep;
use crate::web::{Filled, Reply, Section, Sent, Shell, Site, once};

#[derive(Template)]
#[template(path = "factor/requirement.html")]
struct RequirementPage {
    shell: Shell,
    account: String,
    name: String,
    form: Filled,
    /// The account above that asks already, in words; "" for none.
    above: String,
    reach: Reach,
    /// Whether the person at the keyboard used a second factor to get here.
    own: bool,
}

/// How many people reach an account or something below it.
#[derive(Debug, Clone, QueryableByName)]
pub struct Reach {
    #[diesel(sql_type = BigInt)]
    pub people: i64,
    #[diesel(sql_type = BigInt)]
    pub without: i64,
}

impl Reach {
    fn people_words(&self) -> String {
        text::count(self.people, "person reaches", "people reach")
    }

    fn without_words(&self) -> String {
        match self.without {
            0 => "All of them have a second factor.".to_owned(),
            1 => "1 of them has no second factor: they set one up before they enter again.".to_owned(),
            n => {
                format!("{} of them have no second factor: they set one up before they enter again.", text::grouped(n))
            }
        }
    }
}

/// People whose roles were given below the account, or at it or above so that they reach it, each counted once.
const REACH: &str = "SELECT count(*) AS people, COALESCE(SUM(CASE WHEN \
        NOT EXISTS (SELECT 1 FROM authenticator_apps a WHERE a.user_key = p.user_key) \
        AND NOT EXISTS (SELECT 1 FROM passkeys k WHERE k.user_key = p.user_key) THEN 1 ELSE 0 END), 0) AS without \
    FROM (SELECT s.user_key FROM account_ancestry d JOIN assignments s ON s.account_key = d.descendant_key \
            WHERE d.ancestor_key = $1 AND s.ends_at > $2 \
        UNION SELECT s.user_key FROM account_ancestry u JOIN assignments s ON s.account_key = u.ancestor_key \
            WHERE u.descendant_key = $1 AND s.ends_at > $2 AND (u.distance = 0 OR s.scope <> 'here')) p";

pub fn reach(db: &mut Db, account: Key) -> Result<Reach, Problem> {
    Ok(said(REACH).bind(account).bind(ids::now()).row(db)?)
}

/// The account nearest to the root that asks for a second factor: its name, or "An account above".
pub fn asking(frame: &Frame) -> Option<String> {
    let step = frame.asks_second_factor()?;
    Some(if step.held.is_empty() { "An account above".to_owned() } else { step.place.name.clone() })
}

/// An account that this person can enter and that asks for a second factor, if any: its name, or "An account above".
pub fn asking_of(db: &mut Db, user: Key) -> Result<Option<String>, Problem> {
    let live = assignments::user_key.eq(user).and(assignments::ends_at.gt(ids::now()));
    let asks = accounts::requires_second_factor.eq(true).and(accounts::closed_at.is_null());
    let up = account_ancestry::table
        .inner_join(assignments::table.on(assignments::account_key.eq(account_ancestry::descendant_key)))
        .inner_join(accounts::table.on(accounts::key.eq(account_ancestry::ancestor_key)))
        .filter(live)
        .filter(asks)
        .order(accounts::depth)
        .select((accounts::id, accounts::name))
        .first_row::<(String, String)>(db)
        .optional()?;
    let found = match up {
        Some(found) => Some(found),
        None => account_ancestry::table
            .inner_join(assignments::table.on(assignments::account_key.eq(account_ancestry::ancestor_key)))
            .inner_join(accounts::table.on(accounts::key.eq(account_ancestry::descendant_key)))
            .filter(live)
            .filter(asks)
            .filter(assignments::scope.ne(lookup::scope::HERE))
            .select((accounts::id, accounts::name))
            .first_row(db)
            .optional()?,
    };
    let Some((id, name)) = found else { return Ok(None) };
    let seen = lookup::frame(db, user, &id).is_ok_and(|frame| !frame.held().is_empty());
    Ok(Some(if seen { name } else { "An account above".to_owned() }))
}

/// Why the last second factor stays.
pub fn refusal(account: &str) -> String {
    format!("{account} asks for a second factor, and this is your last one. Add another one first")
}

/// Switches it on or off, if the account still is the version that was shown. `own`: whether the person used a second
/// factor in this session.
pub fn change(
    db: &mut Db,
    by: &Grant<RequireSecondFactor>,
    wanted: bool,
    version: i64,
    own: bool,
) -> Result<(), Problem> {
    audit::change(db, by, |db, by| {
        if wanted && !own {
            return Err(Problem::invalid("required", "Use a second factor yourself before you ask others for one"));
        }
        let before = by.account().requires_second_factor;
        let row = accounts::table.filter(accounts::key.eq(by.account().key)).filter(accounts::version.eq(version));
        let set = (accounts::requires_second_factor.eq(wanted), accounts::version.eq(version + 1));
        if diesel::update(row).set(set).execute(db)? == 0 {
            return Err(Problem::Conflict(Reason::Stale));
        }
        let words = |on: bool| if on { "yes" } else { "no" };
        let subject = Subject::new("ACCOUNT", &by.account().id, &by.account().name);
        let event = Event::new(EventType::AccountUpdate, subject);
        Ok(((), event.changed("secondFactorRequired", words(before), words(wanted))))
    })
}

/// GET /a/{account}/settings/second-factor
pub async fn edit(by: In<RequireSecondFactor>, site: Site) -> Result<HttpResponse, Problem> {
    let required = if by.account().requires_second_factor { "yes" } else { "" };
    let mut form = site.start_form(by.actor().key, Filled::with([("required", required)])).await?;
    form.set_version(by.account().version);
    site.page(&page(&by, &site, form).await?, Keep::Nothing)
}

async fn page(by: &In<RequireSecondFactor>, site: &Site, form: Filled) -> Result<RequirementPage, Problem> {
    let account = by.account();
    let key = account.key;
    let above = by.frame().asks_second_factor().filter(|step| step.place.key != key).is_some();
    Ok(RequirementPage {
        shell: site.shell(by, Section::Settings, "Second factor").failing(form.failed()),
        account: account.id.clone(),
        name: account.name.clone(),
        form,
        above: asking(by.frame()).filter(|_| above).unwrap_or_default(),
        reach: site.pool.read_long(move |db| reach(db, key)).await?,
        own: by.session.second_factor,
    })
}

/// POST /a/{account}/settings/second-factor
pub async fn update(by: In<RequireSecondFactor>, site: Site, sent: Sent) -> Result<HttpResponse, Problem> {
    let form = site.open(&by, sent, &["required"])?;
    let (grant, copy) = (by.clone(), form.clone());
    let done = site.pool.write(move |db| {
        let mut check = copy.check();
        let wanted = check.ticked("required");
        check.finish()?;
        once(db, grant.actor().key, &copy.receipt(), |db| {
            change(db, &grant, wanted, copy.version(), grant.session.second_factor)?;
            let sentence = if wanted {
                "A second factor is asked for from now on."
            } else {
                "No second factor is asked for any more."
            };
            Ok(Reply::to(format!("/a/{}/settings", grant.account().id), sentence))
        })
    });
    match done.await {
        Err(Problem::Invalid(errors)) => {
            let page = page(&by, &site, form.filled(errors)).await?;
            site.refused(&page)
        }
        Err(Problem::Conflict(Reason::Stale)) => {
            let message = "The account was changed in the meantime. Look at it again and save once more";
            let mut form = form.filled(Errors::one("", message));
            let (user, id) = (by.actor().key, by.account().id.clone());
            let now = site.pool.read(move |db| lookup::frame(db, user, &id)).await?;
            form.set_version(now.account().version);
            site.page_with(StatusCode::CONFLICT, &page(&by, &site, form).await?, Keep::Nothing)
        }
        other => Ok(site.see(&other?)),
    }
}
