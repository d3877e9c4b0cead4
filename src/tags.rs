//! Tags of networks, ports and connections: names with values, which people choose to find things again.

use std::collections::HashMap;

use diesel::prelude::*;

use crate::ids::Key;
use crate::problem::Problem;
use crate::store::Db;
use crate::store::dialect::Run;
use crate::store::schema::resource_tags;

/// Tags that one thing can have.
pub const MOST: usize = 50;

pub type Tags = Vec<(String, String)>;

/// Tags as typed, `name: value` or `name=value` on each line, sorted by name.
pub fn of_text(typed: &str) -> Result<Tags, String> {
    let mut tags: Tags = Vec::new();
    for line in typed.lines().map(str::trim).filter(|line| !line.is_empty()) {
        if tags.len() >= MOST {
            return Err(format!("Enter at most {MOST} tags; there are more"));
        }
        let shown: String = line.chars().take(40).collect();
        let Some((name, value)) = line.split_once([':', '=']) else {
            return Err(format!("Write each tag as “name: value” or “name=value”; “{shown}” is neither"));
        };
        let (name, value) = (name.trim(), value.trim());
        if name.is_empty() || name.chars().count() > 64 || value.chars().count() > 256 {
            return Err(format!("A tag's name has 1 to 64 characters and its value up to 256; see “{shown}”"));
        }
        if tags.iter().any(|(known, _)| known == name) {
            return Err(format!("The tag “{name}” is there twice"));
        }
        tags.push((name.to_owned(), value.to_owned()));
    }
    tags.sort();
    Ok(tags)
}

/// As they are typed.
pub fn text(tags: &[(String, String)]) -> String {
    tags.iter().map(|(name, value)| format!("{name}: {value}")).collect::<Vec<_>>().join("\n")
}

/// In one line: `cost-centre: 42, region: eu`.
pub fn line(tags: &[(String, String)]) -> String {
    tags.iter().map(|(name, value)| format!("{name}: {value}")).collect::<Vec<_>>().join(", ")
}

/// The tags of one thing of the account.
pub fn of(db: &mut Db, account: Key, subject: &str) -> Result<Tags, Problem> {
    Ok(resource_tags::table
        .filter(resource_tags::account_key.eq(account))
        .filter(resource_tags::subject_id.eq(subject))
        .order(resource_tags::name)
        .select((resource_tags::name, resource_tags::value))
        .rows(db)?)
}

/// The tags of many things, whose accounts are known to be readable.
pub fn of_many(db: &mut Db, subjects: &[String]) -> Result<HashMap<String, Tags>, Problem> {
    let rows: Vec<(String, String, String)> = resource_tags::table
        .filter(resource_tags::subject_id.eq_any(subjects.to_vec()))
        .order((resource_tags::subject_id, resource_tags::name))
        .select((resource_tags::subject_id, resource_tags::name, resource_tags::value))
        .rows(db)?;
    let mut tags: HashMap<String, Tags> = HashMap::new();
    for (subject, name, value) in rows {
        tags.entry(subject).or_default().push((name, value));
    }
    Ok(tags)
}

/// Puts these in place of the tags that the thing has.
pub fn replace(db: &mut Db, account: Key, subject: &str, tags: &[(String, String)]) -> Result<(), Problem> {
    forget(db, account, subject)?;
    for (name, value) in tags {
        diesel::insert_into(resource_tags::table)
            .values((
                resource_tags::account_key.eq(account),
                resource_tags::subject_id.eq(subject),
                resource_tags::name.eq(name),
                resource_tags::value.eq(value),
            ))
            .execute(db)?;
    }
    Ok(())
}

/// The thing is gone, and its tags with it.
pub fn forget(db: &mut Db, account: Key, subject: &str) -> Result<(), Problem> {
    let known = resource_tags::table.filter(resource_tags::account_key.eq(account));
    diesel::delete(known.filter(resource_tags::subject_id.eq(subject))).execute(db)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_are_lines_of_name_and_value() {
        let tags = of_text("region: eu\ncost=42\n\n").unwrap();
        assert_eq!(tags, [("cost".to_owned(), "42".to_owned()), ("region".to_owned(), "eu".to_owned())]);
        assert_eq!(of_text(&text(&tags)).unwrap(), tags);
        assert_eq!(line(&tags), "cost: 42, region: eu");
        for wrong in ["no separator", ": x", "a: 1\na: 2"] {
            assert!(of_text(wrong).is_err(), "{wrong}");
        }
    }
}
