//! The way between a [`Tensor`] and the CPU buffer behind it.
//!
//! Burn offers no public way from a `DispatchTensor` to the tensor of the backend inside: only
//! copies. Weights are shared by every call, so a copy per call is out of the question. The
//! struct has one field, the public enum [`DispatchTensorKind`]; the size check below makes the
//! reinterpretation sound, since a field that is as large as its struct lies at offset 0.

#![allow(unsafe_code, reason = "buffers are written before they are read")]

use std::marker::PhantomData;
use std::mem::{ManuallyDrop, MaybeUninit};

use burn::tensor::{Bytes, DType, Shape, TensorPrimitive};
use burn::{BackendTensor, DispatchDevice, DispatchTensor, DispatchTensorKind};
use burn_flex::{FlexTensor, Layout};
use rayon::prelude::*;

use crate::Tensor;

const _: () = assert!(
    size_of::<DispatchTensor>() == size_of::<DispatchTensorKind>()
        && align_of::<DispatchTensor>() == align_of::<DispatchTensorKind>(),
    "DispatchTensor holds more than its kind: is Burn's autodiff feature on?"
);

/// Elements below which a kernel stays on the calling thread: waking workers costs more.
const SERIAL: usize = 16 * 1024;

/// Elements a worker takes at a time, about half of a first-level cache.
const GRAIN: usize = 4 * 1024;

/// Size of a huge page on x86-64, and a fair alignment elsewhere.
const HUGE_PAGE: usize = 2 << 20;

/// Is `x` on the CPU, in f32 and not empty, so that our kernels may have it?
pub fn has<const D: usize>(x: &Tensor<D>) -> bool {
    matches!(x.device(), DispatchDevice::Flex(_))
        && x.dtype() == DType::F32
        && x.shape().num_elements() > 0
}

/// [`has`] for an argument that may be absent.
pub fn has_opt<const D: usize>(x: Option<&Tensor<D>>) -> bool {
    x.is_none_or(has)
}

/// The buffer of a tensor that [`has`] accepted.
pub fn take<const D: usize>(x: Tensor<D>) -> FlexTensor {
    let TensorPrimitive::Float(tensor) = x.into_primitive() else {
        unreachable!("`has` admits f32 only, which is never quantised");
    };
    let tensor = ManuallyDrop::new(tensor);
    // SAFETY: see the size check at the top; `tensor` is not dropped, so the value moves.
    let kind = unsafe { (&raw const *tensor).cast::<DispatchTensorKind>().read() };
    #[allow(
        clippy::match_wildcard_for_single_variants,
        reason = "cuda and vulkan add variants"
    )]
    match kind {
        DispatchTensorKind::Flex(BackendTensor::Float(flex)) => flex,
        _ => unreachable!("`has` admits float tensors of Flex only"),
    }
}

/// Wraps a CPU tensor of rank `D` for model code.
pub fn give<const D: usize>(flex: FlexTensor) -> Tensor<D> {
    let kind = ManuallyDrop::new(DispatchTensorKind::Flex(BackendTensor::Float(flex)));
    // SAFETY: see the size check at the top; `kind` is not dropped, so the value moves.
    let tensor = unsafe { (&raw const *kind).cast::<DispatchTensor>().read() };
    Tensor::from_primitive(TensorPrimitive::Float(tensor))
}

/// Wraps freshly computed values.
pub fn give_values<const D: usize>(values: Vec<f32>, shape: [usize; D]) -> Tensor<D> {
    give(flex_of(values, Shape::from(shape)))
}

fn flex_of(values: Vec<f32>, shape: Shape) -> FlexTensor {
    assert_eq!(values.len(), shape.num_elements());
    FlexTensor::new(
        Bytes::from_elems(values),
        Layout::contiguous(shape),
        DType::F32,
    )
}

/// Read access to a tensor in row-major order, copied only if it is not laid out so.
pub struct Values(FlexTensor);

impl Values {
    pub fn of<const D: usize>(x: Tensor<D>) -> Self {
        Self::of_flex(take(x))
    }

    pub fn of_flex(flex: FlexTensor) -> Self {
        Self(if flex.is_contiguous() {
            flex
        } else {
            flex.to_contiguous()
        })
    }
}

impl std::ops::Deref for Values {
    type Target = [f32];

    fn deref(&self) -> &[f32] {
        self.0.as_slice().expect("made contiguous in `of_flex`")
    }
}

/// Room for `len` values that a kernel is about to write: zeroing large results costs as much as
/// some kernels.
pub fn uninit(len: usize) -> Vec<MaybeUninit<f32>> {
    let mut values = Vec::with_capacity(len);
    values.resize_with(len, MaybeUninit::uninit);
    prefer_huge_pages(&mut values);
    values
}

/// The values that were written.
///
/// # Safety
/// All of them were.
pub unsafe fn written(values: Vec<MaybeUninit<f32>>) -> Vec<f32> {
    let mut values = ManuallyDrop::new(values);
    let (start, len, capacity) = (values.as_mut_ptr(), values.len(), values.capacity());
    // SAFETY: the parts of a vector whose elements have the layout of f32 and, as the caller
    // promises, are such.
    unsafe { Vec::from_raw_parts(start.cast(), len, capacity) }
}

/// The values of a slice that was written.
///
/// # Safety
/// All of them were.
pub unsafe fn written_slice(values: &mut [MaybeUninit<f32>]) -> &mut [f32] {
    // SAFETY: the caller's promise.
    unsafe { values.assume_init_mut() }
}

/// Asks for 2 MiB pages behind a large buffer: taking it from the system page by page costs
/// more than computing a pointwise function over it.
fn prefer_huge_pages(values: &mut [MaybeUninit<f32>]) {
    #[cfg(target_os = "linux")]
    if size_of_val(values) >= 4 * HUGE_PAGE {
        let bytes = values.as_mut_ptr_range();
        let start = (bytes.start as usize).next_multiple_of(HUGE_PAGE);
        let len = (bytes.end as usize - start) / HUGE_PAGE * HUGE_PAGE;
        // SAFETY: whole pages inside our own buffer; the advice changes no contents, and an
        // error (a kernel without huge pages) changes nothing at all.
        unsafe { libc::madvise(start as *mut libc::c_void, len, libc::MADV_HUGEPAGE) };
    }
}

/// Replaces each run of `row` values by `work(first_row, rows)`, on all cores.
///
/// `rows` is a whole number of runs. The buffer of `x` is reused if nobody else holds it.
pub fn map_rows<const D: usize>(
    x: Tensor<D>,
    row: usize,
    work: impl Fn(usize, &mut [f32]) + Sync,
) -> Tensor<D> {
    let shape = x.shape();
    let len = shape.num_elements();
    let mut flex = take(x);
    let chunk = row * (GRAIN / row).max(1);
    let whole = flex.is_contiguous() && flex.layout().start_offset() == 0;
    if whole && let Some(all) = flex.try_storage_mut::<f32>() {
        each_chunk(&mut all[..len], chunk, |i, rows| {
            work(i * (chunk / row), rows);
        });
        return give(flex);
    }
    let source = Values::of_flex(flex);
    let mut out = uninit(len);
    each_chunk(&mut out, chunk, |i, rows| {
        let rows = rows.write_copy_of_slice(&source[i * chunk..i * chunk + rows.len()]);
        work(i * (chunk / row), rows);
    });
    // SAFETY: every chunk was copied before it was worked on.
    give(flex_of(unsafe { written(out) }, shape))
}

/// Runs `work(index, chunk)` over consecutive chunks, on all cores if there is enough to do.
fn each_chunk<T: Send>(values: &mut [T], chunk: usize, work: impl Fn(usize, &mut [T]) + Sync) {
    if values.len() <= SERIAL {
        values
            .chunks_mut(chunk)
            .enumerate()
            .for_each(|(i, part)| work(i, part));
    } else {
        values
            .par_chunks_mut(chunk)
            .enumerate()
            .for_each(|(i, part)| work(i, part));
    }
}

/// A buffer that workers share while they write disjoint parts of it.
#[derive(Clone, Copy)]
pub struct Shared<'a> {
    start: *mut f32,
    len: usize,
    _of: PhantomData<&'a mut [f32]>,
}

// SAFETY: whoever dereferences it promises that no two workers touch the same element.
unsafe impl Send for Shared<'_> {}
// SAFETY: as above.
unsafe impl Sync for Shared<'_> {}

impl<'a> Shared<'a> {
    pub fn new(values: &'a mut [MaybeUninit<f32>]) -> Self {
        Self {
            start: values.as_mut_ptr().cast(),
            len: values.len(),
            _of: PhantomData,
        }
    }

    /// The first of `rows` rows of `cols` values that start `row` apart.
    ///
    /// # Panics
    /// If they are not all within the buffer.
    pub fn rectangle(self, offset: usize, rows: usize, cols: usize, row: usize) -> *mut f32 {
        let end = offset + rows.saturating_sub(1) * row + cols;
        assert!(end <= self.len, "{end} of {} values", self.len);
        self.start.wrapping_add(offset)
    }

    /// # Safety
    /// The element must belong to the calling worker alone.
    ///
    /// # Panics
    /// If it is not within the buffer.
    pub unsafe fn write(self, offset: usize, value: f32) {
        let at = self.rectangle(offset, 1, 1, 1);
        // SAFETY: it is within the buffer, and the caller's alone.
        unsafe { at.write(value) };
    }

    /// # Safety
    /// The range must belong to the calling worker alone.
    ///
    /// # Panics
    /// If it is not within the buffer.
    pub unsafe fn uninit(self, offset: usize, len: usize) -> &'a mut [MaybeUninit<f32>] {
        let at = self.rectangle(offset, 1, len, len).cast();
        // SAFETY: the range is within the buffer, and the caller's alone.
        unsafe { std::slice::from_raw_parts_mut(at, len) }
    }

    /// # Safety
    /// The range must have been written, and belong to the calling worker alone.
    ///
    /// # Panics
    /// If it is not within the buffer.
    pub unsafe fn slice(self, offset: usize, len: usize) -> &'a mut [f32] {
        // SAFETY: the caller's promise.
        unsafe { written_slice(self.uninit(offset, len)) }
    }
}
