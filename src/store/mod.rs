//! The database: a pool for pages, a pool for changes, and the two kinds of transaction. No rule of the product lives
//! here, and nothing above this floor knows which database it is.

pub mod bulk;
pub mod check;
pub mod dialect;
pub mod installation;
mod replica;
pub mod schema;
pub mod sql;
mod whole;

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use diesel::connection::{Connection, TransactionManager};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

pub use dialect::Db;
pub use replica::{LogPosition, Standing};
pub use whole::{copy_into, drop_everything, is_demo, is_empty, migrate};

use crate::config::DatabaseUrl;
use crate::problem::Problem;
use dialect::Manager;
use replica::Replica;

/// How long a request waits for a connection before it is told to come back.
const PATIENCE: Duration = Duration::from_secs(5);
const MUCH_PATIENCE: Duration = Duration::from_mins(10);
/// Requests that may wait for a blocking thread; the next one is told to come back.
const LONGEST_QUEUE: usize = 512;
/// Writes that may be under way for requests that are answered already.
const MOST_AFTERWARDS: u32 = 64;

/// The connections of this process. Cheap to clone.
#[derive(Clone)]
pub struct Pool {
    readers: r2d2::Pool<Manager>,
    writers: r2d2::Pool<Manager>,
    queue: Arc<Semaphore>,
    afterwards: Arc<Semaphore>,
    /// Long reads that may be under way, so that connections are left for pages.
    long: Arc<Semaphore>,
    /// How long a long read waits for its turn.
    patience: Duration,
    /// Who waits for a connection now, or for a turn.
    waiting: Arc<AtomicI64>,
    /// A standby for reads that may be a second old.
    replica: Option<Arc<Replica>>,
    /// A file answers a keyed read faster than a thread changes hands; a network does not.
    inline_reads: bool,
}

/// How many connections there are now.
#[derive(Debug, Clone, Copy)]
pub struct Connections {
    pub in_use: i64,
    pub idle: i64,
}

impl Pool {
    /// Opens the database, making and migrating it where needed. `size`: connections for reading.
    pub fn open(url: &DatabaseUrl, size: u32) -> anyhow::Result<Pool> {
        migrate(url)?;
        // SQLite has one writer: a second connection could only wait for the first.
        let writers = if url.is_postgres() { size } else { 1 };
        let build = |read_only: bool, size: u32| {
            r2d2::Pool::builder()
                .max_size(size)
                .min_idle(Some(1))
                .connection_timeout(PATIENCE)
                .error_handler(Box::new(QuietErrors))
                .build_unchecked(Manager { url: url.clone(), read_only })
        };
        let long = long_reads(url, size as usize);
        Ok(Pool {
            long: Arc::new(Semaphore::new(long)),
            patience: PATIENCE,
            readers: build(true, size),
            writers: build(false, writers),
            queue: Arc::new(Semaphore::new(LONGEST_QUEUE)),
            afterwards: Arc::new(Semaphore::new(MOST_AFTERWARDS as usize)),
            waiting: Arc::default(),
            replica: None,
            inline_reads: !url.is_postgres(),
        })
    }

    /// Runs reads in one transaction: one snapshot for rights and data.
    pub async fn read<T, F>(&self, act: F) -> Result<T, Problem>
    where
        T: Send + 'static,
        F: FnOnce(&mut Db) -> Result<T, Problem> + Send + 'static,
    {
        if self.inline_reads {
            return self.read_here(act);
        }
        let pool = self.clone();
        self.block(move || pool.read_here(act)).await
    }

    /// Reads that may take long (exports, searches): never on the thread that serves others.
    pub async fn read_long<T, F>(&self, act: F) -> Result<T, Problem>
    where
        T: Send + 'static,
        F: FnOnce(&mut Db) -> Result<T, Problem> + Send + 'static,
    {
        let pool = self.clone();
        self.block_long(move || pool.read_here(act)).await
    }

    /// The same for whoever is in the middle of something long: waits for a turn until whoever asked goes away.
    pub fn patient(&self) -> Pool {
        Pool { patience: MUCH_PATIENCE, ..self.clone() }
    }

    /// The connections for reading, those for writing, and how many threads wait for one.
    pub fn connections(&self) -> (Connections, Connections, i64) {
        let of = |pool: &r2d2::Pool<Manager>| {
            let state = pool.state();
            let (all, idle) = (i64::from(state.connections), i64::from(state.idle_connections));
            Connections { in_use: all - idle, idle }
        };
        (of(&self.readers), of(&self.writers), self.waiting.load(Ordering::Relaxed))
    }

    fn take(&self, pool: &r2d2::Pool<Manager>) -> Result<r2d2::PooledConnection<Manager>, Problem> {
        let _waiting = Waiting::one_more(&self.waiting);
        Ok(pool.get()?)
    }

    /// Runs a change on a blocking thread. The operation opens its own transaction ([`write`]).
    pub async fn write<T, F>(&self, act: F) -> Result<T, Problem>
    where
        T: Send + 'static,
        F: FnOnce(&mut Db) -> Result<T, Problem> + Send + 'static,
    {
        let pool = self.clone();
        self.block(move || pool.write_here(act)).await
    }

    /// Notes something for which the answer does not wait, and which must not change it: what fails is said in the
    /// process's log. When too much of it is under way already, this waits as [`Pool::write`] does.
    pub async fn write_afterwards<F>(&self, what: &'static str, act: F)
    where
        F: FnOnce(&mut Db) -> Result<(), Problem> + Send + 'static,
    {
        let place = self.afterwards.clone().try_acquire_owned().ok();
        let (pool, waits) = (self.clone(), place.is_none());
        let writing = tokio::task::spawn_blocking(move || {
            if let Err(problem) = pool.write_here(act) {
                tracing::warn!(%problem, "{what}");
            }
            drop(place);
        });
        if waits && let Err(stopped) = writing.await {
            tracing::error!(%stopped, "{what}");
        }
    }

    /// Waits until nothing is being written afterwards.
    pub async fn settled(&self) {
        let all = self.afterwards.acquire_many(MOST_AFTERWARDS).await;
        drop(all);
    }

    /// [`Pool::read`] on this thread, for commands and tests.
    pub fn read_here<T>(&self, act: impl FnOnce(&mut Db) -> Result<T, Problem>) -> Result<T, Problem> {
        read(&mut *self.take(&self.readers)?, act)
    }

    /// [`Pool::write`] on this thread, for commands and tests.
    pub fn write_here<T>(&self, act: impl FnOnce(&mut Db) -> Result<T, Problem>) -> Result<T, Problem> {
        act(&mut *self.take(&self.writers)?)
    }

    async fn block<T, F>(&self, act: F) -> Result<T, Problem>
    where
        T: Send + 'static,
        F: FnOnce() -> Result<T, Problem> + Send + 'static,
    {
        on_thread(self.place_in_queue()?, act).await
    }

    /// The same where it is its turn among the long ones.
    async fn block_long<T, F>(&self, act: F) -> Result<T, Problem>
    where
        T: Send + 'static,
        F: FnOnce() -> Result<T, Problem> + Send + 'static,
    {
        let queued = self.place_in_queue()?;
        let waiting = Waiting::one_more(&self.waiting);
        let turn = tokio::time::timeout(self.patience, self.long.clone().acquire_owned()).await;
        drop(waiting);
        let turn = turn.map_err(|late| Problem::Unavailable(late.into()))?;
        let turn = turn.map_err(|closed| Problem::Unavailable(closed.into()))?;
        on_thread((queued, turn), act).await
    }

    fn place_in_queue(&self) -> Result<OwnedSemaphorePermit, Problem> {
        let place = self.queue.clone().try_acquire_owned();
        place.map_err(|_| Problem::Unavailable(anyhow::anyhow!("the queue for the database is full")))
    }
}

/// One who waits, until it is dropped: also where whoever asked goes away meanwhile.
struct Waiting(Arc<AtomicI64>);

impl Waiting {
    fn one_more(count: &Arc<AtomicI64>) -> Waiting {
        count.fetch_add(1, Ordering::Relaxed);
        Waiting(count.clone())
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

/// Acts on a thread that may wait, and gives the place back.
async fn on_thread<P, T, F>(place: P, act: F) -> Result<T, Problem>
where
    P: Send + 'static,
    T: Send + 'static,
    F: FnOnce() -> Result<T, Problem> + Send + 'static,
{
    let acting = tokio::task::spawn_blocking(move || {
        let done = act();
        drop(place);
        done
    });
    acting.await.map_err(|stopped| Problem::Bug(stopped.into()))?
}

/// How many of `size` connections long reads may take, so that some are left for pages: three quarters of those to a
/// server; of those to a file, of which each has a cache of its own, two for each core, as more make nothing sooner.
fn long_reads(url: &DatabaseUrl, size: usize) -> usize {
    if url.is_postgres() {
        return (size - size / 4).max(1);
    }
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    size.saturating_sub(cores).clamp(1, 2 * cores)
}

/// Reads in one snapshot. Inside a transaction that is open already, in that one.
pub fn read<T>(db: &mut Db, act: impl FnOnce(&mut Db) -> Result<T, Problem>) -> Result<T, Problem> {
    if dialect::in_transaction(db) {
        return act(db);
    }
    dialect::begin_read(db)?;
    finish(db, act)
}

/// A change: all of it or nothing. Inside a transaction that is open already it is a savepoint.
pub fn write<T>(db: &mut Db, act: impl FnOnce(&mut Db) -> Result<T, Problem>) -> Result<T, Problem> {
    if dialect::in_transaction(db) {
        <Db as Connection>::TransactionManager::begin_transaction(db)?;
    } else {
        dialect::begin_write(db)?;
    }
    finish(db, act)
}

fn finish<T>(db: &mut Db, act: impl FnOnce(&mut Db) -> Result<T, Problem>) -> Result<T, Problem> {
    type Manager = <Db as Connection>::TransactionManager;
    // A panic must not leave a transaction open on a pooled connection.
    let outcome = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| act(db)));
    match outcome {
        Ok(Ok(value)) => {
            Manager::commit_transaction(db)?;
            Ok(value)
        }
        Ok(Err(problem)) => {
            // The connection is dropped by the pool when this fails; the first problem is the one to tell.
            let _ = Manager::rollback_transaction(db);
            Err(problem)
        }
        Err(panic) => {
            let _ = Manager::rollback_transaction(db);
            std::panic::resume_unwind(panic)
        }
    }
}

/// r2d2 would print every failed connection to standard error; the request that waited reports it.
#[derive(Debug)]
struct QuietErrors;

impl<E: std::error::Error> r2d2::HandleError<E> for QuietErrors {
    fn handle_error(&self, error: E) {
        tracing::warn!(%error, "no connection to the database");
    }
}
