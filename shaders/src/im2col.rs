//! Cuts the windows of a convolution into the columns of a matrix, a tile at a time.

#![allow(unsafe_code, reason = "a scratch buffer is filled as a whole")]

use std::mem::MaybeUninit;

use crate::host::{self, Values};

/// The frames a convolution reads: zeros, then the cached frames, then the input, all
/// `[batch, channels, time, height, width]`.
pub struct Frames<'a> {
    pub zeros: usize,
    pub cache: Option<&'a Values>,
    pub cached: usize,
    pub x: &'a Values,
    /// Frames of `x` alone.
    pub time: usize,
    pub channels: usize,
    pub height: usize,
    pub width: usize,
}

impl Frames<'_> {
    /// Frames on the time axis, with the zeros and the cache.
    pub fn total(&self) -> usize {
        self.zeros + self.cached + self.time
    }

    /// One channel of one frame; `None` if it is all zeros.
    fn plane(&self, item: usize, channel: usize, frame: usize) -> Option<&[f32]> {
        let size = self.height * self.width;
        let frame = frame.checked_sub(self.zeros)?;
        let (values, time, frame) = match self.cache {
            Some(cache) if frame < self.cached => (cache, self.cached, frame),
            _ => (self.x, self.time, frame - self.cached),
        };
        let at = ((item * self.channels + channel) * time + frame) * size;
        Some(&values[at..at + size])
    }
}

/// How windows lie over the frames.
#[derive(Clone, Copy)]
pub struct Windows {
    /// Time, height, width.
    pub kernel: [usize; 3],
    pub stride: [usize; 3],
    /// Zeros above and to the left of each frame. What lies outside on the other sides is zero
    /// too, as far as `out` reaches.
    pub top: usize,
    pub left: usize,
    pub out: [usize; 3],
}

impl Windows {
    pub fn positions(&self) -> usize {
        self.out.iter().product()
    }

    /// Length of a column for `channels` input channels.
    pub fn depth(&self, channels: usize) -> usize {
        channels * self.kernel.iter().product::<usize>()
    }

    /// Fills `columns` `[depth, len]` with the windows of positions `first..first + len` of
    /// batch item `item`; rows are ordered channel, time, height, width, like a weight's axes.
    pub fn gather<'a>(
        &self,
        frames: &Frames<'_>,
        item: usize,
        first: usize,
        len: usize,
        columns: &'a mut [MaybeUninit<f32>],
    ) -> &'a mut [f32] {
        let [kt, kh, kw] = self.kernel;
        assert_eq!(columns.len(), self.depth(frames.channels) * len);
        let mut rows = columns.chunks_mut(len);
        for channel in 0..frames.channels {
            for dt in 0..kt {
                for dy in 0..kh {
                    for dx in 0..kw {
                        let row = rows.next().expect("a row per channel and tap");
                        self.gather_row(frames, [item, channel], [dt, dy, dx], first, row);
                    }
                }
            }
        }
        // SAFETY: that were all its rows, and a row is filled line by line.
        unsafe { host::written_slice(columns) }
    }

    /// One tap of one channel, for consecutive output positions.
    fn gather_row(
        &self,
        frames: &Frames<'_>,
        [item, channel]: [usize; 2],
        [dt, dy, dx]: [usize; 3],
        first: usize,
        mut row: &mut [MaybeUninit<f32>],
    ) {
        let [_, out_h, out_w] = self.out;
        let mut position = first;
        while !row.is_empty() {
            let (line, x) = (position / out_w, position % out_w);
            let len = row.len().min(out_w - x);
            let (part, rest) = row.split_at_mut(len);
            let frame = line / out_h * self.stride[0] + dt;
            let y = (line % out_h * self.stride[1] + dy).checked_sub(self.top);
            let source = y
                .filter(|&y| y < frames.height)
                .zip(frames.plane(item, channel, frame))
                .map(|(y, plane)| &plane[y * frames.width..(y + 1) * frames.width]);
            match source {
                Some(source) => self.copy_line(source, x, dx, part),
                None => part.fill(MaybeUninit::new(0.0)),
            }
            row = rest;
            position += len;
        }
    }

    /// `part[i] = source[(x + i) stride + dx - left]`, zero outside.
    fn copy_line(&self, source: &[f32], x: usize, dx: usize, part: &mut [MaybeUninit<f32>]) {
        let stride = self.stride[2];
        let start = x * stride + dx;
        // First i at or past the left edge, first i past the right edge.
        let from = self
            .left
            .saturating_sub(start)
            .div_ceil(stride)
            .min(part.len());
        let reach = (source.len() + self.left)
            .saturating_sub(start)
            .div_ceil(stride);
        let to = reach.clamp(from, part.len());
        part[..from].fill(MaybeUninit::new(0.0));
        part[to..].fill(MaybeUninit::new(0.0));
        if from == to {
            return;
        }
        let begin = start + from * stride - self.left;
        let part = &mut part[from..to];
        if stride == 1 {
            part.write_copy_of_slice(&source[begin..begin + part.len()]);
        } else {
            for (i, value) in part.iter_mut().enumerate() {
                value.write(source[begin + i * stride]);
            }
        }
    }
}
