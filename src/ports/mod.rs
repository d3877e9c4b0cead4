//! Ports: ordering them, offering them to the accounts below, what each of those may do with one, and who uses it.

mod uses;

pub use uses::{NewUse, Side, release, reserve};
