//! Instances that are started at the same moment on a database with nothing in it: one makes the tables, all go on.

use diesel::prelude::*;
use subtenant::store::Pool;
use subtenant::store::schema::{accounts, legal_documents};

use crate::client::Client;
use crate::cluster::Cluster;
use crate::place::{on_server, postgres, unique};
use crate::world::{PASSWORD, config, email};
use crate::{count, is_possible};

/// An empty database, dropped at the end.
struct Empty(String);

impl Drop for Empty {
    fn drop(&mut self) {
        on_server(&format!("DROP DATABASE {} WITH (FORCE)", self.0));
    }
}

#[test]
fn instances_that_start_at_once_on_an_empty_database_make_it_once() {
    if !is_possible() {
        return;
    }
    for _ in 0..count(1, 10) {
        let empty = Empty(format!("subtenant_empty_{}_{}", std::process::id(), unique()));
        on_server(&format!("CREATE DATABASE {}", empty.0));
        let mut url = url::Url::parse(postgres().expect("a server")).expect("a URL");
        url.set_path(&empty.0);
        let cluster = Cluster::start(url.as_str(), count(3, 6), &[]);
        let pool = Pool::open(&config(url.as_str()).database_url, 1).expect("the database opens");
        let documents: i64 =
            pool.read_here(|db| Ok(legal_documents::table.count().get_result(db)?)).expect("documents are counted");
        assert_eq!(documents, 2, "the first agreements are there once");
        sign_up(&cluster);
        let made: i64 = pool.read_here(|db| Ok(accounts::table.count().get_result(db)?)).expect("accounts are counted");
        assert_eq!(made, 1);
    }
}

/// Somebody new, through whichever instances have their turn.
fn sign_up(cluster: &Cluster) {
    let client = Client::new(&cluster.origin);
    let mut form = client.form("/sign-up", "Sign up");
    for (label, value) in [
        ("First name", "Ann"),
        ("Last name", "Example"),
        ("Company", "Example"),
        ("Email", &email("ann")),
        ("Password", PASSWORD),
        ("Account name", "Example"),
    ] {
        form.fill(label, value);
    }
    let reply = client.post("/sign-up", &form.pairs()).expect("an answer");
    assert_eq!(reply.status, 303, "{}", reply.page());
    for _ in 0..cluster.len() {
        assert_eq!(client.get(&reply.location).expect("an answer").status, 200);
    }
}
