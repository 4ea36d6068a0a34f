//! One pass per tile, and the tiles of a chunk put together into whole frames.

use burn::tensor::{DType, TensorData};

use super::layers::Cache;
use super::tiles::{Span, Tiling, weights};
use crate::{Device, Tensor};

/// Where a tile lies (in latent positions) and what its layers remember.
struct Tile {
    rows: Span,
    columns: Span,
    cache: Cache,
    /// `[1, 1, 1, h, w]` at output resolution; absent for a lone tile.
    weight: Option<Tensor<5>>,
}

/// The tiles of one stream. Without tiling there is one, as large as the frame.
pub(super) struct Canvas {
    tiles: Vec<Tile>,
    /// Latent height and width.
    size: [usize; 2],
    /// Input and output positions per latent position.
    scale: [usize; 2],
}

impl Canvas {
    /// `size`: latent height and width. `scale`: how many positions of the input and of the output
    /// stand for one latent position.
    pub fn new(
        size: [usize; 2],
        scale: [usize; 2],
        tiling: Option<Tiling>,
        dtype: DType,
        device: &Device,
    ) -> Self {
        let whole = |len| vec![Span { start: 0, len }];
        // Pixels are on one of the two sides.
        let spatial = scale[0].max(scale[1]);
        let spans = |n| tiling.map_or_else(|| whole(n), |it| it.on(spatial).spans(n));
        let [rows, columns] = size.map(spans);
        let fine =
            |spans: &[Span]| -> Vec<Span> { spans.iter().map(|it| it.scaled(scale[1])).collect() };
        let (row_weights, column_weights) = (weights(&fine(&rows)), weights(&fine(&columns)));
        let lone = rows.len() * columns.len() == 1;
        let mut tiles = Vec::new();
        for (rows, down) in rows.iter().zip(&row_weights) {
            for (columns, across) in columns.iter().zip(&column_weights) {
                let weight = (!lone).then(|| outer(down, across, device).cast(dtype));
                tiles.push(Tile {
                    rows: *rows,
                    columns: *columns,
                    cache: Cache::default(),
                    weight,
                });
            }
        }
        Self { tiles, size, scale }
    }

    pub fn tile_count(&self) -> usize {
        self.tiles.len()
    }

    /// Rows and columns of a tile at output resolution.
    pub fn place(&self, tile: usize) -> [Span; 2] {
        let tile = &self.tiles[tile];
        [tile.rows, tile.columns].map(|it| it.scaled(self.scale[1]))
    }

    /// Forgets what a tile's layers remember.
    pub fn forget(&mut self, tile: usize) {
        self.tiles[tile].cache = Cache::default();
    }

    /// Sends one tile of a chunk `[1, c, n, H, W]` through `net`; the result is weighted, ready to
    /// be added at its [`Canvas::place`].
    pub fn pass_tile(
        &mut self,
        tile: usize,
        x: &Tensor<5>,
        net: impl Fn(Tensor<5>, &mut Cache) -> Tensor<5>,
    ) -> Tensor<5> {
        let input = self.scale[0];
        let tile = &mut self.tiles[tile];
        tile.cache.rewind();
        match &tile.weight {
            None => net(x.clone(), &mut tile.cache),
            Some(weight) => {
                let part = crop(
                    x.clone(),
                    tile.rows.scaled(input),
                    tile.columns.scaled(input),
                );
                net(part, &mut tile.cache) * weight.clone()
            }
        }
    }

    /// Sends one chunk `[1, c, n, H, W]` through `net`, tile by tile, and blends what comes out.
    pub fn pass(
        &mut self,
        x: &Tensor<5>,
        net: impl Fn(Tensor<5>, &mut Cache) -> Tensor<5>,
    ) -> Tensor<5> {
        let [h, w] = self.size.map(|n| n * self.scale[1]);
        let first = self.pass_tile(0, x, &net);
        if self.tiles.len() == 1 {
            return first;
        }
        let [_, c, n, ..] = first.dims();
        let mut canvas = Tensor::zeros([1, c, n, h, w], &first.device()).cast(first.dtype());
        let mut part = Some(first);
        for tile in 0..self.tiles.len() {
            let part = part.take().unwrap_or_else(|| self.pass_tile(tile, x, &net));
            let [rows, columns] = self.place(tile);
            let blended = crop(canvas.clone(), rows, columns) + part;
            let place = [
                0..1,
                0..c,
                0..n,
                rows.start..rows.end(),
                columns.start..columns.end(),
            ];
            canvas = canvas.slice_assign(place, blended);
        }
        canvas
    }
}

fn crop(x: Tensor<5>, rows: Span, columns: Span) -> Tensor<5> {
    x.narrow(3, rows.start, rows.len)
        .narrow(4, columns.start, columns.len)
}

fn outer(down: &[f32], across: &[f32], device: &Device) -> Tensor<5> {
    let values: Vec<f32> = down
        .iter()
        .flat_map(|d| across.iter().map(move |a| d * a))
        .collect();
    let shape = [1, 1, 1, down.len(), across.len()];
    Tensor::from_data(TensorData::new(values, shape), device)
}
