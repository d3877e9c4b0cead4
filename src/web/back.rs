//! The way back that an address carries along, to where somebody wanted to go before something was asked of them.

use actix_web::HttpRequest;
use url::form_urlencoded::{Serializer, parse};

/// Where the address says that somebody wants to go on; "" when it does not.
pub fn way_back(req: &HttpRequest) -> String {
    let mut query = parse(req.query_string().as_bytes());
    query.find(|(name, _)| name == "back").map(|(_, back)| own_path(&back)).unwrap_or_default()
}

/// A path of this console, or nothing: a link must not lead people from here to another site.
pub fn own_path(back: &str) -> String {
    let fine =
        back.starts_with('/') && !back.starts_with("//") && !back.contains('\\') && !back.contains(char::is_control);
    if fine && !back.starts_with("/sign-") { back.to_owned() } else { String::new() }
}

/// This page, with the way back from it.
pub fn with_way_back(path: &str, back: &str) -> String {
    if back.is_empty() {
        return path.to_owned();
    }
    format!("{path}?{}", Serializer::new(String::new()).append_pair("back", back).finish())
}

#[cfg(test)]
mod tests {
    use super::own_path;

    #[test]
    fn the_way_back_never_leads_elsewhere() {
        for foreign in ["//evil.example", "https://evil.example", "/\\evil.example", "evil", "/a\r\nx: y", "/sign-out"]
        {
            assert_eq!(own_path(foreign), "", "{foreign}");
        }
        assert_eq!(own_path("/a/ac-x/billing?x=1"), "/a/ac-x/billing?x=1");
    }
}
