//! Memory does not grow with the length of a film.

use longtake_tests::compare::film as frames;
use longtake_tests::graphs::{cards, dissolving, shot};
use longtake_tests::place::Workplace;
use serde_json::Value as Json;

/// A film of that many cards of five seconds, half of them dissolving into the next; its report.
fn rendered(place: &Workplace, count: u32) -> Json {
    let shots: Vec<Json> = (0..count)
        .map(|at| {
            let shot = shot(&format!("{at:03}"), &format!("Card {at}. カード。"), 80);
            if at % 2 == 0 {
                dissolving(shot, 8)
            } else {
                shot
            }
        })
        .collect();
    place.graph("film.json", &cards(320, 176, &shots));
    place.rendered(&["film.json"])
}

#[test]
fn ten_times_the_film_takes_the_same_memory() {
    let peak = |count| {
        let place = Workplace::new();
        let report = rendered(&place, count);
        (
            place,
            report["measured"]["peak_rss_bytes"].as_u64().unwrap() as f64,
        )
    };
    let (short_place, short) = peak(4);
    let (_, long) = peak(40);
    assert_eq!(frames(&short_place.only(".mkv")).len(), 4 * 80 - 2 * 8);
    println!("20 s: {:.1} MB, 200 s: {:.1} MB", short / 1e6, long / 1e6);
    assert!(long <= 1.1 * short, "20 s took {short} bytes, 200 s {long}");
}
