//! Typography: wrapped and aligned paragraphs in the system's fonts, Japanese included.
//!
//! Line breaks are cosmic-text's (UAX #14, which has the kinsoku rules). A glyph that no font has
//! shows as the font's empty box; a text whose better part no font has is an error.

use std::sync::{LazyLock, Mutex, PoisonError};

use cosmic_text::fontdb::Database;
use cosmic_text::{
    Attrs, Buffer, CacheKeyFlags, Ellipsize, EllipsizeHeightLimit, Family, FontSystem, Metrics,
    Shaping, SwashCache, SwashContent, Weight, Wrap,
};
use longtake_graph::say;
use longtake_run::RunError;

use super::canvas::{Canvas, Mask};
use super::palette::Rgb;

/// Sans or serif.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Face {
    /// Without serifs.
    Sans,
    /// With serifs; Mincho in Japanese.
    Serif,
}

/// Where lines stand in the width they may take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Align {
    /// Flush left.
    Left,
    /// Centred.
    Centre,
    /// Flush right.
    Right,
}

/// How a paragraph is set.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Style {
    /// Pixels per em.
    pub size: f32,
    /// Line height, ems.
    pub leading: f32,
    /// Bold or regular.
    pub bold: bool,
    /// Family.
    pub face: Face,
    /// Extra space between letters, ems.
    pub spacing: f32,
    /// Alignment.
    pub align: Align,
}

impl Style {
    /// Regular, flush left, sans.
    pub const fn new(size: f32) -> Self {
        Self {
            size,
            leading: 1.4,
            bold: false,
            face: Face::Sans,
            spacing: 0.0,
            align: Align::Left,
        }
    }
}

/// Families tried in order; the first that is installed sets Latin and Japanese alike.
const SANS: [&str; 12] = [
    "Noto Sans CJK JP",
    "Noto Sans JP",
    "Source Han Sans",
    "Hiragino Sans",
    "Yu Gothic",
    "IPAexGothic",
    "IPAGothic",
    "Noto Sans",
    "Inter",
    "Liberation Sans",
    "DejaVu Sans",
    "Arial",
];
const SERIF: [&str; 10] = [
    "Noto Serif CJK JP",
    "Noto Serif JP",
    "Source Han Serif",
    "Hiragino Mincho ProN",
    "Yu Mincho",
    "IPAexMincho",
    "IPAMincho",
    "Noto Serif",
    "Liberation Serif",
    "DejaVu Serif",
];

struct Fonts {
    system: FontSystem,
    glyphs: SwashCache,
    sans: Option<String>,
    serif: Option<String>,
}

/// Loading the system's fonts takes a moment: once per process.
static FONTS: LazyLock<Mutex<Fonts>> = LazyLock::new(|| Mutex::new(Fonts::load()));

/// Glyph pictures kept between texts; large sizes are many bytes each.
const GLYPHS_KEPT: usize = 1500;

impl Fonts {
    fn load() -> Self {
        let mut database = Database::new();
        database.load_system_fonts();
        let installed = |wanted: &[&str]| {
            let has = |name: &&&str| {
                database
                    .faces()
                    .any(|face| face.families.iter().any(|it| it.0 == **name))
            };
            let any = || {
                database
                    .faces()
                    .find(|it| !it.monospaced)
                    .or(database.faces().next())
            };
            let found = wanted.iter().find(has).map(|name| (*name).to_owned());
            found.or_else(|| any().and_then(|face| Some(face.families.first()?.0.clone())))
        };
        let (sans, serif) = (installed(&SANS), installed(&SERIF));
        // The locale decides between Japanese and Chinese forms of one character. It is not taken
        // from the environment: the same graph must give the same film everywhere.
        let system = FontSystem::new_with_locale_and_db("ja".to_owned(), database);
        Self {
            system,
            glyphs: SwashCache::new(),
            sans,
            serif,
        }
    }
}

/// A paragraph set in lines, ready to be drawn.
pub struct Block {
    buffer: Buffer,
    /// Width of the longest line, pixels.
    pub width: f32,
    /// Height of all lines, pixels.
    pub height: f32,
    /// Number of lines.
    pub lines: usize,
    /// Whether words were left out (an ellipsis stands in their place).
    pub cut: bool,
}

/// Sets a paragraph in lines of at most `width` pixels. With more than `max_lines` lines the rest is
/// replaced by an ellipsis.
///
/// # Errors
/// No font is installed, or none has the better part of the text.
pub fn set(text: &str, style: &Style, width: f32, max_lines: usize) -> Result<Block, RunError> {
    let mut fonts = FONTS.lock().unwrap_or_else(PoisonError::into_inner);
    let whole = lay_out(&mut fonts, text, style, width, None)?;
    if whole.lines <= max_lines {
        return Ok(whole);
    }
    lay_out(&mut fonts, text, style, width, Some(max_lines.max(1)))
}

/// As [`set`], in the largest size from `style.size` down to `smallest` at which nothing is left
/// out.
///
/// # Errors
/// As [`set`].
pub fn fit(
    text: &str,
    style: &Style,
    width: f32,
    max_lines: usize,
    smallest: f32,
) -> Result<Block, RunError> {
    let mut style = *style;
    loop {
        let block = set(text, &style, width, max_lines)?;
        if !block.cut || style.size <= smallest {
            return Ok(block);
        }
        style.size = (style.size * 0.93).max(smallest);
    }
}

fn lay_out(
    fonts: &mut Fonts,
    text: &str,
    style: &Style,
    width: f32,
    cut: Option<usize>,
) -> Result<Block, RunError> {
    let family = match style.face {
        Face::Sans => fonts.sans.as_deref(),
        Face::Serif => fonts.serif.as_deref(),
    };
    let Some(family) = family else {
        return Err(RunError::failed(say!(
            "no font is installed, and a text is to be drawn; install one (on Debian: fonts-noto-cjk)",
            "テキストを描くフォントがインストールされていません。インストールしてください(Debian では fonts-noto-cjk)"
        )));
    };
    let metrics = Metrics::new(style.size, style.size * style.leading);
    let mut buffer = Buffer::new_empty(metrics);
    buffer.set_wrap(Wrap::WordOrGlyph);
    if let Some(lines) = cut {
        // cosmic-text counts lines per paragraph: one paragraph, then.
        buffer.set_ellipsize(Ellipsize::End(EllipsizeHeightLimit::Lines(lines)));
    }
    buffer.set_size(Some(width.max(1.0)), None);
    let weight = if style.bold {
        Weight::BOLD
    } else {
        Weight::NORMAL
    };
    let attrs = Attrs::new()
        .family(Family::Name(family))
        .weight(weight)
        .letter_spacing(style.spacing)
        // Text that moves by parts of a pixel must not be bent to the grid.
        .cache_key_flags(CacheKeyFlags::DISABLE_HINTING);
    let align = match style.align {
        Align::Left => cosmic_text::Align::Left,
        Align::Centre => cosmic_text::Align::Center,
        Align::Right => cosmic_text::Align::Right,
    };
    let joined = cut.map(|_| text.split_whitespace().collect::<Vec<_>>().join(" "));
    let shown = joined.as_deref().unwrap_or(text.trim_end());
    buffer.set_text(shown, &attrs, Shaping::Advanced, Some(align));
    buffer.shape_until_scroll(&mut fonts.system, false);
    check_coverage(&buffer, shown)?;
    let runs = || buffer.layout_runs();
    let lines = runs().count();
    let longest = runs().map(|run| run.line_w).fold(0.0, f32::max);
    let height = runs().map(|run| run.line_height).sum();
    Ok(Block {
        width: longest,
        height,
        lines,
        cut: cut.is_some(),
        buffer,
    })
}

/// Glyph 0 is a font's picture for "I do not have this".
fn check_coverage(buffer: &Buffer, text: &str) -> Result<(), RunError> {
    let (mut all, mut missing) = (0usize, 0usize);
    for run in buffer.layout_runs() {
        for glyph in run.glyphs {
            let seen = run
                .text
                .get(glyph.start..glyph.end)
                .is_some_and(|it| !it.trim().is_empty());
            all += usize::from(seen);
            missing += usize::from(seen && glyph.glyph_id == 0);
        }
    }
    if missing * 2 <= all {
        return Ok(());
    }
    let start: String = text.chars().take(24).collect();
    Err(RunError::failed(say!(
        "no installed font has {missing} of the {all} characters of “{start}”; install one that has (on Debian: fonts-noto-cjk)",
        "“{start}”の {all} 文字のうち {missing} 文字は、インストールされているどのフォントにもありません。対応するフォントをインストールしてください(Debian では fonts-noto-cjk)"
    )))
}

/// How a block is coloured.
#[derive(Clone, Copy, Debug)]
pub struct Ink {
    /// Colour.
    pub colour: Rgb,
    /// 0..1.
    pub alpha: f32,
    /// Softness of the shadow behind the letters, pixels; 0 for none.
    pub shadow: f32,
}

impl Block {
    /// Draws the block with its upper left corner at that place.
    pub fn draw(&self, canvas: &mut Canvas, (x, y): (f32, f32), ink: Ink) {
        let fonts = &mut *FONTS.lock().unwrap_or_else(PoisonError::into_inner);
        if fonts.glyphs.image_cache.len() > GLYPHS_KEPT {
            fonts.glyphs = SwashCache::new();
        }
        // Letters hang over their box a little: accents above, italics beside.
        let slack = self.buffer.metrics().font_size.ceil() as i32;
        let box_width = self.buffer.size().0.unwrap_or(self.width);
        let origin = (x.floor() as i32 - slack, y.floor() as i32 - slack);
        let room = 2 * slack as usize + 2;
        let size = (
            box_width.ceil() as usize + room,
            self.height.ceil() as usize + room,
        );
        let mut mask = Mask::new(origin, size);
        let mut coloured = Vec::new();
        for run in self.buffer.layout_runs() {
            for glyph in run.glyphs {
                let physical = glyph.physical((x, y + run.line_y), 1.0);
                let image = fonts
                    .glyphs
                    .get_image(&mut fonts.system, physical.cache_key);
                let Some(image) = image else { continue };
                let left = physical.x + image.placement.left;
                let top = physical.y - image.placement.top;
                let width = image.placement.width as usize;
                let place = |i: usize| (left + (i % width) as i32, top + (i / width) as i32);
                match image.content {
                    SwashContent::Mask => {
                        for (i, &cover) in image.data.iter().enumerate() {
                            let (px, py) = place(i);
                            mask.raise(px, py, cover);
                        }
                    }
                    SwashContent::Color => {
                        let pixels = image.data.as_chunks::<4>().0.iter().enumerate();
                        coloured.extend(pixels.map(|(i, pixel)| (place(i), *pixel)));
                    }
                    SwashContent::SubpixelMask => {}
                }
            }
        }
        if ink.shadow >= 1.0 {
            let radius = ink.shadow as usize;
            canvas.stamp(
                &mask.shadow(radius, (ink.shadow / 4.0) as i32),
                [0.0; 3],
                0.6 * ink.alpha,
            );
        }
        canvas.stamp(&mask, ink.colour, ink.alpha);
        for ((px, py), [r, g, b, a]) in coloured {
            let colour = [r, g, b].map(|v| f32::from(v) / 255.0);
            canvas.cover(px, py, colour, ink.alpha * f32::from(a) / 255.0);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paragraphs_wrap_and_are_cut() {
        let style = Style::new(20.0);
        let text = "The keeper climbs the stairs with a lamp in his hand and counts every step.";
        let one = set(text, &style, 5000.0, 9).unwrap();
        let many = set(text, &style, 200.0, 99).unwrap();
        assert!(one.lines == 1 && many.lines > 3 && many.width <= 200.0);
        assert!((many.height - many.lines as f32 * 28.0).abs() < 0.01);
        let cut = set(text, &style, 200.0, 2).unwrap();
        assert_eq!((cut.lines, cut.cut), (2, true));
        let fitted = fit(text, &style, 200.0, 5, 6.0).unwrap();
        assert!(!fitted.cut && fitted.lines <= 5);
    }

    #[test]
    fn japanese_lines_do_not_start_with_closing_marks() {
        let Ok(block) = set(
            "「灯台へ、手紙を。」と彼女は言った。",
            &Style::new(20.0),
            105.0,
            99,
        ) else {
            return; // no Japanese font on this machine
        };
        assert!(block.lines >= 3);
        for run in block.buffer.layout_runs() {
            let first = run
                .glyphs
                .first()
                .and_then(|it| run.text.get(it.start..it.end))
                .unwrap_or("");
            assert!(
                !"」、。".contains(first) || first.is_empty(),
                "a line starts with {first}"
            );
        }
    }

    #[test]
    fn drawing_is_the_same_twice_and_stays_in_its_box() {
        let draw = || {
            let mut canvas = Canvas::paint(300, 80, |_, _| [0.0; 3]);
            let block = set("Storyboard", &Style::new(40.0), 280.0, 1).unwrap();
            block.draw(
                &mut canvas,
                (10.25, 10.0),
                Ink {
                    colour: [1.0; 3],
                    alpha: 1.0,
                    shadow: 0.0,
                },
            );
            canvas.into_frame().to_u8()
        };
        let picture = draw();
        assert_eq!(picture, draw());
        let lit = |x: usize| (0..80).any(|y| picture[(y * 300 + x) * 3] > 0);
        assert!((0..9).chain(290..300).all(|x| !lit(x)) && (10..200).any(lit));
    }
}
