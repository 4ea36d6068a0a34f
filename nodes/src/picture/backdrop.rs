//! Drawn backdrops for cards: small landscapes of gradients, ridges and lights, different for
//! every seed and the same for the same one.

use super::canvas::Canvas;
use super::palette::{Palette, Rgb, mix};

/// What is drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scene {
    /// One colour, darker towards the corners.
    Plain,
    /// Soft lights.
    Glow,
    /// Ridges in haze.
    Hills,
    /// A horizon with the light on the water.
    Sea,
    /// Rows of houses with lit windows.
    City,
    /// A starry sky over a ridge.
    Stars,
    /// Streaks before soft lights.
    Rain,
    /// A tower on a cliff, its beams in the sky.
    Lighthouse,
}

/// Names in files. `auto` goes by the seed.
pub const SCENES: &[&str] = &[
    "auto",
    "plain",
    "glow",
    "hills",
    "sea",
    "city",
    "stars",
    "rain",
    "lighthouse",
];

const DRAWN: [Scene; 7] = [
    Scene::Glow,
    Scene::Hills,
    Scene::Sea,
    Scene::City,
    Scene::Stars,
    Scene::Rain,
    Scene::Lighthouse,
];

impl Scene {
    /// By name; `auto` takes one by `seed` (which takes the palette by its lower digits already).
    pub fn named(name: &str, seed: u64) -> Option<Self> {
        match SCENES.iter().position(|it| *it == name)? {
            0 => Some(DRAWN[(seed / 8 % DRAWN.len() as u64) as usize]),
            1 => Some(Self::Plain),
            index => Some(DRAWN[index - 2]),
        }
    }
}

/// Draws a backdrop.
pub fn draw(scene: Scene, palette: &Palette, seed: u64, width: u32, height: u32) -> Canvas {
    let view = View {
        palette: *palette,
        seed: fold(seed),
        aspect: width as f32 / height as f32,
        height: height as f32,
    };
    let columns = |layers: &dyn Fn(f32) -> Vec<Ridge>| -> Vec<Vec<Ridge>> {
        (0..width)
            .map(|x| layers((x as f32 + 0.5) / height as f32))
            .collect()
    };
    let ridges = match scene {
        Scene::Hills => columns(&|x| view.hills(x)),
        Scene::Stars => columns(&|x| view.low_hills(x)),
        Scene::City => columns(&|x| view.houses(x)),
        Scene::Lighthouse => columns(&|x| view.cliff(x)),
        Scene::Plain | Scene::Glow | Scene::Sea | Scene::Rain => Vec::new(),
    };
    Canvas::paint(width, height, |px, py| {
        let (x, y) = (
            (px as f32 + 0.5) / view.height,
            (py as f32 + 0.5) / view.height,
        );
        let mut colour = view.sky(scene, x, y);
        if let Some(column) = ridges.get(px as usize) {
            colour = view.land(column, colour, x, y);
        }
        view.vignette(colour, x, y)
    })
}

fn fold(seed: u64) -> u32 {
    (seed ^ (seed >> 32)) as u32
}

/// One layer of land in one column.
#[derive(Clone, Copy)]
struct Ridge {
    /// Its upper edge, heights of the picture from the top.
    top: f32,
    /// 0 far, 1 near.
    near: f32,
    /// House number and place in the house (0..1), for windows; none for hills.
    house: Option<(u32, f32)>,
}

struct View {
    palette: Palette,
    seed: u32,
    aspect: f32,
    height: f32,
}

/// An integer hash (C. Wellons, "Prospecting for Hash Functions": `lowbias32`).
fn hash(mut x: u32) -> u32 {
    x ^= x >> 16;
    x = x.wrapping_mul(0x7feb_352d);
    x ^= x >> 15;
    x = x.wrapping_mul(0x846c_a68b);
    x ^ (x >> 16)
}

fn unit(x: u32) -> f32 {
    (hash(x) >> 8) as f32 / 16_777_216.0
}

fn smooth(t: f32) -> f32 {
    let t = t.clamp(0.0, 1.0);
    t * t * (3.0 - 2.0 * t)
}

/// Value noise on a line, -1..1.
fn noise(x: f32, seed: u32) -> f32 {
    let cell = x.floor();
    let at = |offset: i32| unit(seed ^ hash((cell as i32 + offset) as u32)) * 2.0 - 1.0;
    let t = smooth(x - cell);
    at(0) + (at(1) - at(0)) * t
}

/// Four octaves of [`noise`].
fn rough(x: f32, seed: u32) -> f32 {
    (0..4)
        .map(|k| noise(x * (1 << k) as f32, seed.wrapping_add(k * 101)) * 0.5f32.powi(k as i32))
        .sum::<f32>()
        / 1.6
}

fn gauss(distance: f32, spread: f32) -> f32 {
    (-(distance / spread).powi(2)).exp()
}

impl View {
    /// A number of this picture, 0..1.
    fn pick(&self, which: u32) -> f32 {
        unit(self.seed.wrapping_mul(0x9e37_79b9).wrapping_add(which))
    }

    /// Where the sun or moon stands: right of the text.
    fn sun(&self) -> (f32, f32) {
        (
            self.aspect * (0.62 + 0.22 * self.pick(1)),
            0.26 + 0.14 * self.pick(2),
        )
    }

    fn sky(&self, scene: Scene, x: f32, y: f32) -> Rgb {
        let it = &self.palette;
        match scene {
            Scene::Plain => it.top,
            Scene::Glow => self.lights(x, y),
            Scene::Rain => self.rain(self.lights(x, y), x, y),
            Scene::Sea => self.sea(x, y),
            Scene::Stars => self.stars(mix(it.top, it.low, smooth(y * 1.1) * 0.8), x, y),
            Scene::Hills => self.sun_over(mix(it.top, it.low, smooth(y * 1.6)), x, y),
            Scene::City => mix(it.top, it.low, smooth(y * 1.25)),
            Scene::Lighthouse => self.beams(mix(it.top, it.low, smooth(y * 1.2) * 0.85), x, y),
        }
    }

    fn vignette(&self, colour: Rgb, x: f32, y: f32) -> Rgb {
        let (dx, dy) = (x / self.aspect - 0.5, y - 0.5);
        mix(colour, [0.0; 3], (0.55 * (dx * dx + dy * dy)).min(0.4))
    }

    fn lights(&self, x: f32, y: f32) -> Rgb {
        let it = &self.palette;
        let mut colour = mix(it.top, mix(it.top, it.low, 0.55), smooth(y));
        for k in 0..4 {
            let place = (
                self.aspect * (0.35 + 0.65 * self.pick(10 + k)),
                self.pick(20 + k),
            );
            let spread = 0.28 + 0.4 * self.pick(30 + k);
            let tone = if k % 2 == 0 { it.low } else { it.far };
            colour = mix(
                colour,
                tone,
                0.6 * gauss((x - place.0).hypot(y - place.1), spread),
            );
        }
        let sun = self.sun();
        mix(
            colour,
            it.glow,
            0.35 * gauss((x - sun.0).hypot(y - sun.1), 0.22),
        )
    }

    fn sun_over(&self, sky: Rgb, x: f32, y: f32) -> Rgb {
        let (sx, sy) = self.sun();
        let distance = (x - sx).hypot(y - sy);
        let halo = 0.55 * gauss(distance, 0.34) + 0.25 * gauss(distance, 0.12);
        let disc = ((0.062 - distance) * self.height + 0.5).clamp(0.0, 1.0);
        mix(mix(sky, self.palette.glow, halo), self.palette.glow, disc)
    }

    fn sea(&self, x: f32, y: f32) -> Rgb {
        let it = &self.palette;
        let horizon = 0.56 + 0.08 * self.pick(3);
        let sky = self.sun_over(mix(it.top, it.low, smooth(y / horizon)), x, y);
        let below = (y - horizon) * self.height + 0.5;
        if below <= 0.0 {
            return sky;
        }
        let depth = ((y - horizon) / (1.0 - horizon)).clamp(0.0, 1.0);
        let mut water = mix(mix(it.far, it.low, 0.35), it.near, smooth(depth * 1.1));
        // Swell: rows of light and dark, finer towards the horizon.
        let row = (depth + 0.02).ln() * 9.0;
        let swell = noise(row * 3.0 + noise(x * 2.5, self.seed) * 1.2, self.seed ^ 7);
        water = mix(water, it.low, 0.10 * swell.max(0.0));
        // The sun's road.
        let road = gauss(x - self.sun().0, 0.07 + 0.20 * depth);
        let glint = noise(
            x * 26.0 / (0.25 + depth),
            hash((row * 12.0) as i32 as u32) ^ self.seed,
        );
        water = mix(
            water,
            it.glow,
            road * (0.22 + 0.55 * smooth(glint * 1.4)) * (1.0 - 0.5 * depth),
        );
        mix(sky, water, below.min(1.0))
    }

    fn stars(&self, sky: Rgb, x: f32, y: f32) -> Rgb {
        const CELLS: f32 = 34.0;
        let (cx, cy) = ((x * CELLS).floor(), (y * CELLS).floor());
        let id = self.seed ^ hash(cx as u32 ^ hash(cy as u32));
        let (px, py) = (unit(id ^ 1) * 0.8 + 0.1, unit(id ^ 2) * 0.8 + 0.1);
        let distance = ((x * CELLS - cx - px).hypot(y * CELLS - cy - py)) / CELLS;
        let strength = unit(id ^ 3).powi(4) * (1.0 - smooth(y * 1.25));
        let star = gauss(distance, 0.0012 + 0.0016 * unit(id ^ 4).powi(3));
        let band = 0.10
            * gauss(
                y - 0.55 + 0.35 * x / self.aspect + 0.06 * noise(x * 3.0, self.seed),
                0.16,
            );
        mix(
            mix(sky, self.palette.far, band),
            self.palette.glow,
            (star * strength * 1.6).min(1.0),
        )
    }

    fn rain(&self, behind: Rgb, x: f32, y: f32) -> Rgb {
        let mut colour = behind;
        for layer in 0..3u32 {
            let scale = 60.0 - 14.0 * layer as f32;
            let slanted = (x + y * 0.16) * scale + layer as f32 * 0.37;
            let lane = slanted.floor();
            let id = self.seed ^ hash(lane as i32 as u32 ^ (layer << 20));
            let along = y * (1.6 + 0.5 * layer as f32) + unit(id) * 7.0;
            let drop = unit(hash(along.floor() as u32) ^ id ^ 5);
            let t = along.fract();
            let streak = if drop < 0.45 {
                smooth(t * 3.0) * smooth((0.75 - t) * 4.0)
            } else {
                0.0
            };
            let thin = gauss(slanted - lane - 0.5, 0.05 + 0.02 * layer as f32);
            colour = mix(colour, self.palette.glow, 0.22 * streak * thin);
        }
        colour
    }

    fn beams(&self, sky: Rgb, x: f32, y: f32) -> Rgb {
        let (lx, ly) = self.lamp();
        let (dx, dy) = (x - lx, y - ly);
        let distance = dx.hypot(dy);
        let tilt = 0.10 + 0.10 * self.pick(5);
        let mut light = 0.75 * gauss(distance, 0.05) + 0.35 * gauss(distance, 0.2);
        for (way, lean) in [(-1.0f32, tilt), (1.0, -tilt * 0.6)] {
            let along = dx * way;
            if along > 0.0 {
                let off = dy + along * lean;
                light += 0.65 * gauss(off, 0.008 + 0.075 * along) / (1.0 + 0.9 * along);
            }
        }
        mix(sky, self.palette.glow, light.min(1.0))
    }

    fn lamp(&self) -> (f32, f32) {
        (self.aspect * (0.70 + 0.1 * self.pick(4)), 0.33)
    }

    fn hills(&self, x: f32) -> Vec<Ridge> {
        let layer = |k: u32| {
            let near = (k as f32 + 1.0) / 5.0;
            let shape = rough(
                x * (1.1 + 0.35 * k as f32),
                self.seed.wrapping_add(k * 7919),
            );
            let top = 0.44 + 0.115 * k as f32 + (0.115 - 0.01 * k as f32) * shape;
            Ridge {
                top,
                near,
                house: None,
            }
        };
        (0..5).map(layer).collect()
    }

    fn low_hills(&self, x: f32) -> Vec<Ridge> {
        let layer = |k: u32| {
            let shape = rough(x * (0.9 + 0.5 * k as f32), self.seed.wrapping_add(k * 7919));
            Ridge {
                top: 0.76 + 0.09 * k as f32 + 0.07 * shape,
                near: 0.45 + 0.5 * k as f32,
                house: None,
            }
        };
        (0..2).map(layer).collect()
    }

    fn houses(&self, x: f32) -> Vec<Ridge> {
        let layer = |k: u32| {
            let wide = 0.055 + 0.03 * k as f32;
            let at = x / wide + 0.4 * k as f32;
            let number = hash(at.floor() as u32 ^ self.seed ^ (k << 16));
            let tall = 0.10 + 0.26 * unit(number) * (1.0 - 0.15 * k as f32);
            let top = 0.66 + 0.13 * k as f32 - tall;
            Ridge {
                top,
                near: 0.25 + 0.35 * k as f32,
                house: Some((number, at.fract())),
            }
        };
        (0..3).map(layer).collect()
    }

    fn cliff(&self, x: f32) -> Vec<Ridge> {
        let (lx, ly) = self.lamp();
        let sea = Ridge {
            top: 0.80 + 0.003 * noise(x * 30.0, self.seed),
            near: 0.35,
            house: None,
        };
        let rise = 0.26 * smooth(1.25 - (x - lx).abs() / 0.42) + 0.02 * rough(x * 6.0, self.seed);
        let cliff = Ridge {
            top: 0.92 - rise,
            near: 0.85,
            house: None,
        };
        let from_axis = (x - lx).abs();
        // Lantern room, gallery, and a tower that widens downwards.
        let tower = if from_axis < 0.012 {
            ly - 0.022
        } else if from_axis < 0.027 {
            ly + 0.022
        } else {
            ly + 0.03 + (from_axis - 0.021) * 22.0
        };
        vec![
            sea,
            cliff,
            Ridge {
                top: tower.min(1.5),
                near: 1.0,
                house: None,
            },
        ]
    }

    fn land(&self, column: &[Ridge], sky: Rgb, x: f32, y: f32) -> Rgb {
        let it = &self.palette;
        let mut colour = sky;
        for ridge in column {
            let cover = ((y - ridge.top) * self.height + 0.5).clamp(0.0, 1.0);
            if cover <= 0.0 {
                continue;
            }
            let body = mix(mix(it.far, it.low, 0.25), it.near, ridge.near.powf(0.75));
            // Haze gathers at the foot of what is far away.
            let haze = 0.5 * (1.0 - ridge.near) * smooth((y - ridge.top) * 4.0);
            let mut land = mix(body, it.low, haze);
            if let Some(lit) = Self::window(ridge, y) {
                // The street is asleep: words stand there.
                land = mix(land, it.glow, lit * smooth((0.82 - y) * 3.5));
            }
            colour = mix(colour, land, cover);
        }
        let (lx, ly) = self.lamp();
        if column
            .last()
            .is_some_and(|it| it.near == 1.0 && it.house.is_none())
            && column.len() == 3
        {
            // The lantern shines through its own silhouette.
            colour = mix(
                colour,
                it.glow,
                gauss((x - lx).hypot(y - ly), 0.016).min(1.0),
            );
        }
        colour
    }

    /// How brightly a house's window shines at a height.
    fn window(ridge: &Ridge, y: f32) -> Option<f32> {
        let (number, across) = ridge.house?;
        let (columns, tall) = (4.0, 0.022);
        let (cell_x, cell_y) = (across * columns, (y - ridge.top - 0.012) / tall);
        if cell_y < 0.0 {
            return None;
        }
        let id = number ^ hash((cell_x.floor() as u32) << 8 | cell_y.floor() as u32);
        let inside =
            (0.28..0.72).contains(&cell_x.fract()) && (0.25..0.75).contains(&cell_y.fract());
        (inside && unit(id) < 0.22).then(|| 0.25 + 0.55 * unit(id ^ 9) * ridge.near)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scenes_are_the_same_for_a_seed_and_differ_between_seeds() {
        for name in &SCENES[2..] {
            let picture = |seed| {
                let palette = Palette::named("dusk", 0, [0.0; 3], [1.0; 3]).unwrap();
                let scene = Scene::named(name, seed).unwrap();
                draw(scene, &palette, seed, 160, 90).into_frame()
            };
            assert_eq!(picture(5), picture(5), "{name}");
            assert_ne!(picture(5), picture(6), "{name}");
        }
    }
}
