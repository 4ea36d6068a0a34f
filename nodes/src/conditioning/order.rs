//! The order in which conditionings keep their meaning: SCAIL fixes time, Uni3C then fixes the
//! structure, and Wan draws.

use longtake_graph::{Sentence, say};
use longtake_plan::InferError;

/// The classes that fix something.
pub const IMAGE: &str = "WanImageToVideo";
/// First and last frame.
pub const FIRST_LAST: &str = "WanFirstLastFrameToVideo";
/// Pose and reference.
pub const SCAIL: &str = "WanSCAILToVideo";
/// Camera, by way of Uni3C.
pub const CONTROL: &str = "ControlNetApplyAdvanced";

/// In English and Japanese.
type Both = [&'static str; 2];

/// Who came before, who comes now, why that has no meaning, what to rewire.
type Rule = (&'static [&'static str], &'static [&'static str], Both, Both);

/// What breaks.
const BROKEN: &[Rule] = &[
    (
        &[CONTROL],
        &[SCAIL],
        [
            "Uni3C bends a structure that SCAIL's motion has to fix first: its render is laid over the frames, \
         and time has to stand before it",
            "Uni3C は、先に SCAIL の動きで決めておくべき構造を変えてしまいます。レンダーはフレームに重ねられるため、その前に時間が決まっている必要があります",
        ],
        [
            "put WanSCAILToVideo before ControlNetApplyAdvanced",
            "WanSCAILToVideo を ControlNetApplyAdvanced の前に置いてください",
        ],
    ),
    (
        &[CONTROL],
        &[CONTROL],
        [
            "a model takes one camera, and the second Uni3C would replace the first",
            "モデルが受け取るカメラは 1 つだけで、2 つ目の Uni3C が 1 つ目を置き換えてしまいます",
        ],
        [
            "keep one ControlNetApplyAdvanced, and put both moves into one render video",
            "ControlNetApplyAdvanced を 1 つだけにし、両方の動きを 1 本のレンダー動画にまとめてください",
        ],
    ),
    (
        &[CONTROL],
        &[IMAGE, FIRST_LAST],
        [
            "Uni3C takes size and first channels from the image condition, so that has to stand before it",
            "Uni3C はサイズと最初のチャンネルを画像条件から受け取るため、画像条件が前に必要です",
        ],
        [
            "put the image node before ControlNetApplyAdvanced",
            "画像のノードを ControlNetApplyAdvanced の前に置いてください",
        ],
    ),
    (
        &[SCAIL],
        &[IMAGE, FIRST_LAST],
        [
            "SCAIL has fixed the character and its time already, and the image condition would overwrite them",
            "SCAIL がキャラクターと時間をすでに決めており、画像条件がそれを上書きしてしまいます",
        ],
        [
            "leave the image node out and give its picture to WanSCAILToVideo as reference_image, or as \
         previous_frames if it is to be the first frame",
            "画像のノードを外し、その画像を WanSCAILToVideo の reference_image に渡してください。最初のフレームにする場合は previous_frames に渡します",
        ],
    ),
    (
        &[IMAGE, FIRST_LAST],
        &[SCAIL],
        [
            "a SCAIL model takes its picture as a reference before the film and does not read the image \
         condition; both would fix where time begins",
            "SCAIL モデルは画像を映像の前の参照として受け取り、画像条件は読みません。両方を使うと、時間の始まりを二重に決めることになります",
        ],
        [
            "leave the image node out and give its picture to WanSCAILToVideo as reference_image",
            "画像のノードを外し、その画像を WanSCAILToVideo の reference_image に渡してください",
        ],
    ),
    (
        &[SCAIL],
        &[SCAIL],
        [
            "the second WanSCAILToVideo would replace pose and reference of the first",
            "2 つ目の WanSCAILToVideo が 1 つ目のポーズと参照を置き換えてしまいます",
        ],
        [
            "keep one; further references go into reference_image as a batch, a longer motion into pose_video",
            "1 つだけにしてください。参照を増やすには reference_image にバッチで、長い動きは pose_video に渡します",
        ],
    ),
    (
        &[IMAGE, FIRST_LAST],
        &[IMAGE, FIRST_LAST],
        [
            "the second image condition would replace the first",
            "2 つ目の画像条件が 1 つ目を置き換えてしまいます",
        ],
        [
            "keep one; WanFirstLastFrameToVideo takes a picture for each end",
            "1 つだけにしてください。WanFirstLastFrameToVideo なら両端の画像を受け取れます",
        ],
    ),
];

/// Whether `class` may come after `steps`, the classes a conditioning has gone through, in order.
/// Classes that fix nothing may stand anywhere.
///
/// # Errors
/// `order_breaks_meaning`, with the reason and what to rewire. The input to blame is the caller's.
pub fn check(steps: &[String], class: &str) -> Result<(), InferError> {
    for before in steps {
        let rule = BROKEN.iter().find(|(earlier, later, _, _)| {
            earlier.contains(&before.as_str()) && later.contains(&class)
        });
        if let Some((_, _, why, what)) = rule {
            let [why, what] = [why, what].map(|[en, ja]| Sentence {
                en: (*en).to_owned(),
                ja: (*ja).to_owned(),
            });
            return Err(InferError {
                code: "order_breaks_meaning",
                input: None,
                message: say!(
                    "{class} comes after {before}, which breaks the meaning: {why}. Expected SCAIL, \
                     then Uni3C, then the sampler; {what}.",
                    "{class} が {before} の後にあり、意味が崩れます。{why}。順序は SCAIL、Uni3C、サンプラーです。\
                     {what}。";
                    why, what
                ),
            });
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_may_follow_what() {
        let classes = [IMAGE, FIRST_LAST, SCAIL, CONTROL];
        let mut table = String::new();
        for before in classes {
            for after in classes {
                let fine = check(&[before.to_owned()], after).is_ok();
                table += if fine { "+" } else { "-" };
            }
            table += " ";
        }
        // Only a camera may follow, and nothing follows a camera.
        assert_eq!(table.trim_end(), "---+ ---+ ---+ ----");
        assert!(check(&[], SCAIL).is_ok());
        assert!(check(&[SCAIL.into(), CONTROL.into()], "KSampler").is_ok());
        assert!(check(&["CLIPTextEncode".into()], CONTROL).is_ok());
    }

    #[test]
    fn the_message_says_why_and_what_to_do() {
        let error = check(&[SCAIL.into(), CONTROL.into()], CONTROL).unwrap_err();
        assert_eq!(error.code, "order_breaks_meaning");
        assert_eq!(error.message.lacks(), None);
        assert_eq!(
            error.message.en,
            "ControlNetApplyAdvanced comes after ControlNetApplyAdvanced, which breaks the meaning: a \
             model takes one camera, and the second Uni3C would replace the first. Expected SCAIL, then \
             Uni3C, then the sampler; keep one ControlNetApplyAdvanced, and put both moves into one \
             render video."
        );
        let error = check(&[CONTROL.into()], SCAIL).unwrap_err();
        assert!(
            error.message.en.contains("put WanSCAILToVideo before"),
            "{}",
            error.message
        );
    }
}
