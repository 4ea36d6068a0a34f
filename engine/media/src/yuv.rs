//! RGB to and from planar YCbCr, 8 bits.
//!
//! GStreamer 1.22's `videoconvert` truncates: mid-grey comes out up to three levels darker and tinted after
//! one round trip. Here every sum is rounded; grey stays grey.
//!
//! Matrices: ITU-R BT.709-6 §3, BT.601-7 §2.5, BT.2020-2 table 4, all as luma weights Kr and Kb. Chroma is
//! sited as H.264 assumes when nothing is said (ITU-T H.264 figure E-1, type 0): with the even columns,
//! between the rows.

/// Bits after the binary point. At 14 every weight fits 16 bits, which is what makes the products cheap
/// without AVX; the error this leaves is below 0.03 levels.
const SHIFT: u32 = 14;
/// Chroma sums carry a weight of 8: horizontally 1-2-1 or 2, vertically two rows or 3-1.
const CHROMA_WEIGHT: i32 = 8;

/// The weights that tie RGB to YCbCr.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Matrix {
    pub kr: f64,
    pub kb: f64,
    /// 0–255 for both; otherwise luma 16–235, chroma 16–240.
    pub full_range: bool,
}

impl Matrix {
    pub const BT709: Self = Self {
        kr: 0.2126,
        kb: 0.0722,
        full_range: false,
    };

    /// Span of luma and of chroma, and where luma begins.
    fn spans(self) -> (f64, f64, i32) {
        if self.full_range {
            (255.0, 255.0, 0)
        } else {
            (219.0, 224.0, 16)
        }
    }
}

fn fixed(value: f64) -> i32 {
    (value * f64::from(1u32 << SHIFT)).round() as i32
}

/// One picture's planes, of which two may be smaller by `1 << shift`.
#[derive(Clone, Copy)]
pub(crate) struct Planes<'a> {
    pub data: [&'a [u8]; 3],
    pub stride: [usize; 3],
    /// 1 if chroma has half as many columns, 0 if as many.
    pub shift_x: u32,
    pub shift_y: u32,
}

/// Where to write 4:2:0 planes.
pub(crate) struct PlanesMut<'a> {
    pub data: [&'a mut [u8]; 3],
    pub stride: [usize; 3],
}

/// Integer form of a matrix, RGB to YCbCr.
struct Forward {
    y: [i32; 3],
    cb: [i32; 3],
    cr: [i32; 3],
    y_start: i32,
}

impl Forward {
    fn new(matrix: Matrix) -> Self {
        let (kr, kb) = (matrix.kr, matrix.kb);
        let (luma, chroma, y_start) = matrix.spans();
        let (luma, chroma) = (luma / 255.0, chroma / 255.0);
        let cb = [
            fixed(-chroma * kr / (2.0 * (1.0 - kb))),
            fixed(chroma / 2.0),
        ];
        let cr = [
            fixed(chroma / 2.0),
            fixed(-chroma * kb / (2.0 * (1.0 - kr))),
        ];
        Self {
            // Green takes what rounding left, so that white is exactly white.
            y: [
                fixed(luma * kr),
                fixed(luma) - fixed(luma * kr) - fixed(luma * kb),
                fixed(luma * kb),
            ],
            // The weights of each sum to nothing, so that grey has no chroma at all.
            cb: [cb[0], -cb[0] - cb[1], cb[1]],
            cr: [cr[0], -cr[0] - cr[1], cr[1]],
            y_start,
        }
    }
}

/// A row's channels apart, which the compiler can work on eight columns at a time.
#[derive(Clone, Default)]
struct Row([Vec<i16>; 3]);

impl Row {
    fn of_width(width: usize) -> Self {
        Self([0; 3].map(|_| vec![0; width]))
    }

    fn split(&mut self, rgb: &[u8]) {
        let [r, g, b] = &mut self.0;
        for (((r, g), b), from) in r.iter_mut().zip(g).zip(b).zip(rgb.as_chunks::<3>().0) {
            (*r, *g, *b) = (i16::from(from[0]), i16::from(from[1]), i16::from(from[2]));
        }
    }

    /// The weighted sum of the three channels, for every column of `out`, rounded and shifted right.
    fn weigh(&self, weights: [i32; 3], start: i32, bits: u32, out: &mut [u8]) {
        let [wr, wg, wb] = weights.map(|it| it as i16);
        let start = (start << bits) + (1 << (bits - 1));
        let [r, g, b] = &self.0;
        for (((out, r), g), b) in out.iter_mut().zip(r).zip(g).zip(b) {
            // Wrapping only in name: without it, a build with overflow checks does one column at a time.
            let product =
                |channel: &i16, weight: i16| i32::from(*channel).wrapping_mul(i32::from(weight));
            let sum = product(r, wr)
                .wrapping_add(product(g, wg))
                .wrapping_add(product(b, wb));
            *out = (sum.wrapping_add(start) >> bits).clamp(0, 255) as u8;
        }
    }
}

/// Converts tightly packed RGB rows to 4:2:0 with BT.709, limited range. Width and height are even.
pub(crate) fn rgb_to_420(rgb: &[u8], width: usize, to: PlanesMut<'_>) {
    const CHROMA_BITS: u32 = SHIFT + CHROMA_WEIGHT.trailing_zeros();
    let m = Forward::new(Matrix::BT709);
    let (mut top, mut bottom, mut small) = (
        Row::of_width(width),
        Row::of_width(width),
        Row::of_width(width / 2),
    );
    let PlanesMut {
        data: [luma, cb, cr],
        stride,
    } = to;
    let chroma = cb.chunks_mut(stride[1]).zip(cr.chunks_mut(stride[2]));
    let rows = rgb
        .chunks_exact(2 * 3 * width)
        .zip(luma.chunks_mut(2 * stride[0]));
    for ((pair, luma), (cb, cr)) in rows.zip(chroma) {
        let (luma_top, luma_bottom) = luma.split_at_mut(stride[0]);
        top.split(&pair[..3 * width]);
        bottom.split(&pair[3 * width..]);
        top.weigh(m.y, m.y_start, SHIFT, luma_top);
        bottom.weigh(m.y, m.y_start, SHIFT, luma_bottom);
        for ((top, bottom), small) in top.0.iter_mut().zip(&bottom.0).zip(&mut small.0) {
            top.iter_mut()
                .zip(bottom)
                .for_each(|(top, bottom)| *top = top.wrapping_add(*bottom));
            let mut left = top[0]; // the column left of the first is the first again
            for (small, [mid, right]) in small.iter_mut().zip(top.as_chunks::<2>().0) {
                *small = left.wrapping_add(mid.wrapping_mul(2)).wrapping_add(*right);
                left = *right;
            }
        }
        small.weigh(m.cb, 128, CHROMA_BITS, cb);
        small.weigh(m.cr, 128, CHROMA_BITS, cr);
    }
}

/// Converts planes to tightly packed RGB. Rows or columns that the planes lack are left black.
pub(crate) fn planes_to_rgb(
    from: Planes<'_>,
    matrix: Matrix,
    width: usize,
    height: usize,
) -> Vec<u8> {
    let (luma, chroma, y_start) = matrix.spans();
    let (kr, kb) = (matrix.kr, matrix.kb);
    let kg = 1.0 - kr - kb;
    let gain = |value: f64| fixed(value * 255.0 / chroma / f64::from(CHROMA_WEIGHT));
    // Weights of luma, Cb and Cr.
    let y_gain = fixed(255.0 / luma);
    let channels = [
        [y_gain, 0, gain(2.0 * (1.0 - kr))],
        [
            y_gain,
            gain(-2.0 * kb * (1.0 - kb) / kg),
            gain(-2.0 * kr * (1.0 - kr) / kg),
        ],
        [y_gain, gain(2.0 * (1.0 - kb)), 0],
    ];

    let mut pixels = vec![0; width * height * 3];
    let (mut row, mut column) = (Row::of_width(width), Vec::new());
    let mut rgb = [0; 3].map(|_| vec![0u8; width]);
    for (y, out) in pixels.chunks_exact_mut(3 * width).enumerate() {
        let luma = from.data[0].get(y * from.stride[0]..).unwrap_or_default();
        let present = luma.len().min(width);
        row.0[0]
            .iter_mut()
            .zip(luma)
            .for_each(|(to, luma)| *to = i16::from(*luma).wrapping_sub(y_start as i16));
        chroma_row(&from, 1, y, height, &mut column, &mut row.0[1]);
        chroma_row(&from, 2, y, height, &mut column, &mut row.0[2]);
        channels
            .iter()
            .zip(&mut rgb)
            .for_each(|(weights, out)| row.weigh(*weights, 0, SHIFT, out));
        let [r, g, b] = &rgb;
        for (((out, r), g), b) in out.as_chunks_mut::<3>().0[..present]
            .iter_mut()
            .zip(r)
            .zip(g)
            .zip(b)
        {
            *out = [*r, *g, *b];
        }
    }
    pixels
}

/// One row of chroma at full width, less its middle, times [`CHROMA_WEIGHT`]; linear between samples.
fn chroma_row(
    from: &Planes<'_>,
    plane: usize,
    y: usize,
    height: usize,
    column: &mut Vec<i16>,
    out: &mut [i16],
) {
    let columns = out.len().div_ceil(1 << from.shift_x);
    let row = |n: usize| {
        let start = n * from.stride[plane];
        from.data[plane]
            .get(start..start + columns)
            .unwrap_or_default()
    };
    column.clear();
    if from.shift_y == 0 {
        column.extend(row(y).iter().map(|it| 4 * (i16::from(*it) - 128)));
    } else {
        let (near, last) = (y / 2, height.div_ceil(2) - 1);
        let far = if y.is_multiple_of(2) {
            near.saturating_sub(1)
        } else {
            (near + 1).min(last)
        };
        let rows = row(near).iter().zip(row(far));
        column.extend(rows.map(|(near, far)| {
            i16::from(*near)
                .wrapping_mul(3)
                .wrapping_add(i16::from(*far))
                .wrapping_sub(4 * 128)
        }));
    }
    column.resize(columns, 0);
    if from.shift_x == 0 {
        out.iter_mut()
            .zip(column.iter())
            .for_each(|(out, it)| *out = 2 * it);
        return;
    }
    let end = column[columns - 1];
    column.push(end); // right of the last
    for (pair, both) in out.chunks_mut(2).zip(column.windows(2)) {
        pair[0] = both[0].wrapping_mul(2);
        if let [_, odd] = pair {
            *odd = both[0].wrapping_add(both[1]);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn through_420(rgb: &[u8], width: usize, height: usize) -> ([Vec<u8>; 3], Vec<u8>) {
        let (w, h) = (width / 2, height / 2);
        let mut planes = [vec![0; width * height], vec![0; w * h], vec![0; w * h]];
        let [y, cb, cr] = &mut planes;
        rgb_to_420(
            rgb,
            width,
            PlanesMut {
                data: [y, cb, cr],
                stride: [width, w, w],
            },
        );
        let data = [&planes[0][..], &planes[1][..], &planes[2][..]];
        let from = Planes {
            data,
            stride: [width, w, w],
            shift_x: 1,
            shift_y: 1,
        };
        let back = planes_to_rgb(from, Matrix::BT709, width, height);
        (planes, back)
    }

    #[test]
    fn flat_colours_have_bt709s_codes() {
        // Computed from BT.709's equations and rounded.
        for (rgb, ycc) in [
            ([0, 0, 0], [16, 128, 128]),
            ([255, 255, 255], [235, 128, 128]),
            ([128, 128, 128], [126, 128, 128]),
            ([255, 0, 0], [63, 102, 240]),
            ([0, 255, 0], [173, 42, 26]),
            ([0, 0, 255], [32, 240, 118]),
        ] {
            let (planes, back) = through_420(&rgb.repeat(8 * 4), 8, 4);
            let found = planes.map(|it| (*it.iter().min().unwrap(), *it.iter().max().unwrap()));
            assert_eq!(found, ycc.map(|it| (it, it)), "{rgb:?}");
            let far = |(a, b): (&u8, u8)| a.abs_diff(b);
            assert!(
                back.iter()
                    .zip(rgb.into_iter().cycle())
                    .all(|it| far(it) <= 2),
                "{rgb:?} {:?}",
                &back[..3]
            );
        }
    }

    #[test]
    fn grey_stays_grey() {
        let rgb: Vec<u8> = (0..=255)
            .flat_map(|v| [v; 3])
            .cycle()
            .take(256 * 2 * 3)
            .collect();
        let (_, back) = through_420(&rgb, 256, 2);
        for (sent, got) in rgb.as_chunks::<3>().0.iter().zip(back.as_chunks::<3>().0) {
            assert!(
                got[0] == got[1] && got[1] == got[2] && got[0].abs_diff(sent[0]) <= 1,
                "{sent:?} {got:?}"
            );
        }
    }

    #[test]
    fn colour_does_not_move() {
        // A slope in red only: cosited chroma comes back without a shift.
        let rgb: Vec<u8> = (0..4)
            .flat_map(|_| (0..64).flat_map(|x| [64 + x * 2, 100, 100]))
            .collect();
        let (_, back) = through_420(&rgb, 64, 4);
        for x in 2..62 {
            let (sent, got) = (rgb[3 * x], back[3 * x]);
            assert!(sent.abs_diff(got) <= 2, "column {x}: {sent} {got}");
        }
    }

    #[test]
    fn short_planes_do_no_harm() {
        let from = Planes {
            data: [&[1, 2, 3], &[], &[9]],
            stride: [4, 2, 2],
            shift_x: 1,
            shift_y: 1,
        };
        assert_eq!(planes_to_rgb(from, Matrix::BT709, 5, 3).len(), 45);
    }
}
