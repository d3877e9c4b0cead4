//! Ports: ordering them, offering them to the accounts below, what each of those may do with one, and who uses it.

pub mod caps;
pub mod changing;
pub mod choices;
pub mod list;
mod ordering;
mod pages;
pub mod state;
pub mod steps;
pub mod store;
mod uses;
pub mod using;

pub use changing::{Offer, delete, offer};
pub use choices::{Allowance, Choice, choice, choices, within_reach};
pub use ordering::{NewPort, order};
pub use pages::routes;
pub use state::State;
pub use steps::{Made, activate, fail};
pub use store::{Port, by_key, find};
pub use uses::{NewUse, Side, release, reserve};
