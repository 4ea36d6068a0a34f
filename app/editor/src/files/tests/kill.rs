//! Killed while it saves, two hundred times: the file is always one whole version.

use std::fs;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use super::*;

const KILLS: usize = 200;
const LANES: usize = 4;

/// The child: saves two versions in turn until it is killed.
#[test]
fn saving_child() {
    let Some(folder) = child_folder() else { return };
    let mut studio = window(&Places::under(&folder.join("home")));
    act(&mut studio, Action::Open(folder.join("film.longtake")));
    retitle(&mut studio, "one");
    ready();
    for turn in 0.. {
        retitle(&mut studio, if turn % 2 == 0 { "two" } else { "one" });
        act(&mut studio, Action::Command(Command::Save));
        assert!(!studio.session.dirty(), "{}", last_message(&studio));
    }
}

#[test]
fn a_kill_while_saving_leaves_the_old_or_the_new_file() {
    let (half, both) = (
        AtomicUsize::new(0),
        [AtomicUsize::new(0), AtomicUsize::new(0)],
    );
    thread::scope(|scope| {
        for lane in 0..LANES {
            let (half, both) = (&half, &both);
            scope.spawn(move || kill_lane(lane, half, both));
        }
    });
    // Without these the test would have killed nobody in the act.
    assert!(half.into_inner() > 0, "no kill hit a write");
    assert!(both.iter().all(|it| it.load(Ordering::Relaxed) > 0));
}

fn kill_lane(lane: usize, half: &AtomicUsize, both: &[AtomicUsize; 2]) {
    let mut project = testing::large(120);
    project.title = "one".to_owned();
    let one = text(&project);
    project.title = "two".to_owned();
    let two = text(&project);
    let desk = Desk::new(&project);
    let mut random = 0x9e37_79b9_7f4a_7c15_u64 ^ lane as u64;
    for _ in 0..KILLS / LANES {
        let mut child = child("kill::saving_child", desk.film.parent().unwrap())
            .spawn()
            .unwrap();
        wait_ready(&mut child);
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        thread::sleep(Duration::from_micros(random % 20_000));
        child.kill().unwrap();
        child.wait().unwrap();
        let now = desk.on_disk();
        assert!(now == one || now == two, "half a file: {} bytes", now.len());
        both[usize::from(now == two)].fetch_add(1, Ordering::Relaxed);
        half.fetch_add(desk.names().len() - 1, Ordering::Relaxed);
    }
    // The next save tidies up, and the dead hold no lock.
    let mut studio = desk.opened();
    assert_eq!(studio.files.elsewhere, None);
    retitle(&mut studio, "three");
    command(&mut studio, Command::Save);
    assert!(studio.question.is_none());
    assert_eq!(desk.names(), ["film.longtake"]);
    assert!(fs::read_to_string(&desk.film).unwrap().contains("three"));
}
