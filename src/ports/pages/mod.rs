//! The section Ports: an account's own ports and those offered to it from above, and those of everything below. A port
//! has its page, and pages of their own for ordering, changing, offering, capping, its letter and its end.

mod cap_form;
mod caps;
mod check;
mod edit;
mod export;
mod index;
mod letter;
mod order;
mod questions;
mod remove;
mod share;
mod show;
mod view;

use crate::web::route::{Route, get, post};

pub fn routes() -> Vec<Route> {
    vec![
        get("/a/{account}/ports", index::show),
        get("/a/{account}/ports.csv", export::list),
        get("/a/{account}/ports/new", order::new),
        post("/a/{account}/ports/new", order::take),
        get("/a/{account}/ports/{port}", show::show),
        get("/a/{account}/ports/{port}/uses.csv", export::uses),
        get("/a/{account}/ports/{port}/letter.pdf", letter::file),
        get("/a/{account}/ports/{port}/edit", edit::edit),
        post("/a/{account}/ports/{port}/edit", edit::update),
        get("/a/{account}/ports/{port}/sharing", share::show),
        post("/a/{account}/ports/{port}/sharing", share::save),
        get("/a/{account}/ports/{port}/caps", caps::index),
        get("/a/{account}/ports/{port}/caps/{child}", caps::edit),
        post("/a/{account}/ports/{port}/caps/{child}", caps::save),
        get("/a/{account}/ports/{port}/caps/{child}/remove", caps::ask),
        post("/a/{account}/ports/{port}/caps/{child}/remove", caps::remove),
        get("/a/{account}/ports/{port}/delete", remove::show),
        post("/a/{account}/ports/{port}/delete", remove::delete),
        get("/a/{account}/ports/{port}/retry", remove::ask_again),
        post("/a/{account}/ports/{port}/retry", remove::retry),
    ]
}
