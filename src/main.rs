//! The commands, and nothing else.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Parser, Subcommand};
use indicatif::{ProgressBar, ProgressStyle};
use subtenant::config::{Config, Settings};
use subtenant::ledger::operator::Settled;
use subtenant::ledger::{self, Month, run as month_run};
use subtenant::store::installation::Purpose;
use subtenant::{consent, demo, server};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// The console for accounts that have accounts.
#[derive(Parser)]
#[command(version, about)]
struct Cli {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    settings: Settings,
}

#[derive(Subcommand)]
enum Command {
    /// Serve the console (the default).
    Serve,
    /// Serve a demonstration: a managed service provider with some 60 accounts, on a fresh database of its own.
    Demo,
    /// Compare what is stored with what follows from it, over the whole database.
    Check,
    /// The price list.
    Prices {
        #[command(subcommand)]
        command: Prices,
    },
    /// Charges, invoices, and payment methods at the payment provider.
    Billing {
        #[command(subcommand)]
        command: Billing,
    },
    /// The legal documents that accounts accept.
    Legal {
        #[command(subcommand)]
        command: Legal,
    },
}

#[derive(Subcommand)]
enum Prices {
    /// Add the prices of a file, all or none. Its first line is
    /// “code,description,currency,interval,amount,setup_amount,term”: the interval is MONTH, amounts are in minor units
    /// (cents), the term is in months. What was charged already does not change.
    Load {
        /// The day from which they hold, as 2027-01-31 (UTC).
        #[arg(long, value_name = "DATE")]
        effective: String,
        #[arg(value_name = "FILE.csv")]
        file: PathBuf,
    },
}

#[derive(Subcommand)]
enum Billing {
    /// Make a month that is over: charges, and one invoice for each payer. Killed in the middle it goes on when it is
    /// run again; run twice it charges nothing twice.
    Month {
        /// As 2026-10.
        month: String,
    },
    /// Note that an invoice was paid.
    Paid {
        #[arg(value_name = "INVOICE-ID")]
        invoice: String,
    },
    /// Note that an invoice need not be paid. Its lines are not charged again.
    Void {
        #[arg(value_name = "INVOICE-ID")]
        invoice: String,
    },
    /// Take over what the payment provider knows better, where its notices were missed. Harmless at any time.
    Reconcile,
}

#[derive(Subcommand)]
enum Legal {
    /// Publish the next version of a document. Accounts are told at once and bound by accepting it; until its day the
    /// version before holds.
    Publish {
        /// `msa` or `aup`.
        #[arg(long)]
        document: String,
        /// One more than the latest version.
        #[arg(long)]
        version: String,
        /// The day from which it is needed, as 2027-01-31 (UTC).
        #[arg(long, value_name = "DATE")]
        effective: String,
        /// The text in Markdown, its first line the title.
        #[arg(value_name = "FILE.md")]
        file: PathBuf,
    },
}

const LIVE_DATABASE: &str = "subtenant.db";

fn main() -> ExitCode {
    let cli = Cli::parse();
    start_logging();
    match run(&cli) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("subtenant: {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// Warnings and errors on standard error; RUST_LOG=info adds a line for each request.
fn start_logging() {
    let filter = tracing_subscriber::EnvFilter::try_from_default_env().unwrap_or_else(|_| "warn".into());
    tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).init();
}

fn run(cli: &Cli) -> anyhow::Result<ExitCode> {
    match &cli.command {
        None | Some(Command::Serve) => {
            let Some(config) = settings(&cli.settings, LIVE_DATABASE) else { return Ok(ExitCode::from(2)) };
            serve(&config)
        }
        Some(Command::Demo) => {
            let Some(config) = settings(&cli.settings, demo::DATABASE) else { return Ok(ExitCode::from(2)) };
            show(&Config { demo: true, ..config })
        }
        Some(Command::Check) => {
            let Some(config) = settings(&cli.settings, LIVE_DATABASE) else { return Ok(ExitCode::from(2)) };
            check(&config)
        }
        Some(Command::Legal { command: Legal::Publish { document, version, effective, file } }) => {
            let Some(config) = settings(&cli.settings, LIVE_DATABASE) else { return Ok(ExitCode::from(2)) };
            publish(&config, document, version, effective, file)
        }
        Some(Command::Prices { command: Prices::Load { effective, file } }) => {
            let Some(config) = settings(&cli.settings, LIVE_DATABASE) else { return Ok(ExitCode::from(2)) };
            load_prices(&config, effective, file)
        }
        Some(Command::Billing { command }) => {
            let Some(config) = settings(&cli.settings, LIVE_DATABASE) else { return Ok(ExitCode::from(2)) };
            match command {
                Billing::Month { month } => make_month(&config, month),
                Billing::Paid { invoice } => settle(&config, invoice, Settled::Paid),
                Billing::Void { invoice } => settle(&config, invoice, Settled::Void),
                Billing::Reconcile => reconcile(&config),
            }
        }
    }
}

/// The settings, or every complaint about them on standard error.
fn settings(settings: &Settings, default_database: &str) -> Option<Config> {
    match settings.check(default_database) {
        Ok(config) => Some(config),
        Err(wrong) => {
            eprintln!("subtenant cannot start. Wrong settings:");
            wrong.iter().for_each(|line| eprintln!("  {line}"));
            None
        }
    }
}

fn serve(config: &Config) -> anyhow::Result<ExitCode> {
    let parts = server::prepare(config, Purpose::Live)?;
    let origin = config.origin();
    let greeting = format!(
        "Subtenant is ready.\n\n  Open {origin}/sign-up and sign up: it makes your first account.\n\nCtrl-C stops it."
    );
    actix_web::rt::System::new().block_on(server::serve(parts, &greeting))?;
    Ok(ExitCode::SUCCESS)
}

fn show(config: &Config) -> anyhow::Result<ExitCode> {
    let (parts, people) = demo::prepare(config)?;
    let greeting = demo::greeting(&config.origin(), &people);
    actix_web::rt::System::new().block_on(server::serve(parts, &greeting))?;
    Ok(ExitCode::SUCCESS)
}

fn publish(config: &Config, document: &str, version: &str, effective: &str, file: &Path) -> anyhow::Result<ExitCode> {
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

fn load_prices(config: &Config, effective: &str, file: &Path) -> anyhow::Result<ExitCode> {
    server::must_exist(config)?;
    let parts = server::prepare(config, Purpose::Live)?;
    let mut said = Err(Vec::new());
    parts.pool.write_here(|db| {
        said = ledger::prices::load_file(db, effective, file);
        Ok(())
    })?;
    Ok(say(said, "Nothing was loaded:"))
}

fn make_month(config: &Config, month: &str) -> anyhow::Result<ExitCode> {
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
    Ok(ExitCode::SUCCESS)
}

fn settle(config: &Config, invoice: &str, settled: Settled) -> anyhow::Result<ExitCode> {
    server::must_exist(config)?;
    let parts = server::prepare(config, Purpose::Live)?;
    let said = parts.pool.write_here(|db| ledger::operator::settle(db, invoice, settled))?;
    Ok(say(said.map_err(|why| vec![why]), "Nothing was changed:"))
}

fn reconcile(config: &Config) -> anyhow::Result<ExitCode> {
    let bar = ProgressBar::new(0);
    let say = |done, known| {
        bar.set_length(known);
        bar.set_position(done);
    };
    let sums = actix_web::rt::System::new().block_on(server::reconcile(config, say))?;
    bar.finish_and_clear();
    println!(
        "{} notices looked at, {} of them had been missed; {} set-ups and {} payment methods compared.",
        sums.notices, sums.missed, sums.setups, sums.methods
    );
    Ok(ExitCode::SUCCESS)
}

fn check(config: &Config) -> anyhow::Result<ExitCode> {
    let differences = server::check(config)?;
    for line in &differences {
        println!("{line}");
    }
    println!("{} differences", differences.len());
    Ok(if differences.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
