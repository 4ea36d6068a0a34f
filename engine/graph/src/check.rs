//! Checks a whole graph at once: every finding names its place, what was expected and what came.
//!
//! The rules are those of ComfyUI's `validate_prompt`, with its codes, and a few it lacks (step
//! grids, shots, names nobody declared). Linear in the size of the graph and without recursion.
//! What stands wrong in a node that no output node needs is a warning, since the graph runs.

use std::collections::HashMap;

use serde_json::Value;

use crate::literal::{describe, fit, integer, shorten};
use crate::live::{Live, Source, Wire};
use crate::near::did_you_mean;
use crate::storyboard::parse_shots;
use crate::walk::{Cycle, Edges};
use crate::{
    Catalog, Declaration, Diagnostic, Input, InputDecl, InputType, Lowered, Mode, Node, Place,
    Project, Sentence, Severity, lower, say,
};

/// Everything wrong with a graph, in document order, then what concerns the graph as a whole.
pub fn check(project: &Project, catalog: &dyn Catalog) -> Vec<Diagnostic> {
    check_lowered(&lower(project, catalog), catalog)
}

/// [`check()`] of a project that is lowered already.
pub fn check_lowered(lowered: &Lowered<'_>, catalog: &dyn Catalog) -> Vec<Diagnostic> {
    let live = Live::of(&lowered.project, catalog);
    let sources = live.sources();
    let outputs: Vec<usize> = (0..live.runs.len())
        .filter(|at| live.runs[*at] && live.declarations[*at].is_some_and(|it| it.output_node))
        .collect();
    let needed = if outputs.is_empty() {
        vec![true; live.runs.len()]
    } else {
        sources.reach(outputs.iter().copied())
    };
    let (mut by_node, found) = by_node(lowered);
    let mut checker = Checker {
        live: &live,
        catalog,
        instances: &lowered.instances,
        hints: HashMap::new(),
        found,
    };
    let mut cycles = cycles(&live, &sources);
    for (at, needed) in needed.iter().enumerate() {
        let before = checker.found.len();
        checker
            .found
            .extend(by_node.remove(&at).into_iter().flatten());
        checker.node(at, before);
        checker.found.extend(cycles.remove(&at));
        if !needed {
            for finding in &mut checker.found[before..] {
                finding.severity = Severity::Warning;
            }
        }
    }
    let mut found = checker.found;
    if outputs.is_empty() {
        found.push(no_outputs(&live));
    }
    found
}

/// What lowering found, by the node that it stands at, and the rest. An instance that cannot be
/// expanded is an error whether or not another node needs it: outputs may stand in it.
fn by_node(lowered: &Lowered<'_>) -> (HashMap<usize, Vec<Diagnostic>>, Vec<Diagnostic>) {
    let mut by_node: HashMap<usize, Vec<Diagnostic>> = HashMap::new();
    let mut rest = Vec::new();
    for finding in &lowered.diagnostics {
        let node = finding.place.node.as_ref();
        let node = node.and_then(|id| lowered.project.nodes.get_index_of(id));
        match node.filter(|at| !lowered.instances.contains_key(at)) {
            Some(at) => by_node.entry(at).or_default().push(finding.clone()),
            None => rest.push(finding.clone()),
        }
    }
    (by_node, rest)
}

fn no_outputs(live: &Live<'_>) -> Diagnostic {
    let ends = |at: &usize| live.declarations[*at].is_some_and(|it| it.output_node);
    let message = if (0..live.runs.len()).any(|at| ends(&at)) {
        say!(
            "every node that saves or shows something is muted, bypassed, or needs a muted node, so \
            nothing would run; unmute one",
            "結果を保存・表示するノードがすべてミュートかバイパスされているか、ミュートされたノードを\
            必要としているため、何も実行されません。いずれかのミュートを解除してください。"
        )
    } else {
        say!(
            "expected a node that saves or shows something (SaveVideo, SaveImage, PreviewImage, …), \
            found none, so nothing would run",
            "結果を保存・表示するノード(SaveVideo、SaveImage、PreviewImage など)がないため、何も実行されません。\
            追加してください。"
        )
    };
    Diagnostic::error("prompt_no_outputs", Place::default(), message)
}

/// One finding for each knot of nodes that need each other, at its first node.
fn cycles(live: &Live<'_>, sources: &Edges) -> HashMap<usize, Diagnostic> {
    let mut found = HashMap::new();
    for group in sources.components() {
        let Some(cycle) = sources.cycle_in(&group) else {
            continue;
        };
        let nodes = cycle
            .iter()
            .map(|at| live.node(*at as usize).0.clone())
            .collect();
        let first = cycle[0] as usize;
        let (id, node) = live.node(first);
        let ring = Cycle { nodes }.sentence();
        let message = say!(
            "{ring}; cut one of the links",
            "{ring}。リンクを 1 本外してください。";
            ring
        );
        let finding = Diagnostic::error("dependency_cycle", Place::node(id, &node.class), message);
        found.insert(first, finding);
    }
    found
}

struct Checker<'a> {
    live: &'a Live<'a>,
    catalog: &'a dyn Catalog,
    /// Subgraphs that stand unexpanded: no unknown classes.
    instances: &'a HashMap<usize, String>,
    /// Near names, found once for each unknown class.
    hints: HashMap<&'a str, Sentence>,
    found: Vec<Diagnostic>,
}

impl<'a> Checker<'a> {
    /// `before`: how many findings were there before this node's.
    fn node(&mut self, at: usize, before: usize) {
        let (id, node) = self.live.node(at);
        if node.mode == Mode::Mute {
            return;
        }
        let place = Place::node(id, &node.class);
        let Some(declaration) = self.live.declarations[at] else {
            if !self.instances.contains_key(&at) {
                let finding = self.unknown_class(place.clone(), node);
                self.found.push(finding);
            }
            self.dangling(at, &place);
            return;
        };
        if node.mode == Mode::Bypass {
            return;
        }
        if declaration.internal {
            let message = say!(
                "this class is made by the compiler and cannot stand in a graph",
                "このクラスはコンパイラーが内部で作るもので、グラフには置けません。"
            );
            self.found
                .push(Diagnostic::error("unknown_class", place.clone(), message));
        }
        self.inputs(at, &place, declaration);
        if self.live.runs[at] {
            self.missing(at, before, &place, declaration);
        }
    }

    fn unknown_class(&mut self, place: Place, node: &'a Node) -> Diagnostic {
        if node.class.is_empty() {
            let message = say!(
                "expected a node class (`class_type`), found none",
                "ノードのクラス(「class_type」)がありません。"
            );
            return Diagnostic::error("unknown_class", place, message);
        }
        let catalog = self.catalog;
        let hint = self
            .hints
            .entry(&node.class)
            .or_insert_with(|| did_you_mean(&node.class, catalog.classes()));
        let message = say!(
            "there is no node class `{}` in this program{hint}; the node is kept as it is",
            "ノードのクラス「{}」はこのプログラムにありません。{hint}ノードはそのまま残ります。",
            shorten(&node.class, 80);
            hint
        );
        match node.mode {
            Mode::Active => Diagnostic::error("unknown_class", place, message),
            Mode::Mute | Mode::Bypass => Diagnostic::warning("unknown_class", place, message),
        }
    }

    /// Links of an unknown node: all that can be said is whether their other end exists.
    fn dangling(&mut self, at: usize, place: &Place) {
        let inputs = &self.live.node(at).1.inputs;
        for wire in &self.live.wires[at] {
            if let Some((name, input)) = inputs.get_index(wire.input) {
                self.wire(&place.clone().input(name), wire, input, None, None);
            }
        }
    }

    fn inputs(&mut self, at: usize, place: &Place, declaration: &'static Declaration) {
        let live = self.live;
        let mut wires = live.wires[at].iter().peekable();
        let node = live.node(at).1;
        for (position, (name, input)) in node.inputs.iter().enumerate() {
            let place = place.clone().input(name);
            let wire = wires.next_if(|wire| wire.input == position);
            let Some(declared) = declaration.input(name) else {
                let hint = did_you_mean(name, declaration.inputs.iter().map(|it| it.name));
                let message = say!(
                    "{} has no such input, it is not used{hint}",
                    "{} にこの入力はないため、使われません。{hint}",
                    declaration.class;
                    hint
                );
                self.found
                    .push(Diagnostic::warning("unknown_input", place, message));
                continue;
            };
            match (wire, input) {
                (Some(wire), _) => {
                    let own = node.remembered(name);
                    self.wire(&place, wire, input, Some(declared), own);
                }
                (None, Input::Literal(value)) => self.literal(&place, declared, value),
                (None, Input::Link(_)) => {}
            }
        }
    }

    fn missing(
        &mut self,
        at: usize,
        before: usize,
        place: &Place,
        declaration: &'static Declaration,
    ) {
        let inputs = &self.live.node(at).1.inputs;
        let own = before..self.found.len();
        for declared in declaration.inputs {
            let needed = declared.required && declared.default_value().is_none();
            if needed && !inputs.contains_key(declared.name) {
                // A link that leads nowhere is gone by now, and has been reported.
                let said = |it: &Diagnostic| it.place.input.as_deref() == Some(declared.name);
                if self.found[own.clone()].iter().any(said) {
                    continue;
                }
                let wanted = match declared.ty {
                    InputType::Socket(kind) => {
                        say!("a link to a {kind} output", "{kind} の出力をリンク")
                    }
                    InputType::Model { folder } => say!(
                        "the name of a file in the folder {}",
                        "フォルダー {} のファイル名を指定",
                        folder.names()[0]
                    ),
                    InputType::File { .. } => say!("the name of a file", "ファイル名を指定"),
                    InputType::Int { .. }
                    | InputType::Float { .. }
                    | InputType::Text { .. }
                    | InputType::Bool { .. }
                    | InputType::Choice { .. }
                    | InputType::Colour { .. }
                    | InputType::Curve { .. }
                    | InputType::Shots => say!("a value", "値を指定"),
                };
                let message = say!(
                    "this input is required: expected {wanted}, found nothing",
                    "この入力は必須です。{wanted}してください。";
                    wanted
                );
                let place = place.clone().input(declared.name);
                self.found
                    .push(Diagnostic::error("required_input_missing", place, message));
            }
        }
    }

    /// `own` is the literal that stood there before the link.
    fn wire(
        &mut self,
        place: &Place,
        wire: &Wire,
        input: &Input,
        declared: Option<&InputDecl>,
        own: Option<&Value>,
    ) {
        let Input::Link(link) = input else { return };
        let finding = match wire.source {
            Source::Output { node, output } => self.output(place, node, output, declared),
            Source::Missing => {
                let id = shorten(link.node.as_str(), 60);
                let message = if self.live.project.nodes.contains_key(&link.node) {
                    say!(
                        "linked through the bypassed node {id} to a node that does not exist",
                        "バイパスされたノード {id} を通して、存在しないノードにリンクされています。"
                    )
                } else {
                    say!(
                        "linked to node {id}, which does not exist",
                        "存在しないノード {id} にリンクされています。"
                    )
                };
                Some(Diagnostic::error(
                    "bad_linked_input",
                    place.clone(),
                    message,
                ))
            }
            Source::Muted(from) => Some(self.muted(place, from, declared, own.is_some())),
            Source::Nothing(from) => Some(self.nothing(place, from, declared, own.is_some())),
        };
        self.found.extend(finding);
        if let (Source::Muted(_) | Source::Nothing(_), Some(declared), Some(own)) =
            (wire.source, declared, own)
        {
            self.literal(place, declared, own);
        }
    }

    /// Whether an output exists and has the type that the input takes.
    fn output(
        &self,
        place: &Place,
        node: usize,
        output: u32,
        declared: Option<&InputDecl>,
    ) -> Option<Diagnostic> {
        let from = self.live.declarations[node]?;
        let id = self.live.node(node).0;
        let Some(found) = from.outputs.get(output as usize) else {
            let have = match from.outputs.len() {
                0 => say!("none", "出力がありません"),
                1 => say!("only output 0", "出力は 0 だけです"),
                count => say!("outputs 0 to {}", "出力は 0 から {} までです", count - 1),
            };
            let message = say!(
                "linked to output {output} of node {id} ({}), which has {have}",
                "出力 {output} にリンクされていますが、ノード {id} ({}) の{have}。",
                from.class;
                have
            );
            return Some(Diagnostic::error(
                "bad_linked_input",
                place.clone(),
                message,
            ));
        };
        let declared = declared.filter(|it| !it.kind().accepts(&found.kind))?;
        let message = say!(
            "expected {}, found {} from output `{}` of node {id} ({})",
            "{} を受け取る入力ですが、{} がリンクされています(出力「{}」、ノード {id} ({}))。",
            declared.kind(),
            found.kind,
            found.name,
            from.class
        );
        Some(Diagnostic::error(
            "return_type_mismatch",
            place.clone(),
            message,
        ))
    }

    /// A node's class, or the name of its subgraph.
    fn class(&self, at: usize) -> &str {
        let class = &self.live.node(at).1.class;
        self.instances.get(&at).unwrap_or(class)
    }

    fn muted(
        &self,
        place: &Place,
        from: usize,
        declared: Option<&InputDecl>,
        has_own: bool,
    ) -> Diagnostic {
        let (id, node) = self.live.node(from);
        let cause = if node.mode == Mode::Mute {
            say!("is muted", "ミュートされている")
        } else {
            say!("needs a muted node", "ミュートされたノードを必要とする")
        };
        let effect = match declared {
            _ if has_own => say!(
                "the value that stood here before the link is used",
                "リンクする前の値が使われます"
            ),
            Some(it) if it.default_value().is_some() => {
                say!("the default value is used", "既定値が使われます")
            }
            Some(it) if it.required => {
                say!("so this node is left out too", "このノードも実行されません")
            }
            _ => say!("so this input stays empty", "この入力は空のままになります"),
        };
        let class = self.class(from);
        let message = say!(
            "linked to node {id} ({class}), which {cause}: {effect}",
            "{cause}ノード {id} ({class}) にリンクされているため、{effect}。";
            cause, effect
        );
        Diagnostic::warning("muted_input", place.clone(), message)
    }

    fn nothing(
        &self,
        place: &Place,
        from: usize,
        declared: Option<&InputDecl>,
        has_own: bool,
    ) -> Diagnostic {
        let (id, class) = (self.live.node(from).0, self.class(from));
        let kind = declared.map_or(String::new(), |it| format!("{} ", it.kind()));
        let message = say!(
            "linked to the bypassed node {id} ({class}), which has no {kind}input linked to pass on",
            "リンク先のノード {id} ({class}) はバイパスされていますが、代わりに渡す {kind}入力がリンクされていません。"
        );
        match declared {
            Some(it) if it.required && it.default_value().is_none() && !has_own => {
                Diagnostic::error("required_input_missing", place.clone(), message)
            }
            _ => Diagnostic::warning("muted_input", place.clone(), message),
        }
    }

    fn literal(&mut self, place: &Place, declared: &InputDecl, value: &Value) {
        if let Err(misfit) = fit(declared, value) {
            self.found.push(Diagnostic::error(
                misfit.code,
                place.clone(),
                misfit.message,
            ));
            return;
        }
        match declared.ty {
            InputType::Shots => self.found.extend(parse_shots(place, value).1),
            InputType::Int {
                min,
                step,
                seed: false,
                ..
            } if step > 1 => {
                let number = integer(value).unwrap_or(min);
                let off = (number - min) % step;
                if off != 0 {
                    let message = say!(
                        "expected {min} or a number of steps of {step} above it, found {number}; near are {} and {}",
                        "{min} から {step} 刻みの値にしてください(現在: {number})。近い値は {} と {} です。",
                        number - off,
                        number - off + step
                    );
                    self.found
                        .push(Diagnostic::warning("off_step", place.clone(), message));
                }
            }
            InputType::Bool { .. }
                if matches!(value.as_str(), Some("false" | "False" | "0" | "no")) =>
            {
                let found = describe(value);
                let message = say!(
                    "expected true or false, found {found}, which counts as true as any text does",
                    "true か false を指定してください。現在の{found}は、ほかのテキストと同じく true とみなされます。";
                    found
                );
                self.found.push(Diagnostic::warning(
                    "invalid_input_type",
                    place.clone(),
                    message,
                ));
            }
            InputType::Socket(_)
            | InputType::Int { .. }
            | InputType::Float { .. }
            | InputType::Text { .. }
            | InputType::Bool { .. }
            | InputType::Choice { .. }
            | InputType::Model { .. }
            | InputType::File { .. }
            | InputType::Colour { .. }
            | InputType::Curve { .. } => {}
        }
    }
}
