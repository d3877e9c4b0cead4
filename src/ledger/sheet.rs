//! Sheets of paper (A4) that fill from the top: headings, pairs of facts, rows of cells. DejaVu Sans is embedded, as
//! far as its letters are used; it has Latin, Greek, Cyrillic, Hebrew and Arabic letters, and a box for what it lacks.
//! Where a text has parts that are read from right to left, each part is set by itself.

use std::sync::LazyLock;

use krilla::Document;
use krilla::geom::{PathBuilder, Point, Rect};
use krilla::metadata::Metadata;
use krilla::num::NormalizedF32;
use krilla::page::PageSettings;
use krilla::paint::{Fill, FillRule};
use krilla::text::{Font, TextDirection};
use rustybuzz::{Direction, Face, UnicodeBuffer};
use unicode_bidi::{BidiInfo, Level};

use crate::problem::Problem;

/// Points, 72 to the inch.
const PAPER: (f32, f32) = (595.28, 841.89);
const MARGIN: f32 = 48.0;
const WIDTH: f32 = PAPER.0 - 2.0 * MARGIN;
const BOTTOM: f32 = PAPER.1 - 64.0;
const ROW: f32 = 14.0;
const TEXT: f32 = 9.0;
const SMALL: f32 = 7.0;

static FACES: LazyLock<Option<[Face<'static>; 2]>> =
    LazyLock::new(|| Some([Face::from_slice(dejavu::sans::regular(), 0)?, Face::from_slice(dejavu::sans::bold(), 0)?]));

/// One cell of a row: from and to as parts of the width.
pub struct Cell<'a> {
    from: f32,
    to: f32,
    text: &'a str,
    right: bool,
}

impl<'a> Cell<'a> {
    pub fn left(from: f32, to: f32, text: &'a str) -> Cell<'a> {
        Cell { from, to, text, right: false }
    }

    /// Ends at `to`.
    pub fn right(from: f32, to: f32, text: &'a str) -> Cell<'a> {
        Cell { from, to, text, right: true }
    }
}

enum Mark {
    Text { x: f32, y: f32, size: f32, bold: bool, text: String },
    Rule { y: f32 },
}

/// The parts of a line from left to right as they are seen, each with whether it is read from left to right.
fn runs(text: &str) -> Vec<(String, bool)> {
    let bidi = BidiInfo::new(text, Some(Level::ltr()));
    let Some(line) = bidi.paragraphs.first() else { return Vec::new() };
    let (levels, runs) = bidi.visual_runs(line, line.range.clone());
    runs.into_iter().map(|run| (text[run.clone()].to_owned(), levels[run.start].is_ltr())).collect()
}

/// A document that is being filled.
pub struct Sheet {
    title: String,
    product: &'static str,
    pages: Vec<Vec<Mark>>,
    y: f32,
    faces: &'static [Face<'static>; 2],
}

impl Sheet {
    pub fn new(title: &str, product: &'static str) -> Result<Sheet, Problem> {
        let faces = FACES.as_ref().ok_or_else(|| Problem::bug("the font cannot be read"))?;
        Ok(Sheet { title: title.to_owned(), product, pages: vec![Vec::new()], y: MARGIN, faces })
    }

    /// Points that this text is wide.
    fn width(&self, text: &str, size: f32, bold: bool) -> f32 {
        runs(text).iter().map(|(run, rightwards)| self.run_width(run, *rightwards, size, bold)).sum()
    }

    fn run_width(&self, run: &str, rightwards: bool, size: f32, bold: bool) -> f32 {
        let face = &self.faces[usize::from(bold)];
        let mut buffer = UnicodeBuffer::new();
        buffer.push_str(run);
        buffer.set_direction(if rightwards { Direction::LeftToRight } else { Direction::RightToLeft });
        buffer.guess_segment_properties();
        let shaped = rustybuzz::shape(face, &[], buffer);
        let units: i32 = shaped.glyph_positions().iter().map(|glyph| glyph.x_advance).sum();
        // Fonts count in thousands, which are exact here.
        units as f32 * size / face.units_per_em() as f32
    }

    /// The text, cut with an ellipsis where it is wider than this.
    fn fit(&self, text: &str, size: f32, bold: bool, most: f32) -> String {
        let mut kept: String = text.chars().filter(|c| !c.is_control()).collect();
        if self.width(&kept, size, bold) <= most {
            return kept;
        }
        while !kept.is_empty() && self.width(&kept, size, bold) + self.width("…", size, bold) > most {
            kept.pop();
        }
        kept + "…"
    }

    fn mark(&mut self, mark: Mark) {
        if let Some(page) = self.pages.last_mut() {
            page.push(mark);
        }
    }

    fn write(&mut self, x: f32, size: f32, bold: bool, text: String) {
        let y = self.y;
        if !text.trim().is_empty() {
            self.mark(Mark::Text { x, y, size, bold, text });
        }
    }

    /// Begins another page unless so many rows fit on this one.
    pub fn keep(&mut self, rows: u8) {
        if self.y + f32::from(rows) * ROW > BOTTOM {
            self.pages.push(Vec::new());
            self.y = MARGIN + ROW;
        }
    }

    pub fn gap(&mut self, points: f32) {
        self.y += points;
    }

    pub fn heading(&mut self, text: &str) {
        self.y += 20.0;
        self.write(MARGIN, 18.0, true, text.to_owned());
        self.y += 24.0;
    }

    pub fn fact(&mut self, label: &str, value: &str) {
        self.keep(1);
        self.write(MARGIN, TEXT, false, label.to_owned());
        let value = self.fit(value, TEXT, false, WIDTH - 90.0);
        self.write(MARGIN + 90.0, TEXT, false, value);
        self.y += ROW;
    }

    pub fn row(&mut self, bold: bool, cells: &[Cell<'_>]) {
        self.keep(1);
        for cell in cells {
            let text = self.fit(cell.text, TEXT, bold, (cell.to - cell.from) * WIDTH);
            let from = if cell.right { cell.to * WIDTH - self.width(&text, TEXT, bold) } else { cell.from * WIDTH };
            self.write(MARGIN + from, TEXT, bold, text);
        }
        self.y += ROW;
    }

    /// A line of small print right below the row before.
    pub fn small(&mut self, text: &str) {
        self.y -= 3.0;
        let text = self.fit(text, SMALL, false, WIDTH);
        self.write(MARGIN, SMALL, false, text);
        self.y += ROW;
    }

    pub fn rule(&mut self) {
        let y = self.y - 9.5;
        self.mark(Mark::Rule { y });
        self.y += 3.0;
    }

    /// The file.
    pub fn finish(mut self) -> Result<Vec<u8>, Problem> {
        let all = self.pages.len();
        for n in 0..all {
            let words = format!("{}, {}, page {} of {all}", self.product, self.title, n + 1);
            let (x, y) = (MARGIN, PAPER.1 - 32.0);
            self.pages[n].push(Mark::Text { x, y, size: SMALL, bold: false, text: words });
        }
        let font = |bytes: &'static [u8]| {
            Font::new(bytes.into(), 0).ok_or_else(|| Problem::bug("the font cannot be embedded"))
        };
        let fonts = [font(dejavu::sans::regular())?, font(dejavu::sans::bold())?];
        let mut document = Document::new();
        document.set_metadata(
            Metadata::new().title(self.title.clone()).creator(self.product.to_owned()).language("en".to_owned()),
        );
        let black = Fill {
            paint: krilla::color::luma::Color::new(0).into(),
            opacity: NormalizedF32::ONE,
            rule: FillRule::NonZero,
        };
        for marks in std::mem::take(&mut self.pages) {
            let paper = PageSettings::from_wh(PAPER.0, PAPER.1).ok_or_else(|| Problem::bug("no paper"))?;
            let mut page = document.start_page_with(paper);
            let mut surface = page.surface();
            surface.set_fill(Some(black.clone()));
            for mark in marks {
                match mark {
                    Mark::Text { x, y, size, bold, text } => {
                        let mut x = x;
                        for (run, rightwards) in runs(&text) {
                            let font = fonts[usize::from(bold)].clone();
                            let direction =
                                if rightwards { TextDirection::LeftToRight } else { TextDirection::RightToLeft };
                            surface.draw_text(Point::from_xy(x, y), font, size, &run, false, direction);
                            x += self.run_width(&run, rightwards, size, bold);
                        }
                    }
                    Mark::Rule { y } => {
                        let mut path = PathBuilder::new();
                        if let Some(thin) = Rect::from_xywh(MARGIN, y, WIDTH, 0.5) {
                            path.push_rect(thin);
                        }
                        if let Some(path) = path.finish() {
                            surface.draw_path(&path);
                        }
                    }
                }
            }
            surface.finish();
            page.finish();
        }
        document.finish().map_err(|error| Problem::Bug(anyhow::anyhow!("the PDF could not be made: {error:?}")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_read_in_two_directions_are_set_one_by_one() {
        let seen = runs("شركة الخليج port");
        assert_eq!(seen, [("شركة الخليج".to_owned(), false), (" port".to_owned(), true)]);
        assert_eq!(runs("Acme"), [("Acme".to_owned(), true)]);
        assert!(runs("").is_empty());
    }

    #[test]
    fn a_text_that_is_too_wide_ends_in_an_ellipsis() {
        let mut sheet = Sheet::new("Test", "Product").unwrap();
        let cut = sheet.fit("A name that goes on and on", TEXT, false, 60.0);
        assert!(cut.ends_with('…') && sheet.width(&cut, TEXT, false) <= 60.0, "{cut}");
        assert_eq!(sheet.fit("A name", TEXT, false, 60.0), "A name");
        // A second page where the first is full.
        (0..80).for_each(|_| sheet.row(false, &[Cell::left(0.0, 0.5, "row"), Cell::right(0.5, 1.0, "EUR 1.00")]));
        assert_eq!(sheet.pages.len(), 2);
        assert!(sheet.finish().unwrap().starts_with(b"%PDF-"));
    }
}
