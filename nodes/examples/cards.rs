//! Draws sample cards into a folder (default `/tmp/cards`) and times a camera move over one.

use std::time::Instant;

use longtake_nodes::picture::backdrop::{SCENES, Scene};
use longtake_nodes::picture::camera::{Move, shoot};
use longtake_nodes::picture::card::{Layout, Words, on_scene};
use longtake_nodes::picture::palette::{NAMES, Palette};
use longtake_run::frames_file::png;

const SIZE: (u32, u32) = (1920, 1080);
/// As much larger as the animatic preset draws its cards.
const OVERSCAN: (u32, u32) = (2208, 1242);

fn words(number: u64, body: bool) -> Words {
    let text = |it: &str| it.to_owned();
    Words {
        label: text("The Last Letter · 最後の手紙"),
        number,
        total: 12,
        seconds: 5.0,
        camera: text(["zoom-in", "pan-left", "still"][number as usize % 3]),
        title: text(if body {
            "The Keeper Climbs\n灯台守、階段をのぼる"
        } else {
            "The Last Letter\n最後の手紙"
        }),
        body: text(if body {
            "Interior, dusk. A spiral staircase inside the lighthouse. The old keeper climbs slowly, one hand on the cold wall, a sealed letter under his arm."
        } else {
            ""
        }),
        caption: text(if body {
            "“Two hundred steps. I used to count them for you.”\n「二百段。昔はお前のために数えたものだ。」"
        } else {
            "A film in twelve shots"
        }),
    }
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let folder = std::env::args()
        .nth(1)
        .unwrap_or_else(|| "/tmp/cards".to_owned());
    std::fs::create_dir_all(&folder)?;
    for (index, scene) in SCENES[1..].iter().enumerate() {
        let seed = index as u64 + 40;
        let palette = Palette::named(NAMES[2 + index % 8], seed, [0.1; 3], [0.9, 0.6, 0.2])
            .ok_or("palette")?;
        let scene_kind = Scene::named(scene, seed).ok_or("scene")?;
        let layout = if index == 7 {
            Layout::Subtitle
        } else {
            Layout::Auto
        };
        let start = Instant::now();
        let card = on_scene(
            &words(index as u64 + 1, index != 1),
            layout,
            (scene_kind, &palette, seed),
            SIZE,
            1.0,
        )?;
        println!("{scene}: {:.0} ms", start.elapsed().as_secs_f64() * 1e3);
        std::fs::write(format!("{folder}/{scene}.png"), png(&card)?)?;
    }
    let palette = Palette::named("dusk", 0, [0.0; 3], [0.0; 3]).ok_or("palette")?;
    let card = on_scene(
        &words(3, true),
        Layout::Auto,
        (Scene::Hills, &palette, 3),
        OVERSCAN,
        1.15,
    )?;
    for name in ["pan-left", "zoom-in"] {
        let camera = Move::named(name).ok_or("move")?;
        let frames = 48u32;
        let start = Instant::now();
        for i in 0..frames {
            let window = camera.window(f64::from(i) / 47.0, 0.12, OVERSCAN, SIZE);
            let frame = shoot(&card, window, SIZE);
            if i == frames / 2 {
                std::fs::write(format!("{folder}/move-{name}.png"), png(&frame)?)?;
            }
        }
        let each = start.elapsed().as_secs_f64() / f64::from(frames);
        println!(
            "{name}: {:.1} ms a frame, {:.0} fps",
            each * 1e3,
            1.0 / each
        );
    }
    Ok(())
}
