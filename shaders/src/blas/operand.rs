//! What goes into a product.

/// A row-major operand: `row` elements lie between the starts of two rows of what is stored.
#[derive(Clone, Copy, Debug)]
pub struct Operand<'a> {
    values: &'a [f32],
    row: usize,
    transposed: bool,
}

impl<'a> Operand<'a> {
    pub fn new(values: &'a [f32], row: usize) -> Self {
        Self {
            values,
            row,
            transposed: false,
        }
    }

    /// The transpose of what is stored.
    pub fn transposed(values: &'a [f32], row: usize) -> Self {
        Self {
            transposed: true,
            ..Self::new(values, row)
        }
    }

    /// The part that starts `rows` rows and `cols` columns further on.
    ///
    /// # Panics
    /// If that is beyond its end.
    pub fn skip(self, rows: usize, cols: usize) -> Self {
        let [rows, cols] = self.stored(rows, cols);
        let start = rows * self.row + cols;
        Self {
            values: &self.values[start..],
            ..self
        }
    }

    /// The element at a place.
    pub fn at(self, row: usize, col: usize) -> f32 {
        self.skip(row, col).values[0]
    }

    /// # Panics
    /// Unless it has so many rows and columns, and its rows do not run into each other.
    pub(super) fn check(self, rows: usize, cols: usize) {
        let [r, c] = self.stored(rows, cols);
        let end = (r.checked_sub(1))
            .and_then(|last| last.checked_mul(self.row)?.checked_add(c))
            .unwrap_or(if r == 0 { 0 } else { usize::MAX });
        assert!(
            c <= self.row && end <= self.values.len(),
            "product: an operand of {rows} x {cols} in {} values with rows {} apart",
            self.values.len(),
            self.row
        );
    }

    pub(super) fn is_transposed(self) -> bool {
        self.transposed
    }

    pub(super) fn row(self) -> usize {
        self.row
    }

    pub(super) fn start(self) -> *const f32 {
        self.values.as_ptr()
    }

    /// Rows and columns as they are stored.
    fn stored(self, rows: usize, cols: usize) -> [usize; 2] {
        if self.transposed {
            [cols, rows]
        } else {
            [rows, cols]
        }
    }
}
