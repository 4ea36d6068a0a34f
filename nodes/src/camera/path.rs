//! A camera path: one small row of numbers per frame, as it travels on a `CAMERA_PATH` socket.
//!
//! ```json
//! {"camera_path": 1, "name": "orbit-left", "elevation": 5.0,
//!  "fields": ["theta", "phi", …], "frames": [[0.0, 0.0, …], …]}
//! ```

use longtake_graph::{Sentence, say};
use serde_json::{Value as Json, json};

use super::pose::{FIELDS, Params, Pose};

/// Most frames of a path: an hour at 24 fps.
pub const MOST_FRAMES: usize = 86_400;

/// A path, whole.
#[derive(Clone, Debug, PartialEq)]
pub struct CameraPath {
    /// Name of the move, for people.
    pub name: String,
    /// Degrees that the first camera is raised by.
    pub elevation: f64,
    /// One camera per frame; at least one.
    pub frames: Vec<Params>,
}

impl CameraPath {
    /// As it travels on the socket.
    pub fn to_json(&self) -> Json {
        let rows: Vec<[f64; 9]> = self.frames.iter().map(|it| it.to_array()).collect();
        json!({
            "camera_path": 1,
            "name": self.name,
            "elevation": self.elevation,
            "fields": FIELDS,
            "frames": rows,
        })
    }

    /// From what travels on the socket.
    ///
    /// # Errors
    /// Not a path of this form; says which row.
    pub fn from_json(json: &Json) -> Result<Self, Sentence> {
        if json.get("camera_path").and_then(Json::as_u64) != Some(1) {
            return Err(say!(
                "expected a camera path (from a CameraPath node)",
                "CameraPath ノードのカメラ軌跡が必要です。"
            ));
        }
        if json.get("fields") != Some(&json!(FIELDS)) {
            return Err(say!(
                "camera path: expected the fields {FIELDS:?}",
                "カメラ軌跡: 項目は {FIELDS:?} である必要があります。"
            ));
        }
        let name = json.get("name").and_then(Json::as_str);
        let elevation = json.get("elevation").and_then(Json::as_f64);
        let rows = json.get("frames").and_then(Json::as_array);
        let (Some(name), Some(elevation), Some(rows)) = (name, elevation, rows) else {
            return Err(say!(
                "camera path: expected `name`, `elevation` and `frames`",
                "カメラ軌跡: 「name」、「elevation」、「frames」が必要です。"
            ));
        };
        if rows.is_empty() || rows.len() > MOST_FRAMES {
            let found = rows.len();
            return Err(say!(
                "camera path: expected 1 to {MOST_FRAMES} frames, got {found}",
                "カメラ軌跡: フレーム数は 1〜{MOST_FRAMES} にしてください(現在: {found})。"
            ));
        }
        let frames = rows.iter().enumerate().map(|(at, row)| {
            let numbers = row.as_array().filter(|it| it.len() == FIELDS.len());
            let mut values = [0.0; FIELDS.len()];
            for (value, number) in values.iter_mut().zip(numbers.into_iter().flatten()) {
                *value = number.as_f64().unwrap_or(f64::NAN);
            }
            if numbers.is_none() || values.iter().any(|it| !it.is_finite()) {
                let count = FIELDS.len();
                return Err(say!(
                    "camera path, frame {at}: expected {count} numbers, got {row}",
                    "カメラ軌跡、フレーム {at}: 数値が {count} 個必要です(現在: {row})。"
                ));
            }
            Ok(Params::from_array(values))
        });
        Ok(Self {
            name: name.to_owned(),
            elevation,
            frames: frames.collect::<Result<_, _>>()?,
        })
    }

    /// The numbers of frame `index` when the path is played in `length` frames; between the path's
    /// own frames they lie on a straight line.
    pub fn at(&self, index: u64, length: u64) -> Params {
        let last = self.frames.len() - 1;
        if length as usize == self.frames.len() || length <= 1 || last == 0 {
            return self.frames[(index as usize).min(last)];
        }
        let place = index as f64 * last as f64 / (length - 1) as f64;
        let from = (place as usize).min(last);
        let to = (from + 1).min(last);
        self.frames[from].towards(self.frames[to], place - from as f64)
    }

    /// The camera of frame `index` of `length`.
    pub fn pose(&self, index: u64, length: u64) -> Pose {
        Pose::new(&self.at(index, length), self.elevation)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn some() -> CameraPath {
        let frame = |phi| Params {
            phi,
            ..Params::REST
        };
        CameraPath {
            name: "orbit".to_owned(),
            elevation: 5.0,
            frames: [0.0, 10.0, 40.0].map(frame).to_vec(),
        }
    }

    #[test]
    fn json_brings_it_back() {
        assert_eq!(CameraPath::from_json(&some().to_json()), Ok(some()));
    }

    #[test]
    fn a_path_can_be_played_longer_or_shorter() {
        let phi = |index, length| some().at(index, length).phi;
        assert_eq!([0, 1, 2].map(|i| phi(i, 3)), [0.0, 10.0, 40.0]);
        assert_eq!(
            [0, 1, 2, 3, 4].map(|i| phi(i, 5)),
            [0.0, 5.0, 10.0, 25.0, 40.0]
        );
        assert_eq!([0, 1].map(|i| phi(i, 2)), [0.0, 40.0]);
        assert_eq!(phi(0, 1), 0.0);
    }

    #[test]
    fn foreign_json_is_told() {
        for (bad, said) in [
            (json!(3), "CameraPath node"),
            (json!({"camera_path": 1}), "fields"),
            (
                json!({"camera_path": 1, "fields": FIELDS, "name": 3, "elevation": 0, "frames": [[0]]}),
                "`name`",
            ),
            (
                json!({"camera_path": 1, "fields": FIELDS, "name": "x", "elevation": 0, "frames": []}),
                "1 to 86400",
            ),
            (
                json!({"camera_path": 1, "fields": FIELDS, "name": "x", "elevation": 0, "frames": [[1, 2]]}),
                "frame 0",
            ),
            (
                json!({"camera_path": 1, "fields": FIELDS, "name": "x", "elevation": 0, "frames": [[0,0,0,0,0,0,0,0,"x"]]}),
                "9 numbers",
            ),
        ] {
            let message = CameraPath::from_json(&bad).unwrap_err();
            assert!(message.en.contains(said), "{message}");
            assert_eq!(message.lacks(), None);
        }
    }
}
