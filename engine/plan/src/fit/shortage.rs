//! What is said when no way of doing a step fits.

use longtake_graph::{Sentence, say};

use crate::text::bytes;
use crate::{Machine, Plan, Step};

/// No way of doing a step fits.
pub(super) struct Shortage {
    /// The most modest way.
    pub rung: String,
    pub device: bool,
    pub needed: u64,
    pub weights: u64,
    pub values: u64,
    pub budget: u64,
}

impl Shortage {
    pub fn message(&self, plan: &Plan, step: &Step, machine: &Machine) -> Sentence {
        let (memory, option) = match (self.device, machine.device) {
            (true, _) => (say!("device memory", "デバイスメモリ"), "--vram"),
            (false, _) => (say!("host memory", "ホストメモリ"), "--ram"),
        };
        let names: Vec<&str> = step
            .weights
            .iter()
            .map(|id| plan.weight(*id).name.as_str())
            .collect();
        let mut weights = Sentence::default();
        if self.weights > 0 {
            let (en, ja) = (names.join(" and "), names.join("、"));
            weights = Sentence {
                en: format!(", {} of it {en}", bytes(self.weights)),
                ja: format!("うち {} は {ja} の分です。", bytes(self.weights)),
            };
        }
        let mut values = Sentence::default();
        if self.values > 0 {
            values = say!(
                ", {} the program and values kept for later",
                "うち {} はプログラムと、後で使うために残す値の分です。",
                bytes(self.values)
            );
        }
        let mut way = Sentence::default();
        if !self.rung.is_empty() {
            way = say!(" even as `{}`", "「{}」でも", self.rung);
        }
        // Smaller frames are no remedy when the checkpoints alone are too much.
        let remedy = if self.weights >= self.budget {
            say!(
                "Use a smaller checkpoint",
                "より小さいチェックポイントを使う"
            )
        } else {
            say!(
                "Lower the width, the height or the length",
                "幅、高さ、長さのいずれかを小さくする"
            )
        };
        say!(
            "Step {} ({}) needs {} of {memory}{way}{weights}{values}; the budget is {}. {remedy}, or raise {option}.",
            "ステップ {} ({}) には{way}{memory}が {} 必要です。{weights}{values}上限は {} です。{remedy}か、{option} を増やしてください。",
            step.path,
            step.class,
            bytes(self.needed),
            bytes(self.budget);
            memory, way, weights, values, remedy
        )
    }
}
