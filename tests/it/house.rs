//! How the house is built, read from the source itself: imports go down the floors only, files stay small, one file
//! knows which database it speaks to, the tables in Rust are the tables in both databases, templates escape what they
//! show. A rule with exceptions names them here.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use crate::dump::{columns, tables};
use crate::world::World;

/// From the ground up. A module may use what stands in a line above its own, and itself.
const FLOORS: [&[&str]; 20] = [
    &["problem", "ids", "config", "text", "money", "meters"],
    &["store", "logging"],
    &["access"],
    &["web"],
    &["audit"],
    &["roles", "live", "tags", "limits", "suspension", "mail", "payments"],
    &["factor"],
    &["members", "consent", "billing", "reminders"],
    &["ledger"],
    &["accounts", "readiness", "command", "collecting", "catalogue"],
    &["networks", "ports", "importing"],
    &["connections"],
    &["provisioning"],
    &["sign_in", "switcher", "dashboard", "help", "metrics"],
    &["invites"],
    &["app", "worker"],
    &["server", "backup"],
    &["demo", "generate"],
    &["commands"],
    &["lib", "main"],
];

const MOST_LINES: usize = 300;
const MOST_LINES_OF_A_TEMPLATE: usize = 120;
/// Longer, for a reason: the forms are one thing, the words of all problems one list, the tables one schema, the grid of
/// access (a test) one table with what its addresses name.
const LONG: [&str; 8] = [
    "access/policy.rs",
    "web/form.rs",
    "web/errors.rs",
    "web/shell.rs",
    "audit/list.rs",
    "audit/event.rs",
    "demo.rs",
    "access.rs",
];
const LONGEST: usize = 500;
/// One list of every table, which grows with them.
const LONGEST_SCHEMA: usize = 700;
/// HTML that the console itself made from a legal text, with everything in it escaped.
const SAFE: [&str; 2] = ["consent/card.html", "consent/reading_body.html"];

fn top() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// The files below a folder with this ending: path from there, and text.
fn files(folder: &str, ending: &str) -> Vec<(String, String)> {
    fn walk(folder: &Path, found: &mut Vec<PathBuf>) {
        for entry in std::fs::read_dir(folder).expect("a readable folder") {
            let path = entry.expect("a readable entry").path();
            if path.is_dir() { walk(&path, found) } else { found.push(path) }
        }
    }
    let base = top().join(folder);
    let mut found = Vec::new();
    walk(&base, &mut found);
    found.sort();
    let name = |path: &Path| path.strip_prefix(&base).expect("below").display().to_string();
    let read = |path: &PathBuf| (name(path), std::fs::read_to_string(path).expect("text"));
    found.iter().filter(|path| path.extension().is_some_and(|e| e == ending)).map(read).collect()
}

/// The product's own source: tests beside it may use what they like.
fn product() -> Vec<(String, String)> {
    files("src", "rs").into_iter().filter(|(name, _)| !name.ends_with("_tests.rs")).collect()
}

/// Source without comments and without the tests at its end.
fn code(text: &str) -> String {
    text.split("#[cfg(test)]")
        .next()
        .unwrap_or_default()
        .lines()
        .filter(|line| !line.trim_start().starts_with("//"))
        .map(|line| format!("{line}\n"))
        .collect()
}

/// The modules of this crate that a file names.
fn used(text: &str) -> BTreeSet<String> {
    let mut used = BTreeSet::new();
    for part in code(text).split("crate::").skip(1) {
        // `use crate::{accounts, audit::Event};` names several; elsewhere the first word is the module.
        let group = part.strip_prefix('{').and_then(|rest| rest.split(';').next());
        let mut depth = 0;
        for word in group.unwrap_or(part).split_inclusive(['{', '}', ',', ':', ' ', '\n', ';', '(', ')', '<', '>', '.'])
        {
            let name: String = word.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
            if depth == 0 && !name.is_empty() && name != "self" {
                used.insert(name.clone());
            }
            if group.is_none() {
                break;
            }
            depth += if word.ends_with(['{', ':']) { 1 } else { 0 };
            depth = if word.ends_with([',', '}']) && depth > 0 { depth - 1 } else { depth };
        }
    }
    used
}

#[test]
fn imports_go_down_the_floors_only() {
    let floor = |module: &str| FLOORS.iter().position(|modules| modules.contains(&module));
    let mut wrong = Vec::new();
    let mut seen = BTreeSet::new();
    for (name, text) in product() {
        let module = name.split(['/', '.']).next().unwrap_or_default().to_owned();
        let own = floor(&module).unwrap_or_else(|| panic!("no floor is given for src/{name}"));
        for other in used(&text).into_iter().filter(|other| *other != module) {
            match floor(&other) {
                Some(theirs) if theirs < own => _ = seen.insert((module.clone(), other)),
                Some(_) => wrong.push(format!("src/{name} uses {other}, which is not below it")),
                None => {}
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
    assert!(seen.len() > 60, "the imports are not found any more: {}", seen.len());
}

#[test]
fn files_stay_small_and_say_why_they_exist() {
    let mut wrong = Vec::new();
    for (name, text) in files("src", "rs").into_iter().chain(files("tests/it", "rs")) {
        let most = match name.as_str() {
            "store/schema.rs" => LONGEST_SCHEMA,
            long if LONG.contains(&long) => LONGEST,
            _ => MOST_LINES,
        };
        let lines = text.lines().count();
        if lines > most {
            wrong.push(format!("{name}: {lines} lines; {most} are enough"));
        }
        if !text.starts_with("//! ") {
            wrong.push(format!("{name} does not say why it exists"));
        }
    }
    for (name, text) in files("templates", "html") {
        if text.lines().count() > MOST_LINES_OF_A_TEMPLATE {
            wrong.push(format!("{name}: {} lines", text.lines().count()));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn one_file_knows_which_database_it_speaks_to() {
    for (name, text) in product().into_iter().filter(|(name, _)| !name.starts_with("store/dialect")) {
        for word in ["Db::Sqlite", "Db::Postgres", "SqliteConnection", "PgConnection"] {
            assert!(!code(&text).contains(word), "src/{name} names {word}");
        }
    }
}

/// The tables of schema.rs with their columns.
fn declared() -> BTreeMap<String, BTreeSet<String>> {
    let schema = files("src/store", "rs").into_iter().filter(|(name, _)| name.starts_with("schema"));
    let text: String = schema.map(|(_, text)| text).collect();
    let mut declared = BTreeMap::new();
    for block in text.split("diesel::table! {").skip(1) {
        let mut lines = block.lines().map(str::trim).filter(|line| !line.is_empty());
        let table = lines.next().and_then(|line| line.split(' ').next()).expect("the table's name").to_owned();
        let columns = lines.take_while(|line| *line != "}").filter_map(|line| line.split_once(" -> "));
        declared.insert(table, columns.map(|(name, _)| name.to_owned()).collect());
    }
    declared
}

#[test]
fn the_tables_in_rust_are_the_tables_in_the_database() {
    let world = World::new();
    let declared = declared();
    let stored: BTreeMap<String, BTreeSet<String>> = tables(&world)
        .into_iter()
        .map(|table| (table.clone(), columns(&world, &table).into_iter().collect()))
        .collect();
    assert_eq!(declared, stored);
    assert!(declared.len() >= 19);
}

#[test]
fn no_two_migrations_have_one_number() {
    let folders = std::fs::read_dir(top().join("migrations")).expect("the folder of migrations");
    let names = folders.map(|folder| folder.expect("a folder").file_name().to_string_lossy().into_owned());
    let mut numbers: Vec<String> = names.filter_map(|name| name.split('_').next().map(str::to_owned)).collect();
    let all = numbers.len();
    numbers.sort();
    numbers.dedup();
    // The second would never run, and nobody would be told.
    assert_eq!(numbers.len(), all, "{numbers:?}");
}

#[test]
fn templates_escape_what_they_show() {
    for (name, text) in files("templates", "html") {
        let bare = text.contains("|safe") || text.contains("| safe") || text.contains("escape");
        assert!(!bare || SAFE.contains(&name.as_str()), "templates/{name} shows something unescaped");
        for word in ["<script>", "style=\"", "onclick", "onload", "javascript:"] {
            assert!(!text.contains(word), "templates/{name} has {word}, which the policy forbids");
        }
    }
}

#[test]
fn nothing_is_unsafe_and_no_test_is_left_out() {
    for (name, text) in files("src", "rs").into_iter().chain(files("tests/it", "rs")) {
        if name == "house.rs" {
            continue;
        }
        for word in ["unsafe {", "unsafe fn", "#[ignore", "todo!(", "unimplemented!(", "dbg!("] {
            assert!(!code(&text).contains(word), "{name} has {word}");
        }
    }
}
