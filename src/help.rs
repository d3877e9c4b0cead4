//! Help: what the console is, its words, its keys, and each thing people come for, step by step. One page of plain
//! text, the same for everybody, readable before signing in and without script.

use actix_web::HttpResponse;
use askama::Template;

use crate::access::Me;
use crate::problem::Problem;
use crate::web::guest::Guest;
use crate::web::route::{Route, get};
use crate::web::site::Keep;
use crate::web::{Shell, Site};

pub fn routes() -> Vec<Route> {
    vec![get("/help", show)]
}

#[derive(Template)]
#[template(path = "help/show.html")]
struct HelpPage {
    shell: Shell,
}

#[derive(Template)]
#[template(path = "help/show_bare.html")]
struct HelpBarePage {
    shell: Shell,
}

/// GET /help
pub async fn show(me: Option<Me>, guest: Guest, site: Site) -> Result<HttpResponse, Problem> {
    match me {
        Some(me) => site.page(&HelpPage { shell: site.personal_shell(&me, "Help") }, Keep::Private),
        None => site.page(&HelpBarePage { shell: guest.shell(&site, "Help") }, Keep::Private),
    }
}
