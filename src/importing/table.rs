//! A file as it was sent becomes a table: which columns, in which order, and each line's cells. What is wrong with the
//! file as a whole is said here in one sentence; single lines are looked at later (`lines`).

use crate::web::csv::as_written;

/// Lines of one file.
pub const MOST_LINES: usize = 5_000;
/// Bytes of one file: what a form may have, less what goes with it.
pub const MOST_BYTES: usize = 1_500_000;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Column {
    Name,
    Parent,
    Reference,
    Description,
    Contacts,
    Tags,
    Agreements,
    /// One of our own files has it and an import has no use for it.
    PassedOver,
}

impl Column {
    /// Those that a file may have, as they are written in the pattern.
    pub const KNOWN: [Column; 7] = [
        Column::Name,
        Column::Parent,
        Column::Reference,
        Column::Description,
        Column::Contacts,
        Column::Tags,
        Column::Agreements,
    ];

    pub fn word(self) -> &'static str {
        match self {
            Column::Name => "name",
            Column::Parent => "parent",
            Column::Reference => "external_reference",
            Column::Description => "description",
            Column::Contacts => "contacts",
            Column::Tags => "tags",
            Column::Agreements => "agreements",
            Column::PassedOver => "",
        }
    }

    fn of_head(head: &str) -> Option<Column> {
        let bare: String = head.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect();
        let known = |column: &Column| column.word().replace('_', "") == bare;
        let own = ["id", "children", "accountsbelow", "payment", "state", "createdat", "line", "result", "reason"];
        match bare.as_str() {
            // As the list of child accounts is exported.
            "technicalcontactemails" => Some(Column::Contacts),
            "path" => Some(Column::Parent),
            own_word if own.contains(&own_word) => Some(Column::PassedOver),
            _ => Column::KNOWN.into_iter().find(known),
        }
    }
}

/// One line of the file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// As an editor numbers it, from 1.
    pub line: i64,
    /// As they were before a file of ours was made of them; one for each column, and what is too much.
    pub cells: Vec<String>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Table {
    pub head: Vec<String>,
    pub columns: Vec<Column>,
    pub records: Vec<Record>,
}

/// The columns that have a name and are not read.
pub fn passed_over(head: &[String]) -> Vec<String> {
    let kinds = columns(head).unwrap_or_default();
    let named = head.iter().zip(kinds).filter(|(name, kind)| *kind == Column::PassedOver && !name.is_empty());
    named.map(|(name, _)| name.clone()).collect()
}

/// The columns that a head names. The complaint says what to do about it.
pub fn columns(head: &[String]) -> Result<Vec<Column>, String> {
    let mut columns = Vec::with_capacity(head.len());
    for name in head {
        let shown: String = name.chars().filter(|c| !c.is_control()).take(40).collect();
        let column = match Column::of_head(name) {
            Some(column) => column,
            // A column without a name, as spreadsheets leave them behind.
            None if name.is_empty() => Column::PassedOver,
            None => return Err(format!("There is no column called “{shown}”. Known are: {}", known())),
        };
        columns.push(column);
    }
    let is = |word: &str| head.iter().position(|name| name.to_lowercase() == word);
    // In a result of ours the path is that of what was made.
    if let (Some(path), Some(_)) = (is("path"), is("result").or(is("parent"))) {
        columns[path] = Column::PassedOver;
    }
    // In an export of the list, words for people.
    if is("createdat").is_some() {
        columns.iter_mut().filter(|c| **c == Column::Agreements).for_each(|c| *c = Column::PassedOver);
    }
    for column in Column::KNOWN {
        if columns.iter().filter(|known| **known == column).count() > 1 {
            return Err(format!("The column “{}” is there twice", column.word()));
        }
    }
    if !columns.contains(&Column::Name) {
        return Err(format!("The first line must name the columns, and one of them “name”. Known are: {}", known()));
    }
    Ok(columns)
}

fn known() -> String {
    Column::KNOWN.map(Column::word).join(", ")
}

/// Why this is no text, if so. `name`: what the file was called; empty for text that was typed.
fn refusal(text: &str, name: &str) -> Option<&'static str> {
    let ending = name.rsplit('.').next().unwrap_or_default().to_lowercase();
    if !name.is_empty() && !["csv", "txt"].contains(&ending.as_str()) {
        return Some("The file must be a CSV file: its name ends with .csv or .txt");
    }
    if text.starts_with("PK") || text.starts_with('\u{FFFD}') {
        return Some("That is no CSV file; save it from your spreadsheet as “CSV UTF-8”");
    }
    if text.contains('\u{FFFD}') {
        return Some("The file has characters that could not be read; save it as “CSV UTF-8”");
    }
    let strange = |c: char| c.is_control() && !matches!(c, '\n' | '\r' | '\t');
    text.chars().any(strange).then_some("That is no text; save it from your spreadsheet as “CSV UTF-8”")
}

/// Reads a file. Commas, semicolons or tabs between the cells, as the first line has them.
pub fn read(text: &str, name: &str) -> Result<Table, String> {
    if text.len() > MOST_BYTES {
        return Err("The file must be 1.5 MB or smaller; split it into several".to_owned());
    }
    if let Some(why) = refusal(text, name) {
        return Err(why.to_owned());
    }
    let text = text.strip_prefix('\u{FEFF}').unwrap_or(text);
    let first = text.trim_start().lines().next().unwrap_or_default();
    // A line with which spreadsheets tell each other what is between the cells.
    let told = first.strip_prefix("sep=").filter(|sep| sep.len() == 1).map(|sep| sep.as_bytes()[0]);
    let between = told.unwrap_or_else(|| most_frequent(first));
    let mut reader =
        csv::ReaderBuilder::new().has_headers(false).flexible(true).delimiter(between).from_reader(text.as_bytes());
    let (mut lines, mut table) = (Lines { text: text.as_bytes(), at: 0, line: 1 }, None::<Table>);
    let mut record = csv::StringRecord::new();
    while reader.read_record(&mut record).map_err(|_| "The file could not be read as CSV".to_owned())? {
        let line = lines.of(record.position().map_or(0, csv::Position::byte));
        let cells: Vec<String> = record.iter().map(|cell| as_written(cell.trim()).to_owned()).collect();
        if cells.iter().all(String::is_empty) || (told.is_some() && table.is_none() && cells[0] == "sep=") {
            continue;
        }
        let Some(table) = &mut table else {
            table = Some(Table { columns: columns(&cells)?, head: cells, records: Vec::new() });
            continue;
        };
        if table.records.len() == MOST_LINES {
            return Err("At most 5,000 lines can be imported at once; there are more. Split the file".to_owned());
        }
        table.records.push(Record { line, cells });
    }
    match table {
        Some(table) if table.records.is_empty() => Err("There is no line below the names of the columns".to_owned()),
        Some(table) => Ok(table),
        None => Err("There is nothing in it".to_owned()),
    }
}

fn most_frequent(line: &str) -> u8 {
    let count = |mark: u8| line.bytes().filter(|b| *b == mark).count();
    [b'\t', b';', b','].into_iter().max_by_key(|mark| count(*mark)).unwrap_or(b',')
}

/// Counts lines on the way through the text.
struct Lines<'a> {
    text: &'a [u8],
    at: usize,
    line: i64,
}

impl Lines<'_> {
    /// The line in which the record begins that was read from here on: empty lines before it are not its own.
    fn of(&mut self, byte: u64) -> i64 {
        let mut to = usize::try_from(byte).unwrap_or(0).clamp(self.at, self.text.len());
        while matches!(self.text.get(to), Some(b'\n' | b'\r')) {
            to += 1;
        }
        self.line += self.text[self.at..to].iter().filter(|b| **b == b'\n').count() as i64;
        self.at = to;
        self.line
    }
}

#[cfg(test)]
#[path = "table_tests.rs"]
mod tests;
