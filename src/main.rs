//! The commands, and nothing else.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Parser, Subcommand};
use subtenant::config::{Config, Settings};
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
    /// Payment methods at the payment provider.
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
enum Billing {
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
        Some(Command::Billing { command: Billing::Reconcile }) => {
            let Some(config) = settings(&cli.settings, LIVE_DATABASE) else { return Ok(ExitCode::from(2)) };
            reconcile(&config)
        }
        Some(Command::Legal { command: Legal::Publish { document, version, effective, file } }) => {
            let Some(config) = settings(&cli.settings, LIVE_DATABASE) else { return Ok(ExitCode::from(2)) };
            publish(&config, document, version, effective, file)
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
    match said {
        Ok(sentence) => {
            println!("{sentence}");
            Ok(ExitCode::SUCCESS)
        }
        Err(complaints) => {
            eprintln!("Nothing was published:");
            complaints.iter().for_each(|line| eprintln!("  {line}"));
            Ok(ExitCode::FAILURE)
        }
    }
}

fn reconcile(config: &Config) -> anyhow::Result<ExitCode> {
    let bar = indicatif::ProgressBar::new(0);
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
