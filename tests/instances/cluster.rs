//! The processes and their one address. Each instance is the real binary; killed ones come back at their old port.

use std::cell::RefCell;
use std::net::TcpListener;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::balancer::Balancer;
use crate::client::Client;

const READY_WITHIN: Duration = Duration::from_secs(60);

pub struct Cluster {
    arguments: Vec<String>,
    secrets: Vec<(&'static str, String)>,
    ports: Vec<u16>,
    processes: Vec<RefCell<Option<Child>>>,
    pub balancer: Balancer,
    /// The one address.
    pub origin: String,
}

/// A port that nobody listens on now.
pub fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr()).expect("a free port").port()
}

impl Cluster {
    /// So many instances on this database, all started at once, and waited for.
    pub fn start(database_url: &str, instances: usize, more: &[&str]) -> Cluster {
        Cluster::with_secrets(database_url, instances, more, Vec::new())
    }

    pub fn with_secrets(
        database_url: &str,
        instances: usize,
        more: &[&str],
        secrets: Vec<(&'static str, String)>,
    ) -> Cluster {
        let (port, ports) = (free_port(), (0..instances).map(|_| free_port()).collect::<Vec<_>>());
        let origin = format!("http://127.0.0.1:{port}");
        let mails = concat!(env!("CARGO_TARGET_TMPDIR"), "/mails");
        let fixed = ["--database-url", database_url, "--public-url", &origin, "--trusted-proxies", "127.0.0.1"];
        let limits = ["--database-connections", "8", "--mail-dir", mails];
        let arguments = fixed.iter().chain(&limits).chain(more).map(|&text| text.to_owned()).collect();
        let processes = ports.iter().map(|_| RefCell::new(None)).collect();
        let balancer = Balancer::start(port, &ports);
        let cluster = Cluster { arguments, secrets, ports, processes, balancer, origin };
        (0..instances).for_each(|number| cluster.spawn(number));
        (0..instances).for_each(|number| cluster.wait_ready(number));
        (0..instances).for_each(|number| cluster.balancer.wait_for(number, true));
        cluster
    }

    pub fn len(&self) -> usize {
        self.ports.len()
    }

    /// The address of one of them, past the load balancer.
    pub fn instance(&self, number: usize) -> String {
        format!("http://127.0.0.1:{}", self.ports[number])
    }

    pub fn spawn(&self, number: usize) {
        let process = Command::new(env!("CARGO_BIN_EXE_subtenant"))
            .args(["serve", "--bind", &format!("127.0.0.1:{}", self.ports[number])])
            .args(&self.arguments)
            .envs(self.secrets.iter().map(|(name, value)| (*name, value.as_str())))
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn();
        *self.processes[number].borrow_mut() = Some(process.expect("the binary starts"));
    }

    pub fn wait_ready(&self, number: usize) {
        let (started, client) = (Instant::now(), Client::new(&self.instance(number)));
        while client.get("/readyz").is_none_or(|reply| reply.status != 200) {
            assert!(started.elapsed() < READY_WITHIN, "instance {number} is not ready");
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    /// SIGKILL: it gets no chance to finish anything.
    pub fn kill(&self, number: usize) {
        if let Some(mut process) = self.processes[number].borrow_mut().take() {
            process.kill().expect("it is there to be killed");
            process.wait().expect("it ends");
        }
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        (0..self.len()).for_each(|number| self.kill(number));
    }
}
