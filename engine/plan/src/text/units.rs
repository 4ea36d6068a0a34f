//! Numbers in human units, and columns that line up.

use crate::{Fps, Info, Keep, Plan, Step};

/// Bytes in human units: `5.2 GiB`, `310 MiB`, `12 KiB`.
pub fn bytes(count: u64) -> String {
    const UNITS: [&str; 5] = ["KiB", "MiB", "GiB", "TiB", "PiB"];
    if count < 1024 {
        return format!("{count} B");
    }
    let mut amount = count as f64 / 1024.0;
    let mut unit = 0;
    while amount >= 1023.5 && unit + 1 < UNITS.len() {
        amount /= 1024.0;
        unit += 1;
    }
    let digits = usize::from(unit >= 2 && amount < 99.95 || amount < 9.95);
    format!("{amount:.digits$} {}", UNITS[unit])
}

/// Seconds in human units: `0.4 s`, `12 s`, `3 min 20 s`, `2 h 05 min`.
pub fn time(seconds: f64) -> String {
    let whole = seconds.round() as u64;
    match whole {
        _ if seconds < 9.95 => format!("{seconds:.1} s"),
        0..60 => format!("{whole} s"),
        60..3600 => format!("{} min {:02} s", whole / 60, whole % 60),
        _ => format!("{} h {:02} min", whole / 3600, whole % 3600 / 60),
    }
}

/// A duration in a sentence.
pub(super) fn about(seconds: f64) -> String {
    if seconds < 0.05 {
        "at once".to_owned()
    } else {
        format!("about {}", time(seconds))
    }
}

/// `1 step`, `3 steps`.
pub(super) fn count(number: usize, noun: &str) -> String {
    format!("{number} {noun}{}", if number == 1 { "" } else { "s" })
}

/// At most `most` characters, an ellipsis standing for the rest.
pub(super) fn clip(text: &str, most: usize) -> String {
    if text.chars().count() <= most {
        return text.to_owned();
    }
    text.chars()
        .take(most.saturating_sub(1))
        .chain(['…'])
        .collect()
}

/// Columns that line up, two spaces apart; the last is not padded.
pub(super) fn table<const N: usize>(rows: &[[String; N]], right: &[bool; N]) -> String {
    let width = |column: usize| {
        rows.iter()
            .map(|row| row[column].chars().count())
            .max()
            .unwrap_or(0)
    };
    let widths: Vec<usize> = (0..N).map(width).collect();
    rows.iter().map(|row| line(row, &widths, right)).collect()
}

/// One line of a table.
pub(super) fn line(row: &[String], widths: &[usize], right: &[bool]) -> String {
    let mut text = String::new();
    for ((cell, width), right) in row.iter().zip(widths).zip(right) {
        if *width == 0 {
            continue;
        }
        let pad = " ".repeat(width.saturating_sub(cell.chars().count()));
        text += &if *right {
            format!("{pad}{cell}  ")
        } else {
            format!("{cell}{pad}  ")
        };
    }
    format!("{}\n", text.trim_end())
}

/// A sentence broken at spaces so that no line is wider than `width`; later lines indented.
pub(super) fn wrap(text: &str, width: usize, indent: usize) -> String {
    let mut lines = String::new();
    let mut column = 0;
    for word in text.split(' ') {
        let length = word.chars().count();
        if column > 0 && column + 1 + length > width {
            lines += &format!("\n{}", " ".repeat(indent));
            column = indent;
        } else if column > 0 {
            lines.push(' ');
            column += 1;
        }
        lines += word;
        column += length;
    }
    lines
}

/// A rate: `24`, `23.976`.
pub(super) fn rate(fps: Fps) -> String {
    let text = format!("{:.3}", fps.as_f64());
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

/// What a step makes: `16×21×60×104`, `81 frames 832×480 @16`. Lengths of several steps of one kind
/// become a range.
pub(super) fn makes(plan: &Plan, steps: &[&Step]) -> String {
    let infos = || {
        steps
            .iter()
            .filter_map(|step| Some(&plan.value(*step.writes.first()?).info))
    };
    let range = |frames: &dyn Fn(&Info) -> Option<u64>| {
        let (low, high) = (
            infos().filter_map(frames).min(),
            infos().filter_map(frames).max(),
        );
        match (low, high) {
            (Some(low), Some(high)) if low != high => format!("{low}–{high}"),
            (low, _) => low.unwrap_or(0).to_string(),
        }
    };
    let clips = |info: &Info| match info {
        Info::Clip(clip) | Info::Segment(clip) => Some(clip.frames),
        Info::Latent(_)
        | Info::Conditioning { .. }
        | Info::Weights(_)
        | Info::Constant(_)
        | Info::Storyboard(_)
        | Info::Nothing => None,
    };
    let latents = |info: &Info| match info {
        Info::Latent(latent) => Some(u64::from(latent.frames)),
        Info::Clip(_)
        | Info::Segment(_)
        | Info::Conditioning { .. }
        | Info::Weights(_)
        | Info::Constant(_)
        | Info::Storyboard(_)
        | Info::Nothing => None,
    };
    match infos().next() {
        Some(Info::Clip(clip) | Info::Segment(clip)) => {
            let fps = clip
                .fps
                .map_or(String::new(), |fps| format!(" @{}", rate(fps)));
            let frames = range(&clips);
            let noun = if frames == "1" { "frame" } else { "frames" };
            format!("{frames} {noun} {}×{}{fps}", clip.width, clip.height)
        }
        Some(Info::Latent(latent)) => {
            let batch = if latent.batch == 1 {
                String::new()
            } else {
                format!("{}×", latent.batch)
            };
            format!(
                "{batch}{}×{}×{}×{}",
                latent.channels,
                range(&latents),
                latent.height,
                latent.width
            )
        }
        Some(Info::Conditioning {
            tokens,
            dim,
            extras,
        }) => {
            let mut text = format!("text {tokens}×{dim}");
            for name in extras.arrays.keys() {
                text.push_str(" + ");
                text.push_str(&name.replace('_', " "));
            }
            text
        }
        Some(Info::Constant(value)) => clip(&value.to_string(), 20),
        Some(Info::Weights(_) | Info::Storyboard(_) | Info::Nothing) | None => {
            let output = steps.first().is_some_and(|step| step.keep == Keep::Output);
            match (output, steps.len()) {
                (false, _) => String::new(),
                (true, 1) => "file".to_owned(),
                (true, _) => "files".to_owned(),
            }
        }
    }
}
