//! Finding accounts by what somebody typed. Only accounts and ancestors that the person may see count, so that a search
//! cannot tell what a page would not. The plan goes by how much the person sees: a few thousand accounts are looked
//! through; beyond, names that begin with the text are one index range, a rare text is looked up in the index of parts,
//! and for a frequent one the names are walked along in order, which finds it soon.

use super::reach::Reach;
use super::texts::{Above, Found, MOST_IDS, Tagged, Texts, begins_id, candidates, named, tagged};
use super::wanted::Wanted;
use crate::ids::Key;
use crate::problem::Problem;
use crate::store::Db;
use crate::store::dialect::{self, Run, Value, said_once};
use crate::store::sql::{is_open, list, there_is};
use crate::text::like_anywhere;

/// Hits shown at once.
pub const MOST_HITS: usize = 50;
/// Hits are counted up to here.
pub const COUNTED: usize = 1_000;
/// Accounts that are looked through one by one.
const SMALL: i64 = 5_000;
/// Names walked along for a frequent text.
const WALKED: usize = 5_000;

/// What was found, names that begin with the text first.
#[derive(Debug, Default)]
pub struct Hits {
    /// One more than is shown where there are more.
    pub keys: Vec<Key>,
    /// How many there are, up to [`COUNTED`]; None where that is not known.
    pub total: Option<usize>,
}

/// All that this person may see and that matches.
pub fn find(db: &mut Db, user: Key, wanted: &Wanted) -> Result<Hits, Problem> {
    let reach = Reach::of(db, user)?;
    if reach.accounts <= SMALL {
        let range = reach.range("");
        let mut above = Above::new();
        for word in wanted.of_ancestors() {
            above.extend(named(db, &range, word)?.map(|keys| (word.clone(), keys)));
        }
        let words = Words { above, tagged: Tagged::new() };
        return Ok(counted(Search::new(&reach, wanted, &words, true).starts_first(db, &range, COUNTED)?));
    }
    let mut hits = if wanted.above.is_empty() { beginning(db, wanted, &reach)? } else { Vec::new() };
    if hits.len() > MOST_HITS {
        return Ok(Hits { keys: hits, total: None });
    }
    let mut texts = Texts::default();
    let rare = candidates(db, wanted, &mut texts)?;
    if rare.as_ref().is_some_and(Vec::is_empty) {
        return Ok(counted(hits));
    }
    // Of names that are walked along few are left when it comes to those above.
    let mut above = Above::new();
    for word in wanted.of_ancestors().filter(|_| rare.is_some()) {
        if let Some(keys) = texts.with(db, word)? {
            above.extend(named(db, &reach.of_these(&keys), word)?.map(|keys| (word.clone(), keys)));
        }
    }
    let (range, most) = match &rare {
        Some(keys) => (reach.of_these(keys), COUNTED),
        None => {
            // Several branches have no common order to stop in.
            let order = if reach.wide.len() == 1 { "ORDER BY name_key, descendant_key" } else { "" };
            (reach.range(&format!("{order} LIMIT {WALKED}")), MOST_HITS + 1 + hits.len())
        }
    };
    let tagged = if rare.is_none() { tagged(db, wanted)? } else { Tagged::new() };
    let words = Words { above, tagged };
    // Where all names are walked along, an id would have to be read of each: those are looked up.
    let mut others = Search::new(&reach, wanted, &words, rare.is_some()).run(db, &range, most)?;
    if rare.is_none() && !begins_id(wanted).is_empty() {
        let keys = dialect::with_id(db, begins_id(wanted), MOST_IDS)?;
        if !keys.is_empty() {
            others.extend(Search::new(&reach, wanted, &words, true).run(db, &reach.of_these(&keys), MOST_IDS)?);
        }
    }
    hits.extend(others.into_iter().filter(|key| !hits.contains(key)).collect::<Vec<_>>());
    Ok(if rare.is_some() { counted(hits) } else { Hits { keys: hits, total: None } })
}

fn counted(mut keys: Vec<Key>) -> Hits {
    let total = Some(keys.len());
    keys.truncate(MOST_HITS + 1);
    Hits { keys, total }
}

/// Accounts in reach whose name begins with the whole text.
fn beginning(db: &mut Db, wanted: &Wanted, reach: &Reach) -> Result<Vec<Key>, Problem> {
    let mut search = Search::default();
    let (from, to) = (search.bind(wanted.start.clone()), search.bind(format!("{}\u{10ffff}", wanted.start)));
    search.conditions = is_open();
    search.run(db, &reach.beginning(&from, &to), MOST_HITS + 1)
}

/// What is known of the words.
struct Words {
    above: Above,
    tagged: Tagged,
}

impl Words {
    /// One of these words, each with its parameter, is in its name or a tag.
    fn own(&self, words: &[(&String, String)]) -> String {
        let like = |column: &str, n: &String| format!("{column} LIKE {n} ESCAPE '\\'");
        let mut all: Vec<String> = words.iter().map(|(_, n)| like("r.name_key", n)).collect();
        let known = words.iter().filter_map(|(word, _)| self.tagged.get(*word)).filter(|keys| !keys.is_empty());
        all.extend(known.map(|keys| format!("r.key IN ({})", list(keys))));
        let unknown = words.iter().filter(|(word, _)| !self.tagged.contains_key(*word));
        let unknown: Vec<String> = unknown.map(|(_, n)| like("t.value_key", n)).collect();
        if !unknown.is_empty() {
            let tag = format!("account_tags t WHERE t.account_key = r.key AND ({})", unknown.join(" OR "));
            all.push(there_is(&tag));
        }
        format!("({})", all.join(" OR "))
    }
}

/// SQL in pieces with its texts. `r` is the range that is looked through, all of which the person may see.
#[derive(Default)]
struct Search {
    conditions: String,
    start: String,
    binds: Vec<String>,
}

impl Search {
    fn bind(&mut self, value: String) -> String {
        self.binds.push(value);
        format!("${}", self.binds.len())
    }

    /// `ids`: what begins with the text as an id matches as well.
    fn new(reach: &Reach, wanted: &Wanted, known: &Words, ids: bool) -> Search {
        let mut search = Search::default();
        let mut all = Vec::new();
        for word in &wanted.own {
            let n = search.bind(like_anywhere(word));
            all.push(known.own(&[(word, n)]));
        }
        for word in &wanted.above {
            let n = search.bind(like_anywhere(word));
            all.push(above(reach, known.above.get(word), &n));
        }
        let mut several = Vec::new();
        for word in &wanted.any {
            let n = search.bind(like_anywhere(word));
            all.push(format!("({} OR {})", known.own(&[(word, n.clone())]), above(reach, known.above.get(word), &n)));
            several.push((word, n));
        }
        if !several.is_empty() {
            // First, which only CASE can say: it costs least and leaves few.
            let some = known.own(&several);
            all = vec![format!("CASE WHEN {some} THEN {} ELSE 1 = 0 END", all.join(" AND "))];
        }
        let mut words = if all.is_empty() { "1 = 0".to_owned() } else { all.join(" AND ") };
        if ids && !begins_id(wanted).is_empty() {
            let id = search.bind(wanted.id.clone());
            let begins = there_is(&format!(
                "accounts a WHERE a.key = r.key
                 AND (substr(a.id, 1, length({id})) = {id} OR substr(a.id, 4, length({id})) = {id})"
            ));
            words = format!("(({words}) OR {begins})");
        }
        // CASE: PostgreSQL would ask each account whether it is open before it looks at the name.
        search.conditions = format!("CASE WHEN {words} THEN {} ELSE 1 = 0 END", is_open());
        search.start = search.bind(like_anywhere(&wanted.start)[1..].to_owned());
        search
    }

    /// At most `most` of the range, names that begin with the text first.
    fn starts_first(&self, db: &mut Db, range: &str, most: usize) -> Result<Vec<Key>, Problem> {
        let order =
            format!("CASE WHEN r.name_key LIKE {} ESCAPE '\\' THEN 0 ELSE 1 END, r.name_key, r.key", self.start);
        self.load(db, range, &order, most)
    }

    /// At most `most` of the range, in the order of names: one that has this order already is read no further than needed.
    fn run(&self, db: &mut Db, range: &str, most: usize) -> Result<Vec<Key>, Problem> {
        self.load(db, range, "r.name_key, r.key", most)
    }

    fn load(&self, db: &mut Db, range: &str, order: &str, most: usize) -> Result<Vec<Key>, Problem> {
        let text =
            format!("SELECT r.key AS key FROM ({range}) r WHERE {} ORDER BY {order} LIMIT {most}", self.conditions);
        // It lists keys.
        let query = said_once(text).bind_all(self.binds.iter().cloned().map(Value::from));
        Ok(query.rows::<Found>(db)?.into_iter().map(|row| row.key).collect())
    }
}

/// `named`: the accounts that may be meant, where they are known.
fn above(reach: &Reach, named: Option<&Vec<Key>>, n: &str) -> String {
    match named {
        Some(keys) if keys.is_empty() => "1 = 0".to_owned(),
        Some(keys) => there_is(&format!(
            "account_ancestry x WHERE x.descendant_key = r.key AND x.distance > 0 AND x.ancestor_key + 0 IN ({})",
            list(keys)
        )),
        None => there_is(&format!(
            "account_ancestry x JOIN accounts p ON p.key = x.ancestor_key
             WHERE x.descendant_key = r.key AND x.distance > 0 AND p.name_key LIKE {n} ESCAPE '\\' AND {}",
            reach.sees("p.key")
        )),
    }
}
