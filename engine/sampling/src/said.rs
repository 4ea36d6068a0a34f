//! Tests: every error of this crate says as much in Japanese as in English.

use longtake_sentence::{Sentence, say};

use crate::{
    Fuse, ScheduleError, Scheduler, Solver, StateError, Stop, UnknownName, WindowError,
    WindowSchedule,
};

#[track_caller]
fn all_said(said: impl IntoIterator<Item = (String, Sentence)>) {
    for (shown, sentence) in said {
        assert_eq!(sentence.lacks(), None);
        assert_eq!(shown, sentence.en);
    }
}

macro_rules! check {
    ($($error:expr),+ $(,)?) => {
        all_said([$({
            let error = $error;
            (error.to_string(), error.sentence())
        }),+])
    };
}

#[test]
fn names_that_are_not_known() {
    let of = |error: Option<UnknownName>| error.expect("a name that is not known");
    check!(
        of("uni_pc_bh3".parse::<Solver>().err()),
        of("plms".parse::<Solver>().err()),
        of("karass".parse::<Scheduler>().err()),
        of("x".parse::<WindowSchedule>().err()),
        of("x".parse::<Fuse>().err()),
    );
}

#[test]
fn schedules_and_windows() {
    check!(
        ScheduleError::BadShift { shift: -1.5 },
        ScheduleError::TooManySteps { steps: 1e7 },
        ScheduleError::BadSigmas {
            index: 3,
            sigma: 1.25
        },
        ScheduleError::BadDenoise { denoise: 2.5 },
    );
    check!(
        WindowError::Overlap {
            length: 5,
            overlap: 9
        },
        WindowError::Stride { stride: 40 },
    );
}

#[test]
fn runs_and_their_states() {
    check!(
        StateError::NotAState { len: 12 },
        StateError::OtherVersion { found: 9 },
        StateError::Damaged {
            what: say!("it ends 3 bytes early", "3 バイト足りません")
        },
    );
    check!(
        Stop::Cancelled,
        Stop::Invalid(say!("sigma 1 is 7", "シグマ 1 が 7 です")),
        Stop::Failed("the network said 5".into()),
    );
}
