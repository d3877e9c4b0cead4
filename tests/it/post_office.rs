//! A real mail server that others wrote, started for one test (`post_office.py`, on Debian's python3-aiosmtpd, which
//! `./test` installs). A machine without it fails the tests rather than leaving them out.

use std::io::{BufRead, BufReader};
use std::process::{Child, ChildStdout, Command, Stdio};

use serde_json::Value;

const SCRIPT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/post_office.py");
/// The system's own, which has the system's packages.
const PYTHON: &str = "/usr/bin/python3";

pub struct PostOffice {
    process: Child,
    lines: BufReader<ChildStdout>,
    port: u64,
    login: Option<(&'static str, &'static str)>,
}

/// A mail as it arrived.
#[derive(Debug, Clone)]
pub struct Arrived {
    pub from: String,
    pub to: String,
    /// The headers as they were sent.
    pub head: String,
    pub text: String,
    pub html: String,
}

impl PostOffice {
    pub fn open() -> PostOffice {
        PostOffice::start(None)
    }

    /// One that takes mail from this user only.
    pub fn with_login(user: &'static str, password: &'static str) -> PostOffice {
        PostOffice::start(Some((user, password)))
    }

    fn start(login: Option<(&'static str, &'static str)>) -> PostOffice {
        let mut command = Command::new(PYTHON);
        command.args(["-W", "ignore", SCRIPT]).stdin(Stdio::piped()).stdout(Stdio::piped());
        if let Some((user, password)) = login {
            command.args([user, password]);
        }
        let mut process = command.spawn().expect("python3 is there");
        let mut lines = BufReader::new(process.stdout.take().expect("its output"));
        let mut line = String::new();
        lines.read_line(&mut line).expect("the server speaks");
        let port = line.trim().parse().expect("python3-aiosmtpd is installed and says its port");
        PostOffice { process, lines, port, login }
    }

    pub fn url(&self) -> String {
        let login = self.login.map(|(user, password)| format!("{user}:{password}@")).unwrap_or_default();
        format!("smtp://{login}127.0.0.1:{}", self.port)
    }

    /// Closes it and answers everything that it took.
    pub fn close(mut self) -> Vec<Arrived> {
        drop(self.process.stdin.take());
        let arrived = (&mut self.lines).lines().map(|line| read(&line.expect("a line"))).collect();
        self.process.wait().expect("the server ends");
        arrived
    }
}

impl Drop for PostOffice {
    /// A test that failed leaves nothing running.
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn read(line: &str) -> Arrived {
    let mail: Value = serde_json::from_str(line).expect("a line of JSON");
    let text = |name: &str| mail[name].as_str().expect("a text").to_owned();
    Arrived { from: text("from"), to: text("to"), head: text("head"), text: text("text"), html: text("html") }
}
