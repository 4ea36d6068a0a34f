//! An animatic card: a backdrop or picture with shot number, title, description and caption.
//!
//! A card may be drawn larger than its frame by an `overscan` factor, so that a camera can move over
//! it: the backdrop fills all of it, the words keep to the frame in its middle, with margins that
//! a move over the overscan does not cross. All measures are parts of the frame's height.

use longtake_run::{Frame, RunError};

use super::backdrop::{Scene, draw};
use super::canvas::Canvas;
use super::palette::{Palette, Rgb, mix};
use super::text::{Align, Block, Face, Ink, Style, fit, set};
pub use super::words::Words;
use super::words::{slate_facts, two_titles};

/// How the words are laid out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Layout {
    /// [`Layout::Panel`], or [`Layout::Title`] when there is no body.
    Auto,
    /// A storyboard panel: title and body lower left, caption as a subtitle.
    Panel,
    /// A large centred title.
    Title,
    /// The picture, with the caption as a subtitle.
    Subtitle,
}

/// Names in files.
pub const LAYOUTS: &[&str] = &["auto", "panel", "title", "subtitle"];

impl Layout {
    /// By its name in files.
    pub fn named(name: &str) -> Option<Self> {
        const ALL: [Layout; 4] = [Layout::Auto, Layout::Panel, Layout::Title, Layout::Subtitle];
        LAYOUTS.iter().position(|it| *it == name).map(|at| ALL[at])
    }
}

/// Draws a card on a drawn backdrop.
///
/// # Errors
/// No font for the words.
pub fn on_scene(
    words: &Words,
    layout: Layout,
    (scene, palette, seed): (Scene, &Palette, u64),
    (width, height): (u32, u32),
    overscan: f64,
) -> Result<Frame, RunError> {
    finish(
        draw(scene, palette, seed, width, height),
        words,
        layout,
        palette.accent,
        overscan,
    )
}

/// Draws a card over a picture.
///
/// # Errors
/// No font for the words.
pub fn on_picture(
    words: &Words,
    layout: Layout,
    accent: Rgb,
    picture: &Frame,
    overscan: f64,
) -> Result<Frame, RunError> {
    finish(Canvas::over(picture), words, layout, accent, overscan)
}

fn finish(
    canvas: Canvas,
    words: &Words,
    layout: Layout,
    accent: Rgb,
    overscan: f64,
) -> Result<Frame, RunError> {
    let whole = (canvas.width() as f32, canvas.height() as f32);
    let (width, height) = (whole.0 / overscan as f32, whole.1 / overscan as f32);
    let mut page = Page {
        canvas,
        origin: ((whole.0 - width) / 2.0, (whole.1 - height) / 2.0),
        unit: height / 1080.0,
        width,
        height,
        accent,
    };
    let layout = match layout {
        Layout::Auto if words.body.trim().is_empty() && !words.title.trim().is_empty() => {
            Layout::Title
        }
        Layout::Auto => Layout::Panel,
        other => other,
    };
    match layout {
        Layout::Panel | Layout::Auto => page.panel(words)?,
        Layout::Title => page.title_page(words)?,
        Layout::Subtitle => page.subtitle_page(words)?,
    }
    Ok(page.canvas.into_frame())
}

const WHITE: Rgb = [1.0; 3];

struct Page {
    canvas: Canvas,
    /// Upper left corner of the frame that words are laid out in; they count from it.
    origin: (f32, f32),
    /// Pixels per 1/1080 of the frame's height.
    unit: f32,
    /// The frame.
    width: f32,
    height: f32,
    accent: Rgb,
}

impl Page {
    fn margin(&self) -> f32 {
        // On tall pictures the margin goes by the width.
        (118.0 * self.unit).min(self.width * 0.09)
    }

    fn ink(&self, colour: Rgb, alpha: f32, shadow: f32) -> Ink {
        Ink {
            colour,
            alpha,
            shadow: shadow * self.unit,
        }
    }

    fn write(&mut self, block: &Block, at: (f32, f32), (colour, alpha, shadow): (Rgb, f32, f32)) {
        let ink = self.ink(colour, alpha, shadow);
        self.put(block, at, ink);
    }

    fn put(&mut self, block: &Block, (x, y): (f32, f32), ink: Ink) {
        block.draw(
            &mut self.canvas,
            (x + self.origin.0, y + self.origin.1),
            ink,
        );
    }

    fn rule(&mut self, (x, y): (f32, f32), size: (f32, f32), colour: Rgb, alpha: f32) {
        let at = (x + self.origin.0, y + self.origin.1);
        self.canvas.rectangle(at, size, colour, alpha);
    }

    fn style(&self, size: f32) -> Style {
        Style::new(size * self.unit)
    }

    fn panel(&mut self, words: &Words) -> Result<(), RunError> {
        // Words stand on shade, so that any picture may lie behind them.
        self.canvas.shade([0.0; 3], |x, y| {
            let low = ((y - 0.36) / 0.64).clamp(0.0, 1.0);
            let left = 1.0 - 0.55 * x.clamp(0.0, 1.0);
            let top = ((0.20 - y) / 0.20).clamp(0.0, 1.0);
            0.84 * low.powf(1.1) * left + 0.38 * top * top
        });
        self.slate(words)?;
        let caption_top = self.caption(&words.caption)?;
        self.title_group(words, caption_top)
    }

    /// The line at the top: film left, shot right, a hair line below.
    fn slate(&mut self, words: &Words) -> Result<(), RunError> {
        let (unit, margin) = (self.unit, self.margin());
        let top = 84.0 * unit;
        let inner = self.width - 2.0 * margin;
        let mut size = 23.0;
        if inner < 900.0 * unit {
            size = 19.0;
        }
        let mut style = Style {
            spacing: 0.14,
            bold: true,
            ..self.style(size)
        };
        let label = words.label.trim().to_uppercase();
        if !label.is_empty() {
            let block = set(&label, &style, inner * 0.6, 1)?;
            self.write(&block, (margin, top), (WHITE, 0.86, 10.0));
        }
        style.align = Align::Right;
        style.spacing = 0.06;
        let facts = slate_facts(words);
        if !facts.is_empty() {
            let block = set(&facts, &style, inner * 0.4, 1)?;
            let left = margin + inner * 0.6;
            self.write(&block, (left, top), (WHITE, 0.72, 10.0));
        }
        if !label.is_empty() || !facts.is_empty() {
            let rule = (inner, (1.5 * unit).max(1.0));
            self.rule((margin, top + 48.0 * unit), rule, WHITE, 0.28);
        }
        Ok(())
    }

    /// The caption as a subtitle; returns its upper edge.
    fn caption(&mut self, caption: &str) -> Result<f32, RunError> {
        let bottom = self.height - 92.0 * self.unit;
        if caption.trim().is_empty() {
            return Ok(bottom);
        }
        let inner = self.width - 2.0 * self.margin();
        let style = Style {
            align: Align::Left,
            leading: 1.42,
            face: Face::Serif,
            bold: true,
            ..self.style(37.0)
        };
        let bar = 30.0 * self.unit;
        let block = fit(
            caption,
            &style,
            (inner - bar).min(1480.0 * self.unit),
            3,
            24.0 * self.unit,
        )?;
        let top = bottom - block.height;
        let rule = (4.0 * self.unit, block.height - 16.0 * self.unit);
        self.rule(
            (self.margin(), top + 8.0 * self.unit),
            rule,
            self.accent,
            0.95,
        );
        let at = (self.margin() + bar, top);
        self.write(&block, at, (mix(WHITE, self.accent, 0.10), 0.97, 12.0));
        Ok(top)
    }

    /// Number, title, its second language, body: from the bottom up to nothing in particular.
    fn title_group(&mut self, words: &Words, caption_top: f32) -> Result<(), RunError> {
        let (unit, margin) = (self.unit, self.margin());
        let wide = (self.width - 2.0 * margin).min(1360.0 * unit);
        let (first, rest) = two_titles(&words.title);
        let mut blocks: Vec<(Block, Ink, f32)> = Vec::new();
        if !first.is_empty() {
            let style = Style {
                bold: true,
                leading: 1.16,
                spacing: -0.012,
                ..self.style(82.0)
            };
            blocks.push((
                fit(first, &style, wide, 2, 44.0 * unit)?,
                self.ink(WHITE, 1.0, 18.0),
                0.0,
            ));
        }
        if !rest.is_empty() {
            let style = Style {
                leading: 1.3,
                spacing: 0.06,
                ..self.style(38.0)
            };
            blocks.push((
                fit(rest, &style, wide, 2, 26.0 * unit)?,
                self.ink(WHITE, 0.88, 14.0),
                8.0,
            ));
        }
        if !words.body.trim().is_empty() {
            let style = Style {
                leading: 1.5,
                ..self.style(30.0)
            };
            let measure = wide.min(1080.0 * unit);
            blocks.push((
                fit(&words.body, &style, measure, 4, 22.0 * unit)?,
                self.ink(WHITE, 0.80, 12.0),
                22.0,
            ));
        }
        let gap = if words.caption.trim().is_empty() {
            0.0
        } else {
            50.0 * unit
        };
        let total: f32 = blocks.iter().map(|it| it.0.height + it.2 * unit).sum();
        let mut y = caption_top - gap - total;
        let rule = (72.0 * unit, 5.0 * unit);
        if !blocks.is_empty() {
            self.rule(
                (margin + 3.0 * unit, y - 26.0 * unit),
                rule,
                self.accent,
                1.0,
            );
        }
        for (block, ink, before) in blocks {
            y += before * unit;
            self.put(&block, (margin, y), ink);
            y += block.height;
        }
        Ok(())
    }

    fn title_page(&mut self, words: &Words) -> Result<(), RunError> {
        self.canvas.shade([0.0; 3], |x, y| {
            let (dx, dy) = ((x - 0.5) * 1.5, (y - 0.5) * 1.9);
            0.30 + 0.28 * (-(dx * dx + dy * dy) * 2.2).exp()
        });
        let (unit, margin) = (self.unit, self.margin());
        let inner = self.width - 2.0 * margin;
        let centred = |style: Style| Style {
            align: Align::Centre,
            ..style
        };
        let (first, rest) = two_titles(&words.title);
        let mut blocks: Vec<(Block, Ink, f32)> = Vec::new();
        let label = words.label.trim().to_uppercase();
        if !label.is_empty() && label != first.trim().to_uppercase() {
            let style = centred(Style {
                bold: true,
                spacing: 0.3,
                ..self.style(24.0)
            });
            blocks.push((
                fit(&label, &style, inner, 1, 16.0 * unit)?,
                self.ink(self.accent, 1.0, 10.0),
                0.0,
            ));
        }
        if !first.is_empty() {
            let style = centred(Style {
                bold: true,
                leading: 1.14,
                face: Face::Serif,
                ..self.style(124.0)
            });
            blocks.push((
                fit(first, &style, inner, 3, 52.0 * unit)?,
                self.ink(WHITE, 1.0, 26.0),
                20.0,
            ));
        }
        if !rest.is_empty() {
            let style = centred(Style {
                leading: 1.3,
                spacing: 0.16,
                face: Face::Serif,
                ..self.style(52.0)
            });
            blocks.push((
                fit(rest, &style, inner, 2, 28.0 * unit)?,
                self.ink(WHITE, 0.92, 18.0),
                6.0,
            ));
        }
        let rule_after = blocks.len();
        for (text, size) in [(&words.body, 32.0), (&words.caption, 34.0)] {
            if !text.trim().is_empty() {
                let style = centred(Style {
                    leading: 1.55,
                    ..self.style(size)
                });
                let block = fit(text, &style, inner, 4, 22.0 * unit)?;
                blocks.push((block, self.ink(WHITE, 0.86, 14.0), 18.0));
            }
        }
        let rule_room = if rule_after == 0 { 0.0 } else { 58.0 * unit };
        let total: f32 = blocks
            .iter()
            .map(|it| it.0.height + it.2 * unit)
            .sum::<f32>()
            + rule_room;
        let mut y = (self.height - total) / 2.0;
        for (index, (block, ink, before)) in blocks.into_iter().enumerate() {
            if index == rule_after {
                y += rule_room;
            }
            y += before * unit;
            self.put(&block, (margin, y), ink);
            y += block.height;
            if index + 1 == rule_after {
                let rule = (96.0 * unit, 4.0 * unit);
                self.rule(
                    ((self.width - rule.0) / 2.0, y + 34.0 * unit),
                    rule,
                    self.accent,
                    1.0,
                );
            }
        }
        Ok(())
    }

    fn subtitle_page(&mut self, words: &Words) -> Result<(), RunError> {
        self.canvas.shade([0.0; 3], |_, y| {
            let (low, top) = (
                ((y - 0.62) / 0.38).clamp(0.0, 1.0),
                ((0.16 - y) / 0.16).clamp(0.0, 1.0),
            );
            0.62 * low * low + 0.34 * top * top
        });
        self.slate(words)?;
        let inner = self.width - 2.0 * self.margin();
        let (first, _) = two_titles(&words.title);
        let text = if words.caption.trim().is_empty() {
            first
        } else {
            words.caption.trim()
        };
        if text.is_empty() {
            return Ok(());
        }
        let style = Style {
            align: Align::Centre,
            bold: true,
            leading: 1.42,
            ..self.style(42.0)
        };
        let block = fit(text, &style, inner, 3, 26.0 * self.unit)?;
        let top = self.height - 86.0 * self.unit - block.height;
        self.write(&block, (self.margin(), top), (WHITE, 1.0, 14.0));
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_layout_draws_on_any_shape() {
        let words = Words {
            label: "Film".into(),
            number: 1,
            total: 2,
            seconds: 2.0,
            camera: "zoom-in".into(),
            title: "A very long title that will need more than one line of the card".into(),
            body: "Body. ".repeat(80),
            caption: "Caption. ".repeat(60),
        };
        for (width, height) in [(320, 180), (90, 160), (64, 64), (16, 16), (1, 1)] {
            for name in LAYOUTS {
                let picture = Frame::new(
                    width,
                    height,
                    3,
                    longtake_run::Pixels::U8(vec![90; (width * height * 3) as usize]),
                );
                let frame = on_picture(
                    &words,
                    Layout::named(name).unwrap(),
                    [1.0, 0.5, 0.0],
                    &picture,
                    1.2,
                )
                .unwrap();
                assert_eq!((frame.width, frame.height), (width, height));
            }
        }
    }
}
