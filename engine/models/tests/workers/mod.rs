//! What products keep for later, made before memory is counted.

use longtake_models::Tensor;

/// Lets this thread and every worker make a product: what multiplies keeps buffers for packing from
/// then on, which are no part of a pass.
pub fn warm_workers() {
    let product = || {
        let of = |shape| Tensor::<2>::ones(shape, &longtake_models::device::cpu());
        for rows in [2, 20, 700] {
            let x = of([rows, 300]).reshape([1, rows, 300]);
            drop(longtake_shaders::linear(x, of([700, 300]), None));
        }
        let q = of([600, 48]).reshape([1, 600, 2, 24]);
        drop(longtake_shaders::attention(
            q.clone(),
            q.clone(),
            q,
            1.0,
            None,
        ));
    };
    product();
    rayon::broadcast(|_| product());
}
