//! Links moved together, and nodes put into links.

use longtake_graph::Link;

use super::fake::{graph, lines, studio};
use crate::{Action, Studio};

fn act(studio: &mut Studio, action: Action) -> Vec<String> {
    studio.act(action);
    lines(studio.session.project())
}

fn link(node: &str, output: u32) -> Link {
    Link {
        node: node.into(),
        output,
    }
}

fn errors(studio: &Studio) -> usize {
    studio.messages.list.len()
}

#[test]
fn all_links_of_an_output_move_or_none() {
    let before = graph(
        "1 UNETLoader
        2 UNETLoader
        3 ModelSamplingSD3 model<-1.0
        4 KSampler model<-1.0
        5 VAEDecode samples<-4.0",
    );
    let mut studio = studio(before.clone());
    let (from, to) = (link("1", 0), link("2", 0));
    let after = act(
        &mut studio,
        Action::MoveLinks {
            from: from.clone(),
            to,
        },
    );
    assert_eq!(after[2], "3 ModelSamplingSD3 model<-2.0");
    assert_eq!(after[3], "4 KSampler model<-2.0");
    studio.session.undo();
    assert_eq!(**studio.session.project(), before);
    // Another type, and a ring: nothing moves.
    for to in [link("5", 0), link("3", 0), link("9", 0)] {
        let told = errors(&studio);
        let after = act(
            &mut studio,
            Action::MoveLinks {
                from: from.clone(),
                to: to.clone(),
            },
        );
        assert_eq!(after, lines(&before), "{to:?}");
        assert_eq!(errors(&studio), told + 1, "{to:?}");
    }
}

#[test]
fn a_node_goes_into_a_link_and_where_it_does_not_fit_it_is_moved_only() {
    let before = graph(
        "1 UNETLoader
        2 KSampler model<-1.0
        3 ModelSamplingSD3
        4 VAELoader
        5 ModelSamplingSD3 model<-2.0",
    );
    let mut studio = studio(before.clone());
    let put = |node: &str| Action::PutInto {
        node: node.into(),
        pos: [7.0, 9.0],
        to: "2".into(),
        input: "model".to_owned(),
    };
    let after = act(&mut studio, put("3"));
    assert_eq!(after[1], "2 KSampler model<-3.0");
    assert_eq!(after[2], "3 ModelSamplingSD3 model<-1.0");
    assert_eq!(studio.session.project().nodes["3"].pos, Some([7.0, 9.0]));
    assert_eq!(studio.session.history().done().len(), 1);
    studio.session.undo();
    assert_eq!(**studio.session.project(), before);
    // Nothing to pass on; no free socket.
    for node in ["4", "5"] {
        let told = errors(&studio);
        assert_eq!(act(&mut studio, put(node)), lines(&before), "{node}");
        assert_eq!(studio.session.project().nodes[node].pos, Some([7.0, 9.0]));
        assert_eq!(errors(&studio), told + 1, "{node}");
    }
}
