//! A standby of the database (PostgreSQL's streaming replication) for reads that may be a second old. Clocks are not
//! compared: a few times a second the database is asked where its log stands, and the standby is used by a request only
//! if it has taken over what was the log's end a second ago at the latest, and what the person of the request wrote. One
//! that is idle passes, one that is paused, cut off or slow does not. Whatever goes wrong with it, the database answers.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use diesel::prelude::*;
use diesel::sql_types::{BigInt, Nullable};

use super::dialect::Manager;
use super::{Db, Pool, QuietErrors, read};
use crate::config::DatabaseUrl;
use crate::problem::Problem;

/// A place in the log of the database.
pub type LogPosition = i64;

/// How old what the standby shows may be.
const OLDEST: Duration = Duration::from_secs(1);
/// Ends of the log that are remembered.
const REMEMBERED: usize = 16;
/// Somebody waits at most so long for a connection to the standby before the database is asked.
const PATIENCE: Duration = Duration::from_millis(500);

impl Pool {
    /// The same with a standby of its database beside it. One that is away is waited for by nobody; one that is a standby
    /// of something else is refused.
    pub fn beside(self, standby: &DatabaseUrl, url: &DatabaseUrl, size: u32) -> anyhow::Result<Pool> {
        let replica = Replica::of(standby, url, size);
        replica.refuse_another()?;
        Ok(Pool { replica: Some(Arc::new(replica)), ..self })
    }

    /// Reads that may take long and may be a second old: at the replica, where there is one that has taken over what is a
    /// second old and what this person wrote (`wrote`), else at the database itself. Nothing that decides about access,
    /// and nothing that is written afterwards, may come from here.
    pub async fn read_late<T, F>(&self, wrote: Option<LogPosition>, act: F) -> Result<T, Problem>
    where
        T: Send + 'static,
        F: Fn(&mut Db) -> Result<T, Problem> + Send + 'static,
    {
        let pool = self.clone();
        self.block_long(move || pool.late(wrote, act)).await
    }

    /// The same for what takes a moment, a page of rows by their keys: it waits for no turn among the long ones, and on
    /// SQLite for no other thread.
    pub async fn read_late_briefly<T, F>(&self, wrote: Option<LogPosition>, act: F) -> Result<T, Problem>
    where
        T: Send + 'static,
        F: Fn(&mut Db) -> Result<T, Problem> + Send + 'static,
    {
        if self.inline_reads {
            return self.late(wrote, act);
        }
        let pool = self.clone();
        self.block(move || pool.late(wrote, act)).await
    }

    fn late<T>(&self, wrote: Option<LogPosition>, act: impl Fn(&mut Db) -> Result<T, Problem>) -> Result<T, Problem> {
        let late = self.replica.as_ref().and_then(|replica| replica.read(wrote, &act));
        late.map_or_else(|| self.read_here(act), Ok)
    }

    pub fn has_replica(&self) -> bool {
        self.replica.is_some()
    }

    /// Looks how far the replica is; called again and again, on a thread that may wait.
    pub fn look_at_replica(&self) {
        if let Some(replica) = &self.replica {
            replica.look();
        }
    }

    /// How the replica stands; none where there is none.
    pub fn replica(&self) -> Option<Standing> {
        self.replica.as_ref().map(|replica| replica.standing())
    }

    /// Where the log of the database stands, after everything that was acknowledged so far.
    pub async fn log_position(&self) -> Result<LogPosition, Problem> {
        self.read(|db| Ok(log_position(db)?)).await
    }
}

pub struct Replica {
    standby: r2d2::Pool<Manager>,
    /// A connection of its own, so that looking does not wait for anybody.
    database: r2d2::Pool<Manager>,
    seen: Mutex<Seen>,
    read_here: AtomicU64,
    read_there: AtomicU64,
}

#[derive(Default)]
struct Seen {
    /// When the log ended where, the newest last.
    ends: VecDeque<(Instant, LogPosition)>,
    state: State,
    lag: Duration,
    bytes: i64,
    /// The last moment of which the standby was known to show everything.
    fresh: Option<Instant>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum State {
    #[default]
    Unknown,
    InStep,
    Behind,
    Away,
    /// It is no standby of this database.
    Another,
}

/// How the standby stands, for metrics.
#[derive(Debug, Clone, Copy)]
pub struct Standing {
    pub in_step: bool,
    pub lag: Duration,
    pub bytes: i64,
    /// Reads that it answered.
    pub at_replica: u64,
    /// Reads that it could have answered, had it been far enough.
    pub at_database: u64,
}

impl Replica {
    pub fn of(standby: &DatabaseUrl, database: &DatabaseUrl, size: u32) -> Replica {
        let pool = |url: &DatabaseUrl, size: u32| {
            r2d2::Pool::builder()
                .max_size(size)
                .min_idle(Some(0))
                .connection_timeout(PATIENCE)
                .error_handler(Box::new(QuietErrors))
                .build_unchecked(Manager { url: url.clone(), read_only: true })
        };
        Replica {
            standby: pool(standby, size),
            database: pool(database, 1),
            seen: Mutex::default(),
            read_here: AtomicU64::new(0),
            read_there: AtomicU64::new(0),
        }
    }

    /// An error where it answers and holds another database; one that does not answer now may do so later.
    pub fn refuse_another(&self) -> anyhow::Result<()> {
        let (Ok(mut standby), Ok(mut database)) = (self.standby.get(), self.database.get()) else { return Ok(()) };
        let same = is_of(&mut standby, &mut database);
        anyhow::ensure!(
            same.unwrap_or(true),
            "DATABASE_REPLICA_URL (--database-replica-url): it is no replica of the database"
        );
        Ok(())
    }

    /// What is read there; none where the database itself is to be asked.
    pub fn read<T>(&self, wrote: Option<LogPosition>, act: impl Fn(&mut Db) -> Result<T, Problem>) -> Option<T> {
        let found = self.needed(wrote).and_then(|needed| self.read_from(needed, act));
        let count = if found.is_some() { &self.read_there } else { &self.read_here };
        count.fetch_add(1, Ordering::Relaxed);
        found
    }

    fn read_from<T>(&self, needed: LogPosition, act: impl Fn(&mut Db) -> Result<T, Problem>) -> Option<T> {
        let mut db = self.standby.get().ok()?;
        // Before the snapshot is taken, which then holds at least as much.
        let replayed = replayed(&mut db).ok().flatten()?;
        if replayed < needed {
            return None;
        }
        // What it refuses, and what is not there yet, is for the database to say.
        read(&mut db, act).inspect_err(|problem| tracing::debug!(%problem, "the replica did not answer")).ok()
    }

    /// Up to where it must be; none while it is not to be used at all.
    fn needed(&self, wrote: Option<LogPosition>) -> Option<LogPosition> {
        let seen = self.seen();
        if seen.state != State::InStep {
            return None;
        }
        let (_, end) = seen.ends.iter().find(|(at, _)| at.elapsed() <= OLDEST)?;
        Some((*end).max(wrote.unwrap_or(0)))
    }

    /// Asks both where they are.
    pub fn look(&self) {
        let at = Instant::now();
        let end = self.database.get().ok().and_then(|mut db| log_position(&mut db).ok());
        let replayed = match self.standby.get() {
            Ok(mut standby) => self.place_of(&mut standby),
            Err(_) => Err(State::Away),
        };
        let mut seen = self.seen();
        if let Some(end) = end {
            seen.ends.push_back((at, end));
            let too_many = seen.ends.len().saturating_sub(REMEMBERED);
            seen.ends.drain(..too_many);
        }
        let state = match replayed {
            Ok(replayed) => seen.measure(replayed),
            Err(state) => state,
        };
        seen.turn(state);
    }

    fn place_of(&self, standby: &mut Db) -> Result<LogPosition, State> {
        let known = matches!(self.seen().state, State::InStep | State::Behind);
        if !known {
            let mut database = self.database.get().map_err(|_| State::Away)?;
            if !is_of(standby, &mut database).map_err(|_| State::Away)? {
                return Err(State::Another);
            }
        }
        replayed(standby).map_err(|_| State::Away)?.ok_or(State::Another)
    }

    pub fn standing(&self) -> Standing {
        let seen = self.seen();
        Standing {
            in_step: seen.state == State::InStep,
            lag: seen.lag,
            bytes: seen.bytes,
            at_replica: self.read_there.load(Ordering::Relaxed),
            at_database: self.read_here.load(Ordering::Relaxed),
        }
    }

    fn seen(&self) -> std::sync::MutexGuard<'_, Seen> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Seen {
    /// How far behind it is, now that it is known up to where it is.
    fn measure(&mut self, replayed: LogPosition) -> State {
        let shown = self.ends.iter().rev().find(|(_, end)| *end <= replayed).map(|(at, _)| *at);
        self.fresh = shown.or(self.fresh);
        let newest = self.ends.back().map_or(0, |(_, end)| *end);
        self.bytes = (newest - replayed).max(0);
        self.lag = match (self.bytes, self.fresh) {
            (0, _) | (_, None) => Duration::ZERO,
            (_, Some(at)) => at.elapsed(),
        };
        let in_step = self.fresh.is_some() && (self.bytes == 0 || self.lag <= OLDEST);
        if in_step { State::InStep } else { State::Behind }
    }

    /// Says so once when it changes.
    fn turn(&mut self, state: State) {
        if self.state != state {
            match state {
                State::InStep => tracing::info!("the replica is in step"),
                State::Behind => tracing::warn!("the replica is behind: the database itself is read"),
                State::Away | State::Unknown => {
                    tracing::warn!("the replica does not answer: the database itself is read");
                }
                State::Another => tracing::error!("DATABASE_REPLICA_URL is no standby of the database: it is not used"),
            }
        }
        self.state = state;
    }
}

#[derive(QueryableByName)]
struct Place {
    #[diesel(sql_type = Nullable<BigInt>)]
    place: Option<i64>,
}

fn ask(db: &mut Db, what: &str) -> QueryResult<Option<i64>> {
    let place: Place = diesel::sql_query(format!("SELECT CAST({what} AS BIGINT) AS place")).get_result(db)?;
    Ok(place.place)
}

/// The end of what the database wrote.
pub fn log_position(db: &mut Db) -> QueryResult<LogPosition> {
    Ok(ask(db, "pg_current_wal_lsn() - '0/0'")?.unwrap_or(LogPosition::MAX))
}

/// Up to where a standby shows it; none where it is none.
fn replayed(db: &mut Db) -> QueryResult<Option<LogPosition>> {
    ask(db, "CASE WHEN pg_is_in_recovery() THEN pg_last_wal_replay_lsn() - '0/0' END")
}

/// Whether both are of one cluster, and of one database in it.
fn is_of(standby: &mut Db, database: &mut Db) -> QueryResult<bool> {
    const SYSTEM: &str = "(SELECT system_identifier FROM pg_control_system())";
    const DATABASE: &str = "(SELECT oid FROM pg_database WHERE datname = current_database())";
    Ok(ask(standby, SYSTEM)? == ask(database, SYSTEM)? && ask(standby, DATABASE)? == ask(database, DATABASE)?)
}
