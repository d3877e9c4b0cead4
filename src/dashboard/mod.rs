//! The first page of an account: whether it may provision, the same summed up over everything below, who pays, which
//! agreements bind it, what changed last, and what the person may do from here. It owns no rule and changes nothing;
//! the number of its queries does not depend on the number of accounts.

mod pages;
mod store;

pub use pages::routes;
