//! Links followed through reroutes and the ports of subgraphs to what they come from.

use std::collections::HashMap;

use serde_json::Value;

use super::Reason;
use super::scope::{Expansion, Role, Scope, name};
use crate::document::REROUTE_INPUT;
use crate::literal::shorten;
use crate::{Input, Link, Port, Sentence, Subgraph, say};

/// Where a link comes from.
#[derive(Clone)]
pub enum End<'a> {
    /// An output of a node of the lowered project, or of one that does not exist.
    Link(Link),
    /// A value written at a port.
    Literal(&'a Value),
    /// A port or reroute at which nothing stands.
    Nothing,
    /// It leads nowhere: [`Follow::reasons`] says why.
    Broken(usize),
}

/// A virtual node that a link goes through. What a bypassed instance passes on depends on the type
/// that is wanted.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
struct Hop<'a> {
    scope: usize,
    node: usize,
    output: u32,
    wanted: Option<&'a str>,
}

/// Follows each hop once.
pub struct Follow<'e, 'a> {
    expansion: &'e Expansion<'a>,
    /// `None` while the hop is being followed, so that a ring is seen.
    known: HashMap<Hop<'a>, Option<End<'a>>>,
    pub reasons: Vec<Reason>,
}

impl<'e, 'a> Follow<'e, 'a> {
    pub fn new(expansion: &'e Expansion<'a>) -> Self {
        Self {
            expansion,
            known: HashMap::new(),
            reasons: Vec::new(),
        }
    }

    /// The end of a link in a scope, at an input that takes the type `wanted`.
    pub fn end(
        &mut self,
        mut scope: usize,
        mut link: &'a Link,
        mut wanted: Option<&'a str>,
    ) -> End<'a> {
        let expansion = self.expansion;
        let mut hops = Vec::new();
        let end = loop {
            let here = &expansion.scopes[scope];
            let output = link.output;
            let Some(node) = here.graph.nodes.get_index_of(&link.node) else {
                let node = expansion.id(here.outer, &link.node);
                break End::Link(Link { node, output });
            };
            match here.roles[node] {
                Role::Plain | Role::Kept => break stays(here, node, output),
                // A consumer that takes several types gets what the instance would have given it.
                Role::Bypassed(definition) if wanted.is_none() => {
                    wanted = definition
                        .outputs
                        .get(output as usize)
                        .map(|it| it.kind.as_str());
                }
                Role::Bypassed(_)
                | Role::Instance(_)
                | Role::Reroute
                | Role::Inputs
                | Role::Outputs => {}
            }
            let hop = Hop {
                scope,
                node,
                output,
                wanted,
            };
            match self.known.get(&hop) {
                Some(Some(end)) => break end.clone(),
                Some(None) => break self.ring(&hops, hop),
                None => self.known.insert(hop, None),
            };
            hops.push(hop);
            match self.next(hop) {
                Ok((next, Some(Input::Link(further)))) => (scope, link) = (next, further),
                Ok((_, Some(Input::Literal(value)))) => break End::Literal(value),
                Ok((_, None)) => break End::Nothing,
                Err(end) => break end,
            }
        };
        for hop in hops {
            self.known.insert(hop, Some(end.clone()));
        }
        end
    }

    /// What stands where a virtual node takes its value from, and in which scope that is.
    fn next(&mut self, hop: Hop<'a>) -> Result<(usize, Option<&'a Input>), End<'a>> {
        let expansion = self.expansion;
        let here = &expansion.scopes[hop.scope];
        let node = &here.graph.nodes[hop.node];
        match here.roles[hop.node] {
            Role::Plain | Role::Kept => Err(stays(here, hop.node, hop.output)),
            Role::Reroute => {
                let first = || node.inputs.values().next();
                Ok((hop.scope, node.inputs.get(REROUTE_INPUT).or_else(first)))
            }
            Role::Inputs => {
                let (Some(definition), Some((outer, instance))) = (here.definition, here.outer)
                else {
                    return Err(self.broken(say!(
                        "linked to the input of a subgraph, outside of any",
                        "サブグラフの外で、サブグラフの入力にリンクされています。"
                    )));
                };
                let port = self.port(definition, false, &definition.1.inputs, hop.output)?;
                let instance = &expansion.scopes[outer].graph.nodes[instance];
                Ok((outer, instance.inputs.get(&port.name)))
            }
            Role::Outputs => Err(self.broken(say!(
                "linked to the output of a subgraph from within it",
                "サブグラフの中から、そのサブグラフ自身の出力にリンクされています。"
            ))),
            Role::Instance(inner) => {
                let inside = &expansion.scopes[inner];
                let Some(definition) = inside.definition else {
                    return Ok((inner, None));
                };
                let port = self.port(definition, true, &definition.1.outputs, hop.output)?;
                let ends = inside.outputs.map(|at| &inside.graph.nodes[at]);
                Ok((inner, ends.and_then(|it| it.inputs.get(&port.name))))
            }
            Role::Bypassed(definition) => {
                let passed = passed_port(definition, hop.output, hop.wanted)
                    .and_then(|port| node.inputs.get(&port.name));
                match passed {
                    Some(Input::Link(_)) => Ok((hop.scope, passed)),
                    Some(Input::Literal(_)) | None => Err(stays(here, hop.node, hop.output)),
                }
            }
        }
    }

    fn port(
        &mut self,
        (id, definition): (&'a str, &'a Subgraph),
        outputs: bool,
        ports: &'a [Port],
        at: u32,
    ) -> Result<&'a Port, End<'a>> {
        ports.get(at as usize).ok_or_else(|| {
            let name = name(id, definition);
            let side = if outputs {
                say!("output", "出力")
            } else {
                say!("input", "入力")
            };
            let have = match ports.len() {
                0 => Sentence {
                    en: "none".to_owned(),
                    ja: format!("{}がありません", side.ja),
                },
                1 => say!("only {side} 0", "{side}は 0 だけです"; side),
                count => say!("{side}s 0 to {}", "{side}は 0 から {} までです", count - 1; side),
            };
            self.broken(say!(
                "linked to {side} {at} of the subgraph `{name}`, which has {have}",
                "{side} {at} にリンクされていますが、サブグラフ「{name}」の{have}。";
                side, have
            ))
        })
    }

    fn broken(&mut self, message: Sentence) -> End<'a> {
        self.reasons.push(Reason {
            code: "bad_linked_input",
            message,
        });
        End::Broken(self.reasons.len() - 1)
    }

    fn ring(&mut self, hops: &[Hop<'a>], back_to: Hop<'a>) -> End<'a> {
        const SHOWN: usize = 8;
        let ring = hops.iter().skip_while(|hop| **hop != back_to);
        let mut ids: Vec<_> = ring
            .clone()
            .take(SHOWN)
            .map(|hop| shorten(self.expansion.scopes[hop.scope].ids[hop.node].as_str(), 60))
            .collect();
        let first = ids.first().cloned().unwrap_or_default();
        let hidden = ring.count().saturating_sub(SHOWN);
        if hidden > 0 {
            ids.push(format!("… (+{hidden})"));
        }
        ids.push(first);
        let message = say!(
            "the link comes back to where it was and no node on its way makes a value: {}; cut one \
            of the links",
            "リンクが元の場所に戻っており、途中に値を作るノードがありません: {}。リンクを 1 本外してください。",
            ids.join(" ← ")
        );
        self.reasons.push(Reason {
            code: "dependency_cycle",
            message,
        });
        End::Broken(self.reasons.len() - 1)
    }
}

fn stays<'a>(scope: &Scope<'_>, node: usize, output: u32) -> End<'a> {
    End::Link(Link {
        node: scope.ids[node].clone(),
        output,
    })
}

/// The input that a bypassed instance's output passes on.
fn passed_port<'a>(
    definition: &'a Subgraph,
    output: u32,
    wanted: Option<&str>,
) -> Option<&'a Port> {
    let fits = |port: &&Port| Some(port.kind.as_str()) == wanted;
    let same_place = definition.inputs.get(output as usize).filter(fits);
    same_place.or_else(|| definition.inputs.iter().find(fits))
}
