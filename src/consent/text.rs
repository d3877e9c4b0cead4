//! From the text of a document to what a page shows: Markdown without raw HTML, links to nowhere but the web and mail,
//! and a heading that can be linked to. Texts are published by the operator alone; what they could smuggle into a page
//! is left out all the same.

use pulldown_cmark::{CowStr, Event, HeadingLevel, Options, Parser, Tag, TagEnd, html};

/// Characters on a printed page, about.
const PAGE: usize = 3_000;

/// The text after `# ` on its first line.
pub fn title(text: &str) -> Option<&str> {
    let title = text.lines().find(|line| !line.trim().is_empty())?.strip_prefix("# ")?.trim();
    (!title.is_empty()).then_some(title)
}

/// "English, 3 pages": the language and how many pages the text fills when it is printed.
pub fn length(text: &str) -> String {
    let pages = text.chars().count().div_ceil(PAGE).max(1);
    if pages == 1 { "English, 1 page".to_owned() } else { format!("English, {pages} pages") }
}

/// Where the headings of a text stand on the page around it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// The page is the text: `##` is the second level.
    Page,
    /// The text is a part of the page, below a heading of the second level.
    Part,
}

/// The text as HTML, without its title. Anchors begin with `prefix`.
pub fn html(text: &str, prefix: &str, place: Place) -> String {
    let parser = Parser::new_ext(text, Options::ENABLE_TABLES);
    let mut events: Vec<Event<'_>> = harmless(parser).collect();
    if let Some(end) = title_end(&events) {
        events.drain(..=end);
    }
    place_headings(&mut events, prefix, place);
    let mut page = String::with_capacity(text.len() * 5 / 4);
    html::push_html(&mut page, events.into_iter());
    page
}

/// Without raw HTML and pictures; links that lead elsewhere than to the web or a mail address are plain text.
fn harmless<'a>(events: impl Iterator<Item = Event<'a>>) -> impl Iterator<Item = Event<'a>> {
    let mut link_kept = false;
    events.filter(move |event| match event {
        Event::Html(_) | Event::InlineHtml(_) => false,
        Event::Start(Tag::HtmlBlock | Tag::Image { .. }) | Event::End(TagEnd::HtmlBlock | TagEnd::Image) => false,
        Event::Start(Tag::Link { dest_url, .. }) => {
            link_kept = is_harmless(dest_url);
            link_kept
        }
        Event::End(TagEnd::Link) => link_kept,
        _ => true,
    })
}

fn is_harmless(url: &str) -> bool {
    let url = url.to_ascii_lowercase();
    ["https://", "http://", "mailto:"].iter().any(|start| url.starts_with(start))
}

/// The last event of the title, when the text opens with one.
fn title_end(events: &[Event<'_>]) -> Option<usize> {
    let opens = matches!(events.first(), Some(Event::Start(Tag::Heading { level: HeadingLevel::H1, .. })));
    let end = events.iter().position(|event| matches!(event, Event::End(TagEnd::Heading(_))));
    end.filter(|_| opens)
}

fn place_headings(events: &mut [Event<'_>], prefix: &str, place: Place) {
    let mut taken: Vec<String> = Vec::new();
    for at in 0..events.len() {
        let words = match &events[at] {
            Event::Start(Tag::Heading { .. }) => words_of_heading(&events[at + 1..]),
            Event::End(TagEnd::Heading(level)) => {
                events[at] = Event::End(TagEnd::Heading(moved(*level, place)));
                continue;
            }
            _ => continue,
        };
        let anchor = free_anchor(prefix, &words, &taken);
        taken.push(anchor.clone());
        if let Event::Start(Tag::Heading { level, id, .. }) = &mut events[at] {
            *level = moved(*level, place);
            *id = Some(CowStr::from(anchor));
        }
    }
}

fn moved(level: HeadingLevel, place: Place) -> HeadingLevel {
    let deeper = usize::from(place == Place::Part);
    HeadingLevel::try_from(((level as usize).max(2) + deeper).min(6)).unwrap_or(HeadingLevel::H6)
}

fn words_of_heading(rest: &[Event<'_>]) -> String {
    let inside = rest.iter().take_while(|event| !matches!(event, Event::End(TagEnd::Heading(_))));
    inside
        .filter_map(|event| if let Event::Text(t) | Event::Code(t) = event { Some(t.as_ref()) } else { None })
        .collect()
}

fn free_anchor(prefix: &str, words: &str, taken: &[String]) -> String {
    let plain = crate::text::name_key(words);
    let parts = plain.split(|c: char| !c.is_ascii_alphanumeric()).filter(|part| !part.is_empty());
    let anchor = std::iter::once(prefix).chain(parts).collect::<Vec<_>>().join("-");
    let numbered = (2..).map(|n| format!("{anchor}-{n}"));
    std::iter::once(anchor.clone()).chain(numbered).find(|one| !taken.contains(one)).unwrap_or(anchor)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headings_get_anchors_and_their_place_and_the_title_is_left_to_the_page() {
        let text = "# The title\n\nIntro.\n\n## 1. Words\n\ntext\n\n## 1. Words\n\n### Deeper *still*\n";
        assert_eq!(title(text), Some("The title"));
        let page = html(text, "msa", Place::Page);
        assert!(!page.contains("The title") && page.starts_with("<p>Intro.</p>"));
        assert!(page.contains(r#"<h2 id="msa-1-words">1. Words</h2>"#));
        assert!(page.contains(r#"<h2 id="msa-1-words-2">"#));
        assert!(html(text, "x", Place::Part).contains(r#"<h4 id="x-deeper-still">Deeper <em>still</em></h4>"#));
    }

    #[test]
    fn nothing_of_a_text_acts_on_the_page() {
        let text = "# T\n\n<script>alert(1)</script>\n\na <b onclick=x>b</b> [bad](javascript:alert(1)) \
                    [fine](https://example.com) [mail](MAILTO:a@example.com) ![pic](https://example.com/p.png)\n";
        let page = html(text, "t", Place::Page);
        for trace in ["<script", "<b", "onclick", "javascript", "<img"] {
            assert!(!page.contains(trace), "{trace} in {page}");
        }
        assert!(
            page.contains(r#"<a href="https://example.com">fine</a>"#) && page.contains("bad") && page.contains("pic")
        );
        assert!(page.contains(r#"<a href="MAILTO:a@example.com">"#));
    }

    #[test]
    fn a_text_without_a_title_has_none() {
        for text in ["", "Words", "## Second level", "#No space", "# \n"] {
            assert_eq!(title(text), None, "{text:?}");
        }
        assert_eq!(length(""), "English, 1 page");
        assert_eq!(length(&"x".repeat(3_001)), "English, 2 pages");
    }
}
