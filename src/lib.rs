//! Subtenant: the console for accounts that have accounts.
//!
//! # The map, in reading order
//! A request becomes [`access::In`] (who am I, which account, may I) → a handler in a room's `pages` → an operation in
//! the room's `mod`, which takes `&Grant<Action>` → the room's `store` → a row → a template.
//!
//! Floors; imports go down only (`tests/it/house.rs` says so):
//! - 0 words: [`problem`], [`ids`], [`text`], [`money`], [`config`], [`meters`], [`logging`]
//! - 1 [`store`]: pool, transactions, schema; `dialect` alone knows which database it is
//! - 2 [`access`]: policy (resource × verb), sessions, the lookup, grants
//! - 3 [`web`]: shell, forms, paging, error pages, what guards every request
//! - 4 [`audit`]: `change`, through which everything is changed, and the log's pages
//! - 5 the rooms, each importing only those before it: [`mail`], [`factor`], [`live`], [`tags`], [`limits`], [`suspension`], [`consent`], [`payments`],
//!   [`billing`], [`ledger`], [`collecting`], [`roles`], [`members`], [`reminders`], [`command`], [`readiness`], [`accounts`], [`importing`], [`catalogue`], [`networks`], [`ports`], [`connections`],
//!   [`provisioning`], [`switcher`],
//!   [`dashboard`], [`metrics`], [`sign_in`], [`invites`], [`help`]
//! - 6 [`app`] (middleware and routes), [`worker`] (what is done in the background), [`server`], [`backup`], [`demo`],
//!   [`generate`]; 7 `main`
//!
//! # What always holds
//! - The account id comes from the path only, and only `In<A>` reads it. `Grant<A>` has no way to be made but the check.
//! - A change is one transaction that takes the tree's lock first, checks the right again, and returns its event.
//! - Every query by id also takes the grant's account; composite foreign keys say the same in SQL.
//! - Nothing about rights is kept between requests.
//! - What a replica answers (`read_late`) decides nothing, and is never behind what the same browser wrote.
//! - Every list is paged by keyset; every page asks a constant number of queries.
//!
//! # What is deliberately absent
//! No cache (sums of readiness below very many accounts are made in the background, and pages say when), no background
//! thread that touches requests, no recursive query that goes down a tree in a request (those of `access::chains` follow
//! parents upwards, which are no more than the tree is deep), no state in the session but who somebody is, and no `match`
//! on the database outside `dialect`.

pub mod access;
pub mod accounts;
pub mod app;
pub mod audit;
pub mod backup;
pub mod billing;
pub mod catalogue;
pub mod collecting;
pub mod command;
pub mod config;
pub mod connections;
pub mod consent;
pub mod dashboard;
pub mod demo;
pub mod factor;
pub mod generate;
pub mod help;
pub mod ids;
pub mod importing;
pub mod invites;
pub mod ledger;
pub mod limits;
pub mod live;
pub mod logging;
pub mod mail;
pub mod members;
pub mod meters;
pub mod metrics;
pub mod money;
pub mod networks;
pub mod payments;
pub mod ports;
pub mod problem;
pub mod provisioning;
pub mod readiness;
pub mod reminders;
pub mod roles;
pub mod server;
pub mod sign_in;
pub mod store;
pub mod suspension;
pub mod switcher;
pub mod tags;
pub mod text;
pub mod web;
pub mod worker;
