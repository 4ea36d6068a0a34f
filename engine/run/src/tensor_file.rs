//! Latents and conditionings as safetensors files of the store.
//!
//! The tensor `value` is the latent or the text; what may stand beside it has its own tensor in the
//! same file: `mask`, `state` (bytes), `extra.NAME`.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use longtake_graph::{Sentence, say};
use longtake_plan::LatentInfo;
use safetensors::tensor::{Dtype, SafeTensors, TensorView};

use crate::files::{read_regular, write_bytes};
use crate::value::Array;
use crate::{Conditioning, Latent, RunError};

const VALUE: &str = "value";
const MASK: &str = "mask";
const STATE: &str = "state";

fn sizes(info: LatentInfo) -> [usize; 5] {
    let dims = [
        info.batch,
        info.channels,
        info.frames,
        info.height,
        info.width,
    ];
    dims.map(|n| n as usize)
}

/// Writes a latent with its mask and solver state.
pub fn write_latent(path: &Path, latent: &Latent) -> Result<(), RunError> {
    let shape = sizes(latent.info);
    let mut tensors = vec![(VALUE.to_owned(), view(&shape, &latent.data)?)];
    if let Some(mask) = &latent.mask {
        tensors.push((MASK.to_owned(), view(&shape[2..], mask)?));
    }
    if let Some(state) = &latent.state {
        let bytes = TensorView::new(Dtype::U8, vec![state.len()], state);
        tensors.push((
            STATE.to_owned(),
            bytes.map_err(|e| bad(path, Sentence::same(e)))?,
        ));
    }
    write(path, tensors)
}

/// Reads what [`write_latent`] wrote.
pub fn read_latent(path: &Path, info: LatentInfo) -> Result<Latent, RunError> {
    let bytes = read_regular(path)?;
    let file = SafeTensors::deserialize(&bytes).map_err(|e| bad(path, Sentence::same(e)))?;
    let shape = sizes(info);
    let has = |name: &str| file.tensor(name).is_ok();
    let mask = has(MASK).then(|| floats(path, &file, MASK, &shape[2..]));
    let state = file.tensor(STATE).ok().map(|it| it.data().to_vec());
    Ok(Latent {
        info,
        data: floats(path, &file, VALUE, &shape)?,
        mask: mask.transpose()?,
        state: state.map(Arc::new),
    })
}

/// Writes a conditioning with its arrays.
pub fn write_conditioning(path: &Path, it: &Conditioning) -> Result<(), RunError> {
    let shape = [it.tokens as usize, it.dim as usize];
    let mut tensors = vec![(VALUE.to_owned(), view(&shape, &it.data)?)];
    for (name, array) in it.arrays.iter() {
        let shape: Vec<usize> = array.shape.iter().map(|&n| n as usize).collect();
        tensors.push((format!("extra.{name}"), view(&shape, &array.data)?));
    }
    write(path, tensors)
}

/// Reads what [`write_conditioning`] wrote.
pub fn read_conditioning(
    path: &Path,
    [tokens, dim]: [u32; 2],
    arrays: &BTreeMap<String, Vec<u32>>,
) -> Result<Conditioning, RunError> {
    let bytes = read_regular(path)?;
    let file = SafeTensors::deserialize(&bytes).map_err(|e| bad(path, Sentence::same(e)))?;
    let mut found = BTreeMap::new();
    for (name, shape) in arrays {
        let dims: Vec<usize> = shape.iter().map(|&n| n as usize).collect();
        let data = floats(path, &file, &format!("extra.{name}"), &dims)?;
        let shape = shape.clone();
        found.insert(name.clone(), Array { shape, data });
    }
    Ok(Conditioning {
        tokens,
        dim,
        data: floats(path, &file, VALUE, &[tokens as usize, dim as usize])?,
        arrays: Arc::new(found),
    })
}

fn bad(path: &Path, what: Sentence) -> RunError {
    RunError::damaged(say!(
        "{}: {what}",
        "{} の内容が正しくありません: {what}",
        path.display();
        what
    ))
}

fn view<'a>(shape: &[usize], data: &'a [f32]) -> Result<TensorView<'a>, RunError> {
    TensorView::new(Dtype::F32, shape.to_vec(), bytemuck::cast_slice(data)).map_err(|e| {
        RunError::failed(say!(
            "a tensor {shape:?} of {} values: {e}",
            "形 {shape:?} のテンソルに値が {} 個あります: {e}",
            data.len()
        ))
    })
}

fn write(path: &Path, tensors: Vec<(String, TensorView<'_>)>) -> Result<(), RunError> {
    let bytes = safetensors::serialize(tensors, None).map_err(|e| bad(path, Sentence::same(e)))?;
    write_bytes(path, &bytes)
}

fn floats(
    path: &Path,
    file: &SafeTensors<'_>,
    name: &str,
    shape: &[usize],
) -> Result<Arc<Vec<f32>>, RunError> {
    let tensor = file
        .tensor(name)
        .map_err(|e| bad(path, Sentence::same(e)))?;
    if tensor.dtype() != Dtype::F32 || tensor.shape() != shape {
        let (dtype, found) = (tensor.dtype(), tensor.shape());
        let what = say!(
            "`{name}`: expected F32 {shape:?}, found {dtype:?} {found:?}",
            "「{name}」には F32 {shape:?} が必要ですが、{dtype:?} {found:?} です"
        );
        return Err(bad(path, what));
    }
    // The data of a mapped or read file need not be aligned for f32.
    Ok(Arc::new(bytemuck::pod_collect_to_vec(tensor.data())))
}
