//! What the commands do, each on a database and with settings that were checked: says how it went on standard output,
//! and what was wrong on standard error.

use std::path::Path;
use std::process::ExitCode;
use std::time::Instant;

use indicatif::{ProgressBar, ProgressStyle};
use subtenant::config::Config;
use subtenant::generate::{self, Plan};
use subtenant::ledger::operator::Settled;
use subtenant::ledger::{self, Month, run as month_run};
use subtenant::provisioning::operator::{self, Decision};
use subtenant::store::installation::Purpose;
use subtenant::text;
use subtenant::{accounts, backup, catalogue, consent, demo, limits, server, suspension};

pub fn serve(config: &Config) -> anyhow::Result<ExitCode> {
    let parts = server::prepare(config, Purpose::Live)?;
    let origin = config.origin();
    let waiting = match config.provisioning.system {
        Some(_) => "",
        None => "\nNo provisioning system is set up (PROVISIONING_URL): what is ordered waits.\n",
    };
    let begin = if parts.pool.read_here(accounts::are_there_any)? {
        format!("Open {origin} and sign in.")
    } else {
        format!("Open {origin}/sign-up and sign up: it makes your first account.")
    };
    let greeting = format!("Subtenant is ready.\n\n  {begin}\n{waiting}\nCtrl-C stops it.");
    actix_web::rt::System::new().block_on(server::serve(parts, &greeting))?;
    Ok(ExitCode::SUCCESS)
}

pub fn show(config: &Config) -> anyhow::Result<ExitCode> {
    let (parts, people) = demo::prepare(config)?;
    let greeting = demo::greeting(&config.origin(), &people);
    actix_web::rt::System::new().block_on(server::serve(parts, &greeting))?;
    Ok(ExitCode::SUCCESS)
}

pub fn generate(config: &Config, plan: Plan) -> anyhow::Result<ExitCode> {
    let begun = Instant::now();
    let bar = ProgressBar::new(0)
        .with_style(ProgressStyle::with_template("{msg:20} {wide_bar} {human_pos}/{human_len} {elapsed_precise}")?);
    let made = generate::generate(config, plan, &|what, done, all| {
        bar.set_message(what);
        bar.set_length(all);
        bar.set_position(done);
    })?;
    bar.finish_and_clear();
    println!(
        "{} made in {} s. Everybody's password is {}",
        text::count(i64::try_from(plan.accounts).unwrap_or(i64::MAX), "account was", "accounts were"),
        begun.elapsed().as_secs(),
        made.password
    );
    made.people.iter().for_each(|person| println!("  {}: {}", person.email, person.what));
    Ok(ExitCode::SUCCESS)
}

pub fn constant(config: &Config, file: &Path) -> anyhow::Result<ExitCode> {
    let bytes = std::fs::read(file)?;
    actix_web::rt::System::new().block_on(server::constant(config.bind, bytes))?;
    Ok(ExitCode::SUCCESS)
}

pub fn publish(
    config: &Config,
    document: &str,
    version: &str,
    effective: &str,
    file: &Path,
) -> anyhow::Result<ExitCode> {
    server::must_exist(config)?;
    let parts = server::prepare(config, Purpose::Live)?;
    let mut said = Err(Vec::new());
    parts.pool.write_here(|db| {
        said = consent::publish_file(db, document, version, effective, file);
        Ok(())
    })?;
    Ok(say(said, "Nothing was published:"))
}

/// The sentence, or every complaint below this heading.
fn say(said: Result<String, Vec<String>>, refused: &str) -> ExitCode {
    match said {
        Ok(sentence) => {
            println!("{sentence}");
            ExitCode::SUCCESS
        }
        Err(complaints) => {
            eprintln!("{refused}");
            complaints.iter().for_each(|line| eprintln!("  {line}"));
            ExitCode::FAILURE
        }
    }
}

pub fn suspend(config: &Config, account: &str, reason: &str) -> anyhow::Result<ExitCode> {
    server::must_exist(config)?;
    let pool = server::prepare(config, Purpose::Live)?.pool;
    let said = pool.write_here(|db| suspension::suspend_root(db, account, reason))?;
    Ok(say(said.map_err(|why| vec![why]), "Nothing was changed:"))
}

pub fn resume(config: &Config, account: &str) -> anyhow::Result<ExitCode> {
    server::must_exist(config)?;
    let pool = server::prepare(config, Purpose::Live)?.pool;
    let said = pool.write_here(|db| suspension::resume_root(db, account))?;
    Ok(say(said.map_err(|why| vec![why]), "Nothing was changed:"))
}

pub fn limit(config: &Config, account: &str, resource: &str, reach: &str, most: &str) -> anyhow::Result<ExitCode> {
    server::must_exist(config)?;
    let pool = server::prepare(config, Purpose::Live)?.pool;
    let said = pool.write_here(|db| limits::set_root(db, account, resource, reach, most))?;
    Ok(say(said, "Nothing was changed:"))
}

pub fn load_prices(config: &Config, effective: &str, file: &Path) -> anyhow::Result<ExitCode> {
    server::must_exist(config)?;
    let parts = server::prepare(config, Purpose::Live)?;
    let mut said = Err(Vec::new());
    parts.pool.write_here(|db| {
        said = ledger::prices::load_file(db, effective, file);
        Ok(())
    })?;
    Ok(say(said, "Nothing was loaded:"))
}

pub fn load_catalogue(config: &Config, folder: &Path) -> anyhow::Result<ExitCode> {
    server::must_exist(config)?;
    let parts = server::prepare(config, Purpose::Live)?;
    let mut said = Err(Vec::new());
    parts.pool.write_here(|db| {
        said = catalogue::load_folder(db, folder);
        Ok(())
    })?;
    Ok(say(said, "Nothing was loaded:"))
}

pub fn make_month(config: &Config, month: &str) -> anyhow::Result<ExitCode> {
    let nothing = "Nothing was done:";
    let Some(month) = Month::parse(month) else {
        return Ok(say(Err(vec![format!("{month:?}: it must be a month such as 2026-10")]), nothing));
    };
    server::must_exist(config)?;
    let pool = server::prepare(config, Purpose::Live)?.pool.get_ref().clone();
    let stage = match pool.write_here(|db| month_run::begin(db, month))? {
        Ok(month_run::Stage::Done) => {
            println!("{} was made already. Nothing was charged again.", month.words());
            return Ok(ExitCode::SUCCESS);
        }
        Ok(stage) => stage,
        Err(complaint) => return Ok(say(Err(vec![complaint]), nothing)),
    };
    let bar = ProgressBar::new(0)
        .with_style(ProgressStyle::with_template("{msg:16} {wide_bar} {human_pos}/{human_len} {elapsed}/{duration}")?);
    let begin = |stage: month_run::Stage| -> anyhow::Result<()> {
        bar.reset();
        bar.set_message(stage.words());
        bar.set_length(pool.read_here(|db| month_run::outlook(db, month, stage))?.unsigned_abs());
        Ok(())
    };
    begin(stage)?;
    let mut now = stage;
    while let Some(step) = pool.write_here(|db| month_run::step(db, month, month_run::AT_ONCE))? {
        bar.inc(step.done.unsigned_abs());
        let next = pool.read_here(|db| month_run::stage(db, month))?.unwrap_or(now);
        if next != now {
            begin(next)?;
            now = next;
        }
    }
    bar.finish_and_clear();
    println!("{} is made.", month.words());
    pool.read_here(|db| month_run::summary(db, month))?.iter().for_each(|line| println!("  {line}"));
    let aside = pool.read_here(|db| ledger::issue::set_aside(db, month))?;
    if aside.is_empty() {
        return Ok(ExitCode::SUCCESS);
    }
    println!("Not issued, as their totals are not the sums of their parts: {}.", aside.join(", "));
    println!("Somebody has to look why; then run the month again.");
    Ok(ExitCode::FAILURE)
}

pub fn settle(config: &Config, invoice: &str, settled: Settled) -> anyhow::Result<ExitCode> {
    let said = actix_web::rt::System::new().block_on(server::settle(config, invoice, settled))?;
    Ok(say(said.map_err(|why| vec![why]), "Nothing was changed:"))
}

pub fn decide(config: &Config, connection: &str, decision: Decision<'_>) -> anyhow::Result<ExitCode> {
    let said = server::decide(config, |db| operator::decide(db, connection, decision))?;
    Ok(say(said.map_err(|why| vec![why]), "Nothing was changed:"))
}

pub fn retry_port(config: &Config, port: &str) -> anyhow::Result<ExitCode> {
    let said = server::decide(config, |db| operator::retry(db, port))?;
    Ok(say(said.map_err(|why| vec![why]), "Nothing was changed:"))
}

pub fn provisioning_status(config: &Config) -> anyhow::Result<ExitCode> {
    server::provisioning_status(config)?.iter().for_each(|line| println!("{line}"));
    Ok(ExitCode::SUCCESS)
}

pub fn collect(config: &Config) -> anyhow::Result<ExitCode> {
    let bar = ProgressBar::new(0);
    let say = |done, due| {
        bar.set_length(due);
        bar.set_position(done);
    };
    let done = actix_web::rt::System::new().block_on(server::collect(config, say))?;
    bar.finish_and_clear();
    println!("{done} invoices were tried. How each went is on its page and in the audit log.");
    Ok(ExitCode::SUCCESS)
}

pub fn reconcile(config: &Config) -> anyhow::Result<ExitCode> {
    let bar = ProgressBar::new(0);
    let say = |done, known| {
        bar.set_length(known);
        bar.set_position(done);
    };
    let sums = actix_web::rt::System::new().block_on(server::reconcile(config, say))?;
    bar.finish_and_clear();
    println!(
        "{} notices looked at, {} of them had been missed; {} set-ups, {} payment methods and {} payments compared.",
        sums.notices, sums.missed, sums.setups, sums.methods, sums.payments
    );
    if sums.failed > 0 {
        println!("{} of them could not be looked at: the log says why. Run it again later.", sums.failed);
        return Ok(ExitCode::FAILURE);
    }
    Ok(ExitCode::SUCCESS)
}

pub fn backup(config: &Config, file: &Path) -> anyhow::Result<ExitCode> {
    server::must_exist(config)?;
    match backup::backup(&config.database_url, file)? {
        backup::Outcome::Written(bytes) => {
            println!("{} holds the database as of a moment ago: {bytes} bytes.", file.display());
            Ok(ExitCode::SUCCESS)
        }
        backup::Outcome::Elsewhere(advice) => {
            eprintln!("{advice}");
            Ok(ExitCode::from(2))
        }
    }
}

pub fn check(config: &Config) -> anyhow::Result<ExitCode> {
    let differences = server::check(config)?;
    for line in &differences {
        println!("{line}");
    }
    println!("{} differences", differences.len());
    Ok(if differences.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
