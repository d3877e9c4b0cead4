//! Does the ancestry say what the parents say? Compared over the whole database with one recursive walk, as a command
//! and in tests; requests never walk.

use diesel::prelude::*;
use diesel::sql_types::{BigInt, Text};

use super::Db;
use crate::problem::Problem;

#[derive(QueryableByName)]
struct Difference {
    #[diesel(sql_type = Text)]
    what: String,
    #[diesel(sql_type = Text)]
    id: String,
    #[diesel(sql_type = BigInt)]
    n: i64,
}

/// Differences listed of each kind.
const MOST: i64 = 100;

const CHECKS: [(&str, &str); 12] = [
    (
        "ancestry",
        "WITH RECURSIVE walk (descendant_key, ancestor_key, distance) AS (
             SELECT key, key, CAST(0 AS BIGINT) FROM accounts
             UNION ALL
             SELECT w.descendant_key, a.parent_key, w.distance + 1
             FROM walk w JOIN accounts a ON a.key = w.ancestor_key WHERE a.parent_key IS NOT NULL
         ),
         odd AS (
             SELECT * FROM (SELECT * FROM walk EXCEPT
                 SELECT descendant_key, ancestor_key, distance FROM account_ancestry) missing
             UNION ALL
             SELECT * FROM (SELECT descendant_key, ancestor_key, distance FROM account_ancestry EXCEPT
                 SELECT * FROM walk) extra
         )
         SELECT 'ancestry rows that differ from the parents' AS what, a.id AS id, COUNT(*) AS n
         FROM odd o JOIN accounts a ON a.key = o.descendant_key GROUP BY a.id ORDER BY a.id LIMIT $1",
    ),
    (
        "children",
        "SELECT 'children_count differs from the open children' AS what, p.id AS id,
                p.children_count - (SELECT COUNT(*) FROM accounts c WHERE c.parent_key = p.key AND c.closed_at IS NULL) AS n
         FROM accounts p
         WHERE p.children_count <> (SELECT COUNT(*) FROM accounts c WHERE c.parent_key = p.key AND c.closed_at IS NULL)
         ORDER BY p.id LIMIT $1",
    ),
    (
        "below",
        "SELECT 'below_count differs from the open accounts below' AS what, a.id AS id,
                CAST(a.below_count - COALESCE(y.n, 0) AS BIGINT) AS n
         FROM accounts a
         LEFT JOIN (SELECT y.ancestor_key, COUNT(*) AS n FROM account_ancestry y
                    JOIN accounts d ON d.key = y.descendant_key
                    WHERE y.distance > 0 AND d.closed_at IS NULL GROUP BY y.ancestor_key) y ON y.ancestor_key = a.key
         WHERE a.below_count <> COALESCE(y.n, 0) ORDER BY a.id LIMIT $1",
    ),
    (
        "names",
        "SELECT 'ancestry rows have another name than the account' AS what, a.id AS id, COUNT(*) AS n
         FROM accounts a JOIN account_ancestry y ON y.descendant_key = a.key
         WHERE y.name_key <> a.name_key GROUP BY a.id ORDER BY a.id LIMIT $1",
    ),
    (
        "roots",
        "SELECT 'root_key differs from the topmost ancestor' AS what, a.id AS id, a.depth AS n
         FROM accounts a JOIN account_ancestry an ON an.descendant_key = a.key AND an.distance = a.depth
         WHERE an.ancestor_key <> a.root_key ORDER BY a.id LIMIT $1",
    ),
    (
        "administrators",
        "SELECT 'a root account has no direct administrator' AS what, a.id AS id, CAST(0 AS BIGINT) AS n
         FROM accounts a WHERE a.parent_key IS NULL AND NOT EXISTS (
             SELECT 1 FROM assignments s JOIN roles r ON r.key = s.role_key
             WHERE s.account_key = a.key AND s.scope <> 'below' AND s.ends_at > '9999-01-01'
               AND r.permissions & 1 = 1)
         ORDER BY a.id LIMIT $1",
    ),
    (
        "invoices",
        "SELECT 'the total differs from the sum of the lines' AS what, i.id AS id,
                CAST(i.total - COALESCE(c.amount, 0) AS BIGINT) AS n
         FROM invoices i
         LEFT JOIN (SELECT invoice_key, SUM(amount) AS amount, COUNT(*) AS lines FROM charges
                    WHERE invoice_key IS NOT NULL GROUP BY invoice_key) c ON c.invoice_key = i.key
         WHERE i.total <> COALESCE(c.amount, 0) OR i.lines <> COALESCE(c.lines, 0)
         ORDER BY i.id LIMIT $1",
    ),
    (
        "ports",
        "SELECT 'used_speed differs from the sum of what uses the port' AS what, p.id AS id,
                CAST(p.used_speed - COALESCE(u.speed, 0) AS BIGINT) AS n
         FROM ports p
         LEFT JOIN (SELECT port_key, SUM(speed) AS speed FROM port_uses GROUP BY port_key) u ON u.port_key = p.key
         WHERE p.used_speed <> COALESCE(u.speed, 0) ORDER BY p.id LIMIT $1",
    ),
    (
        "uses",
        "SELECT 'a VLAN is kept for a connection that is deleted, or on a port that is' AS what, c.id AS id, u.vlan AS n
         FROM port_uses u JOIN connections c ON c.key = u.connection_key JOIN ports p ON p.key = u.port_key
         WHERE c.state = 'DELETED' OR p.state = 'DELETED' ORDER BY c.id LIMIT $1",
    ),
    (
        "connections",
        "SELECT 'a connection of the kind PORT is active without a port' AS what, c.id AS id, CAST(0 AS BIGINT) AS n
         FROM connections c
         WHERE c.kind = 'PORT' AND c.network_key IS NOT NULL AND c.state IN ('ACTIVE', 'DOWN', 'UPDATING')
           AND NOT EXISTS (SELECT 1 FROM port_uses u WHERE u.connection_key = c.key)
         ORDER BY c.id LIMIT $1",
    ),
    (
        "intents",
        "SELECT 'the fabric has work on a connection whose state asks for none' AS what, c.id AS id, i.number AS n
         FROM intents i JOIN connections c ON c.key = i.subject_key
         WHERE i.subject_kind = 'CONNECTION' AND i.finished_at IS NULL
           AND c.state NOT IN ('PROVISIONING', 'UPDATING', 'DELETING')
         ORDER BY c.id LIMIT $1",
    ),
    (
        "networks",
        "SELECT 'networks of one account have one name' AS what, a.id AS id, COUNT(*) AS n
         FROM networks w JOIN accounts a ON a.key = w.account_key
         WHERE w.state <> 'DELETED' GROUP BY a.id, w.name_key HAVING COUNT(*) > 1 ORDER BY a.id LIMIT $1",
    ),
];

/// Every difference, as a line for people; empty when all is well.
pub fn differences(db: &mut Db) -> Result<Vec<String>, Problem> {
    let mut lines = Vec::new();
    for (name, sql) in CHECKS {
        let rows: Vec<Difference> = diesel::sql_query(sql).bind::<BigInt, _>(MOST).load(db)?;
        lines.extend(rows.into_iter().map(|row| format!("{name}: {} ({}): {}", row.what, row.id, row.n)));
    }
    Ok(lines)
}
