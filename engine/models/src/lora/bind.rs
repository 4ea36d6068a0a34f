//! Matching a LoRA's modules with a checkpoint's tensors.

use std::collections::BTreeMap;

use longtake_sentence::{Sentence, say};

use super::change::{Change, Pair, Part};
use super::keys::spelling;
use super::{Half, Lora, LoraError, Parts, Role, Survey};
use crate::wan::dit::Layout;
use crate::weights::{Checkpoint, Clash, Dtype};

/// Most numbers that a weight may be padded to (`reshape_weight`): far above any real one.
const MAX_PADDED: u64 = 1 << 32;

/// A LoRA and how strongly it is put on.
#[derive(Clone, Copy, Debug)]
pub struct Wish<'a> {
    pub lora: &'a Lora,
    pub strength: f32,
}

/// How a LoRA's modules fared.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    /// Modules that changed a tensor.
    pub matched: usize,
    /// Modules that the checkpoint does not have, by their common spelling.
    pub unmatched: Vec<String>,
}

impl Report {
    /// What to tell the user, if anything.
    pub fn warning(&self, lora: &Lora) -> Option<Sentence> {
        let first = self.unmatched.first()?;
        let (file, idle) = (lora.path().display(), self.unmatched.len());
        let all = idle + self.matched;
        Some(say!(
            "{file}: {idle} of {all} modules are not in this model and do nothing (`{first}` is the first)",
            "{file}: {all} 個のモジュールのうち {idle} 個はこのモデルになく、効果がありません（最初のものは「{first}」です）"
        ))
    }
}

/// A view of `base` with the LoRAs on, in their order, and how each fared. One of strength 0 changes
/// nothing.
///
/// # Errors
/// [`LoraError::NoMatch`] if no module of a LoRA is in `base`; shapes that do not fit; halves that
/// are missing.
pub fn put_on(
    base: &Checkpoint,
    wishes: &[Wish<'_>],
) -> Result<(Checkpoint, Vec<Report>), LoraError> {
    let targets = targets(base);
    let mut sheet = Sheet::default();
    let mut reports = Vec::new();
    for wish in wishes {
        let modules = wish.lora.modules_for(base.path());
        let mut report = Report {
            matched: 0,
            unmatched: Vec::new(),
        };
        for (module, parts) in modules {
            let binder = Binder {
                base,
                targets: &targets,
                wish,
                module,
                parts,
            };
            if binder.bind(&mut sheet)? {
                report.matched += 1;
            } else {
                report.unmatched.push(module.clone());
            }
        }
        if report.matched == 0 {
            return Err(LoraError::NoMatch {
                file: wish.lora.path().into(),
                base: base.path().into(),
                modules: report.unmatched.len(),
                first: report.unmatched.first().cloned().unwrap_or_default(),
                hint: Box::new(Survey::of(wish.lora).described()),
            });
        }
        reports.push(report);
    }
    Ok((base.with_changes(sheet.changes, sheet.shapes), reports))
}

/// Changes and new shapes by tensor name.
#[derive(Default)]
struct Sheet {
    changes: BTreeMap<String, Vec<Change>>,
    shapes: BTreeMap<String, Vec<usize>>,
}

/// Every spelling of a module → its name in `base` without `.weight`.
fn targets(base: &Checkpoint) -> BTreeMap<String, String> {
    let layout = Layout::detect(|name| base.has(name));
    let mut targets = BTreeMap::new();
    for name in base.names() {
        let other = match layout {
            Some(Layout::Original) => Layout::Diffusers.name(name),
            Some(Layout::Diffusers) => Layout::original(name),
            None => name.to_owned(),
        };
        let stem = |name: &str| name.strip_suffix(".weight").unwrap_or(name).to_owned();
        targets
            .entry(spelling(&stem(&other)))
            .or_insert_with(|| stem(name));
    }
    // The checkpoint's own spelling wins.
    for name in base.names() {
        let stem = name.strip_suffix(".weight").unwrap_or(name);
        targets.insert(spelling(stem), stem.to_owned());
    }
    targets
}

/// One module of one LoRA.
struct Binder<'a> {
    base: &'a Checkpoint,
    targets: &'a BTreeMap<String, String>,
    wish: &'a Wish<'a>,
    module: &'a str,
    parts: &'a Parts,
}

impl Binder<'_> {
    /// Notes the module's changes; false if the checkpoint does not have it.
    fn bind(&self, sheet: &mut Sheet) -> Result<bool, LoraError> {
        let mut found = false;
        let weight = self.tensor(self.module, ".weight");
        if let Some(name) = &weight {
            found |= self.reshape(name, sheet)?;
            let shape = sheet.shapes.get(name).map(Vec::as_slice);
            let shape = shape.or_else(|| self.base.shape(name)).unwrap_or_default();
            let changes = self.weight_changes(shape)?;
            found |= !changes.is_empty();
            self.note(sheet, name, changes);
        }
        let modulation = format!("{}_modulation", self.module);
        let others = [
            (Role::DiffBias, self.tensor(self.module, ".bias")),
            (Role::DiffModulation, self.tensor(&modulation, "")),
            (
                Role::DiffModulation,
                weight.filter(|it| self.module.ends_with("modulation") || !it.ends_with(".weight")),
            ),
        ];
        for (role, name) in others {
            let (Some(name), Some(part)) = (name, self.part(role)?) else {
                continue;
            };
            let shape = self.base.shape(&name).unwrap_or_default();
            self.same_size(&part, shape)?;
            let strength = self.wish.strength;
            self.note(sheet, &name, vec![Change::Diff { part, strength }]);
            found = true;
        }
        Ok(found)
    }

    /// The checkpoint's name for a module's tensor.
    fn tensor(&self, module: &str, ending: &str) -> Option<String> {
        let stem = self.targets.get(module)?;
        let name = format!("{stem}{ending}");
        if self.base.has(&name) {
            Some(name)
        } else {
            (ending == ".weight" && self.base.has(stem)).then(|| stem.clone())
        }
    }

    fn note(&self, sheet: &mut Sheet, name: &str, changes: Vec<Change>) {
        if !changes.is_empty() && self.wish.strength != 0.0 {
            sheet
                .changes
                .entry(name.to_owned())
                .or_default()
                .extend(changes);
        }
    }

    fn part(&self, role: Role) -> Result<Option<Part>, LoraError> {
        let Some(name) = self.parts.get(&role) else {
            return Ok(None);
        };
        self.wish.lora.file.check_readable(name)?;
        Ok(Some(Part {
            file: self.wish.lora.file.clone(),
            name: name.clone(),
        }))
    }

    fn weight_changes(&self, shape: &[usize]) -> Result<Vec<Change>, LoraError> {
        let strength = self.wish.strength;
        let mut changes = Vec::new();
        if let Some(part) = self.part(Role::Set)? {
            self.same_size(&part, shape)?;
            changes.push(Change::Set { part });
        }
        if let Some(pair) = self.pair(shape)? {
            changes.push(match self.part(Role::Dora)? {
                None => Change::LowRank { pair, strength },
                Some(magnitude) => {
                    self.magnitude(&magnitude, shape)?;
                    Change::Dora {
                        pair,
                        magnitude,
                        strength,
                    }
                }
            });
        }
        if let Some(part) = self.part(Role::Diff)? {
            self.same_size(&part, shape)?;
            changes.push(Change::Diff { part, strength });
        }
        Ok(changes)
    }

    fn pair(&self, shape: &[usize]) -> Result<Option<Pair>, LoraError> {
        let (down, up) = match (self.part(Role::Down)?, self.part(Role::Up)?) {
            (Some(down), Some(up)) => (down, up),
            (None, None) => return Ok(None),
            (Some(_), None) => return Err(self.incomplete(Half::Up)),
            (None, Some(_)) => return Err(self.incomplete(Half::Down)),
        };
        let mid = self.part(Role::Mid)?;
        let rest = |shape: &[usize]| shape.iter().skip(1).product::<usize>();
        let (rank, out) = (down.shape().first().copied(), shape.first().copied());
        let (up_rank, inner) = match &mid {
            None => (rank, rest(down.shape())),
            Some(mid) => {
                let kernel: usize = mid.shape().iter().skip(2).product();
                let fits = mid.shape().get(1).copied() == rank;
                let inner = if fits { rest(down.shape()) * kernel } else { 0 };
                (mid.shape().first().copied(), inner)
            }
        };
        let fits = up.shape().first().copied() == out
            && Some(rest(up.shape())) == up_rank
            && inner == rest(shape)
            && rank.is_some_and(|rank| rank > 0);
        if !fits {
            return Err(self.shape(
                say!(
                    "up [out, rank] and down [rank, in] for a weight {shape:?}",
                    "重み {shape:?} には up [out, rank] と down [rank, in] "
                ),
                say!("{:?} and {:?}", "{:?} と {:?} ", up.shape(), down.shape()),
            ));
        }
        let rank = rank.unwrap_or(1) as f32;
        let scale = match self.part(Role::Alpha)? {
            None => 1.0,
            Some(alpha) => {
                let values = alpha.file.vec_f32(&alpha.name, alpha.shape())?;
                values.first().map_or(1.0, |alpha| alpha / rank)
            }
        };
        Ok(Some(Pair {
            down,
            up,
            mid,
            scale,
        }))
    }

    fn magnitude(&self, part: &Part, shape: &[usize]) -> Result<(), LoraError> {
        let count: usize = part.shape().iter().product();
        let rest: usize = shape.iter().skip(1).product();
        let first = part.shape().first().copied();
        let per_output = first == shape.first().copied() && Some(count) == first;
        let per_input = count == rest && first == Some(1);
        if per_output || per_input {
            return Ok(());
        }
        Err(self.shape(
            say!(
                "one magnitude per output or per input of {shape:?}",
                "{shape:?} の出力ごとか入力ごとに一つの大きさ"
            ),
            say!("dora_scale {:?}", "dora_scale {:?} ", part.shape()),
        ))
    }

    /// Notes the shape that a weight is padded to.
    fn reshape(&self, name: &str, sheet: &mut Sheet) -> Result<bool, LoraError> {
        let Some(tensor) = self.parts.get(&Role::Reshape) else {
            return Ok(false);
        };
        let old = self.base.shape(name).unwrap_or_default();
        let new = numbers(&self.wish.lora.file, tensor).unwrap_or_default();
        let size = new
            .iter()
            .try_fold(1_u64, |n, &axis| n.checked_mul(axis as u64));
        let grows = new.len() == old.len() && new.iter().zip(old).all(|(new, old)| new >= old);
        if !grows || size.is_none_or(|size| size > MAX_PADDED) {
            return Err(self.shape(
                say!(
                    "a shape that {old:?} can be padded to",
                    "{old:?} を埋めて広げられる形状"
                ),
                say!("reshape_weight {new:?}", "reshape_weight {new:?} "),
            ));
        }
        if new != old && self.wish.strength != 0.0 {
            sheet.shapes.insert(name.to_owned(), new);
        }
        Ok(true)
    }

    fn same_size(&self, part: &Part, shape: &[usize]) -> Result<(), LoraError> {
        let count = |shape: &[usize]| shape.iter().product::<usize>();
        if count(part.shape()) == count(shape) {
            return Ok(());
        }
        Err(self.shape(
            say!(
                "a tensor of the weight's shape {shape:?}",
                "重みと同じ形状 {shape:?} のテンソル"
            ),
            say!("{:?}", "{:?} ", part.shape()),
        ))
    }

    fn shape(&self, expected: Sentence, found: Sentence) -> LoraError {
        LoraError::Shape {
            file: self.wish.lora.path().into(),
            module: self.module.to_owned(),
            clash: Box::new(Clash {
                expected,
                found,
                remedy: say!(
                    "the LoRA was trained on another model or is damaged",
                    "別のモデルで学習した LoRA か、壊れた LoRA です"
                ),
            }),
        }
    }

    fn incomplete(&self, lacks: Half) -> LoraError {
        LoraError::Incomplete {
            file: self.wish.lora.path().into(),
            module: self.module.to_owned(),
            lacks,
        }
    }
}

/// Whole numbers of a small integer tensor.
pub(super) fn numbers(file: &Checkpoint, name: &str) -> Option<Vec<usize>> {
    let bytes = file.bytes_of(name).ok()?;
    let dtype = file.get(name)?.dtype;
    let signed: Vec<i64> = if dtype == Dtype::I64 {
        let values = bytes.as_chunks::<8>().0.iter();
        values.map(|&b| i64::from_le_bytes(b)).collect()
    } else if dtype == Dtype::I32 {
        let values = bytes.as_chunks::<4>().0.iter();
        values.map(|&b| i32::from_le_bytes(b).into()).collect()
    } else {
        return None;
    };
    signed
        .into_iter()
        .map(|n| usize::try_from(n).ok())
        .collect()
}
