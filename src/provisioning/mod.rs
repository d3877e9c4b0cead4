//! Provisioning: what was ordered, changed or deleted is taken through its states by the background work. The rows are
//! the queue: whatever is due to be looked at is claimed by moving that moment forward, so that any number of processes
//! share the work and what a killed one had is taken over. A step is one transaction under the tree's lock, with its
//! entry in the log; the gate ([`gate`]) is asked in the one that starts the work. What the fabric is to do is an
//! intent, one at a time for each port and connection, told outside of any transaction ([`delivery`]) to whoever makes
//! it ([`fabric`]), again and again until the outcome is known, which ends it once ([`outcome`]).

mod callbacks;
mod connection;
mod delivery;
mod fabric;
mod gate;
pub mod intents;
pub mod metrics;
pub mod operator;
mod outcome;
mod payload;
mod port;
pub mod signing;
mod simulated;
mod store;
mod webhook;

use actix_web::web::Data;

use crate::config::Config;
use crate::factor::vault::Vault;
use crate::problem::Problem;
use crate::store::Pool;
use crate::web::protect::CALLBACKS;
use crate::web::route::{Route, post};
pub use connection::look as look_at_connection;
pub use fabric::{Attributes, Fabric, Order, Outcome};
pub use outcome::apply;
pub use port::look as look_at_port;
pub use simulated::Simulated;
pub use webhook::Webhook;

/// Rows of one kind that are looked at in one go.
const AT_ONCE: i64 = 50;

pub fn routes() -> Vec<Route> {
    vec![post(CALLBACKS, callbacks::take)]
}

/// What the background work provisions with.
pub struct Provisioning {
    /// Whoever makes what was ordered; without it orders wait.
    pub fabric: Option<Box<dyn Fabric>>,
    pub vault: Data<Vault>,
}

impl Provisioning {
    /// The operator's system where one is set up; in a demonstration one that only pretends.
    pub fn new(config: &Config, vault: &Data<Vault>) -> anyhow::Result<Provisioning> {
        let fabric: Option<Box<dyn Fabric>> = match &config.provisioning.system {
            Some(system) => Some(Box::new(Webhook::new(system)?)),
            None if config.demo => Some(Box::new(Simulated)),
            None => None,
        };
        Ok(Provisioning { fabric, vault: vault.clone() })
    }
}

/// Everything that is due now; answers how many things were done. What fails does not keep the rest from being done.
pub async fn round(pool: &Pool, tools: &Provisioning) -> Result<usize, Problem> {
    let can_provision = tools.fabric.is_some();
    let woken = pool.write(store::wake).await;
    let ports = look(pool, store::Kind::Port, can_provision, port::look).await;
    let connections = look(pool, store::Kind::Connection, can_provision, connection::look).await;
    let delivered = match &tools.fabric {
        Some(fabric) => delivery::deliver_due(pool, fabric.as_ref(), &tools.vault).await,
        None => Ok(0),
    };
    woken?;
    Ok(ports? + connections? + delivered?)
}

type Look = fn(&mut crate::store::Db, crate::ids::Key, bool) -> Result<(), Problem>;

/// Claims what is due, one by one, and looks at it; the first that failed is the answer, after all others.
async fn look(pool: &Pool, kind: store::Kind, can_provision: bool, act: Look) -> Result<usize, Problem> {
    let mut done = Ok(0);
    for key in pool.read_long(move |db| store::due(db, kind, AT_ONCE)).await? {
        let looked = pool.write(move |db| {
            if !store::claim(db, kind, key)? {
                return Ok(0);
            }
            act(db, key, can_provision)?;
            Ok(1)
        });
        match looked.await {
            Ok(n) => done = done.map(|sum| sum + n),
            Err(problem) => {
                tracing::warn!(?kind, key, %problem, "it could not be taken on; it is looked at again");
                done = done.and(Err(problem));
            }
        }
    }
    done
}
