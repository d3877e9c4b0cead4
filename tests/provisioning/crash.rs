//! The real program killed (SIGKILL) at every moment of every transition: when the fabric gets an order, when it has
//! done it, when its answer is on its way, and at random. Whoever comes next takes over; in the end each connection and the
//! port are where a clean run brings them, by the same states, and the fabric did each thing once. CRASH_ROUNDS: how often.

use std::collections::BTreeMap;
use std::net::TcpListener;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use subtenant::access::policy::DeletePorts;
use subtenant::connections::Happening;
use subtenant::ids::Key;
use subtenant::ports;
use subtenant::store::Db;

use crate::orders::{configured, history, later, order, order_port, port, ready, round, state, step, told};
use crate::receiver::{MOMENTS, Moment, Receiver, SECRET};
use crate::world::World;

fn rounds() -> usize {
    std::env::var("CRASH_ROUNDS").ok().and_then(|text| text.parse().ok()).unwrap_or(2)
}

/// A process that can be killed from anywhere.
#[derive(Clone, Default)]
struct Victim(Arc<Mutex<Option<Child>>>);

impl Victim {
    fn start(&self, database_url: &str, fabric: &str) {
        let port = TcpListener::bind("127.0.0.1:0").and_then(|l| l.local_addr()).expect("a free port").port();
        let process = Command::new(env!("CARGO_BIN_EXE_subtenant"))
            .args(["serve", "--bind", &format!("127.0.0.1:{port}"), "--database-url", database_url])
            .args(["--mail-dir", concat!(env!("CARGO_TARGET_TMPDIR"), "/mails")])
            .args(["--provisioning-url", fabric, "--provisioning-timeout", "5"])
            .env("PROVISIONING_SECRET", SECRET)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("the program starts");
        *self.0.lock().expect("the process") = Some(process);
    }

    fn kill(&self) {
        if let Some(mut process) = self.0.lock().expect("the process").take() {
            process.kill().expect("it is there to be killed");
            process.wait().expect("it ends");
        }
    }

    fn is_dead(&self) -> bool {
        self.0.lock().expect("the process").is_none()
    }
}

/// When a run of the program ends.
#[derive(Debug, Clone, Copy)]
enum End {
    /// At this moment of the n-th request.
    At(Moment, usize),
    /// So many milliseconds after its start.
    After(u64),
}

struct Ground {
    world: World,
    receiver: Receiver,
    victim: Victim,
    connections: BTreeMap<&'static str, (Key, String)>,
    port: (Key, String),
}

const NAMES: [&str; 4] = ["plain", "slow", "bad", "another slow"];

fn ground() -> Ground {
    let receiver = Receiver::start();
    let world = World::with(|settings| settings.provisioning = receiver.settings());
    ready(&world);
    let connections = NAMES.map(|name| (name, order(&world, "acme", name))).into();
    let port = order_port(&world, "acme", "rack 1");
    Ground { world, receiver, victim: Victim::default(), connections, port }
}

impl Ground {
    /// One run of the program, up to its end.
    fn run(&self, end: End) {
        later(&self.world.pool);
        let (victim, mut seen) = (self.victim.clone(), 0);
        self.receiver.at(move |moment, _| {
            if let End::At(when, nth) = end
                && moment == when
            {
                seen += 1;
                if seen == nth {
                    victim.kill();
                }
            }
        });
        self.victim.start(self.world.place().url(), &self.receiver.url);
        let limit = match end {
            End::After(ms) => Duration::from_millis(ms),
            // Where there are fewer requests than that, it is killed at rest.
            End::At(..) => Duration::from_secs(4),
        };
        let started = Instant::now();
        while started.elapsed() < limit && !self.victim.is_dead() {
            std::thread::sleep(Duration::from_millis(5));
        }
        self.victim.kill();
        self.receiver.unhook();
    }

    /// Whoever comes next.
    async fn take_over(&self) {
        let fabric = configured(&self.world);
        for _ in 0..6 {
            later(&self.world.pool);
            round(&self.world, &fabric).await;
        }
    }

    /// Of the connections, and of the port.
    fn states(&self) -> Vec<String> {
        let connections = NAMES.map(|name| state(&self.world, self.connections[name].0).to_owned());
        connections.into_iter().chain([port(&self.world, self.port.0).0]).collect()
    }

    fn histories(&self) -> Vec<Vec<String>> {
        NAMES.map(|name| history(&self.world.pool, self.connections[name].0)).into()
    }

    /// What a person does next to each of them.
    fn go_on(&self, happenings: [Happening; 4]) {
        for (name, happening) in NAMES.into_iter().zip(happenings) {
            step(&self.world, self.connections[name].0, happening);
        }
        if happenings == [Happening::Delete; 4] {
            let by = self.world.grant::<DeletePorts>("admin-of-acme", "acme").expect("the administrator may");
            let delete = |db: &mut Db| {
                let version = ports::find(db, by.account().key, &self.port.1)?.version;
                ports::delete(db, &by, &self.port.1, version)
            };
            self.world.write(delete).expect("nothing uses it");
        }
    }

    /// Every intent came at least once, with one id, and was done once.
    fn assert_told_once(&self) {
        let books = self.receiver.books();
        assert!(books.received.iter().all(|one| one.signed), "something was not signed");
        let ports = [("port", &self.port.1)];
        for (what, id) in self.connections.values().map(|(_, id)| ("connection", id)).chain(ports) {
            let acts: Vec<&str> =
                books.acts.iter().filter(|(.., subject)| subject == id).map(|(_, kind, _)| kind.as_str()).collect();
            let intents: Vec<String> = told(&self.world.pool, id)
                .into_iter()
                .map(|(act, ..)| format!("{what}.{}", act.to_lowercase()))
                .collect();
            assert_eq!(acts, intents, "{id}: what was done is not what was to be done, once each and in order");
        }
    }
}

const PHASES: [Option<[Happening; 4]>; 3] =
    [None, Some([Happening::Edit, Happening::Edit, Happening::Retry, Happening::Edit]), Some([Happening::Delete; 4])];

/// All phases; each is interrupted as often as `ends` says.
async fn story(mut ends: impl FnMut() -> Vec<End>) -> (Vec<Vec<String>>, Vec<Vec<String>>, usize) {
    let ground = ground();
    let mut states = Vec::new();
    for phase in PHASES {
        if let Some(happenings) = phase {
            ground.go_on(happenings);
        }
        for end in ends() {
            ground.run(end);
        }
        ground.take_over().await;
        states.push(ground.states());
    }
    ground.assert_told_once();
    let requests = ground.receiver.books().received.len();
    (states, ground.histories(), requests)
}

#[actix_web::test]
async fn a_killed_program_leaves_nothing_undone_and_nothing_done_twice() {
    let (states, histories, requests) = story(Vec::new).await;
    let expected = [
        vec!["ACTIVE", "ACTIVE", "FAILED_TO_PROVISION", "ACTIVE", "ACTIVE"],
        vec!["ACTIVE", "ACTIVE", "FAILED_TO_PROVISION", "ACTIVE", "ACTIVE"],
        vec!["DELETED"; 5],
    ];
    assert_eq!(states, expected);
    let mut dice = StdRng::seed_from_u64(53);
    let mut most = 0;
    for round in 0..rounds() {
        let ends = || {
            let moment = MOMENTS[dice.random_range(0..MOMENTS.len())];
            vec![
                End::At(moment, dice.random_range(1..=3)),
                End::After(dice.random_range(20..900)),
                End::At(MOMENTS[round % MOMENTS.len()], 1),
            ]
        };
        let (after, by, told) = story(ends).await;
        assert_eq!((&after, &by), (&states, &histories), "round {round}");
        most = most.max(told);
    }
    println!("{} rounds: {requests} requests in a clean run, {most} at most with kills", rounds());
}
