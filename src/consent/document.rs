//! The legal documents as values: two kinds, each in versions that are never changed. Which version holds at a moment
//! is computed here from the whole shelf, which is small; nothing is cached, so a version is in force on every instance
//! at the same moment. The texts themselves are read only where they are shown.

use chrono::NaiveDateTime;

use crate::ids::Key;
use crate::problem::Problem;

/// The two documents that every account accepts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Kind {
    Msa,
    Aup,
}

impl Kind {
    pub const EVERY: [Kind; 2] = [Kind::Msa, Kind::Aup];

    /// As it is stored.
    pub fn code(self) -> &'static str {
        match self {
            Kind::Msa => "MSA",
            Kind::Aup => "AUP",
        }
    }

    /// As it stands in addresses, in commands and as the name of a check box.
    pub fn slug(self) -> &'static str {
        match self {
            Kind::Msa => "msa",
            Kind::Aup => "aup",
        }
    }

    pub fn name(self) -> &'static str {
        match self {
            Kind::Msa => "Master Service Agreement",
            Kind::Aup => "Acceptable Use Policy",
        }
    }

    pub fn of_code(code: &str) -> Option<Kind> {
        Kind::EVERY.into_iter().find(|kind| kind.code() == code)
    }

    pub fn of_slug(slug: &str) -> Option<Kind> {
        Kind::EVERY.into_iter().find(|kind| kind.slug() == slug)
    }
}

/// One version of one document, without its text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Document {
    pub key: Key,
    pub kind: Kind,
    pub version: i64,
    pub title: String,
    /// Of the text as it was published, byte by byte.
    pub sha256: String,
    pub effective_at: NaiveDateTime,
    pub published_at: NaiveDateTime,
}

impl Document {
    /// "Master Service Agreement, version 2"
    pub fn words(&self) -> String {
        format!("{}, version {}", self.kind.name(), self.version)
    }

    /// For a banner while the version is announced: "The Acceptable Use Policy, version 2, is needed from 1 May 2027".
    pub fn announcement(&self) -> String {
        format!("The {}, is needed from {}", self.words(), self.effective_at.format("%-d %B %Y"))
    }

    /// Where this very version stays for ever.
    pub fn path(&self) -> String {
        format!("/legal/{}/{}", self.kind.slug(), self.version)
    }

    /// The text as it was published, to download.
    pub fn text_path(&self) -> String {
        format!("{}.txt", self.path())
    }
}

/// Every version of every document, by kind and version.
#[derive(Debug, Clone)]
pub struct Shelf(pub(super) Vec<Document>);

impl Shelf {
    pub fn of(&self, kind: Kind) -> impl DoubleEndedIterator<Item = &Document> {
        self.0.iter().filter(move |document| document.kind == kind)
    }

    pub fn find(&self, kind: Kind, version: i64) -> Option<&Document> {
        self.of(kind).find(|document| document.version == version)
    }

    fn holding(&self, kind: Kind, at: NaiveDateTime) -> Option<&Document> {
        self.of(kind).rfind(|document| document.effective_at <= at)
    }

    /// What holds at this moment, one of each kind. A console without its agreements is a bug, not a free pass.
    pub fn in_force(&self, at: NaiveDateTime) -> Result<Vec<&Document>, Problem> {
        let holding = Kind::EVERY.into_iter().map(|kind| self.holding(kind, at));
        holding.collect::<Option<Vec<_>>>().ok_or_else(|| Problem::bug("a legal document has no version in force"))
    }

    /// What was published and will hold later, the nearest first within each kind.
    pub fn announced(&self, at: NaiveDateTime) -> Vec<&Document> {
        let later = |document: &&Document| document.effective_at > at;
        // A version that another one overtakes on the same day will never be needed.
        let will_hold = |d: &&Document| self.holding(d.kind, d.effective_at).is_some_and(|one| one.key == d.key);
        self.0.iter().filter(later).filter(will_hold).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn moment(day: u32) -> NaiveDateTime {
        chrono::NaiveDate::from_ymd_opt(2026, 11, day).and_then(|d| d.and_hms_opt(0, 0, 0)).expect("a day of November")
    }

    fn shelf(versions: &[(Kind, i64, u32)]) -> Shelf {
        let document = |(n, (kind, version, day)): (usize, &(Kind, i64, u32))| Document {
            key: n as Key,
            kind: *kind,
            version: *version,
            title: kind.name().to_owned(),
            sha256: String::new(),
            effective_at: moment(*day),
            published_at: moment(1),
        };
        Shelf(versions.iter().enumerate().map(document).collect())
    }

    fn numbers(documents: &[&Document]) -> Vec<(Kind, i64)> {
        documents.iter().map(|d| (d.kind, d.version)).collect()
    }

    #[test]
    fn a_version_holds_from_its_moment_on_and_the_one_before_until_then() {
        let shelf = shelf(&[(Kind::Msa, 1, 1), (Kind::Msa, 2, 10), (Kind::Aup, 1, 1)]);
        let before = moment(10) - chrono::Duration::microseconds(1);
        assert_eq!(numbers(&shelf.in_force(before).unwrap()), [(Kind::Msa, 1), (Kind::Aup, 1)]);
        assert_eq!(numbers(&shelf.announced(before)), [(Kind::Msa, 2)]);
        assert_eq!(numbers(&shelf.in_force(moment(10)).unwrap()), [(Kind::Msa, 2), (Kind::Aup, 1)]);
        assert!(shelf.announced(moment(10)).is_empty());
    }

    #[test]
    fn of_two_versions_for_one_day_only_the_higher_one_is_announced() {
        let shelf = shelf(&[(Kind::Msa, 1, 1), (Kind::Msa, 2, 10), (Kind::Msa, 3, 10), (Kind::Aup, 1, 1)]);
        assert_eq!(numbers(&shelf.announced(moment(5))), [(Kind::Msa, 3)]);
    }

    #[test]
    fn without_a_version_of_each_nothing_is_taken_for_accepted() {
        assert!(matches!(shelf(&[(Kind::Msa, 1, 1)]).in_force(moment(5)), Err(Problem::Bug(_))));
    }
}
