//! Named camera moves. `amount` 1 is a move that a point cloud of one picture bears well.

use super::pose::Params;

/// Names in files. `orbit` goes around the subject, `pan` and `tilt` turn the camera where it
/// stands, `truck` and `crane` carry it sideways and up without turning.
pub const NAMES: [&str; 19] = [
    "static",
    "dolly-in",
    "dolly-out",
    "dolly-zoom",
    "orbit-left",
    "orbit-right",
    "orbit-360",
    "orbit-up",
    "orbit-down",
    "pan-left",
    "pan-right",
    "tilt-up",
    "tilt-down",
    "crane-up",
    "crane-down",
    "truck-left",
    "truck-right",
    "zoom-in",
    "zoom-out",
];

/// Factor of the distance for a whole dolly.
const DOLLY: f64 = 0.6;
/// Factor of the focal length for a whole zoom.
const ZOOM: f64 = 1.5;
/// Degrees of a whole orbit, of one over the top, of a pan and of a tilt.
const ORBIT: f64 = 35.0;
const RISE: f64 = 20.0;
const PAN: f64 = 15.0;
const TILT: f64 = 10.0;
/// Radii of a whole truck or crane.
const CARRY: f64 = 0.3;

/// The numbers of a move at `t` (0..1, eased already), or none for an unknown name.
pub fn at(name: &str, amount: f64, t: f64) -> Option<Params> {
    let mut it = Params::REST;
    let part = amount * t;
    // Equal ratios in equal times: a linear dolly or zoom seems to change its speed.
    match name {
        "static" => {}
        "dolly-in" => it.distance = DOLLY.powf(part),
        "dolly-out" => it.distance = DOLLY.powf(-part),
        "orbit-left" => it.phi = ORBIT * part,
        "orbit-right" => it.phi = -ORBIT * part,
        "orbit-360" => it.phi = -360.0 * part,
        "orbit-up" => it.theta = -RISE * part,
        "orbit-down" => it.theta = RISE * part,
        "pan-left" => it.pan = -PAN * part,
        "pan-right" => it.pan = PAN * part,
        "tilt-up" => it.tilt = TILT * part,
        "tilt-down" => it.tilt = -TILT * part,
        "crane-up" => it.y = -CARRY * part,
        "crane-down" => it.y = CARRY * part,
        "truck-left" => it.x = -CARRY * part,
        "truck-right" => it.x = CARRY * part,
        "zoom-in" => it.focal = ZOOM.powf(part),
        "zoom-out" => it.focal = ZOOM.powf(-part),
        // The subject keeps its size: the zoom goes against the dolly.
        "dolly-zoom" => {
            it.distance = DOLLY.powf(part);
            it.focal = it.distance;
        }
        _ => return None,
    }
    Some(it)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::camera::pose::Pose;

    #[test]
    fn moves_start_at_rest_and_go_where_their_name_says() {
        // A point above, to the right of and behind the subject, and the subject, at the end.
        let ends = |name| {
            assert_eq!(at(name, 1.0, 0.0), Some(Params::REST), "{name}");
            let pose = Pose::new(&at(name, 1.0, 1.0).unwrap(), 0.0);
            let on_screen = |world| {
                let [x, y, z] = pose.to_camera(world);
                [x / z * pose.focal, y / z * pose.focal]
            };
            (
                pose.position,
                on_screen([0.2, -0.2, 0.0]),
                on_screen([0.0; 3]),
            )
        };
        let (_, point, subject) = ends("static");
        assert_eq!((point, subject), ([0.2, -0.2], [0.0, 0.0]));
        for (name, larger) in [
            ("dolly-in", true),
            ("dolly-out", false),
            ("zoom-in", true),
            ("zoom-out", false),
        ] {
            assert_eq!(ends(name).1[0] > 0.2, larger, "{name}");
        }
        // Turning or going to the right moves what is seen to the left.
        for (name, axis, sign) in [
            ("pan-right", 0, -1.0),
            ("pan-left", 0, 1.0),
            ("truck-right", 0, -1.0),
            ("truck-left", 0, 1.0),
            ("tilt-up", 1, 1.0),
            ("tilt-down", 1, -1.0),
            ("crane-up", 1, 1.0),
            ("crane-down", 1, -1.0),
        ] {
            assert!(ends(name).2[axis] * sign > 0.05, "{name}");
        }
        // Orbits go to their side and keep the subject in the middle.
        for (name, axis, sign) in [
            ("orbit-right", 0, 1.0),
            ("orbit-left", 0, -1.0),
            ("orbit-up", 1, -1.0),
            ("orbit-down", 1, 1.0),
        ] {
            let (position, _, subject) = ends(name);
            assert!(position[axis] * sign > 0.2, "{name}");
            assert!(subject.iter().all(|it| it.abs() < 1e-12), "{name}");
        }
        let (_, point, _) = ends("dolly-zoom");
        assert!((point[0] - 0.2).abs() < 1e-12, "the subject keeps its size");
        assert!(NAMES.iter().all(|name| at(name, 0.7, 0.4).is_some()));
        assert_eq!(at("fly", 1.0, 1.0), None);
    }
}
