//! Months over random trees, payment methods, offers, usage and removals, against a small naive model, and the same
//! months killed between their steps and inside of them. On SQLite, or on the PostgreSQL that TEST_DATABASE_URL names.
//! LEDGER_SCALE=accounts,lines makes one large month and prints what it took.

use std::collections::{BTreeMap, BTreeSet};
use std::process::{Command, Stdio};
use std::sync::{Mutex, MutexGuard, OnceLock};
use std::time::Instant;

use chrono::{Duration, NaiveDate, NaiveDateTime, NaiveTime};
use diesel::pg::PgConnection;
use diesel::prelude::*;
use proptest::prelude::*;
use subtenant::billing;
use subtenant::config::DatabaseUrl;
use subtenant::ids::{self, Key};
use subtenant::ledger::{self, Kind, Month, NewItem, issue, prices, run};
use subtenant::problem::Problem;
use subtenant::store::schema::{
    account_ancestry, accounts as rows, charges, invoice_sections, invoices, ledger_items, mails, payment_methods,
};
use subtenant::store::{self as database, Db, Pool, check};
use subtenant::text;

// ---- the world ----

const FIRST_PRICES: &str = "code,description,currency,interval,amount,setup_amount,term\n\
    CONN,A connection,EUR,MONTH,9999,500,0\nPORT,A port,USD,MONTH,1001,0,0\nBOUND,A bound port,EUR,MONTH,7003,250,12\n";
const LATER_PRICES: &str = "code,description,currency,interval,amount,setup_amount,term\n\
    CONN,A connection,EUR,MONTH,12345,700,0\nBOUND,A bound port,EUR,MONTH,9001,250,12\n";
const CODES: [&str; 3] = ["CONN", "PORT", "BOUND"];
const MONTHS: [&str; 3] = ["2025-01", "2025-02", "2025-03"];

fn month(text: &str) -> Month {
    Month::parse(text).unwrap()
}

fn day(text: &str) -> NaiveDateTime {
    NaiveDate::parse_from_str(text, "%Y-%m-%d").unwrap().and_time(NaiveTime::MIN)
}

/// One database for all tests of this program, one test at a time: a month is made for everybody in it.
fn pool() -> (Pool, MutexGuard<'static, ()>) {
    static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());
    let turn = ONE_AT_A_TIME.lock().unwrap_or_else(|broken| broken.into_inner());
    (opened().0.clone(), turn)
}

/// The pool, and the address of its database.
fn opened() -> &'static (Pool, String) {
    static OPENED: OnceLock<(Pool, String)> = OnceLock::new();
    OPENED.get_or_init(|| {
        let url = match std::env::var("TEST_DATABASE_URL") {
            Ok(server) => fresh_postgres(&server),
            Err(_) => {
                let folder = Box::leak(Box::new(tempfile::tempdir().unwrap()));
                folder.path().join("ledger.db").to_string_lossy().into_owned()
            }
        };
        let pool = Pool::open(&DatabaseUrl::parse(&url).unwrap(), 4).unwrap();
        pool.write_here(|db| {
            prices::load(db, "2024-01-01", FIRST_PRICES.as_bytes()).unwrap();
            prices::load(db, "2025-03-01", LATER_PRICES.as_bytes()).unwrap();
            Ok(())
        })
        .unwrap();
        (pool, url)
    })
}

fn fresh_postgres(server: &str) -> String {
    let name = format!("ledger_{}", &ids::sha256_hex(ids::token().as_bytes())[..16]);
    let mut db = PgConnection::establish(server).unwrap();
    diesel::sql_query(format!("CREATE DATABASE {name}")).execute(&mut db).unwrap();
    let mut url = url::Url::parse(server).unwrap();
    url.set_path(&name);
    url.to_string()
}

/// Takes everything of the ledger away but the prices, and every payment method.
fn wipe(db: &mut Db) -> Result<(), Problem> {
    for table in
        ["invoice_sections", "charges", "invoices", "ledger_items", "billing_months", "payment_methods", "mails"]
    {
        diesel::sql_query(format!("DELETE FROM {table}")).execute(db).unwrap();
    }
    Ok(())
}

fn method(db: &mut Db, account: Key, offered: bool, verified: bool) {
    diesel::insert_into(payment_methods::table)
        .values((
            payment_methods::account_key.eq(account),
            payment_methods::id.eq(ids::new_id("billing")),
            payment_methods::collection_method.eq("NET_30"),
            payment_methods::name.eq("Jo"),
            payment_methods::email.eq("jo@example.com"),
            payment_methods::street.eq("Main St 1"),
            payment_methods::city.eq("Springfield"),
            payment_methods::state.eq("IL"),
            payment_methods::postal_code.eq("62701"),
            payment_methods::country.eq("US"),
            payment_methods::allow_child_accounts.eq(offered),
            payment_methods::verified.eq(verified),
            payment_methods::created_at.eq(ids::now()),
        ))
        .execute(db)
        .unwrap();
}

/// Parents come before their children; the first is the root.
fn plant(db: &mut Db, parents: &[usize]) -> Vec<Key> {
    let keys: Vec<Key> = parents.iter().map(|_| ids::next_key()).collect();
    for n in 0..parents.len() {
        let line = above(parents, n);
        let parent = (n > 0).then_some(parents[n]);
        let depth = line.len() as i64 - 1;
        let name = format!("Account {n}");
        diesel::insert_into(rows::table)
            .values((
                rows::key.eq(keys[n]),
                rows::id.eq(ids::new_id("ac")),
                rows::parent_key.eq(parent.map(|p| keys[p])),
                rows::parent_depth.eq(parent.map(|_| depth - 1)),
                rows::root_key.eq(keys[0]),
                rows::depth.eq(depth),
                rows::name.eq(&name),
                rows::name_key.eq(text::name_key(&name)),
                rows::description.eq(""),
                rows::contacts.eq("[]"),
                rows::created_at.eq(ids::now()),
            ))
            .execute(db)
            .unwrap();
        for (distance, top) in line.into_iter().enumerate() {
            diesel::insert_into(account_ancestry::table)
                .values((
                    account_ancestry::descendant_key.eq(keys[n]),
                    account_ancestry::ancestor_key.eq(keys[top]),
                    account_ancestry::distance.eq(distance as i64),
                ))
                .execute(db)
                .unwrap();
        }
    }
    keys
}

/// From the account itself up to the root.
fn above(parents: &[usize], n: usize) -> Vec<usize> {
    let (mut line, mut at) = (vec![n], n);
    while at > 0 {
        at = parents[at];
        line.push(at);
    }
    line
}

/// What `subtenant check` says of invoices; the trees here have no people.
fn uneven(db: &mut Db) -> Vec<String> {
    check::differences(db).unwrap().into_iter().filter(|line| line.starts_with("invoices")).collect()
}

// ---- the story ----

/// What happens before a month is made.
#[derive(Debug, Clone)]
enum Act {
    /// An account starts using something, so many days after the month began (before it: late).
    Start { account: u8, code: u8, after: i64 },
    /// The item that was started as this one ends.
    End { item: u8, after: i64 },
    /// Offered and verified; or none any more.
    Method { account: u8, own: Option<(bool, bool)> },
}

#[derive(Debug, Clone)]
struct Story {
    parents: Vec<usize>,
    acts: Vec<Vec<Act>>,
    /// Where each month is killed: between the steps after this one, and inside of it.
    kills: Vec<u8>,
}

fn story() -> impl Strategy<Value = Story> {
    let own = prop_oneof![1 => Just(None), 3 => (any::<bool>(), prop::bool::weighted(0.9)).prop_map(Some)];
    let act = prop_oneof![
        5 => (any::<u8>(), 0..3u8, -45..31i64).prop_map(|(account, code, after)| Act::Start { account, code, after }),
        2 => (any::<u8>(), 0..31i64).prop_map(|(item, after)| Act::End { item, after }),
        3 => (any::<u8>(), own).prop_map(|(account, own)| Act::Method { account, own }),
    ];
    let parents = prop::collection::vec(any::<u16>(), 1..14)
        .prop_map(|list| list.iter().enumerate().map(|(n, p)| usize::from(*p) % n.max(1)).collect());
    let acts = prop::collection::vec(prop::collection::vec(act, 0..14), MONTHS.len());
    (parents, acts, prop::collection::vec(0..12u8, MONTHS.len())).prop_map(|(parents, acts, kills)| Story {
        parents,
        acts,
        kills,
    })
}

/// One item of the model: account, code, days, the first month not charged.
#[derive(Debug, Clone)]
struct Used {
    account: usize,
    code: &'static str,
    starts: NaiveDateTime,
    ends: NaiveDateTime,
    next: Month,
}

/// A line of the model and of the database alike.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Line {
    item: String,
    account: usize,
    month: String,
    setup: bool,
    currency: String,
    amount: i64,
    /// The payer, and the month of the invoice; none while it waits.
    on: Option<(usize, String)>,
}

#[derive(Default)]
struct Model {
    methods: BTreeMap<usize, (bool, bool)>,
    items: Vec<Used>,
    lines: Vec<Line>,
}

impl Model {
    /// Who pays for the account and can be charged.
    fn payer(&self, parents: &[usize], n: usize) -> Option<usize> {
        for at in above(parents, n) {
            if let Some((offered, verified)) = self.methods.get(&at) {
                return (*verified && (at == n || *offered)).then_some(at);
            }
        }
        None
    }

    /// Day by day.
    fn make(&mut self, parents: &[usize], made: Month) {
        for (n, item) in self.items.iter_mut().enumerate() {
            while item.next <= made {
                let of = item.next;
                let days: Vec<NaiveDateTime> = (0..of.days())
                    .map(|n| of.first() + Duration::days(n))
                    .filter(|day| item.starts <= *day && *day < item.ends)
                    .collect();
                if let Some(first) = days.first() {
                    let later = *first >= day("2025-03-01") && item.starts >= day("2024-03-01");
                    let (currency, price, setup) = match (item.code, later) {
                        ("CONN", false) => ("EUR", 9_999, 500),
                        ("CONN", true) => ("EUR", 12_345, 700),
                        // The term outlasts the story: what was begun before the new price keeps the old one.
                        ("BOUND", _) if item.starts < day("2025-03-01") => ("EUR", 7_003, 250),
                        ("BOUND", _) => ("EUR", 9_001, 250),
                        _ => ("USD", 1_001, 0),
                    };
                    let exact = f64::from(price) * days.len() as f64 / of.days() as f64;
                    let line = |setup, amount| Line {
                        item: format!("conn-{n}"),
                        account: item.account,
                        month: of.to_string(),
                        setup,
                        currency: currency.to_owned(),
                        amount,
                        on: None,
                    };
                    if setup > 0 && Month::of(item.starts) == of {
                        self.lines.push(line(true, setup));
                    }
                    self.lines.push(line(false, (exact + 0.5).floor() as i64));
                }
                item.next = of.next();
            }
        }
        let payers: Vec<Option<usize>> = (0..parents.len()).map(|n| self.payer(parents, n)).collect();
        for line in self.lines.iter_mut().filter(|line| line.on.is_none()) {
            line.on = payers[line.account].map(|payer| (payer, made.to_string()));
        }
    }
}

/// The same in the database and in the model.
fn act(db: &mut Db, story: &Story, keys: &[Key], model: &mut Model, made: Month, act: &Act) {
    match act {
        Act::Start { account, code, after } => {
            let (account, code) = (usize::from(*account) % keys.len(), CODES[usize::from(*code)]);
            let starts = made.first() + Duration::days(*after);
            let new = NewItem {
                account: keys[account],
                kind: Kind::Connection,
                subject_id: format!("conn-{}", model.items.len()),
                name: "A line".to_owned(),
                price_code: code.to_owned(),
            };
            // Half a day in: days count whole.
            ledger::start_item(db, &new, starts + Duration::hours(12)).unwrap();
            model.items.push(Used { account, code, starts, ends: ids::never(), next: Month::of(starts) });
        }
        Act::End { item, after } if !model.items.is_empty() => {
            let n = usize::from(*item) % model.items.len();
            let until = made.first() + Duration::days(*after);
            let item = &mut model.items[n];
            let ended = ledger::end_item(db, keys[item.account], &format!("conn-{n}"), until + Duration::hours(1));
            if item.ends < ids::never() {
                assert!(matches!(ended, Err(Problem::NotFound)));
            } else {
                ended.unwrap();
                item.ends = until.max(item.starts + Duration::days(1)).max(item.next.first());
            }
        }
        Act::End { .. } => {}
        Act::Method { account, own } => {
            let account = usize::from(*account) % story.parents.len();
            diesel::delete(payment_methods::table.find(keys[account])).execute(db).unwrap();
            model.methods.remove(&account);
            if let Some((offered, verified)) = own {
                method(db, keys[account], *offered, *verified);
                model.methods.insert(account, (*offered, *verified));
            }
        }
    }
}

const STEP: i64 = 3;

/// Makes the month; killed after so many steps: once between two, once with everything of a step undone.
fn make(pool: &Pool, made: Month, kill: Option<u8>) {
    let begin = || pool.write_here(|db| run::begin(db, made)).unwrap().unwrap();
    begin();
    for _ in 0..kill.unwrap_or(0) {
        pool.write_here(|db| run::step(db, made, STEP)).unwrap();
    }
    if kill.is_some() {
        let undone: Result<(), Problem> = pool.write_here(|db| {
            database::write(db, |db| {
                run::step(db, made, STEP)?;
                Err(Problem::bug("killed"))
            })
        });
        assert!(undone.is_err());
        begin();
    }
    while pool.write_here(|db| run::step(db, made, STEP)).unwrap().is_some() {}
}

fn stored(db: &mut Db, keys: &[Key]) -> Vec<Line> {
    type Row = (String, Key, String, String, String, i64, Option<Key>);
    let list: Vec<Row> = charges::table
        .inner_join(ledger_items::table.on(ledger_items::key.eq(charges::item_key)))
        .select((
            ledger_items::subject_id,
            charges::account_key,
            charges::month,
            charges::kind,
            charges::currency,
            charges::amount,
            charges::invoice_key,
        ))
        .load(db)
        .unwrap();
    let of: BTreeMap<Key, (Key, String)> = invoices::table
        .select((invoices::key, (invoices::payer_key, invoices::month)))
        .load::<(Key, (Key, String))>(db)
        .unwrap()
        .into_iter()
        .collect();
    let place = |key: Key| keys.iter().position(|one| *one == key).unwrap();
    let mut lines: Vec<Line> = list
        .into_iter()
        .map(|(item, account, month, kind, currency, amount, invoice)| Line {
            item,
            account: place(account),
            month,
            setup: kind == "SETUP",
            currency,
            amount,
            on: invoice.map(|key| (place(of[&key].0), of[&key].1.clone())),
        })
        .collect();
    lines.sort();
    lines
}

/// Payer, month, currency, state, total, lines of every invoice.
type Issued = BTreeSet<(usize, String, String, String, i64, i64)>;

fn issued(db: &mut Db, keys: &[Key]) -> Issued {
    type Row = (Key, String, String, String, i64, i64);
    let columns =
        (invoices::payer_key, invoices::month, invoices::currency, invoices::state, invoices::total, invoices::lines);
    let list: Vec<Row> = invoices::table.select(columns).load(db).unwrap();
    let place = |key: Key| keys.iter().position(|one| *one == key).unwrap();
    list.into_iter().map(|(payer, m, c, s, total, lines)| (place(payer), m, c, s, total, lines)).collect()
}

/// Sums over payers, over accounts and over lines are one, for each month and currency, and each part of an invoice is
/// what the lines at and below its account are.
fn sums(db: &mut Db, story: &Story, keys: &[Key], lines: &[Line]) {
    let mut of_payers: BTreeMap<String, i64> = BTreeMap::new();
    for (_, month, currency, state, total, _) in issued(db, keys) {
        assert!(state == "OPEN" || state == "PAID" && total == 0, "{state}");
        *of_payers.entry(format!("{month} {currency}")).or_default() += total;
    }
    let (mut of_accounts, mut of_lines): (BTreeMap<String, i64>, BTreeMap<String, i64>) = Default::default();
    for line in lines {
        let Some((payer, month)) = &line.on else { continue };
        *of_lines.entry(format!("{month} {}", line.currency)).or_default() += line.amount;
        // Nobody pays past a nearer method.
        assert!(above(&story.parents, line.account).contains(payer));
    }
    type Row = (Key, Key, i64, i64, String, String);
    let sections: Vec<Row> = invoice_sections::table
        .inner_join(invoices::table)
        .select((
            invoice_sections::account_key,
            invoices::payer_key,
            invoice_sections::own_amount,
            invoice_sections::amount,
            invoices::month,
            invoices::currency,
        ))
        .load(db)
        .unwrap();
    for (account, payer, own, amount, month, currency) in sections {
        *of_accounts.entry(format!("{month} {currency}")).or_default() += own;
        let place = |key: Key| keys.iter().position(|one| *one == key).unwrap();
        let on = Some((place(payer), month));
        let below = lines
            .iter()
            .filter(|line| line.on == on && line.currency == currency)
            .filter(|line| above(&story.parents, line.account).contains(&place(account)));
        assert_eq!(amount, below.map(|line| line.amount).sum::<i64>());
    }
    assert_eq!(of_payers, of_lines);
    assert_eq!(of_accounts, of_lines);
}

/// Tells the story once; answers the lines and the invoices at its end.
fn tell(pool: &Pool, story: &Story, keys: &[Key], killed: bool) -> (Vec<Line>, Issued) {
    pool.write_here(wipe).unwrap();
    let mut model = Model::default();
    for ((text, acts), kill) in MONTHS.iter().zip(&story.acts).zip(&story.kills) {
        let made = month(text);
        let happen = |db: &mut Db| {
            acts.iter().for_each(|one| act(db, story, keys, &mut model, made, one));
            Ok(())
        };
        pool.write_here(|db| database::write(db, happen)).unwrap();
        make(pool, made, killed.then_some(*kill));
        model.make(&story.parents, made);
        pool.read_here(|db| {
            let mut expected = model.lines.clone();
            expected.sort();
            let lines = stored(db, keys);
            assert_eq!(lines, expected, "the lines of {text}");
            sums(db, story, keys, &lines);
            for (n, key) in keys.iter().enumerate() {
                let payer = billing::payer(db, *key)?;
                assert_eq!(payer.pays().then(|| payer.key_of(*key)), model.payer(&story.parents, n).map(|p| keys[p]));
            }
            assert_eq!(uneven(db), Vec::<String>::new());
            Ok(())
        })
        .unwrap();
    }
    let last = |db: &mut Db| Ok((stored(db, keys), issued(db, keys)));
    let at_the_end = pool.read_here(last).unwrap();
    let letters: i64 = pool.read_here(|db| Ok(mails::table.count().get_result(db)?)).unwrap();
    assert_eq!(letters, at_the_end.1.len() as i64, "one mail for each invoice");
    // Every month once more.
    for text in MONTHS {
        assert!(matches!(pool.write_here(|db| run::begin(db, month(text))).unwrap(), Ok(run::Stage::Done)));
        assert!(pool.write_here(|db| run::step(db, month(text), STEP)).unwrap().is_none());
    }
    assert_eq!(pool.read_here(last).unwrap(), at_the_end);
    at_the_end
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 40, max_shrink_iters: 60, failure_persistence: None, ..ProptestConfig::default() })]
    #[test]
    fn every_line_is_paid_once_by_whom_the_rule_names_and_a_kill_changes_nothing(story in story()) {
        let (pool, _turn) = pool();
        let keys = pool.write_here(|db| database::write(db, |db| Ok(plant(db, &story.parents)))).unwrap();
        let whole = tell(&pool, &story, &keys, false);
        let killed = tell(&pool, &story, &keys, true);
        prop_assert_eq!(whole, killed);
    }
}

#[test]
fn a_month_that_is_not_over_or_out_of_turn_is_refused() {
    let (pool, _turn) = pool();
    pool.write_here(wipe).unwrap();
    let begin = |text: &str| pool.write_here(|db| run::begin(db, month(text))).unwrap();
    let now = Month::of(ids::now());
    assert!(begin(&now.to_string()).unwrap_err().contains("is not over yet"));
    assert_eq!(begin("2025-02"), Ok(run::Stage::Charging));
    assert!(begin("2025-03").unwrap_err().contains("2025-02 was begun and not finished"));
    run::finish(&pool, month("2025-02")).unwrap();
    assert!(begin("2025-01").unwrap_err().contains("February 2025 was made already"));
    assert_eq!(begin("2025-02"), Ok(run::Stage::Done));
    assert_eq!(begin("2025-03"), Ok(run::Stage::Charging));
}

#[test]
fn a_price_file_is_refused_whole_with_every_complaint_by_line() {
    let (pool, _turn) = pool();
    pool.write_here(wipe).unwrap();
    let load = |day: &str, file: &str| pool.write_here(|db| Ok(prices::load(db, day, file.as_bytes()))).unwrap();
    let head = "code,description,currency,interval,amount,setup_amount,term\n";
    let bad = "NEW,New,EUR,MONTH,100,0,0\nA B,,eur,YEAR,-1,1.5,999\nNEW,Again,EUR,MONTH,100,0,0\nX,Few,EUR\n\
        CONN,Other money,USD,MONTH,1,0,0\n";
    let said = load("2027-13-01", &format!("{head}{bad}")).unwrap_err().join("\n");
    for part in [
        "--effective \"2027-13-01\"",
        "line 3: code \"A B\"",
        "line 3: description \"\"",
        "line 3: currency \"eur\"",
        "line 3: interval \"YEAR\"",
        "line 3: amount \"-1\"",
        "line 3: setup_amount \"1.5\"",
        "line 3: term \"999\"",
        "line 4: NEW is there already, in line 2",
        "line 5: there are 3 values; it must be 7",
    ] {
        assert!(said.contains(part), "{part} is not in\n{said}");
    }
    let said = load("2025-03-01", &format!("{head}CONN,A connection,USD,MONTH,1,0,0\n")).unwrap_err().join("\n");
    assert!(said.contains("line 2: CONN costs EUR 123.45 from that day on already"), "{said}");
    assert!(said.contains("line 2: CONN is priced in EUR and stays so"), "{said}");
    assert!(load("2027-01-01", "code;description\n").unwrap_err()[0].starts_with("line 1: the first line must be"));
    assert_eq!(load("2027-01-01", head).unwrap_err(), ["the file has no prices"]);
    // The same file again adds nothing.
    assert_eq!(
        load("2025-03-01", LATER_PRICES).unwrap(),
        "Loaded 0 prices from 2025-03-01 on. 2 of the file are loaded already."
    );
    pool.write_here(|db| run::begin(db, month("2025-03"))).unwrap().unwrap();
    let said = load("2025-03-15", &format!("{head}LATE,Late,EUR,MONTH,1,0,0\n")).unwrap_err().join("\n");
    assert!(said.contains("March 2025 is charged already; the earliest day is 2025-04-01"), "{said}");
    pool.write_here(wipe).unwrap();
}

#[test]
fn an_invoice_that_does_not_add_up_is_not_issued() {
    let (pool, _turn) = pool();
    let begin = |text: &str| pool.write_here(|db| run::begin(db, month(text))).unwrap().unwrap();
    let keys = pool.write_here(|db| database::write(db, |db| Ok(plant(db, &[0, 0])))).unwrap();
    pool.write_here(|db| {
        wipe(db)?;
        method(db, keys[0], true, true);
        let new = NewItem {
            account: keys[1],
            kind: Kind::Port,
            subject_id: "port-1".to_owned(),
            name: "A port".to_owned(),
            price_code: "PORT".to_owned(),
        };
        ledger::start_item(db, &new, day("2025-01-01"))?;
        assert!(ledger::start_item(db, &new, day("2025-01-02")).is_err(), "twice the same");
        let unknown = NewItem { price_code: "NONE".to_owned(), subject_id: "port-2".to_owned(), ..new };
        assert!(matches!(ledger::start_item(db, &unknown, day("2025-01-01")), Err(Problem::Invalid(_))));
        Ok(())
    })
    .unwrap();
    begin("2025-01");
    let step = || pool.write_here(|db| run::step(db, month("2025-01"), 10));
    while pool.read_here(|db| run::stage(db, month("2025-01"))).unwrap() != Some(run::Stage::Issuing) {
        step().unwrap();
    }
    pool.write_here(|db| Ok(diesel::sql_query("UPDATE invoices SET total = total + 1").execute(db)?)).unwrap();
    assert_eq!(step().unwrap().map(|step| step.done), Some(1), "it is set aside");
    assert_eq!(pool.read_here(|db| issue::set_aside(db, month("2025-01"))).unwrap().len(), 1);
    run::finish(&pool, month("2025-01")).unwrap();
    let drafts = |db: &mut Db| Ok(issued(db, &keys).iter().filter(|one| one.3 == "DRAFT").count());
    assert_eq!(pool.read_here(drafts).unwrap(), 1, "it is in nobody's way and not issued");
    let sections: i64 = pool.read_here(|db| Ok(invoice_sections::table.count().get_result(db)?)).unwrap();
    assert_eq!((sections, pool.read_here(|db| Ok(uneven(db).len())).unwrap()), (0, 1));
    let again = command().output().unwrap();
    assert!(!again.status.success(), "the command says so: {}", String::from_utf8_lossy(&again.stdout));
    pool.write_here(|db| Ok(diesel::sql_query("UPDATE invoices SET total = total - 1").execute(db)?)).unwrap();
    begin("2025-01");
    run::finish(&pool, month("2025-01")).unwrap();
    assert_eq!(pool.read_here(drafts).unwrap(), 0);
    assert_eq!(pool.read_here(|db| Ok(issued(db, &keys).len())).unwrap(), 1);
}

/// The command as the operator runs it, on the database of these tests.
fn command() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_subtenant"));
    command.args(["billing", "month", "2025-01", "--database-url", &opened().1]);
    command.args(["--mail-dir", concat!(env!("CARGO_TARGET_TMPDIR"), "/mails")]);
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
    command
}

/// Lines written, lines sorted and invoices issued: grows with every step.
fn progress(pool: &Pool) -> i64 {
    let read = |db: &mut Db| {
        let lines: i64 = charges::table.count().get_result(db)?;
        let sorted: i64 = charges::table.filter(charges::invoice_key.is_not_null()).count().get_result(db)?;
        let open: i64 = invoices::table.filter(invoices::state.eq("OPEN")).count().get_result(db)?;
        Ok(lines + sorted + 100 * open)
    };
    pool.read_here(read).unwrap()
}

#[test]
fn the_command_can_be_killed_at_any_point_and_run_again() {
    const ACCOUNTS: usize = 60;
    const ITEMS: usize = 2_400;
    let (pool, _turn) = pool();
    // Twenty payers below the root, each with two accounts that it pays for.
    let parents: Vec<usize> = (0..=ACCOUNTS).map(|n| if n <= 20 { 0 } else { 1 + (n - 21) / 2 }).collect();
    let fill = |db: &mut Db| {
        wipe(db)?;
        let keys = plant(db, &parents);
        keys[1..=20].iter().for_each(|key| method(db, *key, true, true));
        for n in 0..ITEMS {
            port(db, keys[1 + n % ACCOUNTS], n);
        }
        Ok(keys)
    };
    let keys = pool.write_here(|db| database::write(db, fill)).unwrap();
    let mut killed = 0;
    loop {
        let before = progress(&pool);
        let mut running = command().spawn().unwrap();
        while running.try_wait().unwrap().is_none() && progress(&pool) < before + 900 {
            std::thread::sleep(std::time::Duration::from_millis(2));
        }
        if running.try_wait().unwrap().is_some() {
            break;
        }
        running.kill().unwrap();
        running.wait().unwrap();
        killed += 1;
    }
    assert!(killed >= 4, "killed {killed} times only");
    let all = pool.read_here(|db| Ok(issued(db, &keys))).unwrap();
    assert_eq!(all.len(), 20);
    let each = (ITEMS / 20) as i64;
    assert!(all.iter().all(|one| (one.4, one.5) == (1_001 * each, each)), "{all:?}");
    let again = command().output().unwrap();
    let said = String::from_utf8(again.stdout).unwrap();
    assert!(again.status.success() && said.starts_with("January 2025 was made already"), "{said}");
    assert_eq!(pool.read_here(|db| Ok(issued(db, &keys))).unwrap(), all);
    pool.write_here(wipe).unwrap();
}

/// A port that was there before January 2025, without the checks of the operation.
fn port(db: &mut Db, account: Key, n: usize) {
    diesel::insert_into(ledger_items::table)
        .values((
            ledger_items::key.eq(ids::next_key()),
            ledger_items::id.eq(ids::new_id("item")),
            ledger_items::account_key.eq(account),
            ledger_items::kind.eq("PORT"),
            ledger_items::subject_id.eq(format!("port-{n}")),
            ledger_items::name.eq(format!("Port {n}")),
            ledger_items::price_code.eq("PORT"),
            ledger_items::starts_at.eq(day("2025-01-01")),
            ledger_items::ends_at.eq(ids::never()),
            ledger_items::next_month.eq("2025-01"),
            ledger_items::created_at.eq(ids::now()),
        ))
        .execute(db)
        .unwrap();
}

/// The most memory this process has held, in kB.
fn peak() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find(|line| line.starts_with("VmHWM"));
    line.and_then(|line| line.split_whitespace().nth(1)).and_then(|n| n.parse().ok()).unwrap_or(0)
}

#[test]
fn a_large_month_is_made_in_bounded_memory() {
    let asked = std::env::var("LEDGER_SCALE").unwrap_or_else(|_| "200,2000".to_owned());
    let (accounts, lines) = asked.split_once(',').unwrap();
    let (accounts, lines): (usize, usize) = (accounts.parse().unwrap(), lines.parse().unwrap());
    let (pool, _turn) = pool();
    let parents: Vec<usize> = (0..=accounts).map(|n| if n < 10 { n.saturating_sub(1) } else { n / 10 }).collect();
    let fill = |db: &mut Db| {
        wipe(db)?;
        let keys = plant(db, &parents);
        method(db, keys[0], true, true);
        Ok(keys)
    };
    let keys = pool.write_here(|db| database::write(db, fill)).unwrap();
    let list: Vec<usize> = (0..lines).collect();
    for some in list.chunks(500) {
        let insert = |db: &mut Db| {
            some.iter().for_each(|n| port(db, keys[1 + n % accounts], *n));
            Ok(())
        };
        pool.write_here(|db| database::write(db, insert)).unwrap();
    }
    let (before, started) = (peak(), Instant::now());
    let made = month("2025-01");
    pool.write_here(|db| run::begin(db, made)).unwrap().unwrap();
    run::finish(&pool, made).unwrap();
    println!("{accounts} accounts, {lines} lines: {:?}; {} kB at most, {before} kB before", started.elapsed(), peak());
    // However many lines: what a step holds does not grow with them.
    assert!(peak() < before.max(100_000) + 100_000, "{} kB at most, {before} kB before", peak());
    let all = pool.read_here(|db| Ok(issued(db, &keys))).unwrap();
    let expected = (0, "2025-01".to_owned(), "USD".to_owned(), "OPEN".to_owned(), 1_001 * lines as i64, lines as i64);
    assert_eq!(all, BTreeSet::from([expected]));
    assert_eq!(pool.read_here(|db| Ok(uneven(db))).unwrap(), Vec::<String>::new());
    pool.write_here(wipe).unwrap();
}
