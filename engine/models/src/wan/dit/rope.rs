//! Angles of the 3-D rotary position embedding (Wan2.1 `wan/modules/model.py`, `rope_params` and
//! `rope_apply`).

use std::sync::{Arc, Mutex, PoisonError};

use burn::tensor::TensorData;
use longtake_shaders::Tensor;

use crate::Device;

/// Base of the geometric series of frequencies.
const THETA: f64 = 10_000.0;

/// Token grid: frames, rows, columns (after patching).
pub type Grid = [usize; 3];

/// Cosines and sines for every token of a grid, `[tokens, head_dim / 2]` each.
#[derive(Clone)]
pub struct RopeTables {
    pub cos: Tensor<2>,
    pub sin: Tensor<2>,
}

/// The tables of the grid used last: one sampling run has one grid.
#[derive(Clone, Default)]
pub struct RopeCache(Arc<Mutex<Option<(Grid, RopeTables)>>>);

impl RopeCache {
    /// Tables of `grid`, computed on the first call and shared afterwards.
    pub fn get(&self, grid: Grid, head_dim: usize, device: &Device) -> RopeTables {
        // A poisoned lock only says that another thread panicked; the entry is whole.
        let mut last = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match &*last {
            Some((known, tables)) if *known == grid => tables.clone(),
            _ => {
                let tables = tables(grid, head_dim, device);
                *last = Some((grid, tables.clone()));
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

/// Angle of every (token, pair), tokens with columns fastest, in f64: at f32 the product of a
/// position and a frequency would already be off in the digits that the cosine keeps.
fn angles(grid: Grid, head_dim: usize) -> Vec<f64> {
    let pairs = pairs_per_axis(head_dim);
    let frequencies = pairs.map(|n| {
        (0..n)
            .map(|j| THETA.powf(-(j as f64) / n as f64))
            .collect::<Vec<_>>()
    });
    let mut angles = Vec::with_capacity(grid.iter().product::<usize>() * head_dim / 2);
    for frame in 0..grid[0] {
        for row in 0..grid[1] {
            for column in 0..grid[2] {
                for (position, frequencies) in [frame, row, column].iter().zip(&frequencies) {
                    angles.extend(frequencies.iter().map(|f| *position as f64 * f));
                }
            }
        }
    }
    angles
}

fn tables(grid: Grid, head_dim: usize, device: &Device) -> RopeTables {
    let angles = angles(grid, head_dim);
    let shape = [grid.iter().product::<usize>(), head_dim / 2];
    let table = |function: fn(f64) -> f64| {
        let values: Vec<f32> = angles.iter().map(|a| function(*a) as f32).collect();
        Tensor::<2>::from_data(TensorData::new(values, shape), device)
    };
    RopeTables {
        cos: table(f64::cos),
        sin: table(f64::sin),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_head_of_128_is_split_as_published() {
        assert_eq!(pairs_per_axis(128), [22, 21, 21]);
        assert_eq!(pairs_per_axis(24), [4, 4, 4]);
    }

    #[test]
    fn frequencies_match_the_published_ones() {
        // Token (1, 1, 1) of a 2x2x2 grid is the last one: its angles are the frequencies.
        let all = angles([2, 2, 2], 128);
        let last = &all[7 * 64..];
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
        let all = angles([2, 3, 4], 24);
        let at = |token: usize, pair: usize| all[token * 12 + pair];
        assert!((0..12).all(|pair| at(0, pair) == 0.0));
        assert_eq!([at(3, 0), at(3, 4), at(3, 8)], [0.0, 0.0, 3.0]);
        assert_eq!([at(4, 0), at(4, 4), at(4, 8)], [0.0, 1.0, 0.0]);
        assert_eq!([at(12, 0), at(12, 4), at(12, 8)], [1.0, 0.0, 0.0]);
    }
}
