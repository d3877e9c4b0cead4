//! Running the console: opens the database, listens, starts the background work, and on Ctrl-C or SIGTERM finishes what
//! was begun.

use std::io::Write;
use std::net::SocketAddr;
use std::time::Duration;

use actix_web::web::{self, Bytes, Data};
use actix_web::{App, HttpResponse, HttpServer};
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;

use crate::app::{self, Parts};
use crate::billing::provider::Fault;
use crate::collecting::reconcile::{self, Sums};
use crate::collecting::{self, settling};
use crate::config::{Config, DatabaseUrl};
use crate::consent;
use crate::factor::vault::Vault;
use crate::ledger::operator::Settled;
use crate::payments::Payments;
use crate::problem::Problem;
use crate::provisioning::operator;
use crate::store::installation::{self, Purpose};
use crate::store::{self, Pool};
use crate::worker::{self, Tools};

/// How long running requests may take to finish, in seconds.
const PATIENCE: u64 = 30;

/// Opens (and makes, and migrates) the database and puts into it what every installation needs.
pub fn prepare(config: &Config, purpose: Purpose) -> anyhow::Result<Parts> {
    let mut pool = open(config)?;
    if let Some(standby) = &config.operation.replica {
        pool = pool.beside(standby, &config.database_url, config.database_connections)?;
    }
    let cookie_key = pool.write_here(|db| installation::cookie_key(db, purpose))?;
    anyhow::ensure!(
        pool.read_here(installation::purpose)? == Some(purpose),
        "this database was made by `subtenant demo`, which throws it away at its next start: name another one"
    );
    pool.write_here(consent::install_first_versions)?;
    let vault = Vault::new(&match &config.secret_key {
        Some(key) => key.0.clone(),
        None => pool.write_here(installation::secret_key)?,
    })?;
    let payments = Payments::new(config)?;
    Ok(Parts {
        config: Data::new(config.clone()),
        pool: Data::new(pool),
        vault: Data::new(vault),
        payments: Data::new(payments),
        cookie_key,
    })
}

/// The pool; what goes wrong is said with the name of the setting. A server's address may hold a password and is not
/// repeated.
fn open(config: &Config) -> anyhow::Result<Pool> {
    Pool::open(&config.database_url, config.database_connections).map_err(|error| match &config.database_url {
        DatabaseUrl::Sqlite(path) => error.context(format!("DATABASE_URL (--database-url) is {path}")),
        DatabaseUrl::Postgres(_) => error.context("DATABASE_URL (--database-url)"),
    })
}

/// For commands that work on what is there: refuses to make a database where a path is mistyped.
pub fn must_exist(config: &Config) -> anyhow::Result<()> {
    match &config.database_url {
        DatabaseUrl::Sqlite(path) if !std::path::Path::new(path).exists() => {
            anyhow::bail!("DATABASE_URL (--database-url) is {path}: there is no such file")
        }
        _ => Ok(()),
    }
}

/// Serves until told to stop. `greeting` is printed once people can connect.
pub async fn serve(parts: Parts, greeting: &str) -> anyhow::Result<()> {
    let (bind, pool) = (parts.config.bind, parts.pool.get_ref().clone());
    let tools = Tools::new(&parts.config, &pool, &parts.payments, &parts.vault)?;
    let server = HttpServer::new(move || app::build(parts.clone()))
        .client_request_timeout(Duration::from_secs(10))
        .client_disconnect_timeout(Duration::from_secs(5))
        .shutdown_timeout(PATIENCE)
        .disable_signals()
        .bind(bind)
        .map_err(|e| anyhow::anyhow!("BIND (--bind) is {bind}: {e}"))?
        .run();
    // Before anybody is told that it runs, and may tell it to stop.
    let told_to_stop = stop_signal()?;
    say(greeting);
    let handle = server.handle();
    actix_web::rt::spawn(async move {
        told_to_stop.await;
        say("Stopping: running requests are finished first.");
        handle.stop(true).await;
    });
    let (stop, stopped) = watch::channel(false);
    let worker = actix_web::rt::spawn(worker::run(tools, stopped));
    server.await?;
    pool.settled().await;
    drop(stop);
    worker.await?;
    Ok(())
}

/// Takes over what the payment provider knows better; `say`: how much is done, of what is known so far.
pub async fn reconcile(config: &Config, say: impl Fn(u64, u64)) -> anyhow::Result<Sums> {
    must_exist(config)?;
    let (pool, payments) = with_provider(config)?;
    reconcile::reconcile(&pool, &payments, config.payments.grace_days, say).await.map_err(fault)
}

/// Charges every invoice that is due for a try; `say`: how many were in hand, of what was due at first.
pub async fn collect(config: &Config, say: impl Fn(u64, u64)) -> anyhow::Result<u64> {
    must_exist(config)?;
    let (pool, payments) = with_provider(config)?;
    let due = pool.read_here(collecting::count_due)?.unsigned_abs();
    let mut done = 0;
    // What was put off meanwhile may be due again: each is tried once.
    while done < due {
        let taken = collecting::collect_due(&pool, &payments, config.payments.grace_days).await?;
        if taken == 0 {
            break;
        }
        done += taken as u64;
        say(done, due.max(done));
    }
    Ok(done)
}

/// What the operator says of an invoice; answers a sentence, or why it cannot be.
pub async fn settle(config: &Config, invoice: &str, settled: Settled) -> anyhow::Result<Result<String, String>> {
    must_exist(config)?;
    let (pool, payments) = (open(config)?, Payments::new(config)?);
    settling::settle(&pool, &payments, invoice, settled).await.map_err(fault)
}

fn with_provider(config: &Config) -> anyhow::Result<(Pool, Payments)> {
    anyhow::ensure!(config.payments.provider.is_some(), "STRIPE_SECRET_KEY (--stripe-secret-key) is not set");
    Ok((open(config)?, Payments::new(config)?))
}

fn fault(fault: Fault) -> anyhow::Error {
    match fault {
        Fault::Here(problem) => problem.into(),
        Fault::Provider(trouble) => anyhow::anyhow!("the payment provider: {trouble}"),
    }
}

/// What the operator says of a connection or port; answers a sentence, or why it cannot be.
pub fn decide(
    config: &Config,
    act: impl FnOnce(&mut store::Db) -> Result<Result<String, String>, Problem>,
) -> anyhow::Result<Result<String, String>> {
    must_exist(config)?;
    Ok(open(config)?.write_here(act)?)
}

/// How provisioning stands, line by line.
pub fn provisioning_status(config: &Config) -> anyhow::Result<Vec<String>> {
    must_exist(config)?;
    Ok(open(config)?.read_here(operator::status)?)
}

/// Answers the same bytes at every address, without session, database or middleware: what pages are measured beside.
pub async fn constant(bind: SocketAddr, bytes: Vec<u8>) -> std::io::Result<()> {
    let bytes = Bytes::from(bytes);
    let answer = move || {
        let bytes = bytes.clone();
        App::new().default_service(web::to(move || {
            let body = bytes.clone();
            async move { HttpResponse::Ok().content_type("text/html; charset=utf-8").body(body) }
        }))
    };
    HttpServer::new(answer).bind(bind)?.run().await
}

/// For whoever started it. Where nobody reads any more, as when a terminal was closed, it runs and stops all the same.
fn say(words: &str) {
    let _ = writeln!(std::io::stdout(), "{words}");
}

/// Listens from now on; done when there is a signal.
fn stop_signal() -> std::io::Result<impl Future<Output = ()>> {
    let (mut interrupt, mut terminate) = (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
    Ok(async move {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
    })
}

/// Compares what is stored with what follows from it, over the whole database; answers every difference.
pub fn check(config: &Config) -> anyhow::Result<Vec<String>> {
    must_exist(config)?;
    let pool = open(config)?;
    Ok(pool.read_here(store::check::differences)?)
}
