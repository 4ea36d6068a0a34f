//! Disks that are full, folders that cannot be written.

use std::fs;
use std::os::unix::process::CommandExt;

use longtake_tests::compare::{relative_l2, tensor};
use longtake_tests::data;
use longtake_tests::graphs::{film, shot, tiny_prompt};
use longtake_tests::place::{Ran, Workplace, program, run, steps};
use serde_json::json;

use super::{Row, args, check};

#[test]
fn places_that_take_no_file() {
    check(&[
        Row {
            name: "a file where the folder should be",
            arrange: |p| {
                p.write("blocked", "here-before");
                p.graph("a.json", &tiny_prompt());
                args(&["a.json", "--set", "3.steps=1", "--output", "blocked"])
            },
            code: 2,
            says: &["blocked"],
        },
        Row {
            name: "a store that is a file",
            arrange: |p| {
                p.write("blocked", "here-before");
                p.graph("a.json", &tiny_prompt());
                args(&["a.json", "--store", "blocked"])
            },
            code: 2,
            says: &["blocked"],
        },
        Row {
            name: "a film for a folder that is not there",
            arrange: |p| {
                p.graph("a.json", &film(&[shot("a", "A cat.", 1)]));
                args(&["a.json", "-o", "/proc/nowhere/film.mkv"])
            },
            code: 2,
            says: &["/proc/nowhere"],
        },
        Row {
            name: "a film onto a folder",
            arrange: |p| {
                fs::create_dir(p.path("film.mkv")).unwrap();
                p.graph("a.json", &film(&[shot("a", "A cat.", 1)]));
                args(&["a.json", "-o", "film.mkv"])
            },
            code: 2,
            says: &["film.mkv"],
        },
    ]);
}

/// Renders where no file may grow past `bytes`: writes fail as on a full disk.
#[allow(unsafe_code, reason = "limits set between fork and exec")]
fn limited(place: &Workplace, args: &[&str], bytes: u64) -> Ran {
    let mut command = place.command("render", args);
    // SAFETY: only calls that are allowed between fork and exec.
    unsafe {
        command.pre_exec(move || {
            // Without this the system ends the program instead of failing its write.
            libc::signal(libc::SIGXFSZ, libc::SIG_IGN);
            let limit = libc::rlimit {
                rlim_cur: bytes,
                rlim_max: bytes,
            };
            if libc::setrlimit(libc::RLIMIT_FSIZE, &raw const limit) == 0 {
                Ok(())
            } else {
                Err(std::io::Error::last_os_error())
            }
        });
    }
    run(&mut command)
}

#[test]
fn files_that_cannot_grow_fail_the_render_and_harm_nothing() {
    for bytes in [64, 1000, 8000, 60_000] {
        let place = Workplace::new();
        let graph = place.graph("a.json", &tiny_prompt());
        let ran = limited(&place, &["a.json"], bytes).exits(1);
        assert!(ran.stderr.contains("error"), "{}", ran.stderr);
        for (name, length) in place.files("output") {
            // What is there is whole: small pictures may fit.
            let ok =
                name.ends_with(".png") && image::open(place.path("output").join(&name)).is_ok();
            assert!(ok, "{bytes}: {name} of {length} bytes");
        }
        let report = place.rendered(&[graph.to_str().unwrap()]);
        let (_, golden) = tensor(&data("wan-tiny/goldens.safetensors"), "euler.latent");
        let (_, found) = tensor(&place.only(".latent"), "latent_tensor");
        assert!(relative_l2(&found, &golden) <= 1e-3);
        assert_eq!(steps(&report, "failed"), Vec::<String>::new());
    }
}

#[test]
fn a_full_disk_is_named() {
    let place = Workplace::new();
    place.graph("a.json", &tiny_prompt());
    // A real small disk, in a name space of our own; not every container allows it.
    let script = format!(
        "mount -t tmpfs -o size=64k none store || exit 77; exec {} render a.json --models {} --store store --output output --device cpu",
        program().display(),
        data("wan-tiny/models").display(),
    );
    let ran = run(std::process::Command::new("unshare")
        .args(["--user", "--map-root-user", "--mount", "sh", "-c", &script])
        .current_dir(place.folder()));
    if ran.code == 77 || ran.stderr.contains("unshare") {
        eprintln!("SKIPPED: this machine allows no mounts; the limit on file sizes stands for it");
        return;
    }
    let ran = ran.exits(1);
    assert!(ran.stderr.contains("free some space"), "{}", ran.stderr);
    assert!(place.files("output").is_empty());
}

#[test]
fn a_damaged_store_mends_itself() {
    let place = Workplace::new();
    place.graph("a.json", &tiny_prompt());
    place.rendered(&["a.json", "--set", "3.steps=1"]);
    let latent = place
        .files("store")
        .into_keys()
        .find(|it| it.ends_with(".latent"))
        .unwrap();
    let latent = place.path("store").join(latent);
    let whole = fs::read(&latent).unwrap();
    fs::write(&latent, &whole[..whole.len() / 2]).unwrap();
    fs::remove_dir_all(place.path("output")).unwrap();
    // Once to find out, once to make it anew; a run that mends in one go is as good.
    let (first, report) = place.render(&["a.json", "--set", "3.steps=1"]);
    if first.code != 0 {
        assert!(
            first.stderr.contains("run the same command again"),
            "{}",
            first.stderr
        );
        assert_ne!(report["error"], json!(null));
        place.rendered(&["a.json", "--set", "3.steps=1"]);
    }
    assert_eq!(fs::read(&latent).unwrap(), whole);
}
