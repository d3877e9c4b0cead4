//! What an account was billed and has not paid yet. Invoices are the ledger's, which stands above this room; here they
//! are only counted.

use diesel::prelude::*;
use diesel::sql_types::{BigInt, Text};

use crate::ids::Key;
use crate::problem::Problem;
use crate::store::Db;

/// The invoices of one currency that are neither paid nor void.
#[derive(Debug, Clone, PartialEq, Eq, QueryableByName)]
pub struct Owed {
    #[diesel(sql_type = Text)]
    pub currency: String,
    #[diesel(sql_type = BigInt)]
    pub invoices: i64,
    /// Minor units.
    #[diesel(sql_type = BigInt)]
    pub total: i64,
}

/// What the account has to pay, by currency; a draft is not billed yet.
pub fn owed(db: &mut Db, payer: Key) -> Result<Vec<Owed>, Problem> {
    Ok(diesel::sql_query(
        "SELECT currency, COUNT(*) AS invoices, CAST(SUM(total) AS BIGINT) AS total FROM invoices
         WHERE payer_key = $1 AND state NOT IN ('DRAFT', 'PAID', 'VOID') GROUP BY currency ORDER BY currency",
    )
    .bind::<BigInt, _>(payer)
    .load(db)?)
}
