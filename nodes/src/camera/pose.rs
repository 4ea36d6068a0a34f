//! One camera: where it stands and where it looks, from the few numbers that people change.
//!
//! The first camera stands one radius from the subject, raised by `elevation` degrees and looking at
//! it. Every other camera is the first one turned about the subject, moved, and brought nearer or
//! farther, as in Uni3C (`src/utils.py`, `set_initial_camera` and `build_cameras`); pan and tilt,
//! which Uni3C has not, turn the camera about itself at the end.

/// Columns of a path, in the order of [`Params::to_array`].
pub const FIELDS: [&str; 9] = [
    "theta", "phi", "distance", "x", "y", "z", "focal", "pan", "tilt",
];

/// What is changed against the first camera.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Params {
    /// Degrees about the subject's horizontal axis; below 0 the camera rises.
    pub theta: f64,
    /// Degrees about the subject's vertical axis; above 0 the camera goes to the left.
    pub phi: f64,
    /// Factor of the whole position; 1 at the start.
    pub distance: f64,
    /// Radii to the right.
    pub x: f64,
    /// Radii down.
    pub y: f64,
    /// Radii forward.
    pub z: f64,
    /// Factor of the focal length; 1 at the start.
    pub focal: f64,
    /// Degrees about the camera's own vertical axis; above 0 it looks to the right.
    pub pan: f64,
    /// Degrees about the camera's own horizontal axis; above 0 it looks up.
    pub tilt: f64,
}

impl Params {
    /// The first camera.
    pub const REST: Self = Self {
        theta: 0.0,
        phi: 0.0,
        distance: 1.0,
        x: 0.0,
        y: 0.0,
        z: 0.0,
        focal: 1.0,
        pan: 0.0,
        tilt: 0.0,
    };

    /// The numbers in the order of [`FIELDS`].
    pub const fn to_array(self) -> [f64; 9] {
        [
            self.theta,
            self.phi,
            self.distance,
            self.x,
            self.y,
            self.z,
            self.focal,
            self.pan,
            self.tilt,
        ]
    }

    /// From the numbers in the order of [`FIELDS`].
    pub const fn from_array(numbers: [f64; 9]) -> Self {
        let [theta, phi, distance, x, y, z, focal, pan, tilt] = numbers;
        Self {
            theta,
            phi,
            distance,
            x,
            y,
            z,
            focal,
            pan,
            tilt,
        }
    }

    /// A straight line from `self` at 0 to `other` at 1, number by number.
    #[must_use]
    pub fn towards(self, other: Self, t: f64) -> Self {
        let (a, b) = (self.to_array(), other.to_array());
        Self::from_array(std::array::from_fn(|i| a[i] + (b[i] - a[i]) * t))
    }
}

/// Three numbers: right, down, forward.
pub type Vec3 = [f64; 3];
/// Rows of a 3 × 3 matrix.
pub type Mat3 = [Vec3; 3];

/// A camera in the world.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Pose {
    /// Camera to world; its columns are the camera's right, down and forward.
    pub rotation: Mat3,
    /// Where the camera stands, radii from the subject.
    pub position: Vec3,
    /// Factor of the focal length.
    pub focal: f64,
}

fn about_x(degrees: f64) -> Mat3 {
    let (sin, cos) = degrees.to_radians().sin_cos();
    [[1.0, 0.0, 0.0], [0.0, cos, -sin], [0.0, sin, cos]]
}

fn about_y(degrees: f64) -> Mat3 {
    let (sin, cos) = degrees.to_radians().sin_cos();
    [[cos, 0.0, sin], [0.0, 1.0, 0.0], [-sin, 0.0, cos]]
}

fn times(a: &Mat3, b: &Mat3) -> Mat3 {
    let cell = |i: usize, j: usize| (0..3).map(|k| a[i][k] * b[k][j]).sum();
    std::array::from_fn(|i| std::array::from_fn(|j| cell(i, j)))
}

fn apply(m: &Mat3, v: Vec3) -> Vec3 {
    std::array::from_fn(|i| m[i][0] * v[0] + m[i][1] * v[1] + m[i][2] * v[2])
}

impl Pose {
    /// The camera that these numbers make of a first camera raised by `elevation` degrees.
    pub fn new(params: &Params, elevation: f64) -> Self {
        let first = about_x(-elevation);
        let turned = times(&times(&about_y(params.phi), &about_x(params.theta)), &first);
        let stand = apply(&turned, [0.0, 0.0, -1.0]);
        let moved = [params.x, params.y, params.z];
        let position = std::array::from_fn(|i| (stand[i] + moved[i]) * params.distance);
        let own = times(&about_y(params.pan), &about_x(params.tilt));
        Self {
            rotation: times(&turned, &own),
            position,
            focal: params.focal,
        }
    }

    /// A point of the world as this camera sees it: right, down, forward (its depth).
    pub fn to_camera(&self, world: Vec3) -> Vec3 {
        let d: Vec3 = std::array::from_fn(|i| world[i] - self.position[i]);
        let r = &self.rotation;
        std::array::from_fn(|i| r[0][i] * d[0] + r[1][i] * d[1] + r[2][i] * d[2])
    }

    /// A point that this camera sees, in the world.
    pub fn to_world(&self, seen: Vec3) -> Vec3 {
        let turned = apply(&self.rotation, seen);
        std::array::from_fn(|i| turned[i] + self.position[i])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn near(a: Vec3, b: Vec3) {
        for i in 0..3 {
            assert!((a[i] - b[i]).abs() < 1e-12, "{a:?} {b:?}");
        }
    }

    /// Where the camera stands and looks, for one number changed.
    #[test]
    fn signs_of_every_number() {
        let camera = |change: fn(&mut Params)| {
            let mut params = Params::REST;
            change(&mut params);
            let pose = Pose::new(&params, 0.0);
            let forward = std::array::from_fn(|i| pose.rotation[i][2]);
            (pose.position, forward)
        };
        let check = |change, position, forward| {
            let (stands, looks) = camera(change);
            near(stands, position);
            near(looks, forward);
        };
        check(|_| (), [0.0, 0.0, -1.0], [0.0, 0.0, 1.0]);
        // To the left of the subject, looking right at it.
        check(|it| it.phi = 90.0, [-1.0, 0.0, 0.0], [1.0, 0.0, 0.0]);
        // Above the subject, looking down at it.
        check(|it| it.theta = -90.0, [0.0, -1.0, 0.0], [0.0, 1.0, 0.0]);
        check(|it| it.distance = 0.5, [0.0, 0.0, -0.5], [0.0, 0.0, 1.0]);
        check(|it| it.x = 0.25, [0.25, 0.0, -1.0], [0.0, 0.0, 1.0]);
        check(|it| it.pan = 90.0, [0.0, 0.0, -1.0], [1.0, 0.0, 0.0]);
        check(|it| it.tilt = 90.0, [0.0, 0.0, -1.0], [0.0, -1.0, 0.0]);
    }

    #[test]
    fn the_first_camera_is_raised_and_still_looks_at_the_subject() {
        let pose = Pose::new(&Params::REST, 5.0);
        assert!(pose.position[1] < 0.0, "y is down, so above is below 0");
        near(pose.to_camera([0.0; 3]), [0.0, 0.0, 1.0]);
    }

    #[test]
    fn world_and_camera_are_inverse() {
        let params = Params::from_array([-20.0, 130.0, 1.4, 0.2, -0.3, 0.1, 1.5, 12.0, -8.0]);
        let pose = Pose::new(&params, 5.0);
        let seen = [0.3, -0.7, 2.0];
        near(pose.to_camera(pose.to_world(seen)), seen);
    }
}
