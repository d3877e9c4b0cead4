//! A server that is told to stop: it ends by itself, also when nobody reads any more what it says.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use crate::cluster::free_port;
use crate::world::World;

/// Longer than running requests are waited for.
const ENDS_WITHIN: Duration = Duration::from_secs(60);

#[test]
fn a_server_whose_output_nobody_reads_any_more_still_stops() {
    let world = World::new();
    world.account("acme");
    let bind = format!("127.0.0.1:{}", free_port());
    let mut process = Command::new(env!("CARGO_BIN_EXE_subtenant"))
        .args(["serve", "--bind", &bind, "--database-url", world.place().url()])
        .args(["--mail-dir", concat!(env!("CARGO_TARGET_TMPDIR"), "/mails")])
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .expect("the binary starts");
    let said = BufReader::new(process.stdout.take().expect("its words"));
    let begin = said.lines().map_while(Result::ok).find(|line| line.contains("Open"));
    // Its reader is gone now, as when a terminal closes.
    assert_eq!(begin, Some(format!("  Open http://{bind} and sign in.")));
    let told = Command::new("kill").args(["-TERM", &process.id().to_string()]).status().expect("kill runs");
    assert!(told.success());
    assert!(ended(&mut process).is_some_and(|status| status.success()), "it did not stop when told to");
}

/// How it ended; none when it had to be killed.
fn ended(process: &mut Child) -> Option<ExitStatus> {
    let told = Instant::now();
    while told.elapsed() < ENDS_WITHIN {
        if let Some(status) = process.try_wait().expect("it is ours") {
            return Some(status);
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    process.kill().expect("it runs");
    process.wait().expect("it ends");
    None
}
