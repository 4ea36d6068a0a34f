//! The order in which conditionings keep their meaning: SCAIL fixes time, Uni3C then fixes the
//! structure, and Wan draws.

use longtake_plan::InferError;

/// The classes that fix something.
pub const IMAGE: &str = "WanImageToVideo";
/// First and last frame.
pub const FIRST_LAST: &str = "WanFirstLastFrameToVideo";
/// Pose and reference.
pub const SCAIL: &str = "WanSCAILToVideo";
/// Camera, by way of Uni3C.
pub const CONTROL: &str = "ControlNetApplyAdvanced";

/// What breaks: who came before, who comes now, why that has no meaning, what to rewire.
const BROKEN: &[(&[&str], &[&str], &str, &str)] = &[
    (
        &[CONTROL],
        &[SCAIL],
        "Uni3C bends a structure that SCAIL's motion has to fix first: its render is laid over the frames, \
         and time has to stand before it",
        "put WanSCAILToVideo before ControlNetApplyAdvanced",
    ),
    (
        &[CONTROL],
        &[CONTROL],
        "a model takes one camera, and the second Uni3C would replace the first",
        "keep one ControlNetApplyAdvanced, and put both moves into one render video",
    ),
    (
        &[CONTROL],
        &[IMAGE, FIRST_LAST],
        "Uni3C takes size and first channels from the image condition, so that has to stand before it",
        "put the image node before ControlNetApplyAdvanced",
    ),
    (
        &[SCAIL],
        &[IMAGE, FIRST_LAST],
        "SCAIL has fixed the character and its time already, and the image condition would overwrite them",
        "leave the image node out and give its picture to WanSCAILToVideo as reference_image, or as \
         previous_frames if it is to be the first frame",
    ),
    (
        &[IMAGE, FIRST_LAST],
        &[SCAIL],
        "a SCAIL model takes its picture as a reference before the film and does not read the image \
         condition; both would fix where time begins",
        "leave the image node out and give its picture to WanSCAILToVideo as reference_image",
    ),
    (
        &[SCAIL],
        &[SCAIL],
        "the second WanSCAILToVideo would replace pose and reference of the first",
        "keep one; further references go into reference_image as a batch, a longer motion into pose_video",
    ),
    (
        &[IMAGE, FIRST_LAST],
        &[IMAGE, FIRST_LAST],
        "the second image condition would replace the first",
        "keep one; WanFirstLastFrameToVideo takes a picture for each end",
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
            return Err(InferError {
                code: "order_breaks_meaning",
                input: None,
                message: format!(
                    "{class} comes after {before}, which breaks the meaning: {why}. Expected SCAIL, \
                     then Uni3C, then the sampler; {what}."
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
        assert_eq!(
            error.message,
            "ControlNetApplyAdvanced comes after ControlNetApplyAdvanced, which breaks the meaning: a \
             model takes one camera, and the second Uni3C would replace the first. Expected SCAIL, then \
             Uni3C, then the sampler; keep one ControlNetApplyAdvanced, and put both moves into one \
             render video."
        );
        let error = check(&[CONTROL.into()], SCAIL).unwrap_err();
        assert!(
            error.message.contains("put WanSCAILToVideo before"),
            "{}",
            error.message
        );
    }
}
