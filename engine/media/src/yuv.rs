//! RGB to and from planar YCbCr, 8 bits.
//!
//! GStreamer 1.22's `videoconvert` truncates: mid-grey comes out up to three levels darker and tinted after
//! one round trip. Here every sum is rounded; grey stays grey.
//!
//! Matrices: ITU-R BT.709-6 §3, BT.601-7 §2.5, BT.2020-2 table 4, all as luma weights Kr and Kb. Chroma is
//! sited as H.264 assumes when nothing is said (ITU-T H.264 figure E-1, type 0): with the even columns,
//! between the rows.

/// Bits after the binary point.
const SHIFT: u32 = 16;
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

/// Converts tightly packed RGB rows to 4:2:0 with BT.709, limited range. Width and height are even.
pub(crate) fn rgb_to_420(rgb: &[u8], width: usize, to: PlanesMut<'_>) {
    let m = Forward::new(Matrix::BT709);
    let mut sums = vec![[0i32; 3]; width + 1];
    let PlanesMut {
        data: [luma, cb, cr],
        stride,
    } = to;
    let chroma = cb.chunks_mut(stride[1]).zip(cr.chunks_mut(stride[2]));
    let rows = rgb
        .chunks_exact(2 * 3 * width)
        .zip(luma.chunks_mut(2 * stride[0]));
    for ((pair, luma), (cb, cr)) in rows.zip(chroma) {
        let (top, bottom) = pair.split_at(3 * width);
        let (luma_top, luma_bottom) = luma.split_at_mut(stride[0]);
        luma_row(&m, top, luma_top);
        luma_row(&m, bottom, luma_bottom);
        // Shifted by one, so that the column left of the first is the first again.
        for ((sum, a), b) in sums[1..]
            .iter_mut()
            .zip(top.as_chunks::<3>().0)
            .zip(bottom.as_chunks::<3>().0)
        {
            *sum = [0, 1, 2].map(|i| i32::from(a[i]) + i32::from(b[i]));
        }
        sums[0] = sums[1];
        for (x, (cb, cr)) in cb.iter_mut().zip(cr.iter_mut()).take(width / 2).enumerate() {
            let (left, mid, right) = (sums[2 * x], sums[2 * x + 1], sums[2 * x + 2]);
            let s = [0, 1, 2].map(|i| left[i] + 2 * mid[i] + right[i]);
            *cb = chroma_byte(&m.cb, s);
            *cr = chroma_byte(&m.cr, s);
        }
    }
}

fn luma_row(m: &Forward, rgb: &[u8], luma: &mut [u8]) {
    let start = (m.y_start << SHIFT) + (1 << (SHIFT - 1));
    for (luma, [r, g, b]) in luma.iter_mut().zip(rgb.as_chunks::<3>().0) {
        let sum = m.y[0] * i32::from(*r) + m.y[1] * i32::from(*g) + m.y[2] * i32::from(*b);
        *luma = ((sum + start) >> SHIFT) as u8;
    }
}

fn chroma_byte(m: &[i32; 3], s: [i32; 3]) -> u8 {
    const BITS: u32 = SHIFT + CHROMA_WEIGHT.trailing_zeros();
    let sum = m[0] * s[0] + m[1] * s[1] + m[2] * s[2];
    ((sum + (128 << BITS) + (1 << (BITS - 1))) >> BITS).clamp(0, 255) as u8
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
    let y_gain = fixed(255.0 / luma);
    let gain = |value: f64| fixed(value * 255.0 / chroma / f64::from(CHROMA_WEIGHT));
    let (r_cr, b_cb) = (gain(2.0 * (1.0 - kr)), gain(2.0 * (1.0 - kb)));
    let kg = 1.0 - kr - kb;
    let (g_cb, g_cr) = (
        gain(-2.0 * kb * (1.0 - kb) / kg),
        gain(-2.0 * kr * (1.0 - kr) / kg),
    );

    let mut pixels = vec![0; width * height * 3];
    let (mut cb, mut cr, mut column) = (vec![0; width], vec![0; width], Vec::new());
    for (y, row) in pixels.chunks_exact_mut(3 * width).enumerate() {
        chroma_row(&from, 1, y, height, &mut column, &mut cb);
        chroma_row(&from, 2, y, height, &mut column, &mut cr);
        let luma = from.data[0].get(y * from.stride[0]..).unwrap_or_default();
        for ((out, luma), (cb, cr)) in row
            .as_chunks_mut::<3>()
            .0
            .iter_mut()
            .zip(luma)
            .zip(cb.iter().zip(&cr))
        {
            let l = (i32::from(*luma) - y_start) * y_gain + (1 << (SHIFT - 1));
            *out = [l + r_cr * cr, l + g_cb * cb + g_cr * cr, l + b_cb * cb]
                .map(|it| (it >> SHIFT).clamp(0, 255) as u8);
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
    column: &mut Vec<i32>,
    out: &mut [i32],
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
        column.extend(row(y).iter().map(|it| 4 * (i32::from(*it) - 128)));
    } else {
        let (near, last) = (y / 2, height.div_ceil(2) - 1);
        let far = if y.is_multiple_of(2) {
            near.saturating_sub(1)
        } else {
            (near + 1).min(last)
        };
        let rows = row(near).iter().zip(row(far));
        column.extend(rows.map(|(near, far)| 3 * i32::from(*near) + i32::from(*far) - 4 * 128));
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
        pair[0] = 2 * both[0];
        if let [_, odd] = pair {
            *odd = both[0] + both[1];
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
