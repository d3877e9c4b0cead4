//! A field as a page shows it.

/// How a field is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Look {
    Radios,
    Select,
    Line,
    Area,
    /// Never filled in again.
    Secret,
    /// A heading between fields.
    Heading,
}

/// One way to answer: value, words, and more words.
pub type Choice = (String, String, String);

#[derive(Debug, Clone)]
pub struct FieldView {
    pub name: &'static str,
    pub label: String,
    pub hint: String,
    pub look: Look,
    pub choices: Vec<Choice>,
    pub value: String,
    pub error: Option<String>,
    pub optional: bool,
}

impl FieldView {
    pub fn new(look: Look, name: &'static str, label: &str, hint: impl Into<String>) -> FieldView {
        FieldView {
            name,
            label: label.to_owned(),
            hint: hint.into(),
            look,
            choices: Vec::new(),
            value: String::new(),
            error: None,
            optional: false,
        }
    }

    #[must_use]
    pub fn with(mut self, choices: Vec<Choice>) -> FieldView {
        self.choices = choices;
        self
    }

    #[must_use]
    pub fn optional(mut self) -> FieldView {
        self.optional = true;
        self
    }

    pub fn heading(label: &str) -> FieldView {
        FieldView::new(Look::Heading, "", label, "")
    }

    pub fn is(&self, look: &str) -> bool {
        look == match self.look {
            Look::Radios => "radios",
            Look::Select => "select",
            Look::Line => "line",
            Look::Area => "area",
            Look::Secret => "secret",
            Look::Heading => "heading",
        }
    }

    /// Pairs for a menu.
    pub fn pairs(&self) -> Vec<(&str, &str)> {
        self.choices.iter().map(|(value, words, _)| (value.as_str(), words.as_str())).collect()
    }

    /// Triples for a list of buttons.
    pub fn triples(&self) -> Vec<(&str, &str, &str)> {
        self.choices.iter().map(|(value, words, more)| (value.as_str(), words.as_str(), more.as_str())).collect()
    }

    pub fn error(&self) -> Option<&str> {
        self.error.as_deref()
    }
}
