//! Finding accounts by words of the name, the id or its start, tags, and names along the path (`acme / eu`). Only
//! accounts and ancestors that the person may see count, so that a search cannot tell what a page would not.

use diesel::prelude::*;
use diesel::sql_types::{BigInt, Text, Timestamp};

use crate::ids::{self, Key};
use crate::problem::Problem;
use crate::store::Db;
use crate::store::dialect::MultiBackend;
use crate::text::{like_anywhere, name_key};

/// Hits shown at once.
pub const MOST_HITS: usize = 50;
/// Hits are counted up to here.
const COUNTED: i64 = 1000;
/// Words looked at; what somebody pastes beyond these narrows nothing.
const MOST_WORDS: usize = 8;

/// What somebody typed, taken apart.
#[derive(Debug, PartialEq, Eq)]
pub struct Wanted {
    /// Words that the account itself must have in its name or tags.
    own: Vec<String>,
    /// Words that the account or a visible ancestor must have; with these, one at least must be the account's own.
    any: Vec<String>,
    /// Words that a visible ancestor must have.
    above: Vec<String>,
    /// The text as the start of an id.
    id: String,
    /// The whole text folded, for putting names that begin with it first.
    start: String,
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
}

/// SQL in pieces with its texts; `$1` is the person, `$2` the moment.
struct Sql {
    text: String,
    binds: Vec<String>,
}

impl Sql {
    fn bind(&mut self, value: String) -> String {
        self.binds.push(value);
        format!("${}", self.binds.len() + 2)
    }
}

/// Whether the person may see the account called `alias`.
fn visible(alias: &str) -> String {
    format!(
        "EXISTS (SELECT 1 FROM account_ancestry v JOIN assignments s ON s.account_key = v.ancestor_key
                 WHERE v.descendant_key = {alias}.key AND s.user_key = $1 AND s.ends_at > $2
                   AND (s.scope = 'here_and_below' OR (s.scope = 'here' AND v.distance = 0)
                        OR (s.scope = 'below' AND v.distance > 0)))"
    )
}

fn conditions(wanted: &Wanted) -> Sql {
    let mut sql = Sql { text: format!("a.closed_at IS NULL AND {}", visible("a")), binds: Vec::new() };
    let own = |n: &str| {
        format!(
            "(a.name_key LIKE {n} ESCAPE '\\' OR EXISTS (SELECT 1 FROM account_tags t
              WHERE t.account_key = a.key AND t.value_key LIKE {n} ESCAPE '\\'))"
        )
    };
    let above = |n: &str| {
        format!(
            "EXISTS (SELECT 1 FROM account_ancestry x JOIN accounts p ON p.key = x.ancestor_key
                     WHERE x.descendant_key = a.key AND x.distance > 0 AND p.name_key LIKE {n} ESCAPE '\\' AND {})",
            visible("p")
        )
    };
    let mut all = Vec::new();
    for word in &wanted.own {
        let n = sql.bind(like_anywhere(word));
        all.push(own(&n));
    }
    for word in &wanted.above {
        let n = sql.bind(like_anywhere(word));
        all.push(above(&n));
    }
    let mut some_own = Vec::new();
    for word in &wanted.any {
        let n = sql.bind(like_anywhere(word));
        all.push(format!("({} OR {})", own(&n), above(&n)));
        some_own.push(own(&n));
    }
    if !some_own.is_empty() {
        all.push(format!("({})", some_own.join(" OR ")));
    }
    let id = sql.bind(wanted.id.clone());
    let words = if all.is_empty() { "1 = 0".to_owned() } else { all.join(" AND ") };
    // Four characters at least: fewer are in too many ids to mean one.
    let by_id = format!(
        "(length({id}) > 3 AND (substr(a.id, 1, length({id})) = {id} OR substr(a.id, 4, length({id})) = {id}))"
    );
    sql.text.push_str(&format!(" AND (({words}) OR {by_id})"));
    sql
}

#[derive(QueryableByName)]
struct KeyRow {
    #[diesel(sql_type = BigInt)]
    key: Key,
}

/// The keys of what matches, at most one more than is shown.
pub fn keys(db: &mut Db, user: Key, wanted: &Wanted) -> Result<Vec<Key>, Problem> {
    let mut sql = conditions(wanted);
    let prefix = like_anywhere(&wanted.start);
    let start = sql.bind(prefix[1..].to_owned());
    let text = format!(
        "SELECT a.key AS key FROM accounts a WHERE {}
         ORDER BY CASE WHEN a.name_key LIKE {start} ESCAPE '\\' THEN 0 ELSE 1 END, a.name_key, a.key LIMIT {}",
        sql.text,
        MOST_HITS + 1
    );
    Ok(run(db, user, text, sql.binds)?.into_iter().map(|row| row.key).collect())
}

/// How many match, up to [`COUNTED`].
pub fn count(db: &mut Db, user: Key, wanted: &Wanted) -> Result<i64, Problem> {
    let sql = conditions(wanted);
    let text = format!(
        "SELECT COUNT(*) AS key FROM (SELECT 1 AS one FROM accounts a WHERE {} LIMIT {COUNTED}) found",
        sql.text
    );
    Ok(run(db, user, text, sql.binds)?.first().map_or(0, |row| row.key))
}

fn run(db: &mut Db, user: Key, text: String, binds: Vec<String>) -> Result<Vec<KeyRow>, Problem> {
    let mut query =
        diesel::sql_query(text).into_boxed::<MultiBackend>().bind::<BigInt, _>(user).bind::<Timestamp, _>(ids::now());
    for value in binds {
        query = query.bind::<Text, _>(value);
    }
    Ok(query.load(db)?)
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
