//! The table of steps.

use crate::plan::Move;
use crate::{DeviceKind, Lane, Plan, Step};

use super::{WIDTH, units};

/// Steps between two moves of checkpoints, gathered by node and way.
struct Stretch<'p> {
    rows: Vec<Row<'p>>,
}

/// Steps shown on one line.
struct Row<'p> {
    steps: Vec<&'p Step>,
}

/// The steps, each on its own line or gathered.
pub(super) fn table(plan: &Plan, gather: bool) -> String {
    if plan.steps.is_empty() {
        return "\nnothing to do\n".to_owned();
    }
    let stretches = stretches(plan, gather);
    let mut lines = vec![Line::Cells(head(plan))];
    let mut at = 0;
    while at < stretches.len() {
        let (period, times) = if gather {
            repeats(&stretches[at..])
        } else {
            (1, 1)
        };
        if times > 1 {
            lines.push(Line::Note(format!("{times} times, with moves as here:")));
        }
        for offset in 0..period {
            // Rows of all rounds together, so that lengths and peaks speak for all of them.
            for row in 0..stretches[at + offset].rows.len() {
                let rounds = (0..times)
                    .flat_map(|round| &stretches[at + round * period + offset].rows[row].steps);
                let steps: Vec<&Step> = rounds.copied().collect();
                lines.extend(notes(plan, &steps));
                lines.push(Line::Cells(cells(plan, &steps)));
            }
        }
        if times > 1 {
            lines.push(Line::Note("then:".to_owned()));
        }
        at += period * times;
    }
    if let Some(Line::Note(note)) = lines.last()
        && note == "then:"
    {
        lines.pop();
    }
    layout(&lines)
}

enum Line {
    Cells([String; 9]),
    Note(String),
}

fn layout(lines: &[Line]) -> String {
    const RIGHT: [bool; 9] = [true, false, false, false, false, false, true, true, true];
    let cells = || {
        lines.iter().filter_map(|line| {
            if let Line::Cells(cells) = line {
                Some(cells)
            } else {
                None
            }
        })
    };
    let widths: Vec<usize> = (0..9)
        .map(|column| {
            cells()
                .map(|row| row[column].chars().count())
                .max()
                .unwrap_or(0)
        })
        .collect();
    let indent = widths[0] + 2;
    let mut text = "\n".to_owned();
    for line in lines {
        text += &match line {
            Line::Cells(cells) => units::line(cells, &widths, &RIGHT),
            Line::Note(note) => {
                let note = units::wrap(note, WIDTH - indent - 2, indent + 2);
                format!("{}{note}\n", " ".repeat(indent))
            }
        };
    }
    text
}

fn head(plan: &Plan) -> [String; 9] {
    let device = if plan.machine.device == DeviceKind::Cpu {
        ""
    } else {
        "device"
    };
    [
        "step", "lane", "class", "from", "makes", "way", device, "host", "time",
    ]
    .map(str::to_owned)
}

fn cells(plan: &Plan, steps: &[&Step]) -> [String; 9] {
    let step = steps[0];
    let runs = !step.cached && !step.lazy;
    let from = if steps.len() == 1 {
        units::clip(&step.path.to_string(), 24)
    } else {
        let node = units::clip(step.path.node.as_str(), 14);
        let part = step
            .path
            .part
            .as_ref()
            .map_or(String::new(), |part| format!(".{part}"));
        units::clip(&format!("{node}{part} ×{}", steps.len()), 24)
    };
    let most = |of: fn(&Step) -> u64| steps.iter().map(|step| of(step)).max().unwrap_or(0);
    let gpu = plan.machine.device != DeviceKind::Cpu;
    let lane = format!("{:?}", step.lane).to_lowercase();
    let when = |shown: bool, text: String| if shown { text } else { String::new() };
    [
        (step.id.0 + 1).to_string(),
        when(runs, units::clip(&lane, 6)),
        units::clip(&step.class, 20),
        from,
        units::clip(&units::makes(plan, steps), 26),
        if step.cached {
            let way = if step.is_stored() {
                "stored"
            } else {
                "not needed"
            };
            way.to_owned()
        } else {
            units::clip(&step.rung, 11)
        },
        when(
            gpu && runs && step.lane == Lane::Device,
            units::bytes(most(|step| step.device_bytes)),
        ),
        when(runs, units::bytes(most(|step| step.host_bytes))),
        when(
            runs,
            units::time(steps.iter().map(|step| step.seconds).sum()),
        ),
    ]
}

/// What is moved before these steps and why they are done as they are.
fn notes(plan: &Plan, steps: &[&Step]) -> Vec<Line> {
    let mut notes = Vec::new();
    let moves = |step: &Step| {
        let words: Vec<String> = step
            .moves
            .iter()
            .map(|action| moved(plan, step, *action))
            .collect();
        words.join(", ")
    };
    if let Some(step) = steps.iter().find(|step| !step.moves.is_empty()) {
        notes.push(Line::Note(moves(step)));
    }
    let mut whys: Vec<(&str, usize)> = Vec::new();
    for why in steps
        .iter()
        .filter_map(|step| step.why.as_ref().map(|it| it.en.as_str()))
    {
        // Numbers differ from step to step; the first of each kind speaks for the rest.
        let kind = |why: &str| why.split(':').next().map(str::to_owned);
        match whys.iter_mut().find(|(known, _)| kind(known) == kind(why)) {
            Some((_, count)) => *count += 1,
            None => whys.push((why, 1)),
        }
    }
    for (why, count) in whys {
        let times = if count > 1 {
            format!(" (×{count})")
        } else {
            String::new()
        };
        notes.push(Line::Note(format!("{why}{times}")));
    }
    notes
}

fn moved(plan: &Plan, step: &Step, action: Move) -> String {
    let (word, id) = match action {
        Move::Load(id) if step.streamed.contains(&id) => ("stream", id),
        Move::Load(id) => ("load", id),
        Move::Park(id) => ("park", id),
        Move::Drop(id) => ("drop", id),
    };
    let name = units::clip(&plan.weight(id).name, 48);
    if word == "load" {
        format!("{word} {name} ({})", units::bytes(plan.weight(id).bytes))
    } else {
        format!("{word} {name}")
    }
}

fn stretches(plan: &Plan, gather: bool) -> Vec<Stretch<'_>> {
    let mut stretches: Vec<Stretch<'_>> = Vec::new();
    // Where each kind of step stands in the last stretch.
    let mut places = std::collections::HashMap::new();
    for step in &plan.steps {
        if stretches.is_empty() || !step.moves.is_empty() {
            stretches.push(Stretch { rows: Vec::new() });
            places.clear();
        }
        let Some(stretch) = stretches.last_mut() else {
            continue;
        };
        let next = stretch.rows.len();
        let place = if gather {
            *places.entry(kind(step)).or_insert(next)
        } else {
            next
        };
        match stretch.rows.get_mut(place) {
            Some(row) => row.steps.push(step),
            None => stretch.rows.push(Row { steps: vec![step] }),
        }
    }
    stretches
}

/// What steps on one row have in common.
type Kind<'p> = (&'p str, Option<&'p str>, &'p str, &'p str, bool);

fn kind(step: &Step) -> Kind<'_> {
    (
        step.path.node.as_str(),
        step.path.part.as_deref(),
        &step.class,
        &step.rung,
        step.cached,
    )
}

fn shape<'p>(row: &Row<'p>) -> (Kind<'p>, usize, &'p [Move]) {
    (kind(row.steps[0]), row.steps.len(), &row.steps[0].moves)
}

/// How many stretches repeat from the first on, and how often; `(1, 1)` when none do.
fn repeats(stretches: &[Stretch<'_>]) -> (usize, usize) {
    let same = |a: &Stretch<'_>, b: &Stretch<'_>| {
        a.rows.len() == b.rows.len()
            && a.rows
                .iter()
                .zip(&b.rows)
                .all(|(a, b)| shape(a) == shape(b))
    };
    for period in 1..=4.min(stretches.len() / 2) {
        let mut times = 1;
        while (times + 1) * period <= stretches.len()
            && (0..period).all(|at| same(&stretches[at], &stretches[times * period + at]))
        {
            times += 1;
        }
        if times > 1 {
            return (period, times);
        }
    }
    (1, 1)
}
