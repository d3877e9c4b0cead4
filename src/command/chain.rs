//! The chain of command of an account as a page: the picture, the same as a nested list, and the picture as a file.
//! Whoever sees the account sees the chain; people are named to those who may read its members.

use actix_web::HttpResponse;
use askama::Template;

use super::levels::{self, Level};
use super::picture::{LANE, Picture};
use crate::access::In;
use crate::access::policy::{ReadMembers, SeeAccount};
use crate::problem::Problem;
use crate::text;
use crate::web::shell::Section;
use crate::web::site::Keep;
use crate::web::{Shell, Site, csv};

#[derive(Template)]
#[template(path = "command/chain.html")]
struct ChainPage {
    shell: Shell,
    lede: String,
    picture: Picture,
    lane: i64,
    style: &'static str,
    base: &'static str,
    levels: Vec<Level>,
    reads_members: bool,
}

/// The picture alone, with its own colours.
#[derive(Template)]
#[template(path = "command/picture_file.html")]
struct PictureFile {
    picture: Picture,
    lane: i64,
    style: &'static str,
    /// Where the console is: links in a file lead there.
    base: String,
}

const STYLE: &str = concat!(include_str!("../../static/css/tokens.css"), include_str!("../../static/css/picture.css"));

/// GET /a/{account}/chain
pub async fn show(by: In<SeeAccount>, site: Site) -> Result<HttpResponse, Problem> {
    let grant = by.clone();
    let levels = site.pool.read_long(move |db| levels::read(db, grant.frame())).await?;
    let frame = by.frame();
    let page = ChainPage {
        shell: site.shell(&by, Section::Chain, Section::Chain.label()),
        lede: lede(&frame.account().name, frame.chain.len()),
        picture: Picture::of(&frame.account().name, &levels),
        lane: LANE,
        style: "",
        base: "",
        levels,
        reads_members: frame.may::<ReadMembers>(),
    };
    site.page(&page, Keep::Nothing)
}

fn lede(name: &str, levels: usize) -> String {
    match i64::try_from(levels).unwrap_or(i64::MAX) - 1 {
        0 => format!("{name} is a root account: nobody stands above it."),
        above => format!("From the root down to {name}: {} above it.", text::count(above, "account", "accounts")),
    }
}

/// GET /a/{account}/chain.svg
pub async fn download(by: In<SeeAccount>, site: Site) -> Result<HttpResponse, Problem> {
    let grant = by.clone();
    let levels = site.pool.read_long(move |db| levels::read(db, grant.frame())).await?;
    let account = by.account();
    let file = PictureFile {
        picture: Picture::of(&account.name, &levels),
        lane: LANE,
        style: STYLE,
        base: site.config.origin().to_string(),
    };
    let name = format!("chain-of-command-{}.svg", account.id);
    Ok(csv::download(&name, "image/svg+xml", file.render()?.into_bytes()))
}
