//! The numbers of a camera path that change, in words and as lines over time.

use longtake_run::RunError;

use super::path::CameraPath;
use super::plot::{Area, Pen, Point};
use super::pose::{FIELDS, Params};
use super::sketch::{PANEL, QUIET, WORDS, time_colour, words};
use crate::picture::canvas::Canvas;
use crate::picture::text::Align;

/// The numbers that change, over time.
///
/// # Errors
/// No font is installed.
pub fn curves(path: &CameraPath, canvas: &mut Canvas, strip: Area, u: f32) -> Result<(), RunError> {
    let moving = moving(path);
    let count = moving.len().max(1) as f32;
    let gap = 12.0 * u;
    let wide = ((strip.width + gap) / count - gap).min(strip.width / 2.0);
    for (i, field) in moving.into_iter().enumerate() {
        let area = Area {
            x: strip.x + i as f32 * (wide + gap),
            width: wide,
            ..strip
        };
        curve(path, canvas, area, field, u)?;
    }
    Ok(())
}

/// One number over time.
fn curve(
    path: &CameraPath,
    canvas: &mut Canvas,
    area: Area,
    field: usize,
    u: f32,
) -> Result<(), RunError> {
    canvas.rectangle((area.x, area.y), (area.width, area.height), PANEL, 1.0);
    let values: Vec<f64> = path.frames.iter().map(|it| it.to_array()[field]).collect();
    let low = values.iter().copied().fold(f64::INFINITY, f64::min);
    let high = values.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let last = (values.len() - 1).max(1) as f32;
    let place = |(i, value): (usize, &f64)| {
        let up = ((value - low) / (high - low).max(1e-9)) as f32;
        let x = area.x + 16.0 * u + (area.width - 32.0 * u) * i as f32 / last;
        (
            x,
            area.y + area.height - 18.0 * u - (area.height - 66.0 * u) * up,
        )
    };
    let places: Vec<Point> = values.iter().enumerate().map(place).collect();
    let mut pen = Pen { canvas, area };
    for (i, pair) in places.windows(2).enumerate() {
        pen.line(
            pair[0],
            pair[1],
            2.6 * u,
            (time_colour(i as f32 / last), 1.0),
        );
    }
    let at = (area.x + 14.0 * u, area.y + 9.0 * u);
    let inner = area.width - 28.0 * u;
    words(
        canvas,
        FIELDS[field],
        15.0 * u,
        WORDS,
        at,
        inner,
        Align::Left,
    )?;
    let ends = format!(
        "{} → {}",
        number(values[0]),
        number(values[values.len() - 1])
    );
    words(canvas, &ends, 15.0 * u, QUIET, at, inner, Align::Right)
}

/// Indices of the fields that change along a path.
fn moving(path: &CameraPath) -> Vec<usize> {
    let first = path.frames[0].to_array();
    let changes = |field: &usize| {
        let differs = |it: &Params| (it.to_array()[*field] - first[*field]).abs() > 1e-9;
        path.frames.iter().any(differs)
    };
    (0..FIELDS.len()).filter(changes).collect()
}

fn number(value: f64) -> String {
    let rounded = (value * 100.0).round() / 100.0;
    format!("{rounded}").replace('-', "−")
}

/// The fields that change, with where they end.
pub fn changes(path: &CameraPath) -> String {
    let last = path.frames[path.frames.len() - 1].to_array();
    let told = |field: usize| {
        let unit = if ["theta", "phi", "pan", "tilt"].contains(&FIELDS[field]) {
            "°"
        } else {
            ""
        };
        format!("{} {}{unit}", FIELDS[field], number(last[field]))
    };
    let told: Vec<String> = moving(path).into_iter().map(told).collect();
    if told.is_empty() {
        return "still".to_owned();
    }
    told.join("  ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::camera::{moves, uni3c};

    fn path(name: &str) -> CameraPath {
        let ours = |i| moves::at(name, 1.0, f64::from(i) / 8.0);
        let frames = uni3c::frames(name, 9).or_else(|| (0..9).map(ours).collect());
        CameraPath {
            name: name.to_owned(),
            elevation: 5.0,
            frames: frames.unwrap(),
        }
    }

    #[test]
    fn facts_name_what_changes_and_where_it_ends() {
        assert_eq!(changes(&path("static")), "still");
        assert_eq!(
            changes(&path("uni3c-free4")),
            "theta −15°  phi −60°  distance 0.75"
        );
        assert_eq!(changes(&path("zoom-in")), "focal 1.5");
    }
}
