//! Files as people and spreadsheets write them.

use super::*;

fn rows(text: &str) -> Vec<(i64, Vec<String>)> {
    let table = read(text, "x.csv").expect("it can be read");
    table.records.into_iter().map(|record| (record.line, record.cells)).collect()
}

fn row(line: i64, cells: &[&str]) -> (i64, Vec<String>) {
    (line, cells.iter().map(|cell| (*cell).to_owned()).collect())
}

#[test]
fn spreadsheets_of_all_countries_are_read() {
    let expected = [row(2, &["A", "b; c"]), row(3, &["D", ""])];
    assert_eq!(rows("name,contacts\nA,b; c\nD,\n"), expected);
    assert_eq!(rows("\u{FEFF}Name;Contacts\r\nA;\"b; c\"\r\nD;\r\n"), expected);
    assert_eq!(rows("NAME\tContacts\nA\tb; c\nD\t"), expected);
    assert_eq!(rows("sep=;\r\nname;contacts\r\nA;\"b; c\"\r\n"), [row(3, &["A", "b; c"])]);
}

#[test]
fn lines_are_counted_as_editors_do() {
    let text = "name,description\n\n\nA,\"one\ntwo\"\n,\n\nB,x\n";
    assert_eq!(rows(text), [row(4, &["A", "one\ntwo"]), row(8, &["B", "x"])]);
}

#[test]
fn what_our_own_files_wrote_is_read_as_it_was() {
    assert_eq!(rows("name,tags\n'=1+1,''-a\n"), [row(2, &["=1+1", "'-a"])]);
    let own = ["id", "name", "path", "technicalContactEmails", "agreements", "state", "createdAt", "externalReference"];
    let head = own.map(str::to_owned);
    use Column::*;
    let expected = [PassedOver, Name, Parent, Contacts, PassedOver, PassedOver, PassedOver, Reference];
    assert_eq!(columns(&head).unwrap(), expected);
    let result = ["name", "parent", "line", "result", "id", "path", "reason"].map(str::to_owned);
    assert_eq!(columns(&result).unwrap()[5], PassedOver);
    let result = ["name", "line", "result", "id", "path", "reason"].map(str::to_owned);
    assert_eq!(columns(&result).unwrap(), [Name, PassedOver, PassedOver, PassedOver, PassedOver, PassedOver]);
}

#[test]
fn the_whole_file_is_refused_in_a_sentence() {
    let long = format!("name\n{}", "A\n".repeat(MOST_LINES + 1));
    let large = format!("name\n{}", "x".repeat(MOST_BYTES));
    for (text, name, why) in [
        ("", "", "nothing in it"),
        ("name\n", "", "no line below"),
        ("name,colour\nA,red", "", "no column called “colour”. Known are: name, parent, external_reference"),
        ("parent\nA", "", "one of them “name”"),
        ("name,Name\nA,B", "", "“name” is there twice"),
        ("name\nA", "x.xlsx", ".csv or .txt"),
        ("PK\u{3}\u{4}", "x.csv", "no CSV file"),
        ("name\nK\u{FFFD}ln", "x.csv", "CSV UTF-8"),
        ("name\na\0b", "x.csv", "no text"),
        (long.as_str(), "", "5,000 lines"),
        (large.as_str(), "", "1.5 MB"),
    ] {
        let said = read(text, name).expect_err(why);
        assert!(said.contains(why), "{said}");
    }
    assert_eq!(rows(&format!("name\n{}", "A\n".repeat(MOST_LINES))).len(), MOST_LINES);
}
