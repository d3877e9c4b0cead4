//! Sheets of paper (A4) that fill from the top: headings, pairs of facts, rows of cells. DejaVu Sans is embedded, as
//! far as its letters are used; it has Latin, Greek, Cyrillic, Hebrew and Arabic letters, and a box for what it lacks.

use std::sync::LazyLock;

use krilla::Document;
use krilla::geom::{PathBuilder, Point, Rect};
use krilla::metadata::Metadata;
use krilla::num::NormalizedF32;
use krilla::page::PageSettings;
use krilla::paint::{Fill, FillRule};
use krilla::text::{Font, TextDirection};
use ttf_parser::Face;

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
    LazyLock::new(|| Some([Face::parse(dejavu::sans::regular(), 0).ok()?, Face::parse(dejavu::sans::bold(), 0).ok()?]));

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
        let face = &self.faces[usize::from(bold)];
        let advance = |c| face.glyph_index(c).and_then(|glyph| face.glyph_hor_advance(glyph)).unwrap_or(1_200);
        let units: f32 = text.chars().map(|c| f32::from(advance(c))).sum();
        units * size / f32::from(face.units_per_em())
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
        document
            .set_metadata(Metadata::new().title(self.title).creator(self.product.to_owned()).language("en".to_owned()));
        let black = Fill {
            paint: krilla::color::luma::Color::new(0).into(),
            opacity: NormalizedF32::ONE,
            rule: FillRule::NonZero,
        };
        for marks in self.pages {
            let paper = PageSettings::from_wh(PAPER.0, PAPER.1).ok_or_else(|| Problem::bug("no paper"))?;
            let mut page = document.start_page_with(paper);
            let mut surface = page.surface();
            surface.set_fill(Some(black.clone()));
            for mark in marks {
                match mark {
                    Mark::Text { x, y, size, bold, text } => {
                        let font = fonts[usize::from(bold)].clone();
                        surface.draw_text(Point::from_xy(x, y), font, size, &text, false, TextDirection::Auto);
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
