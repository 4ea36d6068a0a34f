//! EasyCache: an evaluation that would change little is left out, and the last change is used again.
//!
//! Source: ComfyUI `comfy_extras/nodes_easycache.py` (`EasyCacheHolder`, `easycache_forward_wrapper`,
//! `LazyCacheHolder`), after H-EmbodVis/EasyCache, <https://arxiv.org/abs/2507.02860>. It looks at
//! what goes into the network and what comes out, never inside. From the last two evaluations it knows
//! how much the output changes when the input changes by so much; from how far the input has moved
//! since the last evaluation it guesses the output's change and adds it up. Below the threshold the
//! network is not run: its output is taken to be the input plus the last difference between the two.
//!
//! The first pass of an evaluation (the conditional one) decides, the others follow.

use crate::flow::percent_to_sigma;

/// A cache's settings; the defaults are the node's.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct EasyCacheSettings {
    /// The guessed change, relative to the output, that may add up before the network runs again: 0
    /// to 3. The authors' 0.05 hardly shows, 0.1 is about twice as fast, 0.2 three times.
    pub reuse_threshold: f64,
    /// Up to this part of the schedule (see [`percent_to_sigma`]) every evaluation is run.
    pub start_percent: f64,
    /// And from this one on.
    pub end_percent: f64,
    /// Changes are measured on every n-th row and column of the latent.
    pub subsample: usize,
    /// Run the network where it could be left out all the same, and note how far off the reuse was.
    /// The result is that of the cached run; nothing is saved.
    pub measure: bool,
}

impl Default for EasyCacheSettings {
    fn default() -> Self {
        Self {
            reuse_threshold: 0.2,
            start_percent: 0.15,
            end_percent: 0.95,
            subsample: 8,
            measure: false,
        }
    }
}

/// What a cache has done.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct CacheReport {
    /// Evaluations asked for, counted once for all their passes.
    pub evaluations: usize,
    /// Of these, left out.
    pub skipped: usize,
    /// With [`EasyCacheSettings::measure`]: for each pass that could be left out, its sigma and the
    /// relative L2 error of what was used in place of the network's output.
    pub errors: Vec<(f32, f64)>,
}

impl CacheReport {
    /// How many times as fast, when the network's time is all that counts.
    pub fn speed_up(&self) -> f64 {
        match self.evaluations - self.skipped {
            0 => 1.0, // nothing was asked for
            run => self.evaluations as f64 / run as f64,
        }
    }

    /// Mean and greatest of the errors; nothing without any.
    pub fn error(&self) -> Option<(f64, f64)> {
        let errors = || self.errors.iter().map(|(_, error)| *error);
        let mean = errors().sum::<f64>() / self.errors.len() as f64;
        errors().reduce(f64::max).map(|most| (mean, most))
    }
}

/// The state of one sample's cache during one run. Of a batch, and of context windows, each sample
/// and each window has its own; where experts change, [`EasyCache::reset`].
#[derive(Debug, Clone)]
pub struct EasyCache {
    settings: EasyCacheSettings,
    /// LazyCache keeps track from the first evaluation on.
    lazy: bool,
    /// Height and width of the latent.
    plane: [usize; 2],
    start_sigma: f64,
    end_sigma: f64,
    sigma: f32,
    started: bool,
    skips: bool,
    accumulated: f64,
    /// Change of the output for a change of the input.
    rate: Option<f64>,
    last: Option<Last>,
    /// `output - input` of each pass at its last evaluation.
    differences: Vec<Option<Vec<f32>>>,
    report: CacheReport,
}

/// The deciding pass at its last evaluation.
#[derive(Debug, Clone)]
struct Last {
    input: Vec<f32>,
    output: Vec<f32>,
    /// Mean size of the whole output.
    size: f64,
}

impl EasyCache {
    /// Around the network itself: inputs are noised latents, outputs velocities.
    ///
    /// - `shift`: the model's.
    /// - `plane`: height and width of the latent, whatever channels and frames come before.
    pub fn new(settings: EasyCacheSettings, shift: f64, plane: [usize; 2]) -> Self {
        Self {
            settings,
            lazy: false,
            plane,
            start_sigma: percent_to_sigma(shift, settings.start_percent),
            end_sigma: percent_to_sigma(shift, settings.end_percent),
            sigma: 1.0,
            started: false,
            skips: false,
            accumulated: 0.0,
            rate: None,
            last: None,
            differences: Vec::new(),
            report: CacheReport::default(),
        }
    }

    /// LazyCache: around the guided prediction, one pass; outputs are x0 predictions.
    pub fn lazy(settings: EasyCacheSettings, shift: f64, plane: [usize; 2]) -> Self {
        Self {
            lazy: true,
            ..Self::new(settings, shift, plane)
        }
    }

    /// A new evaluation, at `sigma`. Its passes follow, the deciding one first.
    pub fn begin(&mut self, sigma: f32) {
        self.sigma = sigma;
        self.skips = false;
        self.report.evaluations += 1;
    }

    /// Pass number `pass` of this evaluation for the input `x`: from the cache, or by `network`.
    ///
    /// # Errors
    /// What `network` returns.
    pub fn pass<E>(
        &mut self,
        pass: usize,
        x: &[f32],
        network: impl FnOnce() -> Result<Vec<f32>, E>,
    ) -> Result<Vec<f32>, E> {
        match self.decide(pass, x) {
            None => {
                let output = network()?;
                self.record(pass, x, &output);
                Ok(output)
            }
            Some(reused) => {
                if self.settings.measure {
                    let error = relative_error(&reused, &network()?);
                    self.report.errors.push((self.sigma, error));
                }
                Ok(reused)
            }
        }
    }

    /// The output of pass `pass` if the network need not run. What it gives when it must is handed
    /// to [`EasyCache::record`].
    pub fn decide(&mut self, pass: usize, x: &[f32]) -> Option<Vec<f32>> {
        let sigma = f64::from(self.sigma);
        if sigma <= self.end_sigma || sigma > self.start_sigma {
            return None;
        }
        self.started = true;
        if pass == 0 {
            self.skips = self.changes_little(x) && self.difference(0, x.len()).is_some();
            if self.skips {
                self.report.skipped += 1;
            } else if self.rate.is_some() {
                self.accumulated = 0.0;
            }
        }
        let difference = self.difference(pass, x.len()).filter(|_| self.skips)?;
        Some(x.iter().zip(difference).map(|(x, d)| x + d).collect())
    }

    /// Adds the guessed change of the output; true while the sum stays below the threshold.
    fn changes_little(&mut self, x: &[f32]) -> bool {
        let (Some(last), Some(rate)) = (&self.last, self.rate) else {
            return false;
        };
        let moved = mean_change(&self.subsampled(x), &last.input);
        self.accumulated += rate * moved / last.size;
        self.accumulated < self.settings.reuse_threshold
    }

    /// What the network gave for `x`.
    pub fn record(&mut self, pass: usize, x: &[f32], output: &[f32]) {
        if f64::from(self.sigma) <= self.end_sigma || x.len() != output.len() {
            return;
        }
        if self.differences.len() <= pass {
            self.differences.resize(pass + 1, None);
        }
        let difference = output.iter().zip(x).map(|(output, x)| output - x).collect();
        self.differences[pass] = Some(difference);
        if pass != 0 || !(self.started || self.lazy) {
            return;
        }
        let now = Last {
            input: self.subsampled(x),
            output: self.subsampled(output),
            size: output.iter().map(|it| f64::from(it.abs())).sum::<f64>()
                / output.len().max(1) as f64,
        };
        if let Some(last) = &self.last
            && self.started
        {
            let moved = mean_change(&now.input, &last.input);
            self.rate = Some(mean_change(&now.output, &last.output) / moved);
        }
        self.last = Some(now);
    }

    /// Forgets everything but the report: another network comes.
    pub fn reset(&mut self) {
        self.started = false;
        self.skips = false;
        self.accumulated = 0.0;
        self.rate = None;
        self.last = None;
        self.differences.clear();
    }

    /// What it has done so far.
    pub fn report(&self) -> &CacheReport {
        &self.report
    }

    /// Latents of the sample's size that it holds, for memory planning: a difference for each pass.
    pub const fn latents_held(passes: usize) -> usize {
        passes
    }

    fn difference(&self, pass: usize, len: usize) -> Option<&Vec<f32>> {
        let found = self.differences.get(pass)?.as_ref()?;
        (found.len() == len).then_some(found)
    }

    /// Every n-th row and column of each plane.
    fn subsampled(&self, x: &[f32]) -> Vec<f32> {
        let [height, width] = self.plane;
        let n = self.settings.subsample.max(1);
        if n == 1 || height * width == 0 {
            return x.to_vec();
        }
        let rows = x.chunks(width).enumerate();
        rows.filter(|(row, _)| (row % height).is_multiple_of(n))
            .flat_map(|(_, row)| row.iter().step_by(n).copied())
            .collect()
    }
}

fn mean_change(a: &[f32], b: &[f32]) -> f64 {
    let sum: f64 = a.iter().zip(b).map(|(a, b)| f64::from((a - b).abs())).sum();
    sum / a.len().max(1) as f64
}

/// `|got - want| / |want|`.
fn relative_error(got: &[f32], want: &[f32]) -> f64 {
    let square = |it: f32| f64::from(it).powi(2);
    let off: f64 = got.iter().zip(want).map(|(a, b)| square(a - b)).sum();
    (off / want.iter().map(|it| square(*it)).sum::<f64>()).sqrt()
}
