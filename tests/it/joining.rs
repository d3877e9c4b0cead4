//! Joining by an invitation in a hurry or in an old tab: the button pressed twice leads to one place, a session that ended
//! leads to signing in, and the link's secret is stored nowhere on the way.

use futures_util::future::join;

use crate::browser::Browser;
use crate::dump::dump_everything;
use crate::invited::invited;
use crate::world::{PASSWORD, World, email};

const ADMIN: &str = "admin-of-acme";

fn world() -> World {
    let world = World::new();
    world.account("acme").child("lab");
    world
}

#[actix_web::test]
async fn signing_up_twice_by_one_form_leads_where_the_first_click_led() {
    for at_once in [true, false] {
        let world = world();
        let path = invited(&world, ADMIN, "lab", "nora@example.com", "Read only");
        let mut nora = Browser::new(&world.console().await);
        nora.get(&path).await;
        let mut form = nora.page.form("Accept invitation");
        let fields = [("First name", "Nora"), ("Last name", "New"), ("Company", "Acme"), ("Password", PASSWORD)];
        fields.iter().for_each(|(label, value)| form.fill(label, value));
        let (pairs, mut twin) = (form.pairs(), nora.clone());
        let answers = if at_once {
            let (first, second) = join(nora.post(&path, &pairs), twin.post(&path, &pairs)).await;
            [first, second]
        } else {
            [nora.post(&path, &pairs).await, twin.post(&path, &pairs).await]
        };
        // And once more with the session that the first click opened.
        if !at_once {
            let third = nora.post(&path, &pairs).await;
            assert_eq!(third.header("location"), world.path("lab", "dashboard"), "{}", third.text());
        }
        for answer in &answers {
            let to = answer.header("location");
            assert_eq!((answer.status.as_u16(), to), (303, &*world.path("lab", "dashboard")), "{}", answer.text());
        }
        world.assert_sound();
        // Somebody else's form is none of these.
        let mut stranger = Browser::new(&nora.console);
        stranger.get("/sign-in").await;
        let token = stranger.page.forms()[0].value("_token").to_owned();
        let answer = stranger.post(&path, &[("_token".to_owned(), token)]).await;
        assert_eq!(answer.status, 410);
    }
}

#[actix_web::test]
async fn the_button_of_a_session_that_ended_leads_to_signing_in_and_back() {
    let world = world();
    world.person("kim");
    let path = invited(&world, ADMIN, "lab", &email("kim"), "Read only");
    let token = path.rsplit('/').next().expect("a token");
    for end in ["UPDATE sessions SET expires_at = '2020-01-01 00:00:00'", "DELETE FROM sessions"] {
        let mut kim = world.browser("kim").await;
        kim.get(&path).await;
        world.sql(end);
        kim.submit("Accept invitation", &[]).await;
        assert_eq!(kim.page.heading(), "Sign in", "{}", kim.page);
        assert!(dump_everything(&world).iter().all(|line| !line.contains(token)), "the secret is stored");
        kim.sign_in(&email("kim"), PASSWORD).await;
        assert_eq!(kim.page.heading(), "Join lab");
    }
}

#[actix_web::test]
async fn somebody_new_is_not_turned_away_because_another_session_ended_in_their_browser() {
    let world = world();
    let path = invited(&world, ADMIN, "lab", "nora@example.com", "Read only");
    let mut nora = world.browser(ADMIN).await;
    world.sql("UPDATE sessions SET expires_at = '2020-01-01 00:00:00'");
    nora.get(&path).await;
    let fields = [("First name", "Nora"), ("Last name", "New"), ("Company", "Acme"), ("Password", PASSWORD)];
    nora.submit("Accept invitation", &fields).await;
    assert_eq!(nora.page.flash(), "You are a member of lab now.", "{}", nora.page);
}
