//! One line of a file, looked at by itself, with the rules and in the words of the form that makes one child account.

use serde::{Deserialize, Serialize};

use super::table::{Column, Record, Table};
use crate::accounts::{Details, MOST_CONTACTS};
use crate::ids;
use crate::problem::Problem;
use crate::tags;
use crate::web::Form;

/// A parent is named by a path at most.
const LONGEST_PARENT: usize = 4_000;

/// Something that is wrong with a line, at one of its columns.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Complaint {
    /// Empty for the line as a whole.
    pub column: String,
    pub words: String,
}

impl Complaint {
    pub fn new(column: Column, words: impl Into<String>) -> Complaint {
        Complaint { column: column.word().to_owned(), words: words.into() }
    }
}

/// What a line says.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Line {
    #[serde(skip)]
    pub line: i64,
    pub cells: Vec<String>,
    pub name: String,
    pub description: String,
    pub contacts: Vec<String>,
    pub tags: Vec<(String, String)>,
    /// As it is written there.
    pub parent: String,
    pub reference: String,
    pub accept: bool,
    pub complaints: Vec<Complaint>,
    /// What is no mistake and could be one.
    pub warning: String,
    /// The names from below the account of the import down to it.
    pub path: String,
}

impl Line {
    pub fn details(&self) -> Details {
        Details {
            name: self.name.clone(),
            description: self.description.clone(),
            contacts: self.contacts.clone(),
            tags: self.tags.clone(),
        }
    }

    pub fn complain(&mut self, column: Column, words: impl Into<String>) {
        self.complaints.push(Complaint::new(column, words));
    }

    pub fn complains_of(&self, column: Column) -> bool {
        self.complaints.iter().any(|complaint| complaint.column == column.word())
    }

    pub fn is_wrong(&self) -> bool {
        !self.complaints.is_empty()
    }
}

/// Every line with what is wrong about it alone.
pub fn read(table: Table) -> Vec<Line> {
    let Table { head, columns, records } = table;
    records.into_iter().map(|record| line(head.len(), &columns, record)).collect()
}

fn line(width: usize, columns: &[Column], record: Record) -> Line {
    let Record { line, mut cells } = record;
    let too_many = cells.len() > width;
    cells.resize(width, String::new());
    let cell = |column: Column| {
        columns.iter().position(|c| *c == column).map_or_else(String::new, |place| cells[place].clone())
    };
    let form = Form::of(Column::KNOWN.map(|column| {
        let value = cell(column);
        let value = match column {
            // Several are written with blanks between them as well.
            Column::Contacts => value.split_whitespace().collect::<Vec<_>>().join(";"),
            Column::Agreements => value.to_lowercase(),
            _ => value,
        };
        (column.word(), value)
    }));
    let mut check = form.check();
    if too_many {
        check.note(
            "",
            Some("The line has more cells than there are columns; put quotes around texts with a comma".to_owned()),
        );
    }
    let name = check.line("name", "Name", 1, 64);
    let parent = check.line("parent", "Parent", 0, LONGEST_PARENT);
    let reference = check.line("external_reference", "External reference", 0, 64);
    if ids::looks_like_id("ac", &reference) {
        check.note("external_reference", Some("An external reference must not look like an account's id".to_owned()));
    }
    let description = check.block("description", "Description", 0, 256);
    let contacts = check.emails("contacts", "Technical contact email", MOST_CONTACTS);
    let typed = check.block("tags", "Tags", 0, 20_000);
    let tags = tags::of_text(&typed.replace(';', "\n")).unwrap_or_else(|why| {
        check.note("tags", Some(why));
        Vec::new()
    });
    let offered = [("accept", true), ("leave", false), ("", false)];
    let accept = check.one_of("agreements", "Write accept or leave, or nothing", &offered).unwrap_or(false);
    let complaints = match check.finish() {
        Err(Problem::Invalid(errors)) => {
            errors.0.into_iter().map(|(column, words)| Complaint { column, words }).collect()
        }
        _ => Vec::new(),
    };
    Line { line, cells, name, description, contacts, tags, parent, reference, accept, complaints, ..Line::default() }
}

#[cfg(test)]
mod tests {
    use super::super::table;
    use super::*;

    fn lines(text: &str) -> Vec<Line> {
        read(table::read(text, "").expect("it can be read"))
    }

    #[test]
    fn a_right_line_says_everything() {
        let text = "name;contacts;tags;agreements;external_reference;parent\n\
            Lab;a@x.com b@x.com;\"region=eu; cost: 4\";Accept;R-1;North / Sea\n";
        let [line] = &lines(text)[..] else { panic!("one line") };
        assert!(line.complaints.is_empty(), "{:?}", line.complaints);
        assert_eq!((line.contacts.len(), line.accept, line.reference.as_str()), (2, true, "R-1"));
        assert_eq!(line.tags[1], ("region".to_owned(), "eu".to_owned()));
        assert_eq!(line.parent, "North / Sea");
    }

    #[test]
    fn every_complaint_names_its_column() {
        let text = format!(
            "name,external_reference,contacts,tags,agreements,description\n,ac-{},x,y,maybe,{}\nA,,,,,,more\n",
            "a".repeat(22),
            "d".repeat(257)
        );
        let lines = lines(&text);
        let columns: Vec<&str> = lines[0].complaints.iter().map(|c| c.column.as_str()).collect();
        assert_eq!(columns, ["name", "external_reference", "description", "contacts", "tags", "agreements"]);
        assert!(lines[1].complaints[0].words.contains("more cells"));
    }
}
