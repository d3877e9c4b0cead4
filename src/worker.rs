//! The one background task of a process. It does what is due in the database and has nothing of its own: any number of
//! processes do the same work side by side, and one that dies leaves nothing undone. Requests never wait for it.

use std::time::{Duration, Instant};

use tokio::sync::oneshot;
use tokio::time::{sleep, timeout};

use crate::mail::{self, Carrier};
use crate::problem::Problem;
use crate::store::{self as database, Db, Pool};
use crate::{billing, reminders, sign_in};

/// Looks by itself so often: for what other processes posted, and for what is due later.
const EVERY: Duration = Duration::from_secs(5);
/// A letter rings before its transaction ends.
const MOMENT: Duration = Duration::from_millis(150);

/// What nobody waits for is looked at so often.
const AT_LEISURE: Duration = Duration::from_secs(600);
/// How long a mail that is on its way may take when the process is to stop.
const GRACE: Duration = Duration::from_secs(10);

/// Everything that is due now; answers how many things were done. Every step is taken, whatever became of the others;
/// then the first one that failed is the answer.
pub async fn round(pool: &Pool, carrier: &Carrier) -> Result<usize, Problem> {
    let (leisure, once) = (at_leisure(pool).await, at_once(pool, carrier).await);
    Ok(leisure? + once?)
}

async fn at_once(pool: &Pool, carrier: &Carrier) -> Result<usize, Problem> {
    let answered = said("answering requests for new passwords", sign_in::answer_asked(pool).await);
    let delivered = said("sending mails", mail::deliver_due(pool, carrier).await);
    Ok(answered? + delivered?)
}

/// Reminders, and taking away what tells nothing any more.
async fn at_leisure(pool: &Pool) -> Result<usize, Problem> {
    let reminded = said("reminders", reminders::post_due(pool).await);
    let warned = said("warnings about payment methods", billing::warnings::post_due(pool).await);
    let mails = said("forgetting mails", forget(pool, mail::forget_old).await);
    let links = said("forgetting links and counts", forget(pool, sign_in::tidy).await);
    let reminders = said("forgetting reminders", forget(pool, reminders::forget_old).await);
    let warnings = said("forgetting warnings", forget(pool, billing::warnings::forget_old).await);
    Ok(reminded? + warned? + mails? + links? + reminders? + warnings?)
}

async fn forget(pool: &Pool, old: fn(&mut Db) -> Result<usize, Problem>) -> Result<usize, Problem> {
    pool.write(move |db| database::write(db, old)).await
}

/// Works until the sender is used or dropped.
pub async fn run(pool: Pool, carrier: Carrier, mut stop: oneshot::Receiver<()>) {
    let mut looked: Option<Instant> = None;
    loop {
        let work = async {
            if looked.is_none_or(|at| at.elapsed() > AT_LEISURE) {
                let _ = at_leisure(&pool).await;
                looked = Some(Instant::now());
            }
            let _ = at_once(&pool, &carrier).await;
        };
        tokio::pin!(work);
        tokio::select! {
            () = &mut work => {}
            _ = &mut stop => {
                // Given up in the middle, a mail would go out twice.
                let _ = timeout(GRACE, work).await;
                return;
            }
        }
        tokio::select! {
            _ = &mut stop => return,
            () = sleep(EVERY) => {}
            () = mail::rung() => sleep(MOMENT).await,
        }
    }
}

/// Reports a step that failed.
fn said(step: &'static str, done: Result<usize, Problem>) -> Result<usize, Problem> {
    done.inspect_err(|problem| tracing::warn!(step, %problem, "the background work was cut short"))
}
