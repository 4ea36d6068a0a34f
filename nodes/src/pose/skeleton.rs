//! The 18-joint skeleton: joints, limbs with their colours, and the lengths of a natural body.
//!
//! Limbs, their order and their colours are SCAIL's (zai-org/SCAIL-Pose,
//! `NLFPoseExtract/nlf_render.py`); joint numbers are OpenPose's COCO-18.

/// Joints of the body.
pub const JOINTS: usize = 18;
/// Points of one hand: the wrist and four of each finger.
pub const HAND: usize = 21;
/// Points of a face: 68, and OpenPose's two pupils.
pub const FACE: usize = 70;

/// Head (nose), the root of the skeleton and the ends of arms.
pub const NOSE: usize = 0;
/// Between the shoulders; the root that all limbs hang on.
pub const NECK: usize = 1;
/// Right shoulder, elbow, wrist.
pub const RIGHT_ARM: [usize; 3] = [2, 3, 4];
/// Left shoulder, elbow, wrist.
pub const LEFT_ARM: [usize; 3] = [5, 6, 7];
/// Right hip, knee, ankle.
pub const RIGHT_LEG: [usize; 3] = [8, 9, 10];
/// Left hip, knee, ankle.
pub const LEFT_LEG: [usize; 3] = [11, 12, 13];
/// First of the joints of the face (right eye, left eye, right ear, left ear): SCAIL draws them flat.
pub const EYES_EARS: std::ops::Range<usize> = 14..18;

/// A limb between two joints, drawn as a capsule.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limb {
    /// The joint nearer to the neck.
    pub from: usize,
    /// The other joint.
    pub to: usize,
    /// sRGB, 0..=255.
    pub colour: [u8; 3],
}

const fn limb(from: usize, to: usize, colour: [u8; 3]) -> Limb {
    Limb { from, to, colour }
}

/// Limbs from the neck outwards, in the order that decides which of two equally near ones is seen.
pub const LIMBS: [Limb; 17] = [
    limb(1, 2, [255, 0, 0]),
    limb(2, 3, [255, 85, 0]),
    limb(3, 4, [255, 170, 0]),
    limb(1, 5, [0, 255, 255]),
    limb(5, 6, [0, 170, 255]),
    limb(6, 7, [0, 85, 255]),
    limb(1, 8, [180, 255, 0]),
    limb(8, 9, [0, 255, 0]),
    limb(9, 10, [0, 255, 85]),
    limb(1, 11, [0, 0, 255]),
    limb(11, 12, [85, 0, 255]),
    limb(12, 13, [170, 0, 255]),
    limb(1, 0, [150, 150, 150]),
    limb(0, 14, [255, 0, 170]),
    limb(14, 16, [50, 0, 255]),
    limb(0, 15, [255, 0, 170]),
    limb(15, 17, [50, 0, 255]),
];

/// Radius of every limb in millimetres (SCAIL).
pub const RADIUS: f64 = 21.5;

/// A limb of [`LIMBS`] drawn in the material SCAIL gives it: `c / 300 + 0.15`.
pub fn material(colour: [u8; 3]) -> [f64; 3] {
    colour.map(|c| f64::from(c) / 300.0 + 0.15)
}

/// Kinds of limb whose natural length is known, both sides together.
pub const BONES: [Bone; 7] = [
    bone(500.0, &[(1, 8), (1, 11)]),
    bone(416.0, &[(8, 9), (11, 12)]),
    bone(418.0, &[(9, 10), (12, 13)]),
    bone(316.0, &[(2, 3), (5, 6)]),
    bone(248.0, &[(3, 4), (6, 7)]),
    bone(190.0, &[(1, 2), (1, 5)]),
    bone(210.0, &[(1, 0)]),
];

/// Limbs of one kind, and how long they are in a body of 1.70 m.
///
/// Legs and arms: segment lengths of Drillis & Contini as fractions of the height (D. Winter,
/// *Biomechanics and Motor Control of Human Movement*: thigh .245, shank .246, upper arm .186,
/// forearm .146). Neck to hip: shoulder height .818 less hip height .530, and half the hips' width:
/// 500 mm. Half the shoulders' width and the head are our round numbers.
#[derive(Clone, Copy, Debug)]
pub struct Bone {
    /// Millimetres.
    pub length: f64,
    /// The same limb, right and left.
    pub sides: &'static [(usize, usize)],
}

const fn bone(length: f64, sides: &'static [(usize, usize)]) -> Bone {
    Bone { length, sides }
}

/// The kind of a limb in [`BONES`]; the joints of the face belong to none.
pub fn bone_of(limb: &Limb) -> Option<usize> {
    BONES
        .iter()
        .position(|bone| bone.sides.contains(&(limb.from, limb.to)))
}

/// Where each of the 18 joints stands in OpenPose's BODY_25 (which puts the middle of the hips at 8;
/// `OpenPose`, `doc/02_output.md`).
pub const FROM_BODY_25: [usize; JOINTS] = [
    0, 1, 2, 3, 4, 5, 6, 7, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18,
];

/// Pairs of hand points that are joined, wrist to fingertip.
pub const FINGERS: [(usize, usize); 20] = [
    (0, 1),
    (1, 2),
    (2, 3),
    (3, 4),
    (0, 5),
    (5, 6),
    (6, 7),
    (7, 8),
    (0, 9),
    (9, 10),
    (10, 11),
    (11, 12),
    (0, 13),
    (13, 14),
    (14, 15),
    (15, 16),
    (0, 17),
    (17, 18),
    (18, 19),
    (19, 20),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limbs_hang_on_the_neck_in_order() {
        let mut known = vec![NECK];
        for limb in LIMBS {
            assert!(known.contains(&limb.from), "{limb:?}");
            known.push(limb.to);
        }
        known.sort_unstable();
        assert_eq!(known, (0..JOINTS).collect::<Vec<_>>());
        assert_eq!(LIMBS.iter().filter_map(bone_of).count(), 13);
        assert_eq!(material([255, 0, 150]), [1.0, 0.15, 0.65]);
    }
}
