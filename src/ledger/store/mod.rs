//! What the pages read. Every query takes the account that the page is of; a draft is found by none.

pub mod debts;
pub mod invoices;
pub mod lines;
pub mod list;
pub mod usage;
