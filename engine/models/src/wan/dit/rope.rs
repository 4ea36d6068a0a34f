//! Angles of the 3-D rotary position embedding (Wan2.1 `wan/modules/model.py`, `rope_params` and
//! `rope_apply`), and the positions of SCAIL's streams (`wan/modules/model_scail2.py` of
//! zai-org/SCAIL-2, `rope_apply_ref`, `rope_apply_pose`).

use std::ops::Range;
use std::sync::{Arc, Mutex, PoisonError};

use burn::tensor::TensorData;
use longtake_shaders::Tensor;

use super::scail::{PoseRope, ScailMode};
use crate::Device;

/// Base of the geometric series of frequencies.
const THETA: f64 = 10_000.0;
/// Columns that SCAIL's pose, and rows that a replacing reference, stand apart from the video.
const ASIDE: usize = 120;

/// Token grid: frames, rows, columns (after patching).
pub type Grid = [usize; 3];

/// What the tokens of a pass are, in their order: references, video, pose.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tokens {
    /// Of the video.
    pub grid: Grid,
    /// Frames of reference, each of the video's rows and columns.
    pub references: usize,
    /// A pose stream: as many frames as the video, half its rows and columns.
    pub pose: Option<PoseRope>,
    pub mode: ScailMode,
}

impl Tokens {
    /// A video and nothing else.
    pub fn video(grid: Grid) -> Self {
        Self {
            grid,
            references: 0,
            pose: None,
            mode: ScailMode::Animation,
        }
    }

    /// Where the video's tokens stand.
    pub fn video_range(&self) -> Range<usize> {
        let [frames, rows, columns] = self.grid;
        let first = self.references * rows * columns;
        first..first + frames * rows * columns
    }

    pub fn count(&self) -> usize {
        let [frames, rows, columns] = self.grid;
        let pose = self.pose.map_or(0, |_| frames * (rows / 2) * (columns / 2));
        self.video_range().end + pose
    }
}

/// Cosines and sines for every token, `[tokens, head_dim / 2]` each.
#[derive(Clone)]
pub struct RopeTables {
    pub cos: Tensor<2>,
    pub sin: Tensor<2>,
}

/// The tables of the tokens used last: one sampling run has one kind of pass.
#[derive(Clone, Default)]
pub struct RopeCache(Arc<Mutex<Option<(Tokens, RopeTables)>>>);

impl RopeCache {
    /// Tables of `tokens`, computed on the first call and shared afterwards.
    pub fn get(&self, tokens: Tokens, head_dim: usize, device: &Device) -> RopeTables {
        // A poisoned lock only says that another thread panicked; the entry is whole.
        let mut last = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match &*last {
            Some((known, tables)) if *known == tokens => tables.clone(),
            _ => {
                // The old ones are freed before the new ones are made.
                *last = None;
                let tables = tables(tokens, head_dim, device);
                *last = Some((tokens, tables.clone()));
                tables
            }
        }
    }
}

/// Pairs of channels given to time, rows and columns: of a head of 128 channels 22, 21, 21.
pub fn pairs_per_axis(head_dim: usize) -> [usize; 3] {
    let side = head_dim / 6;
    [head_dim / 2 - 2 * side, side, side]
}

/// Cosine and sine of every pair for each position of an axis.
struct Axis(Vec<Vec<[f64; 2]>>);

impl Axis {
    /// In f64: at f32 the product of a position and a frequency would already be off in the
    /// digits that the cosine keeps.
    fn new(positions: impl Iterator<Item = f64>, pairs: usize) -> Self {
        let frequencies: Vec<f64> = (0..pairs)
            .map(|j| THETA.powf(-(j as f64) / pairs as f64))
            .collect();
        let at = |position: f64| {
            let turn = |f: &f64| [(position * f).cos(), (position * f).sin()];
            frequencies.iter().map(turn).collect()
        };
        Self(positions.map(at).collect())
    }

    fn whole(positions: Range<usize>, pairs: usize) -> Self {
        Self::new(positions.map(|it| it as f64), pairs)
    }

    /// Half as many positions: two neighbours each, cosines and sines averaged, or turned by the
    /// angle between them.
    fn halved(positions: Range<usize>, pairs: usize, how: PoseRope) -> Self {
        let (first, count) = (positions.start, positions.len() / 2);
        match how {
            PoseRope::Midpoint => {
                Self::new((0..count).map(|i| (first + 2 * i) as f64 + 0.5), pairs)
            }
            PoseRope::Pooled => {
                let mean = |a: &[f64; 2], b: &[f64; 2]| {
                    [f64::midpoint(a[0], b[0]), f64::midpoint(a[1], b[1])]
                };
                let all = Self::whole(first..first + 2 * count, pairs).0;
                let two = all.as_chunks::<2>().0.iter();
                Self(
                    two.map(|[a, b]| a.iter().zip(b).map(|(a, b)| mean(a, b)).collect())
                        .collect(),
                )
            }
        }
    }
}

/// Cosine and sine of every (token, pair), tokens with columns fastest, pairs of time, rows,
/// columns.
fn turns(tokens: Tokens, head_dim: usize) -> [Vec<f32>; 2] {
    let pairs = pairs_per_axis(head_dim);
    let [frames, rows, columns] = tokens.grid;
    let replacing = tokens.mode == ScailMode::Replacement;
    let down = if replacing { ASIDE } else { 0 };
    // A replacing reference stands beside the first frame, another before it.
    let start = tokens.references.saturating_sub(usize::from(replacing));
    let time = start..start + frames;
    let whole = |axis: usize, range: Range<usize>| Axis::whole(range, pairs[axis]);
    let mut streams = vec![
        [
            whole(0, 0..tokens.references),
            whole(1, down..down + rows),
            whole(2, 0..columns),
        ],
        [
            whole(0, time.clone()),
            whole(1, 0..rows),
            whole(2, 0..columns),
        ],
    ];
    if let Some(how) = tokens.pose {
        streams.push([
            whole(0, time),
            Axis::halved(0..rows, pairs[1], how),
            Axis::halved(ASIDE..ASIDE + columns, pairs[2], how),
        ]);
    }
    let room = tokens.count() * head_dim / 2;
    let mut both = [0, 1].map(|_| Vec::with_capacity(room));
    for [time, rows, columns] in &streams {
        for time in &time.0 {
            for row in &rows.0 {
                for column in &columns.0 {
                    for (which, out) in both.iter_mut().enumerate() {
                        let axes = [time, row, column].into_iter().flatten();
                        out.extend(axes.map(|turn| turn[which] as f32));
                    }
                }
            }
        }
    }
    both
}

fn tables(tokens: Tokens, head_dim: usize, device: &Device) -> RopeTables {
    let shape = [tokens.count(), head_dim / 2];
    let [cos, sin] = turns(tokens, head_dim)
        .map(|values| Tensor::<2>::from_data(TensorData::new(values, shape), device));
    RopeTables { cos, sin }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Angles of one token.
    fn angles(tokens: Tokens, head_dim: usize, token: usize) -> Vec<f64> {
        let [cos, sin] = turns(tokens, head_dim);
        let half = head_dim / 2;
        let at = token * half..(token + 1) * half;
        let pairs = cos[at.clone()].iter().zip(&sin[at]);
        pairs
            .map(|(cos, sin)| f64::from(*sin).atan2(f64::from(*cos)))
            .collect()
    }

    #[test]
    fn a_head_of_128_is_split_as_published() {
        assert_eq!(pairs_per_axis(128), [22, 21, 21]);
        assert_eq!(pairs_per_axis(24), [4, 4, 4]);
    }

    #[test]
    fn frequencies_match_the_published_ones() {
        // Token (1, 1, 1) of a 2x2x2 grid is the last one: its angles are the frequencies.
        let last = angles(Tokens::video([2, 2, 2]), 128, 7);
        let expected = [
            (0, 1.0),
            (1, 0.657933),
            (2, 0.432876),
            (22, 1.0),
            (23, 0.644947),
            (45, 0.415956),
        ];
        for (pair, value) in expected {
            assert!(
                (last[pair] - value).abs() < 1e-6,
                "pair {pair}: {}",
                last[pair]
            );
        }
    }

    #[test]
    fn columns_run_fastest_and_the_origin_does_not_turn() {
        let at = |token: usize| {
            let all = angles(Tokens::video([2, 3, 4]), 24, token);
            [all[0], all[4], all[8]].map(|angle| (angle * 1e6).round() / 1e6)
        };
        assert_eq!(at(0), [0.0, 0.0, 0.0]);
        assert_eq!(at(3), [0.0, 0.0, 3.0]);
        assert_eq!(at(4), [0.0, 1.0, 0.0]);
        assert_eq!(at(12), [1.0, 0.0, 0.0]);
    }

    /// facts 5.2: pooling shortens a turn of frequency f to cos(f / 2), its angle is the middle's.
    #[test]
    fn a_pooled_turn_is_a_shortened_midpoint() {
        let with = |how| Tokens {
            pose: Some(how),
            references: 1,
            ..Tokens::video([2, 4, 6])
        };
        let [pooled, middle] = [PoseRope::Pooled, PoseRope::Midpoint].map(|how| {
            let [cos, sin] = turns(with(how), 128);
            let first = with(how).video_range().end * 64;
            assert_eq!(cos.len(), with(how).count() * 64);
            [cos[first..].to_vec(), sin[first..].to_vec()]
        });
        for token in 0..2 * 2 * 3 {
            for (pair, length) in [(0, 1.0), (22, 0.8776), (23, 0.9485), (43, 0.8776)] {
                for which in 0..2 {
                    let at = token * 64 + pair;
                    let apart = pooled[which][at] - middle[which][at] * length;
                    assert!(apart.abs() < 1e-4, "token {token}, pair {pair}: {apart}");
                }
            }
        }
    }

    #[test]
    fn modes_place_reference_and_video() {
        let near = |found: f64, position: f64| {
            let turn = std::f64::consts::TAU;
            ((found - position) / turn - ((found - position) / turn).round()).abs() < 1e-4
        };
        for (mode, reference, video) in [
            (ScailMode::Animation, [1.0, 0.0], 2.0),
            (ScailMode::Replacement, [1.0, 120.0], 1.0),
        ] {
            let tokens = Tokens {
                grid: [1, 2, 2],
                references: 2,
                pose: Some(PoseRope::Midpoint),
                mode,
            };
            // The second reference, the video, the pose: their first tokens.
            let [main, first, pose] = [4, 8, 12].map(|token| angles(tokens, 24, token));
            assert!(near(main[0], reference[0]) && near(main[4], reference[1]));
            assert!(near(first[0], video) && near(first[4], 0.0) && near(first[8], 0.0));
            assert!(near(pose[0], video) && near(pose[4], 0.5) && near(pose[8], 120.5));
        }
    }
}
