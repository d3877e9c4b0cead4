//! A page as a person reads it: heading, title, text, tables, links by their words, fields by their labels, errors at
//! the field. Also its forms, with everything a browser would send. Works on the HTML alone, no script.

use std::fmt;

use actix_web::http::StatusCode;
use scraper::{ElementRef, Html, Selector};

use crate::browser::Answer;

#[derive(Clone, Default)]
pub struct Page {
    pub status: StatusCode,
    pub uri: String,
    pub body: String,
}

impl fmt::Display for Page {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}: {}", self.status.as_u16(), self.uri, self.text())
    }
}

fn select(css: &str) -> Selector {
    Selector::parse(css).expect("a selector")
}

/// The words of an element, blanks folded.
fn words(element: ElementRef) -> String {
    element.text().collect::<String>().split_whitespace().collect::<Vec<_>>().join(" ")
}

fn attribute(element: ElementRef, name: &str) -> String {
    element.value().attr(name).unwrap_or("").to_owned()
}

/// A text without what is drawn at random: our ids and tokens, in which any three letters turn up now and then. For
/// tests that a short name is nowhere.
pub fn without_random(text: &str) -> String {
    let ours = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    // Words that stand together without a blank are no token, however long.
    let is_drawn =
        |run: &str| run.len() >= 22 && run.contains(|c: char| c.is_ascii_digit()) && run.to_lowercase() != run;
    let mut left = String::new();
    for piece in text.split_inclusive(|c| !ours(c)) {
        let run = piece.trim_end_matches(|c| !ours(c));
        match run.find('-') {
            Some(dash) if run.get(dash + 1..dash + 23).is_some_and(is_drawn) => {
                left.push_str(&[&run[..dash], &run[dash + 23..]].concat());
            }
            _ if is_drawn(run) => (),
            _ => left.push_str(run),
        }
        left.push_str(&piece[run.len()..]);
    }
    left
}

#[test]
fn names_stay_where_ids_are_taken_out() {
    let text = "Lab 1 Gbit/sconn-acoLab-mCr6THDF7DrI2SwShop, nonce='0123456789Lab0123456789012' a-Lab";
    assert_eq!(without_random(text), "Lab 1 Gbit/sconnShop, nonce='' a-Lab");
    let words = "ConnectionsNetworksPortsLab the-name-of-a-class-that-holds-Lab";
    assert_eq!(without_random(words), words);
}

impl Page {
    pub fn read(uri: &str, answer: &Answer) -> Page {
        Page { status: answer.status, uri: uri.to_owned(), body: answer.text() }
    }

    pub fn html(&self) -> Html {
        Html::parse_document(&self.body)
    }

    pub fn path(&self) -> &str {
        self.uri.split('?').next().unwrap_or("")
    }

    fn first(&self, css: &str) -> String {
        self.html().select(&select(css)).next().map(words).unwrap_or_default()
    }

    pub fn all(&self, css: &str) -> Vec<String> {
        self.html().select(&select(css)).map(words).collect()
    }

    pub fn heading(&self) -> String {
        self.first("h1")
    }

    pub fn title(&self) -> String {
        self.first("title")
    }

    /// Everything in main, without the lines that only a printed page shows.
    pub fn text(&self) -> String {
        self.first("main").replacen(&self.first("main .print"), "", 1).trim().to_owned()
    }

    /// The cells of each row of the tables.
    pub fn rows(&self) -> Vec<Vec<String>> {
        let html = self.html();
        let cells = |row: ElementRef| row.select(&select("th, td")).map(words).collect();
        html.select(&select("main tbody tr")).map(cells).collect()
    }

    /// The rows of the table that has this column.
    pub fn rows_under(&self, column: &str) -> Vec<Vec<String>> {
        let html = self.html();
        let head = |table: &ElementRef| table.select(&select("thead th")).any(|cell| words(cell) == column);
        let cells = |row: ElementRef| row.select(&select("th, td")).map(words).collect();
        let table = html.select(&select("main table")).find(head);
        table.map(|table| table.select(&select("tbody tr")).map(cells).collect()).unwrap_or_default()
    }

    /// The one row that starts with these words.
    pub fn row(&self, start: &str) -> Vec<String> {
        let found: Vec<_> = self.rows().into_iter().filter(|row| row[0].starts_with(start)).collect();
        assert_eq!(found.len(), 1, "rows that start with “{start}” on\n{self}");
        found.into_iter().next().unwrap_or_default()
    }

    /// The sentence left by the last form.
    pub fn flash(&self) -> String {
        self.first("main .note[data-focus], main .note[aria-label=Notice]")
    }

    /// The names of the accounts in the path, "restricted" and all.
    pub fn breadcrumb(&self) -> Vec<String> {
        self.all("nav.path li > a, nav.path li > span, nav.path li > i")
    }

    /// Where the link with these words or this accessible name leads.
    pub fn link(&self, wanted: &str) -> Option<String> {
        let html = self.html();
        let fits = |a: &ElementRef| words(*a) == wanted || attribute(*a, "aria-label") == wanted;
        html.select(&select("a[href]")).find(fits).map(|a| self.resolve(&attribute(a, "href")))
    }

    /// Every address of this console that the page links to.
    pub fn links(&self) -> Vec<String> {
        let html = self.html();
        let every: Vec<String> = html.select(&select("a[href]")).map(|a| attribute(a, "href")).collect();
        every.iter().filter(|href| href.starts_with(['/', '?'])).map(|href| self.resolve(href)).collect()
    }

    fn resolve(&self, href: &str) -> String {
        if href.starts_with('?') { format!("{}{href}", self.path()) } else { href.to_owned() }
    }

    /// The complaint at the field with this label.
    pub fn error(&self, label: &str) -> String {
        let html = self.html();
        let id = field_id(html.root_element(), label).or_else(|| radio_group(html.root_element(), label));
        let id = id.unwrap_or_else(|| panic!("no field “{label}” on\n{self}"));
        let message = self.first(&format!("[id='{id}-error']"));
        message.strip_prefix("Error: ").unwrap_or(&message).to_owned()
    }

    /// The lines of the summary on top.
    pub fn problems(&self) -> Vec<String> {
        self.all(".problem li")
    }

    /// What stands in the field with this label.
    pub fn field(&self, label: &str) -> String {
        let html = self.html();
        let id = field_id(html.root_element(), label).unwrap_or_else(|| panic!("no field “{label}” on\n{self}"));
        let field = html.select(&select(&format!("[id='{id}']"))).next().expect("the label's field");
        if field.value().name() == "textarea" { field.text().collect() } else { attribute(field, "value") }
    }

    pub fn has_button(&self, button: &str) -> bool {
        self.all("form button").iter().any(|words| words == button)
    }

    /// The form with this button.
    pub fn form(&self, button: &str) -> Form {
        let html = self.html();
        let has = |form: &ElementRef| form.select(&select("button")).any(|b| words(b) == button);
        let found = html.select(&select("form")).find(has);
        Form::read(found.unwrap_or_else(|| panic!("no button “{button}” on\n{self}")), &self.uri, button)
    }

    /// Every form that changes something, by its button.
    pub fn forms(&self) -> Vec<Form> {
        let html = self.html();
        let button = |form: ElementRef| form.select(&select("button")).next().map(words).unwrap_or_default();
        html.select(&select("form[method=post]")).map(|form| Form::read(form, &self.uri, &button(form))).collect()
    }
}

fn field_id(within: ElementRef, label: &str) -> Option<String> {
    let fits = |l: &ElementRef| words(*l).trim_end_matches(" (optional)") == label;
    within.select(&select("label[for]")).find(fits).map(|l| attribute(l, "for"))
}

/// The name of the radios under this legend; the group's hint and error are named after it.
fn radio_group(within: ElementRef, legend: &str) -> Option<String> {
    let fits = |f: &ElementRef| f.select(&select("legend")).next().is_some_and(|l| words(l) == legend);
    let group = within.select(&select("fieldset")).find(fits)?;
    group.select(&select("input")).next().map(|input| attribute(input, "name"))
}

/// One control of a form.
#[derive(Debug, Clone)]
pub struct Control {
    pub id: String,
    pub name: String,
    pub kind: String,
    pub value: String,
    pub on: bool,
    pub label: String,
    options: Vec<(String, String)>,
}

/// A form as it stands on the page, to fill in and send.
#[derive(Debug, Clone)]
pub struct Form {
    pub action: String,
    pub controls: Vec<Control>,
}

impl Form {
    fn read(form: ElementRef, uri: &str, button: &str) -> Form {
        let action = Some(attribute(form, "action")).filter(|action| !action.is_empty());
        let every = select("input, textarea, select, button[name]");
        let fits = |c: &ElementRef| c.value().name() != "button" || words(*c) == button;
        let label = |c: ElementRef| {
            let css = format!("label[for='{}']", attribute(c, "id"));
            form.select(&select(&css)).next().map(words).unwrap_or_default()
        };
        let controls = form.select(&every).filter(fits).map(|c| Control::read(c, label(c))).collect();
        Form { action: action.unwrap_or_else(|| uri.to_owned()), controls }
    }

    /// Puts a value into the field with this label; boxes and radios take "yes" and "no".
    pub fn fill(&mut self, label: &str, value: &str) {
        let fits = |c: &&mut Control| c.label.trim_end_matches(" (optional)") == label;
        let Some(control) = self.controls.iter_mut().find(fits) else { panic!("no field “{label}” in {self:?}") };
        match control.kind.as_str() {
            "checkbox" => control.on = value == "yes",
            "radio" => {
                let (name, id) = (control.name.clone(), control.id.clone());
                for c in self.controls.iter_mut().filter(|c| c.name == name) {
                    c.on = c.id == id;
                }
            }
            "select" => {
                let option = control.options.iter().find(|(v, words)| v == value || words == value);
                control.value = option.unwrap_or_else(|| panic!("“{label}” does not offer “{value}”")).0.clone();
            }
            _ => control.value = value.to_owned(),
        }
    }

    /// Sets a control by its name, hidden ones too.
    pub fn set(&mut self, name: &str, value: &str) {
        let control = self.controls.iter_mut().find(|c| c.name == name);
        control.unwrap_or_else(|| panic!("no control {name}")).value = value.to_owned();
    }

    pub fn value(&self, name: &str) -> &str {
        self.controls.iter().find(|c| c.name == name).map_or("", |c| &c.value)
    }

    /// What is sent.
    pub fn pairs(&self) -> Vec<(String, String)> {
        let sent = self.controls.iter().filter(|c| c.on && !c.name.is_empty());
        sent.map(|c| (c.name.clone(), c.value.replace("\r\n", "\n").replace('\n', "\r\n"))).collect()
    }
}

impl Control {
    fn read(c: ElementRef, label: String) -> Control {
        let kind = match c.value().name() {
            "input" => Some(attribute(c, "type")).filter(|t| !t.is_empty()).unwrap_or_else(|| "text".to_owned()),
            other => other.to_owned(),
        };
        let options: Vec<_> = c.select(&select("option")).map(|o| (attribute(o, "value"), words(o))).collect();
        let selected = c.select(&select("option[selected]")).next().map(|o| attribute(o, "value"));
        let value = match kind.as_str() {
            "textarea" => c.text().collect(),
            "select" => selected.or_else(|| options.first().map(|(v, _)| v.clone())).unwrap_or_default(),
            _ => attribute(c, "value"),
        };
        let offered = c.value().attr("disabled").is_none();
        let on = offered && (!matches!(kind.as_str(), "checkbox" | "radio") || c.value().attr("checked").is_some());
        Control { id: attribute(c, "id"), name: attribute(c, "name"), kind, value, on, label, options }
    }
}
