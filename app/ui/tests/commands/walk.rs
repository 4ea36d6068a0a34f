//! Every command, one after the other.

use std::time::{Duration, Instant};

use longtake_editor::Command;

use super::situations::{Before, done, situation};

fn walk(commands: impl Iterator<Item = Command>) {
    let mut nothing = Vec::new();
    for command in commands {
        let mut stage = situation(command);
        assert_eq!(
            stage.studio().unavailable(command),
            None,
            "{command:?} is prepared for"
        );
        let before = Before::of(&stage);
        match command.default_keys() {
            "" => stage.choose(command),
            keys => stage.press(keys),
        }
        // Some are done when a thread is through: closing waits for what is being written.
        let begun = Instant::now();
        let mut does = done(command, &before, &mut stage);
        while !does && begun.elapsed() < Duration::from_secs(10) {
            std::thread::sleep(Duration::from_millis(10));
            stage.steps(2);
            does = done(command, &before, &mut stage);
        }
        if !does {
            let told: Vec<_> = stage.studio().messages.list.iter().collect();
            nothing.push(format!("{command:?}: {told:?}"));
        }
    }
    assert!(nothing.is_empty(), "these do nothing: {nothing:#?}");
}

/// One half of the commands a test, so that they run side by side.
fn half(which: usize) -> impl Iterator<Item = Command> {
    let all = Command::ALL.iter().copied().enumerate();
    all.filter(move |(at, _)| at % 2 == which).map(|it| it.1)
}

#[test]
fn every_second_command_does_something_by_its_key_or_from_the_palette() {
    walk(half(0));
}

#[test]
fn every_other_command_does_something_by_its_key_or_from_the_palette() {
    walk(half(1));
}
