//! The amounts of the two deposits that show that a bank account is the account's own. Each try is counted before the
//! provider is asked.

use actix_web::HttpResponse;
use actix_web::web::Data;
use askama::Template;

use super::confirm::KEPT;
use super::home;
use crate::access::In;
use crate::access::policy::UpdateBilling;
use crate::billing::provider::{self, Fault};
use crate::billing::setup::{self, MOST_TRIES, Outcome, Settled};
use crate::billing::store::setups::{self, Setup, State};
use crate::ids;
use crate::payments::{Payments, Progress, Trouble};
use crate::problem::{Errors, Problem, Reason};
use crate::store::Db;
use crate::web::site::Keep;
use crate::web::{Filled, Form, Reply, Section, Sent, Shell, Site, once};

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
    match count(&by, &site, &form, &setup).await? {
        Counted::Yes => {}
        // The same amounts, sent twice: what the first request comes to.
        Counted::Before => return finish(&by, &site, &payments, setup, None).await,
        Counted::TooOften => return wrong(&by, &site, setup, &form, true).await,
    }
    match payments.provider()?.verify(&setup.intent, amounts).await {
        Ok(_) => finish(&by, &site, &payments, setup, None).await,
        Err(Trouble::Refused { code, .. }) if code.contains("amounts_mismatch") => {
            wrong(&by, &site, setup, &form, false).await
        }
        Err(Trouble::Refused { code, .. }) if code.contains("attempts_exceeded") => {
            wrong(&by, &site, setup, &form, true).await
        }
        // It may be verified: the answer was lost, or another request was faster.
        Err(trouble) => {
            tracing::warn!(%trouble, "the payment provider did not say whether amounts are right");
            let untried = setup.clone();
            finish(&by, &site, &payments, setup, Some(untried)).await
        }
    }
}

/// Whether these amounts were counted as a try.
enum Counted {
    Yes,
    /// The same form was sent twice.
    Before,
    TooOften,
}

async fn count(by: &In<UpdateBilling>, site: &Site, form: &Form, setup: &Setup) -> Result<Counted, Problem> {
    let (actor, setup, mut receipt) = (by.actor().key, setup.clone(), form.receipt());
    // Other amounts in the same form are another try.
    receipt.key = ids::sha256_hex(format!("{}{}", receipt.key, receipt.digest).as_bytes());
    let here = format!("/a/{}/billing/verify", by.account().id);
    let write = move |db: &mut Db| {
        let mut counted = Counted::Before;
        once(db, actor, &receipt, |db| {
            let fits = setups::count_try(db, &setup, MOST_TRIES)?;
            counted = if fits { Counted::Yes } else { Counted::TooOften };
            Ok(Reply::to(here, ""))
        })?;
        Ok(counted)
    };
    site.pool.write(write).await
}

/// Takes the bank account where the provider has verified it. `untried`: gives the try back where it has not.
async fn finish(
    by: &In<UpdateBilling>,
    site: &Site,
    payments: &Payments,
    setup: Setup,
    untried: Option<Setup>,
) -> Result<HttpResponse, Problem> {
    let here = format!("/a/{}/billing/verify", by.account().id);
    let looked = provider::look(&site.pool, payments, &setup).await;
    let outcome = match &looked {
        Ok(intent) => provider::outcome(&setup, intent, site.config.payments.grace_days),
        Err(_) => None,
    };
    if let Some(outcome) = outcome.filter(|outcome| outcome.works) {
        return take(by, site, payments, &setup, outcome).await;
    }
    let words = match (looked, untried) {
        (Err(Fault::Here(problem)), _) => return Err(problem),
        (Ok(intent), _) if intent.progress == Progress::Undecided => {
            let words = "!The payment provider has not decided yet. The bank account is used as soon as it has.";
            return Ok(site.see(&Reply::to(home(by.frame()), words)));
        }
        (Ok(intent), Some(setup)) if intent.progress != Progress::Deposits => {
            return wrong(by, site, setup, &Form::default(), true).await;
        }
        (_, Some(setup)) => {
            site.pool.write(move |db| setups::uncount_try(db, &setup)).await?;
            "!The payment provider does not answer. The amounts were not tried; enter them again later."
        }
        (Err(_), None) => "!The payment provider does not answer. Look here again later.",
        (Ok(_), None) => "!These amounts were sent before, and are looked at.",
    };
    Ok(site.see(&Reply::to(here, words)))
}

async fn take(
    by: &In<UpdateBilling>,
    site: &Site,
    payments: &Payments,
    setup: &Setup,
    outcome: Outcome,
) -> Result<HttpResponse, Problem> {
    let (grant, means) = (by.clone(), outcome.means.clone());
    let words = match site.pool.write(move |db| setup::finish(db, &grant, &outcome, None)).await {
        Ok(Settled { replaced, kept_entries, .. }) => {
            provider::release(&site.pool, payments, &replaced).await;
            if kept_entries { KEPT } else { "Bank account verified." }
        }
        // The provider's own word was faster.
        Err(Problem::Conflict(Reason::Stale)) => "Bank account verified.",
        Err(Problem::Conflict(Reason::Unconfirmed | Reason::BillingCannotBeRemoved { .. })) => {
            let setup = setup.clone();
            site.pool.write(move |db| setup::note_entered(db, &setup, Some(&means))).await?;
            "!The bank account is verified, and not used yet: what that does to other accounts changed. Go on with it here."
        }
        Err(problem) => return Err(problem),
    };
    Ok(site.see(&Reply::to(home(by.frame()), words)))
}

/// Cents, as they stand on the bank statement.
fn amounts(form: &Form) -> Result<[i64; 2], Problem> {
    let mut check = form.check();
    let mut amount = |field: &str, label: &str| {
        let cents = cents(form.value(field)).filter(|cents| (1..=99).contains(cents));
        check.note(field, cents.is_none().then(|| format!("{label} must be a whole number of cents from 1 to 99")));
        cents.unwrap_or_default()
    };
    let amounts = [amount("first", "First amount"), amount("second", "Second amount")];
    check.finish()?;
    Ok(amounts)
}

/// "32", "0.32", "$.32"; after a point there are two digits.
fn cents(typed: &str) -> Option<i64> {
    let typed = typed.trim().trim_start_matches('$');
    let digits = match typed.split_once('.') {
        Some(("" | "0", cents)) if cents.len() == 2 => cents,
        Some(_) => return None,
        None => typed,
    };
    let fine = (1..=2).contains(&digits.len()) && digits.bytes().all(|byte| byte.is_ascii_digit());
    digits.parse().ok().filter(|_| fine)
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

#[cfg(test)]
mod tests {
    use super::cents;

    #[test]
    fn half_a_dollar_is_not_five_cents() {
        for (typed, read) in [("32", 32), ("5", 5), (" 0.05 ", 5), (".32", 32), ("$0.32", 32), ("05", 5)] {
            assert_eq!(cents(typed), Some(read), "{typed}");
        }
        for typed in ["0.5", "0.", "1.32", "0.325", "320", "", "-5", "+5", "0.-5", "0.3.2", "0,32", "0.0.32"] {
            assert_eq!(cents(typed), None, "{typed}");
        }
    }
}
