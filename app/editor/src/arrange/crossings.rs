//! The order within columns: by barycentres, so that few links cross (Sugiyama, Tagawa and Toda,
//! "Methods for visual understanding of hierarchical system structures", 1981).

/// Things in columns, and links from each column to the next.
#[derive(Clone, Debug, Default)]
pub struct Columns {
    /// The things of each column, top to bottom.
    pub order: Vec<Vec<usize>>,
    /// Links between neighbouring columns: the things, and how far down each the link ends, 0 to 1.
    pub links: Vec<Vec<(usize, usize, f32, f32)>>,
}

/// Sweeps over the columns; more change little.
const SWEEPS: usize = 12;

impl Columns {
    /// Reorders the columns; `count` things there are. Never more crossings than before.
    pub fn untangle(&mut self, count: usize) {
        let mut best = self.order.clone();
        let mut fewest = self.crossings(count);
        for sweep in 0..SWEEPS {
            if fewest == 0 {
                break;
            }
            let forward = sweep % 2 == 0;
            self.sweep(forward, count);
            let crossings = self.crossings(count);
            if crossings < fewest {
                fewest = crossings;
                best.clone_from(&self.order);
            }
        }
        self.order = best;
    }

    fn places(column: &[usize], places: &mut [f32]) {
        for (at, thing) in column.iter().enumerate() {
            places[*thing] = at as f32;
        }
    }

    fn sweep(&mut self, forward: bool, count: usize) {
        let columns = self.order.len();
        let mut places = vec![0.0; count];
        let mut sum = vec![(0.0f32, 0u32); count];
        for step in 1..columns {
            let (fixed, moved, links) = if forward {
                (step - 1, step, &self.links[step - 1])
            } else {
                let moved = columns - 1 - step;
                (moved + 1, moved, &self.links[moved])
            };
            Self::places(&self.order[fixed], &mut places);
            Self::places(&self.order[moved], &mut places);
            for thing in &self.order[moved] {
                sum[*thing] = (0.0, 0);
            }
            for &(from, to, from_part, to_part) in links {
                let (near, far, part) = if forward {
                    (from, to, from_part)
                } else {
                    (to, from, to_part)
                };
                sum[far].0 += places[near] + part;
                sum[far].1 += 1;
            }
            // What has no link to that side keeps its place.
            let key = |thing: &usize| match sum[*thing] {
                (_, 0) => places[*thing],
                (total, links) => total / links as f32,
            };
            self.order[moved].sort_by(|a, b| key(a).total_cmp(&key(b)));
        }
    }

    /// How many pairs of links cross.
    pub fn crossings(&self, count: usize) -> usize {
        let mut places = vec![0.0; count];
        let mut total = 0;
        for (at, links) in self.links.iter().enumerate() {
            Self::places(&self.order[at], &mut places);
            Self::places(&self.order[at + 1], &mut places);
            let ends = links.iter().map(|&(from, to, from_part, to_part)| {
                (places[from] + from_part, places[to] + to_part)
            });
            let mut ends: Vec<(f32, f32)> = ends.collect();
            ends.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.total_cmp(&b.1)));
            let mut right: Vec<f32> = ends.into_iter().map(|it| it.1).collect();
            total += inversions(&mut right);
        }
        total
    }
}

/// How many pairs stand in the wrong order; sorts them.
fn inversions(values: &mut [f32]) -> usize {
    if values.len() < 2 {
        return 0;
    }
    let (left, right) = values.split_at_mut(values.len() / 2);
    let mut found = inversions(left) + inversions(right);
    let mut merged = Vec::with_capacity(left.len() + right.len());
    let (mut a, mut b) = (0, 0);
    while a < left.len() || b < right.len() {
        if b == right.len() || (a < left.len() && left[a] <= right[b]) {
            merged.push(left[a]);
            a += 1;
        } else {
            found += left.len() - a;
            merged.push(right[b]);
            b += 1;
        }
    }
    values.copy_from_slice(&merged);
    found
}

#[cfg(test)]
mod tests {
    use super::{Columns, inversions};

    #[test]
    fn pairs_in_the_wrong_order_are_counted() {
        assert_eq!(inversions(&mut [1.0, 2.0, 3.0]), 0);
        assert_eq!(inversions(&mut [3.0, 1.0, 2.0, 2.0]), 3);
    }

    #[test]
    fn crossed_links_are_untangled() {
        let link = |from, to| (from, to, 0.0, 0.0);
        let mut columns = Columns {
            order: vec![vec![0, 1, 2], vec![3, 4, 5]],
            links: vec![vec![link(0, 5), link(1, 4), link(2, 3)]],
        };
        assert_eq!(columns.crossings(6), 3);
        columns.untangle(6);
        assert_eq!(columns.crossings(6), 0);
    }
}
