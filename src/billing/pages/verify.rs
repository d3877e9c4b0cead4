//! The amounts of the two deposits that show that a bank account is the account's own. Each try is counted before the
//! provider is asked.

use actix_web::HttpResponse;
use actix_web::web::Data;
use askama::Template;

use super::home;
use crate::access::In;
use crate::access::policy::UpdateBilling;
use crate::billing::provider::{self, Fault};
use crate::billing::setup::{self, MOST_TRIES, Settled};
use crate::billing::store::setups::{self, Setup, State};
use crate::payments::{Payments, Trouble};
use crate::problem::{Errors, Problem, Reason};
use crate::web::site::Keep;
use crate::web::{Filled, Form, Reply, Section, Sent, Shell, Site};

#[derive(Template)]
#[template(path = "billing/verify.html")]
struct VerifyPage {
    shell: Shell,
    action: String,
    form: Filled,
    bank: String,
    /// Tries that are left; at none the bank account has to be entered again.
    left: i64,
    home: String,
}

async fn awaiting(by: &In<UpdateBilling>, site: &Site) -> Result<Option<Setup>, Problem> {
    let account = by.account().key;
    Ok(site.pool.read(move |db| setup::pending(db, account)).await?.filter(|setup| setup.state != State::Open))
}

/// GET /a/{account}/billing/verify
pub async fn show(by: In<UpdateBilling>, site: Site) -> Result<HttpResponse, Problem> {
    match awaiting(&by, &site).await? {
        Some(setup) => page(&by, &site, &setup, Form::default().filled(Errors::default())),
        None => Ok(nothing(&by, &site)),
    }
}

fn nothing(by: &In<UpdateBilling>, site: &Site) -> HttpResponse {
    site.see(&Reply::to(home(by.frame()), "!No bank account of this account awaits verification."))
}

/// POST /a/{account}/billing/verify
pub async fn verify(
    by: In<UpdateBilling>,
    site: Site,
    payments: Data<Payments>,
    sent: Sent,
) -> Result<HttpResponse, Problem> {
    let form = site.open(&by, sent, &["first", "second"])?;
    let Some(setup) = awaiting(&by, &site).await? else { return Ok(nothing(&by, &site)) };
    if setup.state == State::Spent {
        return page(&by, &site, &setup, form.filled(Errors::default()));
    }
    let amounts = match amounts(&form) {
        Ok(amounts) => amounts,
        Err(Problem::Invalid(errors)) => return page(&by, &site, &setup, form.filled(errors)),
        Err(problem) => return Err(problem),
    };
    let counted = setup.clone();
    if !site.pool.write(move |db| setups::count_try(db, &counted, MOST_TRIES)).await? {
        return wrong(&by, &site, setup, &form, true).await;
    }
    match payments.provider()?.verify(&setup.intent, amounts).await {
        Ok(_) => {}
        Err(Trouble::Refused { code, .. }) => {
            return wrong(&by, &site, setup, &form, code.contains("attempts_exceeded")).await;
        }
        Err(trouble) => {
            tracing::warn!(%trouble, "the payment provider did not verify a bank account");
            site.pool.write(move |db| setups::uncount_try(db, &setup)).await?;
            let words = "!The payment provider does not answer. The amounts were not tried; enter them again later.";
            return Ok(site.see(&Reply::to(format!("/a/{}/billing/verify", by.account().id), words)));
        }
    }
    let intent = match provider::look(&site.pool, &payments, &setup).await {
        Ok(intent) => intent,
        Err(Fault::Here(problem)) => return Err(problem),
        Err(Fault::Provider(trouble)) => return Err(Problem::Unavailable(anyhow::anyhow!("{trouble}"))),
    };
    let outcome = provider::outcome(&setup, &intent, site.config.payments.grace_days).filter(|outcome| outcome.works);
    let Some(outcome) = outcome else {
        let words = "!The payment provider has not decided yet. The bank account is used as soon as it has.";
        return Ok(site.see(&Reply::to(home(by.frame()), words)));
    };
    let grant = by.clone();
    let words = match site.pool.write(move |db| setup::finish(db, &grant, &outcome)).await {
        Ok(Settled { replaced, .. }) => {
            provider::release(&site.pool, &payments, &replaced).await;
            "Bank account verified."
        }
        // The provider's own word was faster.
        Err(Problem::Conflict(Reason::Stale)) => "Bank account verified.",
        Err(Problem::Conflict(Reason::Unconfirmed)) => {
            "!The bank account is verified, but what the change does to other accounts changed. Enter it again."
        }
        Err(problem) => return Err(problem),
    };
    Ok(site.see(&Reply::to(home(by.frame()), words)))
}

/// Cents, as they stand on the bank statement.
fn amounts(form: &Form) -> Result<[i64; 2], Problem> {
    let mut check = form.check();
    let mut amount = |field: &str, label: &str| {
        let typed = form.value(field).trim().trim_start_matches("$").trim_start_matches("0.");
        let cents = typed.parse::<i64>().ok().filter(|cents| (1..=99).contains(cents) && typed.len() <= 2);
        check.note(field, cents.is_none().then(|| format!("{label} must be a whole number of cents from 1 to 99")));
        cents.unwrap_or_default()
    };
    let amounts = [amount("first", "First amount"), amount("second", "Second amount")];
    check.finish()?;
    Ok(amounts)
}

async fn wrong(
    by: &In<UpdateBilling>,
    site: &Site,
    setup: Setup,
    form: &Form,
    ended: bool,
) -> Result<HttpResponse, Problem> {
    let (grant, id) = (by.clone(), setup.id.clone());
    match site.pool.write(move |db| setup::note_wrong_amounts(db, &grant, &id, ended)).await {
        Ok(_) => {}
        Err(Problem::Conflict(Reason::Stale)) => return Ok(nothing(by, site)),
        Err(problem) => return Err(problem),
    }
    let Some(setup) = awaiting(by, site).await? else { return Ok(nothing(by, site)) };
    let words = "These are not the amounts of the two deposits. Look at the bank statement again.";
    let errors = if setup.state == State::Spent { Errors::default() } else { Errors::one("first", words) };
    page(by, site, &setup, form.filled(errors))
}

fn page(by: &In<UpdateBilling>, site: &Site, setup: &Setup, form: Filled) -> Result<HttpResponse, Problem> {
    let failed = form.failed();
    let page = VerifyPage {
        shell: site.shell(by, Section::Billing, "Verify bank account").failing(failed),
        action: format!("/a/{}/billing/verify", by.account().id),
        form,
        bank: format!("{} ending {}", setup.brand, setup.last_four),
        left: if setup.state == State::Spent { 0 } else { (MOST_TRIES - setup.tries).max(0) },
        home: home(by.frame()),
    };
    if failed { site.refused(&page) } else { site.page(&page, Keep::Nothing) }
}
