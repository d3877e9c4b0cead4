//! A load balancer that others wrote (Debian's haproxy, which `./test` installs), started for one test: takes turns, asks
//! `/readyz`, takes out who does not answer and sends what could not be connected to another one.

use std::fmt::Write as _;
use std::io::{Read, Write};
use std::os::unix::net::UnixStream;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use tempfile::TempDir;

/// Where Debian puts it; not every user has that in the path.
const HAPROXY: &str = "/usr/sbin/haproxy";
/// The header in which it says who answered.
pub const ANSWERED_BY: &str = "x-answered-by";
const LONGEST: Duration = Duration::from_secs(30);

pub struct Balancer {
    process: Child,
    folder: TempDir,
}

impl Balancer {
    /// Listens on this port for instances on those, called after their numbers.
    pub fn start(port: u16, instances: &[u16]) -> Balancer {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("haproxy.cfg");
        std::fs::write(&file, settings(&folder, port, instances)).expect("the settings are written");
        let mut command = Command::new(HAPROXY);
        command.arg("-db").arg("-f").arg(&file).stdout(Stdio::null()).stderr(Stdio::null());
        Balancer { process: command.spawn().expect("haproxy is installed"), folder }
    }

    /// Waits until it sends requests to this one, or none.
    pub fn wait_for(&self, instance: usize, up: bool) {
        let started = Instant::now();
        while self.is_up(instance) != Some(up) {
            assert!(started.elapsed() < LONGEST, "instance {instance} is not {}", if up { "in" } else { "out" });
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// As its own statistics say; none while it does not speak.
    fn is_up(&self, instance: usize) -> Option<bool> {
        let mut socket = UnixStream::connect(self.folder.path().join("stats")).ok()?;
        socket.write_all(b"show stat\n").ok()?;
        let mut table = String::new();
        socket.read_to_string(&mut table).ok()?;
        let head: Vec<&str> = table.lines().next()?.trim_start_matches("# ").split(',').collect();
        let (name, status) =
            (head.iter().position(|column| *column == "svname")?, head.iter().position(|column| *column == "status")?);
        let mut rows = table.lines().map(|line| line.split(',').collect::<Vec<_>>());
        let wanted = instance.to_string();
        let row = rows.find(|cells| cells[0] == "instances" && cells.get(name) == Some(&wanted.as_str()))?;
        Some(row.get(status)?.starts_with("UP"))
    }
}

impl Drop for Balancer {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// As docs/operations.md shows them, with shorter times.
fn settings(folder: &TempDir, port: u16, instances: &[u16]) -> String {
    let mut servers = String::new();
    for (number, port) in instances.iter().enumerate() {
        writeln!(servers, "    server {number} 127.0.0.1:{port}").expect("a line");
    }
    let stats = folder.path().join("stats").display().to_string();
    let mut text = format!(
        "global
    maxconn 2000
    stats socket {stats} mode 600
defaults
    mode http
    timeout connect 1s
    timeout client 60s
    timeout server 60s
    timeout check 2s
    retries 3
    option redispatch 1
    option forwardfor
frontend console
    bind 127.0.0.1:{port}
    use_backend static if {{ path_beg /static/ }}
    default_backend instances
backend static
    retry-on conn-failure 404
    option httpchk GET /healthz
    default-server check inter 200
{servers}backend instances
    balance roundrobin
    option httpchk GET /readyz
    http-check expect status 200
    http-response set-header {ANSWERED_BY} %s
    default-server check inter 200 fastinter 100 downinter 100 fall 2 rise 2
"
    );
    text.push_str(&servers);
    text
}
