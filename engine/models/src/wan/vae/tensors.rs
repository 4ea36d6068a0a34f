//! Names and shapes of every tensor of a VAE of given sizes, under the original names.
//!
//! What a checkpoint of these sizes holds; benches and tests make random ones from it.

use super::Parts;
use super::structure::{Layer, VaeDims};

impl VaeDims {
    /// Names (original repository, ComfyUI) and shapes of the tensors of `parts`.
    pub fn tensors(&self, parts: Parts) -> Vec<(String, Vec<usize>)> {
        let mut list = List::default();
        if parts.encoder() {
            list.side("encoder", "downsamples", &self.encoder, self.residual());
            list.conv("conv1", 2 * self.z, 2 * self.z, &[1; 3]);
        }
        if parts.decoder() {
            list.conv("conv2", self.z, self.z, &[1; 3]);
            list.side("decoder", "upsamples", &self.decoder, self.residual());
        }
        list.0
    }
}

#[derive(Default)]
struct List(Vec<(String, Vec<usize>)>);

impl List {
    /// `nested`: levels have names of their own (Wan 2.2), else layers count through.
    fn side(&mut self, side: &str, levels: &str, layers: &[Layer], nested: bool) {
        let attention = layers
            .iter()
            .position(|it| matches!(it, Layer::Attention { .. }));
        // The three layers around the attention are the middle; the others count through.
        let middle = attention.map_or(0..0, |at| at - 1..at + 2);
        let (mut level, mut next) = (0, 0);
        for (i, layer) in layers.iter().enumerate() {
            let name = if middle.contains(&i) {
                format!("{side}.middle.{}", i - middle.start)
            } else if nested {
                format!("{side}.{levels}.{level}.{levels}.{next}")
            } else {
                format!("{side}.{levels}.{next}")
            };
            match *layer {
                Layer::Conv { from, to } => {
                    self.conv(&format!("{side}.conv1"), from, to, &[3; 3]);
                    continue;
                }
                Layer::Head { from, to } => {
                    self.put(format!("{side}.head.0.gamma"), &[from, 1, 1, 1]);
                    self.conv(&format!("{side}.head.2"), from, to, &[3; 3]);
                    continue;
                }
                Layer::Fork { .. } | Layer::JoinMeans { .. } | Layer::JoinRepeats { .. } => {
                    continue;
                }
                Layer::Res { from, to } => self.res(&name, from, to),
                Layer::Attention { channels: c } => {
                    self.put(format!("{name}.norm.gamma"), &[c, 1, 1]);
                    self.conv(&format!("{name}.to_qkv"), c, 3 * c, &[1; 2]);
                    self.conv(&format!("{name}.proj"), c, c, &[1; 2]);
                }
                Layer::Up { from, to, time } => {
                    self.resample(&name, from, to, time, [from, 2 * from]);
                }
                Layer::Down { from, to, time } => self.resample(&name, from, to, time, [to, to]),
            }
            if nested && matches!(layer, Layer::Up { .. } | Layer::Down { .. }) {
                (level, next) = (level + 1, 0);
            } else if !middle.contains(&i) {
                next += 1;
            }
        }
    }

    fn res(&mut self, name: &str, from: usize, to: usize) {
        self.put(format!("{name}.residual.0.gamma"), &[from, 1, 1, 1]);
        self.conv(&format!("{name}.residual.2"), from, to, &[3; 3]);
        self.put(format!("{name}.residual.3.gamma"), &[to, 1, 1, 1]);
        self.conv(&format!("{name}.residual.6"), to, to, &[3; 3]);
        if from != to {
            self.conv(&format!("{name}.shortcut"), from, to, &[1; 3]);
        }
    }

    fn resample(&mut self, name: &str, from: usize, to: usize, time: bool, over_time: [usize; 2]) {
        self.conv(&format!("{name}.resample.1"), from, to, &[3; 2]);
        if time {
            self.conv(
                &format!("{name}.time_conv"),
                over_time[0],
                over_time[1],
                &[3, 1, 1],
            );
        }
    }

    fn conv(&mut self, name: &str, from: usize, to: usize, kernel: &[usize]) {
        self.put(format!("{name}.weight"), &[&[to, from], kernel].concat());
        self.put(format!("{name}.bias"), &[to]);
    }

    fn put(&mut self, name: String, shape: &[usize]) {
        self.0.push((name, shape.to_vec()));
    }
}
