//! The stylesheet and the script: parts in `static/`, joined at start into one file each, named by their hash and
//! compressed once. Whatever has that name never changes, so browsers may keep it for ever.

use std::io::Write;
use std::sync::LazyLock;

use actix_web::http::header;
use actix_web::{HttpRequest, HttpResponse};
use flate2::{Compression, write::GzEncoder};
use rust_embed::RustEmbed;

use crate::ids::sha256_hex;
use crate::problem::Problem;

#[derive(RustEmbed)]
#[folder = "static"]
struct Files;

struct Asset {
    url: String,
    mime: &'static str,
    plain: Vec<u8>,
    gzip: Vec<u8>,
}

static CSS: LazyLock<Asset> = LazyLock::new(|| {
    join(
        "css/app",
        "css",
        "text/css; charset=utf-8",
        &["css/tokens.css", "css/base.css", "css/parts.css", "css/rooms.css", "css/picture.css"],
    )
});

static JS: LazyLock<Asset> = LazyLock::new(|| {
    let mut names: Vec<_> = Files::iter().filter(|name| name.starts_with("js/") && name.ends_with(".js")).collect();
    names.sort();
    let names: Vec<&str> = names.iter().map(AsRef::as_ref).collect();
    join("js/app", "js", "text/javascript; charset=utf-8", &names)
});

fn join(name: &str, ending: &str, mime: &'static str, parts: &[&str]) -> Asset {
    let mut plain = Vec::new();
    for part in parts {
        if let Some(file) = Files::get(part) {
            plain.extend_from_slice(&file.data);
            plain.push(b'\n');
        }
    }
    let hash = &sha256_hex(&plain)[..16];
    Asset { url: format!("/static/{name}.{hash}.{ending}"), mime, gzip: zipped(&plain), plain }
}

fn zipped(plain: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(plain).and_then(|()| encoder.finish()).unwrap_or_default()
}

/// Pages that a browser may fetch when somebody is about to follow a link: those of the same account that only show
/// something. Never another account, a form, a download or what ends a session.
const RULES: &str = r#"{"prefetch":[{"source":"document","eagerness":"moderate","where":{"and":[
{"selector_matches":"nav[aria-label=Main] a, nav[aria-label=Pages] a, .tabs a"},
{"not":{"href_matches":"/*.csv*"}},{"not":{"href_matches":"/sign-out"}}]}}]}"#;

static RULES_FILE: LazyLock<Asset> = LazyLock::new(|| {
    let plain = RULES.as_bytes().to_vec();
    let hash = &sha256_hex(&plain)[..16];
    Asset {
        url: format!("/static/rules.{hash}.json"),
        mime: "application/speculationrules+json",
        gzip: zipped(&plain),
        plain,
    }
});

/// What the header `Speculation-Rules` says.
pub fn rules_url() -> &'static str {
    &RULES_FILE.url
}

pub fn css_url() -> &'static str {
    &CSS.url
}

pub fn js_url() -> &'static str {
    &JS.url
}

/// GET /static/{name}
pub async fn show(req: HttpRequest) -> Result<HttpResponse, Problem> {
    let found = [&*CSS, &*JS, &*RULES_FILE].into_iter().find(|asset| asset.url == req.path());
    let asset = found.ok_or(Problem::NotFound)?;
    let mut answer = HttpResponse::Ok();
    answer.insert_header((header::CONTENT_TYPE, asset.mime));
    answer.insert_header((header::CACHE_CONTROL, "public, max-age=31536000, immutable"));
    answer.insert_header((header::VARY, "Accept-Encoding"));
    let accepts = req.headers().get(header::ACCEPT_ENCODING).and_then(|v| v.to_str().ok()).unwrap_or("");
    if accepts.contains("gzip") {
        return Ok(answer.insert_header((header::CONTENT_ENCODING, "gzip")).body(asset.gzip.as_slice()));
    }
    Ok(answer.body(asset.plain.as_slice()))
}
