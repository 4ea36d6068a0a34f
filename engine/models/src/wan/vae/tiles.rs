//! How a frame is cut into overlapping tiles, and how much each tile counts at each position.
//!
//! Pure arithmetic, no Burn. Tiles are spread evenly, so that the last one is as large as the
//! others. In an overlap the weight of a tile falls linearly towards its edge, and is zero in the
//! quarter next to it, where the zeros beyond the edge have spoilt the values most; the weights of
//! all tiles sum to one. (ComfyUI's `tiled_scale_multidim`, `comfy/utils.py`, and diffusers fade up
//! to the edge; beside whole frames that shows two to five times more, `tests/vae_tiles.rs`.)

use super::VaeError;
use super::structure::GRID;

/// Side and overlap of square tiles, in pixels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tiling {
    tile: usize,
    overlap: usize,
}

impl Tiling {
    /// # Errors
    /// [`VaeError::Tile`] unless both are multiples of 8, `tile_px >= 8` and
    /// `overlap_px <= tile_px / 2`.
    pub fn new(tile_px: usize, overlap_px: usize) -> Result<Self, VaeError> {
        let on_grid = tile_px.is_multiple_of(GRID) && overlap_px.is_multiple_of(GRID);
        if !on_grid || tile_px == 0 || 2 * overlap_px > tile_px {
            return Err(VaeError::Tile {
                tile_px,
                overlap_px,
            });
        }
        Ok(Self {
            tile: tile_px,
            overlap: overlap_px,
        })
    }

    /// In latent positions of `spatial` pixels, rounded down but at least one.
    pub(super) fn on(self, spatial: usize) -> Cut {
        let tile = (self.tile / spatial).max(1);
        let overlap = (self.overlap / spatial).min(tile / 2);
        Cut { tile, overlap }
    }
}

/// Side and overlap of tiles in latent positions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Cut {
    tile: usize,
    overlap: usize,
}

impl Cut {
    /// The tiles of one axis, in latent positions.
    pub fn spans(self, size: usize) -> Vec<Span> {
        if size <= self.tile {
            return vec![Span {
                start: 0,
                len: size,
            }];
        }
        let count = (size - self.overlap).div_ceil(self.tile - self.overlap);
        (0..count)
            .map(|i| Span {
                start: (i * (size - self.tile) + (count - 1) / 2) / (count - 1),
                len: self.tile,
            })
            .collect()
    }

    /// Height and width of a tile of a latent of `h` by `w`.
    pub fn tile_size(self, h: usize, w: usize) -> [usize; 2] {
        [h, w].map(|n| n.min(self.tile))
    }

    /// How many tiles a latent of `h` by `w` is cut into.
    pub fn count(self, h: usize, w: usize) -> usize {
        self.spans(h).len() * self.spans(w).len()
    }
}

/// A tile's part of one axis.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Span {
    pub start: usize,
    pub len: usize,
}

impl Span {
    pub fn end(self) -> usize {
        self.start + self.len
    }

    /// The same span on a grid `factor` times finer.
    pub fn scaled(self, factor: usize) -> Self {
        Self {
            start: self.start * factor,
            len: self.len * factor,
        }
    }
}

/// Weight of every span at every one of its positions; at each position of the axis they sum to 1.
pub(super) fn weights(spans: &[Span]) -> Vec<Vec<f32>> {
    let ramps: Vec<Vec<f64>> = (0..spans.len()).map(|i| ramp(spans, i)).collect();
    let size = spans.last().map_or(0, |it| it.end());
    let mut sum = vec![0.0; size];
    for (span, ramp) in spans.iter().zip(&ramps) {
        for (at, w) in sum[span.start..span.end()].iter_mut().zip(ramp) {
            *at += w;
        }
    }
    spans
        .iter()
        .zip(ramps)
        .map(|(span, ramp)| {
            let sums = &sum[span.start..span.end()];
            ramp.iter().zip(sums).map(|(w, s)| (w / s) as f32).collect()
        })
        .collect()
}

/// Share of an overlap, at the edge of a tile, that does not count.
const SPOILT: f64 = 0.25;

/// Up over the overlap with the span before, down over the overlap with the span after.
fn ramp(spans: &[Span], i: usize) -> Vec<f64> {
    let span = spans[i];
    let left = i
        .checked_sub(1)
        .map_or(0, |j| spans[j].end().saturating_sub(span.start));
    let right = spans
        .get(i + 1)
        .map_or(0, |next| span.end().saturating_sub(next.start));
    let rise = |distance: usize, over: usize| {
        if over == 0 {
            1.0
        } else {
            let part = (distance as f64 + 0.5) / over as f64;
            ((part - SPOILT) / (1.0 - 2.0 * SPOILT)).clamp(0.0, 1.0)
        }
    };
    (0..span.len)
        .map(|k| rise(k, left).min(rise(span.len - 1 - k, right)))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tiles_cover_every_position_and_weights_sum_to_one() {
        for (size, tile, overlap) in [
            (10, 32, 8),
            (33, 32, 8),
            (100, 32, 8),
            (104, 32, 0),
            (7, 4, 2),
            (9, 2, 1),
            (60, 32, 16),
        ] {
            let spans = Cut { tile, overlap }.spans(size);
            let mut sum = vec![0.0_f32; size];
            for (span, weights) in spans.iter().zip(weights(&spans)) {
                assert!(span.len <= tile && span.end() <= size);
                for (k, w) in weights.iter().enumerate() {
                    sum[span.start + k] += w;
                }
            }
            assert!(
                sum.iter().all(|s| (s - 1.0).abs() < 1e-6),
                "{size} {tile} {overlap}: {sum:?}"
            );
            assert_eq!(spans[0].start, 0);
            for pair in spans.windows(2) {
                assert!(
                    pair[0].end() >= pair[1].start + overlap.min(size),
                    "{size} {tile} {overlap}: {spans:?}"
                );
            }
        }
    }

    #[test]
    fn bad_tiles_are_refused() {
        for (tile, overlap) in [(0, 0), (12, 0), (64, 4), (64, 40), (64, 64)] {
            assert!(Tiling::new(tile, overlap).is_err(), "{tile} {overlap}");
        }
        let tiling = Tiling::new(256, 64).unwrap();
        assert_eq!(tiling.on(8).count(60, 104), 3 * 4);
        assert_eq!(tiling.on(16).count(45, 80), 4 * 7);
    }
}
