//! Disks that refuse: full, read-only, gone. The old file stays, and the person is told why.

use std::os::unix::fs::{PermissionsExt, symlink};

use super::*;

#[allow(unsafe_code, reason = "limits of the child's own process")]
fn set_file_limit(bytes: libc::rlim_t) {
    let limit = libc::rlimit {
        rlim_cur: bytes,
        rlim_max: libc::RLIM_INFINITY,
    };
    // SAFETY: the struct is whole and lives through the call.
    let done = unsafe { libc::setrlimit(libc::RLIMIT_FSIZE, &raw const limit) };
    assert_eq!(done, 0);
}

/// The child: its files may not grow beyond 4 KiB for a while, as on a full disk.
#[test]
#[allow(unsafe_code, reason = "a signal of the child's own process")]
fn full_disk_child() {
    let Some(folder) = child_folder() else { return };
    // SAFETY: the default action would end the process; nothing else uses this signal.
    unsafe { libc::signal(libc::SIGXFSZ, libc::SIG_IGN) };
    let film = folder.join("film.longtake");
    let old = fs::read(&film).unwrap();
    let mut studio = window(&Places::under(&folder.join("home")));
    act(&mut studio, Action::Open(film.clone()));
    retitle(&mut studio, &"long ".repeat(2000));

    set_file_limit(4096);
    command(&mut studio, Command::Save);
    assert!(
        last_message(&studio).contains("the disk is full"),
        "{}",
        last_message(&studio)
    );
    assert_eq!(fs::read(&film).unwrap(), old);
    assert_eq!(names(&folder), ["film.longtake"]);
    assert!(studio.session.dirty());
    // Saving on the way out fails too, and then nothing ends.
    command(&mut studio, Command::Quit);
    let wishes = answer(&mut studio, "Save");
    assert!(!wishes.contains(&WindowAction::Quit));

    set_file_limit(libc::RLIM_INFINITY);
    command(&mut studio, Command::Quit);
    let wishes = answer(&mut studio, "Save");
    assert!(wishes.contains(&WindowAction::Quit));
    assert_eq!(
        fs::read_to_string(&film).unwrap(),
        text(studio.session.project())
    );
}

#[test]
fn a_full_disk_keeps_the_old_file_and_saves_once_there_is_room() {
    let desk = Desk::new(&testing::small());
    let out = child("disk::full_disk_child", desk.film.parent().unwrap());
    assert_child(out);
}

fn assert_child(mut child: Process) {
    let out = child.output().unwrap();
    assert!(
        out.status.success(),
        "{}",
        String::from_utf8_lossy(&out.stdout)
    );
}

/// The child: a person who owns nothing here.
#[test]
#[allow(unsafe_code, reason = "the child gives its rights up")]
fn stranger_child() {
    let Some(folder) = child_folder() else { return };
    // SAFETY: plain calls; they fail harmlessly when this is no root process, who is bound by
    // permissions anyway.
    unsafe {
        libc::setgid(65534);
        libc::setuid(65534);
    }
    let mut studio = window(&Places::under(&folder.join("home")));
    for (name, reason) in [
        ("shut/film.longtake", "may not be written"),
        ("open/fixed.longtake", "may not be written"),
    ] {
        let film = folder.join(name);
        let old = fs::read(&film).unwrap();
        act(&mut studio, Action::Open(film.clone()));
        retitle(&mut studio, "mine");
        command(&mut studio, Command::Save);
        assert!(
            last_message(&studio).contains(reason),
            "{}",
            last_message(&studio)
        );
        assert_eq!(fs::read(&film).unwrap(), old);
        let elsewhere = folder.join("open/mine.longtake");
        act(&mut studio, Action::SaveAs(elsewhere.clone()));
        assert!(!studio.session.dirty(), "{}", last_message(&studio));
        fs::remove_file(elsewhere).unwrap();
    }
}

#[test]
fn read_only_folders_and_files_are_refused_in_words() {
    let desk = Desk::new(&testing::small());
    for (folder, mode) in [("shut", 0o555), ("open", 0o777)] {
        let folder = desk.path(folder);
        fs::create_dir(&folder).unwrap();
        for name in ["film.longtake", "fixed.longtake"] {
            fs::copy(&desk.film, folder.join(name)).unwrap();
        }
        let fixed = fs::Permissions::from_mode(0o444);
        fs::set_permissions(folder.join("fixed.longtake"), fixed).unwrap();
        fs::set_permissions(&folder, fs::Permissions::from_mode(mode)).unwrap();
    }
    let folder = desk.film.parent().unwrap();
    fs::set_permissions(folder, fs::Permissions::from_mode(0o755)).unwrap();
    assert_child(child("disk::stranger_child", folder));
    fs::set_permissions(desk.path("shut"), fs::Permissions::from_mode(0o755)).unwrap();
}

#[test]
fn a_link_stays_a_link_and_its_file_changes() {
    let desk = Desk::new(&testing::small());
    let link = desk.path("link.longtake");
    symlink(&desk.film, &link).unwrap();
    let mut studio = desk.window();
    act(&mut studio, Action::Open(link.clone()));
    assert_eq!(studio.session.path.as_ref(), Some(&desk.film));
    retitle(&mut studio, "through the link");
    command(&mut studio, Command::Save);
    assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
    assert_eq!(desk.on_disk(), text(studio.session.project()));
}

#[test]
fn a_file_that_vanished_is_written_anew_and_a_folder_that_vanished_is_told() {
    let desk = Desk::new(&testing::small());
    let folder = desk.path("folder");
    fs::create_dir(&folder).unwrap();
    let inside = folder.join("film.longtake");
    fs::copy(&desk.film, &inside).unwrap();
    let mut studio = desk.window();
    act(&mut studio, Action::Open(inside.clone()));
    retitle(&mut studio, "kept");
    fs::remove_file(&inside).unwrap();
    command(&mut studio, Command::Save);
    assert!(last_message(&studio).contains("written anew"));
    assert_eq!(
        fs::read_to_string(&inside).unwrap(),
        text(studio.session.project())
    );

    retitle(&mut studio, "kept too");
    fs::remove_dir_all(&folder).unwrap();
    command(&mut studio, Command::Save);
    assert!(
        last_message(&studio).contains("is not there"),
        "{}",
        last_message(&studio)
    );
    assert!(studio.session.dirty() && !folder.exists());
}
