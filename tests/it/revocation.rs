//! A right that is taken away is gone for the next request (T7). Eight clients of one person ask and send forms over
//! HTTP as fast as they can, at a server with several workers; meanwhile the right ends in one of many ways. Whatever
//! was sent after that was answered must be refused. Nobody sleeps: the end comes when every client was let in once,
//! and the round is over when every client was answered once more.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc;
use std::thread::{JoinHandle, ScopedJoinHandle};

use actix_web::HttpServer;
use actix_web::dev::ServerHandle;
use actix_web::rt::System;
use chrono::Duration;
use subtenant::access::Scope;
use subtenant::access::policy::{
    CreateAccounts, CreateRoles, DeleteAccounts, DeleteMembers, LeaveAccount, Permission, Permissions, Resource,
    UpdateAccounts, UpdateMembers, UpdateRoles, Verb,
};
use subtenant::app::{self, Parts};
use subtenant::members::{self, Wanted};
use subtenant::roles::{self, NewRole};
use subtenant::{accounts, ids};

use crate::browser::{FORM, encode};
use crate::crash::{agent, page};
use crate::world::{PASSWORD, World, admin_of, email};

const CLIENTS: usize = 8;
/// Of each way to lose a right.
const ROUNDS: usize = 15;

struct Server {
    address: SocketAddr,
    handle: ServerHandle,
    thread: JoinHandle<()>,
}

impl Server {
    fn start(parts: Parts) -> Server {
        let (started, wait) = mpsc::channel();
        let run = || async move {
            let server = HttpServer::new(move || app::build(parts.clone())).workers(4).disable_signals();
            let server = server.bind("127.0.0.1:0").expect("a free port");
            let address = server.addrs()[0];
            let server = server.run();
            started.send((address, server.handle())).expect("somebody waits");
            server.await.expect("the server ends");
        };
        let thread = std::thread::spawn(move || System::new().block_on(run()));
        let (address, handle) = wait.recv().expect("the server starts");
        Server { address, handle, thread }
    }

    fn stop(self) {
        drop(self.handle.stop(false));
        self.thread.join().expect("the server stops");
    }

    fn uri(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    fn sign_in(&self, person: &str) -> ureq::Agent {
        let agent = agent();
        let mut form = page(&agent, &self.uri("/sign-in")).expect("the page to sign in").form("Sign in");
        form.fill("Email", &email(person));
        form.fill("Password", PASSWORD);
        let sent = agent.post(self.uri("/sign-in")).content_type(FORM).send(encode(&form.pairs()));
        assert_eq!(sent.expect("an answer").status().as_u16(), 303);
        agent
    }
}

/// What a client asks for: a page, and a form of its own session that is always a version behind, so that it changes
/// nothing and answers 409 for whoever may send it.
struct Client<'a> {
    agent: &'a ureq::Agent,
    page: String,
    form: Option<String>,
}

impl Client<'_> {
    fn of<'a>(agent: &'a ureq::Agent, uri: &str, by_form: bool) -> Client<'a> {
        let form = by_form.then(|| {
            let mut form = page(agent, uri).expect("the settings").form("Save");
            form.set("_version", "0");
            encode(&form.pairs())
        });
        Client { agent, page: uri.to_owned(), form }
    }

    fn ask(&self) -> u16 {
        let answer = match &self.form {
            Some(form) => self.agent.post(&self.page).content_type(FORM).send(form),
            None => self.agent.get(&self.page).call(),
        };
        answer.expect("an answer").status().as_u16()
    }

    fn allowed(&self) -> u16 {
        if self.form.is_some() { 409 } else { 200 }
    }
}

/// Counts the clients that came so far.
#[derive(Default)]
struct Tally(AtomicUsize);

impl Tally {
    fn add(&self) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }

    /// Waits for all, or until one of them is over before its time, which it then says itself.
    fn wait<T>(&self, running: &[ScopedJoinHandle<'_, T>]) {
        while self.0.load(Ordering::SeqCst) < running.len() && !running.iter().any(ScopedJoinHandle::is_finished) {
            std::thread::yield_now();
        }
    }
}

/// Everybody is let in, the right ends, nobody is let in any more.
fn round(agents: &[ureq::Agent], uri: &str, what: &str, end: impl FnOnce()) {
    let (ended, let_in) = (AtomicBool::new(false), Tally::default());
    let clients: Vec<Client> = agents.iter().enumerate().map(|(n, agent)| Client::of(agent, uri, n % 2 == 1)).collect();
    let play = |client: &Client| {
        assert_eq!(client.ask(), client.allowed(), "{what}: before, form: {}", client.form.is_some());
        let_in.add();
        loop {
            let after = ended.load(Ordering::SeqCst);
            let status = client.ask();
            assert!(status < 500, "{what}: {status}");
            if after {
                let refused = [303, 403, 404].contains(&status);
                assert!(refused, "{what}: answered {status} afterwards, form: {}", client.form.is_some());
                return;
            }
        }
    };
    std::thread::scope(|scope| {
        let play = &play;
        let running: Vec<_> = clients.iter().map(|client| scope.spawn(move || play(client))).collect();
        let_in.wait(&running);
        end();
        ended.store(true, Ordering::SeqCst);
    });
}

/// A room below acme for each round, in which eve may do everything; the ways in which that ends.
struct Ways<'w> {
    world: &'w World,
    name: String,
}

impl Ways<'_> {
    fn admin(&self) -> String {
        admin_of("acme")
    }

    fn wanted(&self, role: &str, scope: Scope) -> Vec<Wanted> {
        let find = |db: &mut _| {
            let frame = subtenant::access::lookup::frame(db, self.world.person(&self.admin()), &self.world.id("acme"))?;
            roles::available(db, &frame)
        };
        let found = self.world.read(find).expect("roles").into_iter().find(|r| r.name == role).expect("the role");
        vec![Wanted { role_id: found.id, scope, ends_at: ids::never() }]
    }

    fn give(&self, role: &str, scope: Scope) {
        let by = self.world.grant::<UpdateMembers>(&self.admin(), &self.name).expect("the administrator may");
        let (eve, wanted) = (self.world.person_id("eve"), self.wanted(role, scope));
        self.world.write(|db| members::give(db, &by, &eve, &wanted, None)).expect("the role is given");
    }

    fn removed(&self) {
        let by = self.world.grant::<DeleteMembers>(&self.admin(), &self.name).expect("the administrator may");
        let eve = self.world.person_id("eve");
        self.world.write(|db| members::remove(db, &by, &eve, None)).expect("eve is removed");
    }

    fn left(&self) {
        let by = self.world.grant::<LeaveAccount>("eve", &self.name).expect("eve may");
        self.world.write(|db| members::leave(db, &by, None)).expect("eve leaves");
    }

    fn over(&self) {
        let (past, eve) = (ids::now() - Duration::seconds(1), self.world.person("eve"));
        self.world.sql(&format!("UPDATE assignments SET ends_at = '{past}' WHERE user_key = {eve}"));
    }

    fn closed(&self) {
        let by = self.world.grant::<DeleteAccounts>(&self.admin(), &self.name).expect("the administrator may");
        self.world.write(|db| accounts::close(db, &by, by.account().version)).expect("the room is closed");
    }

    fn moved(&self) {
        let by = self.world.grant::<UpdateAccounts>(&self.admin(), &self.name).expect("the administrator may");
        let to = self.world.grant::<CreateAccounts>(&self.admin(), "new").expect("the administrator may");
        self.world.write(|db| accounts::move_under(db, &by, &to, 1000)).expect("the room is moved");
    }

    /// A role of acme's own, and another version of it without the right.
    fn own_role(&self) -> String {
        let by = self.world.grant::<CreateRoles>(&self.admin(), "acme").expect("the administrator may");
        let new = NewRole { name: self.name.clone(), description: String::new(), permissions: ACCOUNTS };
        self.world.write(|db| roles::create(db, &by, new)).expect("a role").id
    }

    fn edited(&self, role: &str) {
        let by = self.world.grant::<UpdateRoles>(&self.admin(), "acme").expect("the administrator may");
        let new = NewRole { name: self.name.clone(), description: String::new(), permissions: PORTS };
        self.world.write(|db| roles::update(db, &by, role, new, 1)).expect("the role is edited");
    }
}

const ACCOUNTS: Permissions = Permissions::of(&[Permission(Resource::Accounts, Verb::All)]);
const PORTS: Permissions = Permissions::of(&[Permission(Resource::Ports, Verb::Read)]);

/// The server with eve's clients, and what they ask for in one room after another.
fn rounds(play: impl Fn(&World, &str, &mut dyn FnMut(&str, &dyn Fn()))) {
    let world = World::new();
    world.account("acme").children(&["old", "new"]);
    world.person("eve");
    let server = Server::start(world.parts.clone());
    let agents: Vec<ureq::Agent> = (0..CLIENTS).map(|_| server.sign_in("eve")).collect();
    for n in 0..ROUNDS {
        let room = format!("room {n}");
        world.account("acme").at("old").child(&room);
        play(&world, &room, &mut |what, end| {
            round(&agents, &server.uri(&world.path(&room, "settings")), what, end);
        });
    }
    server.stop();
    world.assert_sound();
}

#[test]
fn who_was_removed_left_or_ran_out_is_out_at_the_next_request() {
    rounds(|world, room, ask| {
        let ways = Ways { world, name: room.to_owned() };
        let here = || {
            world.account("acme").at(room).administrator("eve");
        };
        here();
        ask("removed", &|| ways.removed());
        here();
        ask("left", &|| ways.left());
        here();
        ask("over", &|| ways.over());
    });
}

#[test]
fn less_reach_and_less_in_a_role_hold_at_the_next_request() {
    rounds(|world, room, ask| {
        let above = Ways { world, name: "old".to_owned() };
        world.account("acme").at("old").administrator("eve");
        ask("narrowed", &|| above.give("Administrator", Scope::Here));
        above.give("Administrator", Scope::HereAndBelow);
        ask("another role", &|| above.give("Network operator", Scope::HereAndBelow));
        let ways = Ways { world, name: room.to_owned() };
        let role = ways.own_role();
        above.give(room, Scope::HereAndBelow);
        ask("edited", &|| ways.edited(&role));
        above.removed();
    });
}

#[test]
fn a_closed_account_and_one_that_moved_away_are_gone_at_the_next_request() {
    rounds(|world, room, ask| {
        let ways = Ways { world, name: room.to_owned() };
        world.account("acme").at("old").administrator("eve");
        ask("moved", &|| ways.moved());
        Ways { world, name: "old".to_owned() }.removed();
        world.account("acme").at(room).administrator("eve");
        ask("closed", &|| ways.closed());
    });
}

#[test]
fn an_ended_session_is_nobodys_at_the_next_request() {
    let world = World::new();
    world.account("acme").administrator("eve");
    let server = Server::start(world.parts.clone());
    for _ in 0..3 {
        let agents: Vec<ureq::Agent> = (0..CLIENTS).map(|_| server.sign_in("eve")).collect();
        let uri = server.uri(&world.path("acme", "settings"));
        let past = ids::now() - Duration::seconds(1);
        round(&agents, &uri, "session ended", || {
            world.sql(&format!("UPDATE sessions SET expires_at = '{past}' WHERE user_key = {}", world.person("eve")));
        });
    }
    server.stop();
}
