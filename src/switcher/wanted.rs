//! What somebody typed into the switcher, taken apart: words of the name, the id or its start, tags, and names along
//! the path (`acme / eu`).

use crate::text::name_key;

/// Words looked at; what somebody pastes beyond these narrows nothing.
const MOST_WORDS: usize = 8;

/// What somebody typed, taken apart.
#[derive(Debug, PartialEq, Eq)]
pub struct Wanted {
    /// Words that the account itself must have in its name or tags.
    pub own: Vec<String>,
    /// Words that the account or a visible ancestor must have; with these, one at least must be the account's own.
    pub any: Vec<String>,
    /// Words that a visible ancestor must have.
    pub above: Vec<String>,
    /// The text as the start of an id.
    pub id: String,
    /// The whole text folded, for putting names that begin with it first.
    pub start: String,
}

impl Wanted {
    /// None when there is nothing to look for.
    pub fn parse(text: &str) -> Option<Wanted> {
        let text: String = text.chars().filter(|c| !c.is_control()).take(200).collect();
        let words =
            |part: &str| name_key(part).split_whitespace().take(MOST_WORDS).map(str::to_owned).collect::<Vec<_>>();
        let id = text.trim().to_owned();
        let start = name_key(&text);
        if start.is_empty() {
            return None;
        }
        let (own, any, above) = match text.rsplit_once('/') {
            Some((path, name)) => (words(name), Vec::new(), words(&path.replace('/', " "))),
            None => match words(&text) {
                one if one.len() == 1 => (one, Vec::new(), Vec::new()),
                several => (Vec::new(), several, Vec::new()),
            },
        };
        Some(Wanted { own, any, above, id, start })
    }

    /// The words that an account above may have.
    pub fn of_ancestors(&self) -> impl Iterator<Item = &String> {
        self.above.iter().chain(&self.any)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slash_separates_the_path_from_the_name() {
        let wanted = Wanted::parse("Acme Group / EU").unwrap();
        assert_eq!((wanted.own, wanted.above), (vec!["eu".to_owned()], vec!["acme".to_owned(), "group".to_owned()]));
        assert_eq!(Wanted::parse("Berlin").unwrap().own, ["berlin"]);
        assert_eq!(Wanted::parse("berlin retail").unwrap().any, ["berlin", "retail"]);
        assert_eq!(Wanted::parse("  "), None);
    }
}
