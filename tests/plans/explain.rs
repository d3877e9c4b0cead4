//! The database of the plans, and what EXPLAIN says of a statement: which of the large tables it reads from end to end
//! (on SQLite), or more of than a page needs (on PostgreSQL, which says how much it read).

use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use diesel::sql_types::Text;
use serde_json::Value;
use subtenant::config::{DatabaseUrl, MailSettings, Settings};
use subtenant::ids;
use subtenant::store::Db;
use subtenant::store::dialect::Manager;

/// Tables that grow with the accounts.
const LARGE: [&str; 14] = [
    "accounts",
    "account_ancestry",
    "account_tags",
    "audit_entries",
    "audit_scope",
    "users",
    "assignments",
    "consents",
    "payment_methods",
    "networks",
    "connections",
    "connection_history",
    "ledger_items",
    "port_uses",
];

/// Walks along all names in their order that stop when a page is full: lists of everything below a large account.
const WALKS: [&str; 3] = ["networks_names", "connections_names", "ports_names"];

pub struct Place {
    pub url: String,
    _folder: Option<tempfile::TempDir>,
}

pub fn place() -> Place {
    match std::env::var("TEST_DATABASE_URL") {
        Ok(server) => {
            let name = format!("plans_{}", &ids::sha256_hex(ids::token().as_bytes())[..16]);
            let mut db = connect(&server);
            diesel::sql_query(format!("CREATE DATABASE {name}")).execute(&mut db).expect("a database");
            let mut url = url::Url::parse(&server).expect("an address");
            url.set_path(&name);
            Place { url: url.into(), _folder: None }
        }
        Err(_) => {
            let folder = tempfile::tempdir().expect("a folder");
            Place { url: folder.path().join("plans.db").display().to_string(), _folder: Some(folder) }
        }
    }
}

pub fn defaults() -> Settings {
    let mail_dir = Some(concat!(env!("CARGO_TARGET_TMPDIR"), "/mails").to_owned());
    Settings { mail: MailSettings { mail_dir, ..MailSettings::default() }, ..Settings::default() }
}

fn connect(url: &str) -> Db {
    let url = DatabaseUrl::parse(url).expect("an address");
    r2d2::ManageConnection::connect(&Manager { url, read_only: false }).expect("the database answers")
}

#[derive(QueryableByName)]
struct Step {
    #[diesel(sql_type = Text)]
    detail: String,
}

#[derive(QueryableByName)]
struct Line {
    #[diesel(sql_type = Text, column_name = "QUERY PLAN")]
    line: String,
}

impl Place {
    /// What is read needlessly, in words like EXPLAIN's. `logged`: as diesel writes a statement with its values.
    pub fn whole_reads(&self, logged: &str) -> Vec<String> {
        let (sql, binds) = logged.split_once(" -- binds: ").unwrap_or((logged, "[]"));
        if !["SELECT", "WITH", "(SELECT"].iter().any(|start| sql.trim_start().starts_with(start)) {
            return Vec::new();
        }
        let mut db = connect(&self.url);
        if self.url.starts_with("postgres") {
            return postgres(&mut db, sql, &literals(binds));
        }
        let sql = format!("EXPLAIN QUERY PLAN {sql}");
        let steps: Vec<Step> = diesel::sql_query(&sql).load(&mut db).unwrap_or_else(|why| panic!("{why}: {sql}"));
        let aliases = aliases(&sql);
        steps.into_iter().map(|step| step.detail).filter(|detail| is_whole(detail, &aliases)).collect()
    }
}

/// `SCAN accounts` reads the table, `SCAN accounts USING INDEX …` the whole index. A `SEARCH` begins somewhere.
fn is_whole(detail: &str, aliases: &[(String, String)]) -> bool {
    let Some(rest) = detail.strip_prefix("SCAN ") else { return false };
    let name = rest.split(' ').next().unwrap_or_default();
    let table = aliases.iter().find(|(alias, _)| alias == name).map_or(name, |(_, table)| table);
    LARGE.contains(&table) && !WALKS.iter().any(|walk| rest.ends_with(walk))
}

/// `accounts a`, `accounts AS a` and `"accounts" AS "a"` in the text: the alias and its table.
fn aliases(sql: &str) -> Vec<(String, String)> {
    let words: Vec<&str> =
        sql.split(|c: char| c.is_whitespace() || "(),`\"".contains(c)).filter(|w| !w.is_empty()).collect();
    let mut found = Vec::new();
    for (n, word) in words.iter().enumerate().filter(|(_, word)| LARGE.contains(word)) {
        let next = words.get(n + 1).copied().unwrap_or_default();
        let alias = if next.eq_ignore_ascii_case("as") { words.get(n + 2).copied().unwrap_or_default() } else { next };
        found.push((alias.to_owned(), (*word).to_owned()));
    }
    found
}

/// As planned for the values at hand, and as PostgreSQL plans once a statement was used some times, which may be for all
/// values: neither reads more than it needs.
fn postgres(db: &mut Db, sql: &str, values: &[String]) -> Vec<String> {
    let values = if values.is_empty() { String::new() } else { format!("({})", values.join(", ")) };
    // A value that is a list is looked up as often as it is long.
    let listed = values.matches(',').count();
    db.batch_execute(&format!("PREPARE look AS {sql}")).unwrap_or_else(|why| panic!("{why}: {sql}"));
    let mut wrong = Vec::new();
    let explain = format!("EXPLAIN (ANALYZE, BUFFERS, COSTS off, TIMING off, FORMAT JSON) EXECUTE look{values}");
    for uses in [0, USES_UNTIL_KEPT] {
        (0..uses).for_each(|_| db.batch_execute(&format!("EXECUTE look{values}")).expect("it is executed"));
        let lines: Vec<Line> =
            diesel::sql_query(&explain).load(db).unwrap_or_else(|why| panic!("{why}: {explain}: {sql}"));
        let text: String = lines.into_iter().map(|line| line.line).collect();
        let plan: Value = serde_json::from_str(&text).expect("JSON");
        wrong.extend(
            scans(&plan[0]["Plan"])
                .iter()
                .filter_map(|scan| scan.is_wrong(listed))
                .map(|why| format!("after {uses} uses: {why}")),
        );
    }
    wrong
}

/// PostgreSQL plans for the values until then, and keeps a plan for all where that seems to cost no more.
const USES_UNTIL_KEPT: usize = 6;

/// A step of a plan that reads a table.
struct Scan {
    kind: String,
    table: String,
    /// Those that were looked at, whether they were wanted or not.
    rows: f64,
    times: f64,
    /// Of 8 kB.
    blocks: f64,
}

/// Rows of a large table that a page may look at for one statement.
const MOST_ROWS: f64 = 25_000.0;

impl Scan {
    fn is_wrong(&self, listed: usize) -> Option<String> {
        let Scan { kind, table, rows, times, blocks } = self;
        // What an index leaves out by itself is in no count of rows.
        let needed = 200.0 + 6.0 * (rows + times + listed as f64);
        let wrong = kind == "Seq Scan" || *rows > MOST_ROWS || *times > MOST_ROWS || *blocks > needed;
        (wrong && LARGE.contains(&table.as_str()))
            .then(|| format!("{kind} on {table}: {rows} rows, {blocks} blocks, {times} times"))
    }
}

fn reads_index(part: &Value) -> bool {
    part["Node Type"].as_str().is_some_and(|kind| kind.starts_with("Bitmap") && part["Relation Name"].is_null())
}

fn scans(plan: &Value) -> Vec<Scan> {
    let number = |plan: &Value, name: &str| plan[name].as_f64().unwrap_or(0.0);
    let blocks = |plan: &Value| number(plan, "Shared Hit Blocks") + number(plan, "Shared Read Blocks");
    let inner = plan["Plans"].as_array().map(Vec::as_slice).unwrap_or_default();
    let mut found: Vec<Scan> = inner.iter().flat_map(scans).collect();
    if let Some(table) = plan["Relation Name"].as_str() {
        let times = number(plan, "Actual Loops");
        let left = ["Rows Removed by Filter", "Rows Removed by Index Recheck"].map(|name| number(plan, name));
        found.push(Scan {
            kind: plan["Node Type"].as_str().unwrap_or_default().to_owned(),
            table: table.to_owned(),
            rows: times * (number(plan, "Actual Rows") + left.iter().sum::<f64>()),
            times,
            // A part without a table is an index that this step is for.
            blocks: blocks(plan) - inner.iter().filter(|part| !reads_index(part)).map(blocks).sum::<f64>(),
        });
    }
    found
}

/// The values that diesel writes behind a statement, as SQL: numbers, texts, moments, lists, and what is not there.
fn literals(binds: &str) -> Vec<String> {
    let inner = binds.trim().strip_prefix('[').and_then(|b| b.strip_suffix(']')).unwrap_or_default();
    parts(inner).into_iter().map(|part| literal(part.trim())).collect()
}

fn literal(part: &str) -> String {
    if let Some(some) = part.strip_prefix("Some(").and_then(|p| p.strip_suffix(')')) {
        return literal(some);
    }
    if let Some(list) = part.strip_prefix('[').and_then(|p| p.strip_suffix(']')) {
        let all: Vec<String> = parts(list).into_iter().map(|one| literal(one.trim())).collect();
        return format!("ARRAY[{}]{}", all.join(", "), if all.is_empty() { "::bigint[]" } else { "" });
    }
    if part.starts_with('"') {
        let text: String = serde_json::from_str(part).unwrap_or_else(|_| part.trim_matches('"').to_owned());
        return format!("'{}'", text.replace('\'', "''"));
    }
    match part {
        "None" => "NULL".to_owned(),
        "true" | "false" => part.to_owned(),
        number if number.parse::<i64>().is_ok() => number.to_owned(),
        moment => format!("'{moment}'"),
    }
}

/// Cut at the commas that are in no text and no list.
fn parts(text: &str) -> Vec<&str> {
    let (mut depth, mut quoted, mut escaped, mut from, mut found) = (0, false, false, 0, Vec::new());
    for (at, c) in text.char_indices() {
        match c {
            _ if escaped => escaped = false,
            '\\' if quoted => escaped = true,
            '"' => quoted = !quoted,
            '[' | '(' if !quoted => depth += 1,
            ']' | ')' if !quoted => depth -= 1,
            ',' if !quoted && depth == 0 => {
                found.push(&text[from..at]);
                from = at + 1;
            }
            _ => {}
        }
    }
    if !text[from..].trim().is_empty() {
        found.push(&text[from..]);
    }
    found
}
