//! Which frames make up the windows of a step.

use super::{ContextWindows, WindowSchedule};

/// `context` has been checked.
pub(super) fn windows(context: &ContextWindows, frames: usize, step: usize) -> Vec<Vec<usize>> {
    let fits = match context.schedule {
        WindowSchedule::LoopedUniform => frames < context.length,
        WindowSchedule::StandardStatic
        | WindowSchedule::StandardUniform
        | WindowSchedule::Batched => frames <= context.length,
    };
    if fits {
        return vec![(0..frames).collect()];
    }
    match context.schedule {
        WindowSchedule::StandardStatic => standard_static(context, frames),
        WindowSchedule::StandardUniform => standard_uniform(context, frames, step),
        WindowSchedule::LoopedUniform => uniform(context, frames, step, context.closed_loop),
        WindowSchedule::Batched => batched(context.length, frames),
    }
}

fn standard_static(context: &ContextWindows, frames: usize) -> Vec<Vec<usize>> {
    let length = context.length;
    let mut windows = Vec::new();
    for start in (0..frames).step_by(length - context.overlap) {
        let start = start.min(frames - length);
        windows.push((start..start + length).collect());
        if start + length == frames {
            break;
        }
    }
    windows
}

fn batched(length: usize, frames: usize) -> Vec<Vec<usize>> {
    (0..frames)
        .step_by(length)
        .map(|start| (start..frames.min(start + length)).collect())
        .collect()
}

/// Windows that start anew at every step and run on over the end, modulo `frames`; first of
/// neighbouring frames, then of every second, fourth …
fn uniform(
    context: &ContextWindows,
    frames: usize,
    step: usize,
    closed_loop: bool,
) -> Vec<Vec<usize>> {
    let (length, overlap) = (context.length, context.overlap);
    let half = ordered_halving(step);
    let pad = (frames as f64 * half).round_ties_even() as usize;
    let end = frames + pad - if closed_loop { 0 } else { overlap };
    let mut windows = Vec::new();
    for stride in (0..strides(context, frames)).map(|power| 1_usize << power) {
        let span = length * stride;
        let start = (half * stride as f64) as usize + pad;
        for first in (start..end).step_by(span - overlap) {
            let window = (first..first + span).step_by(stride);
            windows.push(window.map(|frame| frame % frames).collect());
        }
    }
    windows
}

/// No more strides than the clip is long.
fn strides(context: &ContextWindows, frames: usize) -> usize {
    let most = (frames as f64 / context.length as f64).log2().ceil() as usize + 1;
    context.stride.min(most)
}

/// As [`uniform`], but a window over the end is moved back to end there, and what it held of the
/// beginning gets a window of its own; what comes twice is left out.
///
/// ComfyUI fails on strided windows longer than the clip, whose frame numbers then lie beyond it.
/// Here they are left out, and a window of its own starts early enough to fit.
fn standard_uniform(context: &ContextWindows, frames: usize, step: usize) -> Vec<Vec<usize>> {
    let length = context.length;
    let mut windows = uniform(context, frames, step, false);
    windows.retain(|window| span(window, frames) <= frames);
    let mut twice = Vec::new();
    let mut i = 0;
    while i < windows.len() {
        if let Some(roll) = windows[i].windows(2).position(|pair| pair[1] < pair[0]) {
            let begin = windows[i][roll + 1];
            shift_to_end(&mut windows[i], frames);
            if !windows[(i + 1) % windows.len()].contains(&begin) {
                let begin = begin.min(frames - length);
                windows.insert(i + 1, (begin..begin + length).collect());
            }
        }
        if windows[..i].contains(&windows[i]) {
            twice.push(i);
        }
        i += 1;
    }
    for i in twice.into_iter().rev() {
        windows.remove(i);
    }
    windows
}

/// How many frames a window reaches over, first and last included.
fn span(window: &[usize], frames: usize) -> usize {
    let steps = window
        .windows(2)
        .map(|pair| (pair[1] + frames - pair[0]) % frames);
    1 + steps.sum::<usize>()
}

/// Keeps the distances between a window's frames and lets it end at the last frame.
fn shift_to_end(window: &mut [usize], frames: usize) {
    let Some(&first) = window.first() else { return };
    for frame in window.iter_mut() {
        *frame = (*frame + frames - first) % frames;
    }
    let room = frames - 1 - window.last().copied().unwrap_or(0);
    for frame in window.iter_mut() {
        *frame += room;
    }
}

/// The bits of `step` mirrored behind the binary point: 0, 1/2, 1/4, 3/4, 1/8 …
fn ordered_halving(step: usize) -> f64 {
    (step as u64).reverse_bits() as f64 / 2_f64.powi(64)
}
