//! The command line. What each command does is in `commands`.

mod commands;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};
use subtenant::config::{Config, Settings};
use subtenant::demo;
use subtenant::generate::{self, Plan, Shape};
use subtenant::ledger::operator::Settled;
use subtenant::logging;
use subtenant::provisioning::operator::Decision;

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
    /// Fill a new database with made-up accounts and everything that hangs on them, to measure and to try the console
    /// with. The same seed makes the same again.
    Generate {
        /// How many accounts, from 50 on.
        #[arg(long, value_name = "N")]
        accounts: usize,
        /// Any number.
        #[arg(long, value_name = "S", default_value_t = 1)]
        seed: u64,
        /// How they hang together: `msp` (one provider with customers, divisions and sites), `flat` (all below one),
        /// `deep` (one chain of a thousand levels, the others of 64) or `mixed` (thirty providers, a tenth of all accounts
        /// directly below the largest, deep chains).
        #[arg(long, value_name = "SHAPE", default_value = "msp", value_parser = shape)]
        shape: Shape,
        /// Entries of the audit log [default: ten for each account].
        #[arg(long, value_name = "N")]
        audit_entries: Option<usize>,
    },
    /// Answer the bytes of a file at every address, from memory: the ceiling that `./bench-http` measures beside pages.
    #[command(hide = true)]
    Constant {
        #[arg(value_name = "FILE")]
        file: PathBuf,
    },
    /// Compare what is stored with what follows from it, over the whole database.
    Check,
    /// Copy the database while it is in use, as of one moment, into a new file (SQLite; PostgreSQL has tools of its own).
    Backup {
        #[arg(value_name = "FILE")]
        file: PathBuf,
    },
    /// The price list.
    Prices {
        #[command(subcommand)]
        command: Prices,
    },
    /// Where ports and connections can be ordered.
    Catalogue {
        #[command(subcommand)]
        command: Catalogue,
    },
    /// Charges, invoices, and payment methods at the payment provider.
    Billing {
        #[command(subcommand)]
        command: Billing,
    },
    /// Root accounts, which have nobody above them to suspend them.
    Accounts {
        #[command(subcommand)]
        command: Accounts,
    },
    /// How many networks, connections, ports, members and accounts a root account may have.
    Limits {
        #[command(subcommand)]
        command: Limits,
    },
    /// The legal documents that accounts accept.
    Legal {
        #[command(subcommand)]
        command: Legal,
    },
    /// What is ordered and made.
    Provisioning {
        #[command(subcommand)]
        command: Provisioning,
    },
}

#[derive(Subcommand)]
enum Provisioning {
    /// Approve a connection of a kind that needs it.
    Approve {
        #[arg(value_name = "CONNECTION-ID")]
        connection: String,
    },
    /// Refuse such a connection; the customer reads the reason.
    Refuse {
        #[arg(value_name = "CONNECTION-ID")]
        connection: String,
        reason: String,
    },
    /// Try a port again that the provisioning system refused.
    Retry {
        #[arg(value_name = "PORT-ID")]
        port: String,
    },
    /// How many there are in each state, and which do not come on.
    Status,
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
enum Catalogue {
    /// Take over the files of a folder, all or none: locations.csv, facilities.csv, cloud-regions.csv,
    /// supported-ports.csv and supported-connections.csv. What they lack is not offered any more; what uses it goes on.
    /// The folder `catalogue` of the source is a pattern.
    Load {
        #[arg(value_name = "DIR")]
        folder: PathBuf,
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
    /// Charge the invoices that are due to the cards and bank accounts of their payers. The console does the same by
    /// itself, a few at a time.
    Collect,
    /// Note that an invoice was paid in another way. A payment that is in hand at the provider is given up.
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
enum Accounts {
    /// Stop everything new in a root account and below it. What runs keeps running.
    Suspend {
        #[arg(value_name = "ACCOUNT-ID")]
        account: String,
        /// One line, shown on every page of the account.
        reason: String,
    },
    /// Let it go on. Accounts below that are suspended for themselves stay so.
    Resume {
        #[arg(value_name = "ACCOUNT-ID")]
        account: String,
    },
}

#[derive(Subcommand)]
enum Limits {
    /// Set one limit. Lowering it takes nothing away.
    Set {
        #[arg(value_name = "ACCOUNT-ID")]
        account: String,
        /// `account` (child accounts), `member`, `network`, `connection` or `port`.
        resource: String,
        /// `account` for it alone, `branch` for it and everything below.
        reach: String,
        /// A number, or `none`.
        most: String,
    },
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
    logging::start(cli.settings.operation.format().unwrap_or_default());
    match run(&cli) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("subtenant: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn shape(word: &str) -> Result<Shape, String> {
    generate::shape(word).ok_or_else(|| "it is one of msp, flat, deep and mixed".to_owned())
}

fn run(cli: &Cli) -> anyhow::Result<ExitCode> {
    let is_demo = matches!(cli.command, Some(Command::Demo));
    let database = if is_demo { demo::DATABASE } else { LIVE_DATABASE };
    let Some(config) = settings(&cli.settings, database) else { return Ok(ExitCode::from(2)) };
    match cli.command.as_ref().unwrap_or(&Command::Serve) {
        Command::Serve => commands::serve(&config),
        Command::Demo => commands::show(&Config { demo: true, ..config }),
        Command::Generate { accounts, seed, shape, audit_entries } => {
            let audit_entries = audit_entries.unwrap_or(accounts.saturating_mul(10));
            commands::generate(&config, Plan { accounts: *accounts, seed: *seed, shape: *shape, audit_entries })
        }
        Command::Constant { file } => commands::constant(&config, file),
        Command::Check => commands::check(&config),
        Command::Backup { file } => commands::backup(&config, file),
        Command::Legal { command: Legal::Publish { document, version, effective, file } } => {
            commands::publish(&config, document, version, effective, file)
        }
        Command::Accounts { command: Accounts::Suspend { account, reason } } => {
            commands::suspend(&config, account, reason)
        }
        Command::Accounts { command: Accounts::Resume { account } } => commands::resume(&config, account),
        Command::Limits { command: Limits::Set { account, resource, reach, most } } => {
            commands::limit(&config, account, resource, reach, most)
        }
        Command::Prices { command: Prices::Load { effective, file } } => {
            commands::load_prices(&config, effective, file)
        }
        Command::Catalogue { command: Catalogue::Load { folder } } => commands::load_catalogue(&config, folder),
        Command::Billing { command } => match command {
            Billing::Month { month } => commands::make_month(&config, month),
            Billing::Collect => commands::collect(&config),
            Billing::Paid { invoice } => commands::settle(&config, invoice, Settled::Paid),
            Billing::Void { invoice } => commands::settle(&config, invoice, Settled::Void),
            Billing::Reconcile => commands::reconcile(&config),
        },
        Command::Provisioning { command } => match command {
            Provisioning::Approve { connection } => commands::decide(&config, connection, Decision::Approve),
            Provisioning::Refuse { connection, reason } => {
                commands::decide(&config, connection, Decision::Refuse(reason))
            }
            Provisioning::Retry { port } => commands::retry_port(&config, port),
            Provisioning::Status => commands::provisioning_status(&config),
        },
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
