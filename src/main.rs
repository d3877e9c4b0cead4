//! The commands, and nothing else.

use std::process::ExitCode;

use clap::{Parser, Subcommand};
use subtenant::config::{Config, Settings};
use subtenant::server;
use subtenant::store::installation::Purpose;

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
        Some(Command::Demo) => anyhow::bail!("not yet"),
        Some(Command::Check) => {
            let Some(config) = settings(&cli.settings, LIVE_DATABASE) else { return Ok(ExitCode::from(2)) };
            check(&config)
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

fn check(config: &Config) -> anyhow::Result<ExitCode> {
    let differences = server::check(config)?;
    for line in &differences {
        println!("{line}");
    }
    println!("{} differences", differences.len());
    Ok(if differences.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
