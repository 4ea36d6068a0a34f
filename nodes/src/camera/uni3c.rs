//! Uni3C's own trajectories, number for number (`src/utils.py`, `traj_map` and `build_cameras`).

use super::pose::Params;

/// Names, as the authors' without the prefix.
pub const NAMES: [&str; 8] = [
    "uni3c-free1",
    "uni3c-free2",
    "uni3c-free3",
    "uni3c-free4",
    "uni3c-free5",
    "uni3c-swing1",
    "uni3c-swing2",
    "uni3c-orbit",
];

/// The frames of a trajectory; none when the name is not one of [`NAMES`].
///
/// Frame 0 is the first camera. The authors make the other `length - 1` from a list whose entry `i`
/// stands for frame `i + 1`; offsets count `(i + 1) / length`, all else `(i + 1) / (length - 1)`, and
/// the swings never reach the list's last entry. All of that is kept, since the model was trained on
/// such films.
pub fn frames(name: &str, length: usize) -> Option<Vec<Params>> {
    let free = |theta, phi, distance, x| {
        let end = Params {
            theta,
            phi,
            distance,
            x,
            ..Params::REST
        };
        collect(length, |i| free(&end, i, length))
    };
    let swing = |at: fn(f64) -> (f64, f64, f64)| {
        collect(length, |i| {
            let t = i as f64 / (length - 1).max(1) as f64;
            let (phi, theta, grow) = at(t);
            // The authors put the ends of the two angles back after smoothing.
            let (phi, theta) = if i == 0 { (0.0, 0.0) } else { (phi, theta) };
            Params {
                theta,
                phi,
                distance: 1.0 + grow,
                ..Params::REST
            }
        })
    };
    Some(match name {
        "uni3c-free1" => free(-15.0, 45.0, 1.6, 0.0),
        "uni3c-free2" => free(0.0, -60.0, 1.0, -0.05),
        "uni3c-free3" => free(0.0, 0.0, 1.7, -0.25),
        "uni3c-free4" => free(-15.0, -60.0, 0.75, 0.0),
        "uni3c-free5" => free(-15.0, -120.0, 1.6, 0.0),
        "uni3c-orbit" => free(0.0, -360.0, 1.0, 0.0),
        "uni3c-swing1" => swing(|t| (SWING1_PHI.at(t), SWING1_THETA.at(t), 0.2 * t)),
        "uni3c-swing2" => swing(|t| (SWING2_PHI.at(t), SWING2_THETA.at(t), SWING2_R.at(t))),
        _ => return None,
    })
}

/// The first camera, then one per list entry.
fn collect(length: usize, entry: impl Fn(usize) -> Params) -> Vec<Params> {
    let rest = std::iter::once(Params::REST);
    rest.chain((0..length.saturating_sub(1)).map(entry))
        .collect()
}

/// Entry `i` of a trajectory of the kind `free`, towards `end`.
fn free(end: &Params, i: usize, length: usize) -> Params {
    let done = (i + 1) as f64;
    let coef = done / (length - 1) as f64;
    let part = done / length as f64;
    Params {
        theta: end.theta * coef,
        phi: end.phi * coef,
        distance: coef * end.distance + (1.0 - coef),
        x: end.x * part,
        y: end.y * part,
        z: end.z * part,
        focal: end.focal * part + (length as f64 - done) / length as f64,
        ..Params::REST
    }
}

/// A cubic B-spline.
struct Spline {
    knots: &'static [f64],
    coefficients: &'static [f64],
}

impl Spline {
    /// De Boor's algorithm; `t` within the knots.
    fn at(&self, t: f64) -> f64 {
        let last = self.knots.len() - 5;
        let span = (3..last).find(|&i| t < self.knots[i + 1]).unwrap_or(last);
        let mut d: [f64; 4] = std::array::from_fn(|j| self.coefficients[span - 3 + j]);
        for round in 1..4 {
            for j in (round..4).rev() {
                let low = self.knots[span + j - 3];
                let high = self.knots[span + j + 1 - round];
                let part = (t - low) / (high - low);
                d[j] = (1.0 - part) * d[j - 1] + part * d[j];
            }
        }
        d[3]
    }
}

// The authors smooth a few numbers with scipy's `UnivariateSpline(x, numbers, k=3)`, whose default
// smoothing needs FITPACK's search for knots. The numbers are fixed, so its answers are: knots and
// coefficients below are `UnivariateSpline(np.linspace(0, 1, n), numbers, k=3)._eval_args` of
// scipy 1.17.1.

/// Of 0, −5, −25, −30, −20, −8, 0.
const SWING1_PHI: Spline = Spline {
    knots: &[
        0.0,
        0.0,
        0.0,
        0.0,
        0.3333333333333333,
        0.5,
        1.0,
        1.0,
        1.0,
        1.0,
    ],
    coefficients: &[
        0.4674261544527303,
        4.39068912712427,
        -23.560017862855396,
        -37.1545905540905,
        -0.09429386260869348,
        -0.08376484655137863,
    ],
};

/// Of 0, −8, −12, −20, −17, −12, −5, −2, 1, 5, 3, 1, 0.
const SWING1_THETA: Spline = Spline {
    knots: &[
        0.0,
        0.0,
        0.0,
        0.0,
        0.16666666666666666,
        0.25,
        0.5,
        1.0,
        1.0,
        1.0,
        1.0,
    ],
    coefficients: &[
        -0.16188502292289064,
        -4.783063901884107,
        -12.039196564742605,
        -23.412797664563005,
        6.1048670419549085,
        4.966548706406196,
        -0.3728518700076186,
    ],
};

/// Of 0, 5, 25, 30, 20, 10, 0.
const SWING2_PHI: Spline = Spline {
    knots: &[
        0.0,
        0.0,
        0.0,
        0.0,
        0.3333333333333333,
        0.5,
        1.0,
        1.0,
        1.0,
        1.0,
    ],
    coefficients: &[
        -0.27150624164530374,
        -6.424126864049834,
        25.125728354147565,
        35.42087359746439,
        3.398993694955439,
        0.28865749806626956,
    ],
};

/// Of 0, −5, −14, −11, 0, 1, 5, 3, 0.
const SWING2_THETA: Spline = Spline {
    knots: &[
        0.0, 0.0, 0.0, 0.0, 0.125, 0.25, 0.5, 0.75, 1.0, 1.0, 1.0, 1.0,
    ],
    coefficients: &[
        0.1548497894392158,
        1.1167643270343572,
        -5.301878827068383,
        -19.939471539825284,
        2.082374422233347,
        4.8391327657946475,
        3.313315019364279,
        -0.022186456831621147,
    ],
};

/// Of 0, −0.03, −0.1, −0.2, −0.17, −0.1, 0.
const SWING2_R: Spline = Spline {
    knots: &[0.0, 0.0, 0.0, 0.0, 1.0, 1.0, 1.0, 1.0],
    coefficients: &[
        0.009285714285714295,
        -0.08015873015873028,
        -0.3596031746031745,
        0.010952380952380963,
    ],
};

#[cfg(test)]
mod tests {
    use super::*;
    use crate::camera::pose::Pose;

    #[test]
    fn splines_are_scipys() {
        // `f(t)` of the same objects.
        let check = |spline: &Spline, values: [f64; 7]| {
            for (t, expected) in [0.0, 0.1, 0.37, 0.5, 0.8, 0.99, 1.0]
                .into_iter()
                .zip(values)
            {
                let found = spline.at(t);
                assert!((found - expected).abs() < 1e-11, "{t}: {found} {expected}");
            }
        };
        check(
            &SWING1_PHI,
            [
                0.4674261544527303,
                -1.2291635571464288,
                -26.175110324162322,
                -29.740357251659717,
                -9.994391737399644,
                -0.1173083871166766,
                -0.08376484655137863,
            ],
        );
        check(
            &SWING2_THETA,
            [
                0.1548497894392158,
                -3.524875379646024,
                -10.583759282769305,
                -1.8625350462514958,
                3.9302586508480393,
                0.3658361032378963,
                -0.022186456831621147,
            ],
        );
        check(
            &SWING2_R,
            [
                0.009285714285714295,
                -0.02240761904761907,
                -0.12548209904761906,
                -0.16238095238095238,
                -0.14010095238095233,
                2.9874285714289947e-05,
                0.010952380952380963,
            ],
        );
    }

    /// Name, frame of 81, position in radii, forward: numpy and scipy, from the authors' formulas.
    #[rustfmt::skip]
    const CAMERAS: &[(&str, usize, [f64; 3], [f64; 3])] = &[
        ("uni3c-free1", 1, [-0.009850437366769087, -0.09109342459432736, -1.0033250753765508], [0.009777109048902319, 0.09041530977104452, 0.9958561542199014]),
        ("uni3c-free1", 40, [-0.4856959991116847, -0.2813714981195337, -1.17257386824578], [0.37361230700898823, 0.21643961393810285, 0.9019798986505999]),
        ("uni3c-free1", 80, [-1.0631408390218795, -0.54723222932107, -1.0631408390218797], [0.6644630243886747, 0.3420201433256687, 0.6644630243886748]),
        ("uni3c-free2", 1, [0.01242250175772124, -0.08715574274765817, -0.9961093516751987], [-0.013039785708338525, 0.08715574274765817, 0.9961093516751987]),
        ("uni3c-free2", 40, [0.47340599102118136, -0.08715574274765817, -0.862729915662821], [-0.4980973490458727, 0.08715574274765817, 0.862729915662821]),
        ("uni3c-free2", 80, [0.8133471996134382, -0.08715574274765817, -0.4980973490458729], [-0.8627299156628209, 0.08715574274765817, 0.4980973490458729]),
        ("uni3c-free3", 1, [-0.0031134259259259257, -0.08791835549670018, -1.0049114017000484], [0.0, 0.08715574274765817, 0.9961946980917455]),
        ("uni3c-free3", 40, [-0.16666666666666666, -0.11766025270933853, -1.3448628424238567], [0.0, 0.08715574274765817, 0.9961946980917455]),
        ("uni3c-free3", 80, [-0.41975308641975306, -0.14816476267101888, -1.6935309867559674], [0.0, 0.08715574274765817, 0.9961946980917455]),
        ("uni3c-free4", 1, [0.012995245078150867, -0.09013276192801001, -0.9927068925204395], [-0.013035982523536918, 0.09041530977104452, 0.995818826352792]),
        ("uni3c-free4", 40, [0.4271295031149708, -0.18938466219584, -0.7398100008067786], [-0.4881480035599666, 0.21643961393810285, 0.8454971437791755]),
        ("uni3c-free4", 80, [0.6103482610120302, -0.25651510749425155, -0.3523847327947157], [-0.8137976813493736, 0.3420201433256687, 0.4698463103929543]),
        ("uni3c-free5", 1, [0.026265254384067186, -0.09109342459432736, -1.003029597971973], [-0.02606973139857785, 0.09041530977104452, 0.9955628763989807]),
        ("uni3c-free5", 40, [1.099146286912928, -0.2813714981195337, -0.6345924046279569], [-0.8454971437791754, 0.21643961393810285, 0.4881480035599668]),
        ("uni3c-free5", 80, [1.302076290158998, -0.54723222932107, 0.7517540966287264], [-0.8137976813493737, 0.3420201433256687, -0.469846310392954]),
        ("uni3c-swing1", 1, [0.0, -0.08715574274765817, -0.9961946980917455], [0.0, 0.08715574274765817, 0.9961946980917455]),
        ("uni3c-swing1", 40, [0.5345648096422517, -0.22286995156360712, -0.9322422962847043], [-0.4870749973961292, 0.20307057090078098, 0.84942350458743]),
        ("uni3c-swing1", 80, [0.002827776891688046, -0.1039756109423299, -1.1929741514412708], [-0.0023614003270881387, 0.08682723251969095, 0.9962205857547146]),
        ("uni3c-swing2", 1, [0.0, -0.08796504607317214, -1.005445077431169], [0.0, 0.08715574274765817, 0.9961946980917455]),
        ("uni3c-swing2", 40, [-0.41239867736245045, -0.11142763017711384, -0.7236468001643183], [0.4907583670810467, 0.13259994475047804, 0.8611466076064602]),
        ("uni3c-swing2", 80, [-0.009725320225017903, -0.07896235259043508, -0.9941813344401693], [0.009751066996003059, 0.07917139718347226, 0.9968133258341084]),
        ("uni3c-orbit", 1, [0.07816053518115186, -0.08715574274765817, -0.9931237623007013], [-0.07816053518115186, 0.08715574274765817, 0.9931237623007013]),
        ("uni3c-orbit", 40, [1.2199866483456202e-16, -0.08715574274765817, 0.9961946980917455], [-1.2199866483456202e-16, 0.08715574274765817, -0.9961946980917455]),
        ("uni3c-orbit", 80, [-2.4399732966912404e-16, -0.08715574274765817, -0.9961946980917455], [2.4399732966912404e-16, 0.08715574274765817, 0.9961946980917455]),
    ];

    #[test]
    fn cameras_are_the_authors() {
        for (name, at, position, forward) in CAMERAS {
            let frames = frames(name, 81).unwrap();
            assert_eq!((frames.len(), frames[0]), (81, Params::REST));
            let pose = Pose::new(&frames[*at], 5.0);
            for i in 0..3 {
                let (p, f) = (pose.position[i], pose.rotation[i][2]);
                assert!(
                    (p - position[i]).abs() < 1e-9,
                    "{name} {at}: {p} {position:?}"
                );
                assert!(
                    (f - forward[i]).abs() < 1e-9,
                    "{name} {at}: {f} {forward:?}"
                );
            }
        }
    }

    #[test]
    fn short_trajectories_are_whole() {
        for name in NAMES {
            for length in [1, 2, 3] {
                let frames = frames(name, length).unwrap();
                assert_eq!(frames.len(), length);
                assert!(
                    frames
                        .iter()
                        .all(|it| it.to_array().iter().all(|v| v.is_finite()))
                );
            }
        }
        assert_eq!(frames("free1", 5), None);
    }
}
