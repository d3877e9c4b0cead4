//! A real streaming replica beside the database, held back by the server's own switch: one's own write is always seen,
//! others' after a second at the latest, rights are never read there, and without it everything goes on.

use std::process::Command;
use std::time::{Duration, Instant};

use crate::client::Client;
use crate::cluster::Cluster;
use crate::place::postgres;
use crate::servers::{Server, dump_and_restore};
use crate::sharing::LEAVE;
use crate::world::World;
use crate::{count, is_possible};

const ADMIN: &str = "admin-of-acme";
const TOKEN: &str = "a-token-for-metrics";
const LONGEST: Duration = Duration::from_secs(30);

struct Ground {
    cluster: Cluster,
    standby: Server,
    primary: Server,
    world: World,
}

fn ground() -> Ground {
    let world = World::new();
    world.account("acme").viewer("vera").children(&["lab", "shop"]);
    let primary = Server::primary();
    dump_and_restore(world.place().url(), &primary.url("console"));
    let standby = primary.standby();
    let replica = standby.url("console");
    let secrets = vec![("METRICS_TOKEN", TOKEN.to_owned())];
    let more = ["--database-replica-url", &replica];
    let cluster = Cluster::with_secrets(&primary.url("console"), 2, &more, secrets);
    let ground = Ground { cluster, standby, primary, world };
    ground.wait_until_in_step(true);
    ground
}

impl Ground {
    /// A figure of one instance.
    fn figure(&self, instance: usize, name: &str) -> f64 {
        let url = format!("{}/metrics", self.cluster.instance(instance));
        let answer = ureq::get(url).header("authorization", format!("Bearer {TOKEN}")).call();
        let text = answer.expect("metrics").body_mut().read_to_string().expect("a text");
        let line = text.lines().find_map(|line| line.strip_prefix(name)).unwrap_or_else(|| panic!("{name} in {text}"));
        line.trim().parse().expect("a number")
    }

    fn wait_until_in_step(&self, wanted: bool) {
        let started = Instant::now();
        while (0..2).any(|n| (self.figure(n, "subtenant_replica_in_step") > 0.5) != wanted) {
            assert!(started.elapsed() < LONGEST, "the replica is not {}", if wanted { "in step" } else { "noticed" });
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    fn read_at_replica(&self) -> f64 {
        (0..2).map(|n| self.figure(n, r#"subtenant_late_reads_total{at="replica"}"#)).sum()
    }

    fn hold(&self) {
        self.standby.on("console", "SELECT pg_wal_replay_pause()");
    }

    fn release(&self) {
        self.standby.on("console", "SELECT pg_wal_replay_resume()");
        self.wait_until_in_step(true);
    }

    fn make(&self, client: &Client, name: &str) {
        let new = self.world.path("acme", "child-accounts/new");
        let mut form = client.form(&new, "Save");
        form.fill(LEAVE, "yes");
        form.fill("Name", name);
        assert_eq!(client.post(&new, &form.pairs()).expect("an answer").status, 303);
    }

    /// Whether somebody's list names this account now.
    fn lists(&self, client: &Client, name: &str) -> bool {
        let list = client.page(&self.world.path("acme", "child-accounts"));
        list.rows().iter().any(|row| row[0].contains(name))
    }
}

#[test]
fn pages_are_read_at_a_replica_and_never_show_less_than_they_must() {
    if !is_possible() {
        return;
    }
    let ground = ground();
    let (admin, vera) =
        (Client::signed_in(&ground.cluster.origin, ADMIN), Client::signed_in(&ground.cluster.origin, "vera"));
    let before = ground.read_at_replica();
    for section in ["child-accounts", "child-accounts?view=tree", "child-accounts.csv", "dashboard", "audit-log"] {
        assert_eq!(vera.get(&ground.world.path("acme", section)).expect("an answer").status, 200, "{section}");
    }
    assert!(ground.read_at_replica() >= before + 4.0, "the replica is not used");

    for n in 0..count(20, 500) {
        let name = format!("made {n}");
        ground.make(&admin, &name);
        assert!(ground.lists(&admin, &name), "{name} is not there after it was made");
    }

    ground.hold();
    ground.make(&admin, "made while it stands still");
    assert!(ground.lists(&admin, "made while it stands still"), "one's own write");
    ground.wait_until_in_step(false);
    assert!(ground.lists(&vera, "made while it stands still"), "somebody else's, after a second");
    ground.release();
    assert!(ground.lists(&vera, "made while it stands still"));
}

#[test]
fn a_right_that_was_taken_away_is_gone_while_the_replica_stands_still() {
    if !is_possible() {
        return;
    }
    let ground = ground();
    let (vera, list) = (Client::signed_in(&ground.cluster.origin, "vera"), ground.world.path("acme", "child-accounts"));
    for _ in 0..count(3, 30) {
        assert_eq!(vera.get(&list).expect("an answer").status, 200);
        ground.hold();
        let key = ground.world.person("vera");
        ground.primary.on("console", &format!("CREATE TABLE kept AS SELECT * FROM assignments WHERE user_key = {key}"));
        ground.primary.on("console", &format!("DELETE FROM assignments WHERE user_key = {key}"));
        for _ in 0..4 {
            assert_eq!(vera.get(&list).expect("an answer").status, 404);
        }
        ground.primary.on("console", "INSERT INTO assignments SELECT * FROM kept; DROP TABLE kept");
        assert_eq!(vera.get(&list).expect("an answer").status, 200);
        ground.release();
    }
}

#[test]
fn without_its_replica_everything_goes_on() {
    if !is_possible() {
        return;
    }
    let ground = ground();
    let admin = Client::signed_in(&ground.cluster.origin, ADMIN);
    ground.standby.stop();
    for n in 0..count(10, 100) {
        let name = format!("made alone {n}");
        ground.make(&admin, &name);
        assert!(ground.lists(&admin, &name), "{name}");
        assert_eq!(admin.get("/readyz").expect("an answer").status, 200);
    }
    ground.wait_until_in_step(false);
    ground.standby.start();
    ground.wait_until_in_step(true);
    assert!(ground.lists(&admin, "made alone 9"));
}

#[test]
fn what_is_no_replica_of_the_database_is_refused() {
    let Some(server) = postgres() else { return };
    let (world, other) = (World::new(), Server::primary());
    for (database, replica) in [(world.place().url(), other.url("console")), (world.place().url(), server.to_owned())] {
        let mut command = Command::new(env!("CARGO_BIN_EXE_subtenant"));
        command.args(["serve", "--bind", "127.0.0.1:0", "--database-url", database]);
        let refused = command.args(["--database-replica-url", &replica]).output().expect("the binary runs");
        let words = String::from_utf8_lossy(&refused.stderr).into_owned();
        assert!(!refused.status.success() && words.contains("DATABASE_REPLICA_URL"), "{words}");
    }
}
