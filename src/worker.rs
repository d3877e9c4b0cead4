//! The one background task of a process. It does what is due in the database and has nothing of its own: any number of
//! processes do the same work side by side, and one that dies leaves nothing undone. Requests never wait for it.

use std::future::{self, Future};
use std::time::{Duration, Instant};

use actix_web::web::Data;
use tokio::sync::watch;
use tokio::time::{sleep, timeout};

use crate::config::Config;
use crate::factor::vault::Vault;
use crate::live;
use crate::mail::{self, Carrier};
use crate::meters::meters;
use crate::payments::Payments;
use crate::problem::Problem;
use crate::provisioning::{self, Provisioning};
use crate::store::{self as database, Db, Pool};
use crate::{billing, collecting, importing, readiness, reminders, sign_in};

/// Looks by itself so often: for what other processes posted, and for what is due later.
const EVERY: Duration = Duration::from_secs(5);
/// A letter rings before its transaction ends.
const MOMENT: Duration = Duration::from_millis(150);

/// What nobody waits for is looked at so often.
const AT_LEISURE: Duration = Duration::from_secs(600);
/// How long a mail that is on its way may take when the process is to stop.
const GRACE: Duration = Duration::from_secs(10);

/// What the background work needs.
pub struct Tools {
    pub pool: Pool,
    pub carrier: Carrier,
    pub payments: Data<Payments>,
    pub provisioning: Provisioning,
    /// Days in which nothing stops after a method failed or an invoice was due.
    pub grace_days: i64,
    /// Levels of accounts.
    pub max_depth: i64,
}

impl Tools {
    pub fn new(config: &Config, pool: &Pool, payments: &Data<Payments>, vault: &Data<Vault>) -> anyhow::Result<Tools> {
        let (pool, payments, carrier) = (pool.clone(), payments.clone(), Carrier::new(config)?);
        let (provisioning, grace_days) = (Provisioning::new(config, vault)?, config.payments.grace_days);
        Ok(Tools { pool, carrier, payments, provisioning, grace_days, max_depth: config.max_depth })
    }
}

/// Everything that is due now; answers how many things were done. Every step is taken, whatever became of the others;
/// then the first one that failed is the answer.
pub async fn round(tools: &Tools) -> Result<usize, Problem> {
    let (leisure, once, collected) = (at_leisure(tools).await, at_once(tools).await, collected(tools).await);
    let (provisioned, counted, imported) = (provisioned(tools).await, counted(tools).await, imported(tools).await);
    Ok(leisure? + once? + collected? + provisioned? + counted? + imported?)
}

async fn at_once(tools: &Tools) -> Result<usize, Problem> {
    let answered = said("answering requests for new passwords", sign_in::answer_asked(&tools.pool).await);
    let delivered = said("sending mails", mail::deliver_due(&tools.pool, &tools.carrier).await);
    Ok(answered? + delivered?)
}

async fn collected(tools: &Tools) -> Result<usize, Problem> {
    let collected = collecting::collect_due(&tools.pool, &tools.payments, tools.grace_days).await;
    said("collecting invoices", collected)
}

async fn counted(tools: &Tools) -> Result<usize, Problem> {
    said("counting what is below large accounts", readiness::count_due(&tools.pool).await)
}

async fn provisioned(tools: &Tools) -> Result<usize, Problem> {
    said("provisioning", provisioning::round(&tools.pool, &tools.provisioning).await)
}

async fn imported(tools: &Tools) -> Result<usize, Problem> {
    said("importing accounts", importing::carry_on(&tools.pool, tools.max_depth).await)
}

/// Reminders, and taking away what tells nothing any more.
async fn at_leisure(tools: &Tools) -> Result<usize, Problem> {
    let Tools { pool, grace_days, .. } = tools;
    let reminded = said("reminders", reminders::post_due(pool).await);
    let warned = said("warnings about payment methods", billing::warnings::post_due(pool).await);
    let overdue = said("marking overdue invoices", collecting::mark_overdue(pool, *grace_days).await);
    let mails = said("forgetting mails", forget(pool, mail::forget_old).await);
    let links = said("forgetting links and counts", forget(pool, sign_in::tidy).await);
    let reminders = said("forgetting reminders", forget(pool, reminders::forget_old).await);
    let warnings = said("forgetting warnings", forget(pool, billing::warnings::forget_old).await);
    let imports = said("forgetting imports", forget(pool, importing::forget_old).await);
    let refreshed = said("statistics for the planner", statistics(pool).await);
    refreshed?;
    Ok(reminded? + warned? + overdue? + mails? + links? + reminders? + warnings? + imports?)
}

async fn statistics(pool: &Pool) -> Result<usize, Problem> {
    pool.write(|db| Ok(database::dialect::refresh_statistics(db)?)).await.map(|()| 0)
}

async fn forget(pool: &Pool, old: fn(&mut Db) -> Result<usize, Problem>) -> Result<usize, Problem> {
    pool.write(move |db| database::write(db, old)).await
}

/// Works until the sender is used or dropped.
pub async fn run(tools: Tools, stop: watch::Receiver<bool>) {
    let replica = look_at_replica(&tools.pool, stop.clone());
    // A payment provider or a fabric that does not answer holds no mail up.
    let (posting, collecting) = (post(&tools, stop.clone()), collect(&tools, stop.clone()));
    let (counting, provisioning) = (count(&tools, stop.clone()), provision(&tools, stop.clone()));
    tokio::join!(posting, collecting, provisioning, counting, replica, import(&tools, stop));
}

/// So often, so that what is a second old is known to a fraction of it.
const GLANCE: Duration = Duration::from_millis(200);

/// Where there is one.
async fn look_at_replica(pool: &Pool, mut stop: watch::Receiver<bool>) {
    while pool.has_replica() {
        let looking = pool.clone();
        if let Err(stopped) = tokio::task::spawn_blocking(move || looking.look_at_replica()).await {
            tracing::error!(%stopped, "looking at the replica");
        }
        tokio::select! {
            _ = stop.changed() => return,
            () = sleep(GLANCE) => {}
        }
    }
}

async fn post(tools: &Tools, mut stop: watch::Receiver<bool>) {
    let mut looked: Option<Instant> = None;
    loop {
        let work = async {
            if looked.is_none_or(|at| at.elapsed() > AT_LEISURE) {
                let _ = at_leisure(tools).await;
                looked = Some(Instant::now());
            }
            let _ = at_once(tools).await;
        };
        tokio::pin!(work);
        tokio::select! {
            () = &mut work => {}
            _ = stop.changed() => {
                // Given up in the middle, a mail would go out twice.
                let _ = timeout(GRACE, work).await;
                return;
            }
        }
        tokio::select! {
            _ = stop.changed() => return,
            () = sleep(EVERY) => {}
            () = mail::rung() => sleep(MOMENT).await,
        }
    }
}

async fn collect(tools: &Tools, stop: watch::Receiver<bool>) {
    on_and_on(|| collected(tools), future::pending, stop).await;
}

async fn count(tools: &Tools, stop: watch::Receiver<bool>) {
    on_and_on(|| counted(tools), future::pending, stop).await;
}

async fn provision(tools: &Tools, stop: watch::Receiver<bool>) {
    on_and_on(|| provisioned(tools), live::rung, stop).await;
}

async fn import(tools: &Tools, stop: watch::Receiver<bool>) {
    on_and_on(|| imported(tools), importing::rung, stop).await;
}

/// Works, pauses until it rings or for a while, and works again.
async fn on_and_on<W, R>(work: impl Fn() -> W, rung: impl Fn() -> R, mut stop: watch::Receiver<bool>)
where
    W: Future<Output = Result<usize, Problem>>,
    R: Future<Output = ()>,
{
    loop {
        let work = work();
        tokio::pin!(work);
        let done = tokio::select! {
            done = &mut work => done,
            _ = stop.changed() => {
                let _ = timeout(GRACE, work).await;
                return;
            }
        };
        // As long as there is something in hand the next comes at once.
        let pause = if done.is_ok_and(|taken| taken > 0) { MOMENT } else { EVERY };
        tokio::select! {
            _ = stop.changed() => return,
            () = sleep(pause) => {}
            () = rung() => sleep(MOMENT).await,
        }
    }
}

/// Reports a step that failed.
fn said(step: &'static str, done: Result<usize, Problem>) -> Result<usize, Problem> {
    meters().worked(step, done.is_ok());
    done.inspect_err(|problem| tracing::warn!(step, %problem, "the background work was cut short"))
}
