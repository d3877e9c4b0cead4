//! The ledger: what things cost ([`prices`]), what accounts use ([`items`]), what each costs them for a month and who
//! gets the invoice ([`run`], [`issue`]), and the pages about it. Money is whole numbers ([`money`]); a line, once
//! written, keeps what it says. Collecting the money is not done here.

mod charge;
pub mod issue;
pub mod items;
mod letter;
pub mod money;
pub mod month;
pub mod operator;
mod pages;
pub mod prices;
pub mod run;
pub mod sheet;
pub mod showing;
pub(crate) mod store;

pub use items::{Kind, NewItem, end_item, start_item};
pub use month::Month;
pub use pages::routes;
pub use store::debts::{Owed, owes, owing};
