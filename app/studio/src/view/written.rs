//! What a render wrote, for people: size on the disk, and of films and pictures what is in them.

use std::path::Path;
use std::time::Duration;

use longtake_plan::ClipInfo;

use crate::units;

/// `4.2 MiB, 24 s, 576 frames of 832×480 at 24 fps`; of a picture its size, of anything else the bytes.
/// `None` when the file is not there any more.
pub fn told(path: &Path) -> Option<String> {
    let bytes = units::size(path.metadata().ok()?.len());
    let what = clip(path).map(|it| inside(&it)).unwrap_or_default();
    Some(format!("{bytes}{what}"))
}

fn inside(info: &ClipInfo) -> String {
    let size = format!("{}×{}", info.width, info.height);
    match info.fps.filter(|fps| info.frames > 1 && fps.num > 0) {
        Some(fps) => {
            let rate = f64::from(fps.num) / f64::from(fps.den);
            let time = units::time(Duration::from_secs_f64(info.frames as f64 / rate));
            let rate = (rate * 1000.0).round() / 1000.0;
            format!(", {time}, {} frames of {size} at {rate} fps", info.frames)
        }
        None => format!(", {size}"),
    }
}

/// A film's or a picture's sizes, as its file says.
fn clip(path: &Path) -> Option<ClipInfo> {
    let ending = path.extension()?.to_string_lossy().to_ascii_lowercase();
    match ending.as_str() {
        "png" => longtake_nodes::picture::load::clip(path).ok(),
        "mp4" | "mkv" => longtake_nodes::video::open(path).ok(),
        _ => None,
    }
    .map(|it| it.info())
}

#[cfg(test)]
mod tests {
    use longtake_plan::Fps;

    use super::*;

    #[test]
    fn films_tell_their_length_and_pictures_their_size() {
        let mut info = ClipInfo {
            frames: 240,
            width: 832,
            height: 480,
            channels: 3,
            fps: Some(Fps {
                num: 24000,
                den: 1001,
            }),
        };
        assert_eq!(inside(&info), ", 10 s, 240 frames of 832×480 at 23.976 fps");
        info.fps = Some(Fps { num: 24, den: 1 });
        assert_eq!(inside(&info), ", 10 s, 240 frames of 832×480 at 24 fps");
        info.frames = 1;
        assert_eq!(inside(&info), ", 832×480");
        assert_eq!(told(Path::new("/nowhere/film.mp4")), None);
    }
}
