//! Finding a node to add: by class, English or Japanese title, category or the name ComfyUI's users
//! type; by what a loose link needs.

use fuzzy_matcher::FuzzyMatcher;
use fuzzy_matcher::skim::SkimMatcherV2;
use longtake_graph::document::REROUTE;
use longtake_graph::kind::accepts;
use longtake_graph::{Catalog, Declaration, Node, Project};

use crate::action::LooseLink;
use crate::fold::{Folded, fold};
use crate::language::{Language, Text, t};
use crate::scene::Scene;
use crate::shape::Shape;

/// Where reroutes and the document's own subgraphs stand.
const UTILITY: Text = t("Utility", "ユーティリティ");
const SUBGRAPHS: Text = t("Subgraphs of this document", "このドキュメントのサブグラフ");
const REROUTE_TITLE: Text = t("Reroute", "リルート");

/// Names that ComfyUI shows or its users type, and the class they mean. A test holds that every
/// class exists.
pub const ALIASES: &[(&str, &str)] = &[
    ("Load Diffusion Model", "UNETLoader"),
    ("Load Checkpoint", "UNETLoader"),
    ("Unet Loader (GGUF)", "UnetLoaderGGUF"),
    ("Load CLIP", "CLIPLoader"),
    ("Load Text Encoder", "CLIPLoader"),
    ("CLIPLoader (GGUF)", "CLIPLoaderGGUF"),
    ("Load VAE", "VAELoader"),
    ("Load CLIP Vision", "CLIPVisionLoader"),
    ("Load ControlNet Model", "ControlNetLoader"),
    ("Load LoRA", "LoraLoader"),
    ("Load LoRA (Model)", "LoraLoaderModelOnly"),
    ("Apply ControlNet", "ControlNetApplyAdvanced"),
    ("CLIP Text Encode (Prompt)", "CLIPTextEncode"),
    ("Positive Prompt", "CLIPTextEncode"),
    ("Negative Prompt", "CLIPTextEncode"),
    ("CLIP Vision Encode", "CLIPVisionEncode"),
    ("KSampler (Advanced)", "KSamplerAdvanced"),
    ("Sampler", "KSampler"),
    ("SamplerCustom (Advanced)", "SamplerCustomAdvanced"),
    ("Noise", "RandomNoise"),
    ("Scheduler", "BasicScheduler"),
    ("Guider", "CFGGuider"),
    ("Sigmas", "ManualSigmas"),
    ("Model Sampling Shift", "ModelSamplingSD3"),
    ("TeaCache", "EasyCache"),
    ("Context Windows", "WanContextWindowsManual"),
    ("WAN Context Windows (Manual)", "WanContextWindowsManual"),
    ("Empty Latent Video", "EmptyHunyuanLatentVideo"),
    ("Empty Latent Image", "EmptyHunyuanLatentVideo"),
    ("Empty HunyuanVideo 1.0 Latent", "EmptyHunyuanLatentVideo"),
    ("Wan I2V", "WanImageToVideo"),
    ("Wan FLF2V", "WanFirstLastFrameToVideo"),
    ("Wan SCAIL", "WanSCAILToVideo"),
    ("Wan High Low Noise Sampler", "WanExpertSampler"),
    ("VAE Decode (Tiled)", "VAEDecodeTiled"),
    ("VAE Encode (Tiled)", "VAEEncodeTiled"),
    ("Upscale Image", "ImageScale"),
    ("Resize Image", "ImageScale"),
    ("Invert Image", "ImageInvert"),
    ("Batch Images", "ImageBatch"),
    ("Load Image", "LoadImage"),
    ("Save Image", "SaveImage"),
    ("Preview Image", "PreviewImage"),
    ("Video Combine", "SaveVideo"),
    ("VHS_VideoCombine", "SaveVideo"),
    ("SaveWEBM", "SaveVideo"),
    ("Load Video (Upload)", "LoadVideo"),
    ("VHS_LoadVideo", "LoadVideo"),
    ("Get Video Components", "GetVideoComponents"),
    ("DWPose", "LoadPoseKeypoints"),
    ("OpenPose", "DrawPose"),
    ("Uni3C", "PointCloudGuide"),
];

/// Which nodes are wanted: those that a loose link can go to or come from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Filter {
    /// An input takes this kind.
    Takes(String),
    /// An output gives this kind.
    Gives(String),
}

impl Filter {
    /// What a loose link needs. `None` when its end is gone.
    pub fn of(scene: &Scene<'_>, link: &LooseLink) -> Option<Self> {
        match link {
            LooseLink::FromOutput { node, output } => {
                let link = longtake_graph::Link {
                    node: node.clone(),
                    output: *output,
                };
                Some(Self::Takes(scene.output_kind(&link)?))
            }
            LooseLink::FromInput { node, input } => {
                let shape = scene.shape(scene.node(node)?);
                let socket = shape.inputs.into_iter().find(|it| it.name == *input)?;
                Some(Self::Gives(socket.kind))
            }
        }
    }

    fn declaration_passes(&self, declaration: &Declaration) -> bool {
        match self {
            Self::Takes(kind) => {
                let mut inputs = declaration.inputs.iter();
                inputs.any(|it| accepts(it.kind().as_str(), kind))
            }
            Self::Gives(kind) => {
                let mut outputs = declaration.outputs.iter();
                outputs.any(|it| accepts(kind, it.kind.as_str()))
            }
        }
    }

    fn shape_passes(&self, shape: &Shape) -> bool {
        match self {
            Self::Takes(kind) => shape.inputs.iter().any(|it| accepts(&it.kind, kind)),
            Self::Gives(kind) => shape.outputs.iter().any(|it| accepts(kind, &it.kind)),
        }
    }
}

/// A node that can be added.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hit {
    /// What [`crate::Action::AddNode`] takes.
    pub class: String,
    /// Its title.
    pub title: String,
    /// Characters of the title that the query names, for drawing them stronger.
    pub matched: Vec<usize>,
    /// Menu path.
    pub category: String,
    /// The name by which it was found, if that is none of its own.
    pub alias: Option<&'static str>,
    /// Higher is better.
    pub score: i64,
}

/// Every node that fits the query, the best first. An empty query gives all by category and title.
pub fn find(
    project: &Project,
    catalog: &dyn Catalog,
    language: Language,
    query: &str,
    filter: Option<&Filter>,
) -> Vec<Hit> {
    let query = Query::new(query);
    let mut hits = Vec::new();
    for class in catalog.classes() {
        let Some(declaration) = catalog.declaration(class) else {
            continue;
        };
        if declaration.internal || filter.is_some_and(|it| !it.declaration_passes(declaration)) {
            continue;
        }
        hits.extend(query.class(declaration, language));
    }
    hits.extend(query.others(project, catalog, language, filter));
    if query.words.is_empty() {
        hits.sort_by(|a, b| (&a.category, &a.title).cmp(&(&b.category, &b.title)));
    } else {
        let key = |hit: &Hit| (-hit.score, hit.title.chars().count());
        hits.sort_by(|a, b| key(a).cmp(&key(b)).then_with(|| a.title.cmp(&b.title)));
    }
    hits
}

struct Query {
    matcher: SkimMatcherV2,
    words: Vec<String>,
    whole: String,
}

/// A name of a node and how much less than its title it counts.
struct Name<'a> {
    text: &'a str,
    less: i64,
    alias: Option<&'static str>,
}

fn places(category: Text, language: Language) -> [&'static str; 2] {
    [category.get(language), category.en]
}

fn name(text: &str, less: i64) -> Name<'_> {
    Name {
        text,
        less,
        alias: None,
    }
}

impl Query {
    fn new(text: &str) -> Self {
        let words: Vec<String> = fold(text)
            .text
            .split_whitespace()
            .map(str::to_owned)
            .collect();
        Self {
            matcher: SkimMatcherV2::default().ignore_case(),
            whole: words.join(" "),
            words,
        }
    }

    fn class(&self, declaration: &'static Declaration, language: Language) -> Option<Hit> {
        let title = language.title(declaration);
        let mut names = vec![
            name(title, 0),
            name(declaration.class, 5),
            name(declaration.title, 8),
            name(declaration.title_ja, 8),
        ];
        let aliases = ALIASES.iter().filter(|(_, it)| *it == declaration.class);
        names.extend(aliases.map(|(text, _)| Name {
            text,
            less: 20,
            alias: Some(text),
        }));
        let categories = [language.category(declaration), declaration.category];
        self.hit(declaration.class, &names, &categories)
    }

    /// Reroutes and the document's own subgraphs.
    fn others(
        &self,
        project: &Project,
        catalog: &dyn Catalog,
        language: Language,
        filter: Option<&Filter>,
    ) -> Vec<Hit> {
        let names = [
            name(REROUTE_TITLE.get(language), 0),
            name(REROUTE_TITLE.en, 8),
            name(REROUTE_TITLE.ja, 8),
        ];
        let mut hits = Vec::from_iter(self.hit(REROUTE, &names, &places(UTILITY, language)));
        for key in project.subgraphs.keys() {
            let node = Node {
                class: key.clone(),
                ..Node::default()
            };
            let shape = Shape::of(project, None, &node, catalog, language);
            if filter.is_none_or(|it| it.shape_passes(&shape)) {
                let names = [name(&shape.title, 0)];
                hits.extend(self.hit(key, &names, &places(SUBGRAPHS, language)));
            }
        }
        hits
    }

    /// `categories`: the menu path as shown, then in English, by which it is found as well.
    fn hit(&self, class: &str, names: &[Name<'_>], categories: &[&str; 2]) -> Option<Hit> {
        let title = names.first()?.text;
        let folded: Vec<Folded> = names.iter().map(|it| fold(it.text)).collect();
        let place = fold(&categories.join(" "));
        let mut score = 0;
        let mut best_name = 0;
        for word in &self.words {
            let (points, at) = self.word(word, names, &folded, &place.text)?;
            score += points;
            best_name = best_name.max(at);
        }
        // All of the query as it stands, where it stands best.
        let whole = folded.iter().zip(names).map(|(it, name)| {
            let bonus = match it.text.find(&self.whole) {
                Some(0) if it.text.len() == self.whole.len() => 400,
                Some(0) => 300,
                Some(_) => 60,
                None => 0,
            };
            bonus - name.less
        });
        score += whole.max().unwrap_or(0);
        Some(Hit {
            class: class.to_owned(),
            title: title.to_owned(),
            matched: self.matched(&folded[0]),
            category: categories[0].to_owned(),
            alias: names[best_name].alias,
            score,
        })
    }

    /// Points of a word, and the name that earned them.
    fn word(
        &self,
        word: &str,
        names: &[Name<'_>],
        folded: &[Folded],
        category: &str,
    ) -> Option<(i64, usize)> {
        let mut best: Option<(i64, usize)> = None;
        for (at, name) in names.iter().enumerate() {
            let text = &folded[at].text;
            let Some(fuzzy) = self.matcher.fuzzy_match(text, word) else {
                continue;
            };
            let exact = match text.find(word) {
                Some(0) => 100,
                Some(place) if starts_word(text, place) => 70,
                Some(_) => 40,
                // Letters strewn over a long text are no find.
                None if word.chars().count() * 3 < text.chars().count() => continue,
                None => 0,
            };
            let points = fuzzy + exact - name.less;
            if best.is_none_or(|(most, _)| points > most) {
                best = Some((points, at));
            }
        }
        best.or_else(|| category.contains(word).then_some((0, 0)))
    }

    fn matched(&self, title: &Folded) -> Vec<usize> {
        let mut matched = Vec::new();
        for word in &self.words {
            if let Some((_, at)) = self.matcher.fuzzy_indices(&title.text, word) {
                matched.extend(
                    at.into_iter()
                        .filter_map(|it| title.source.get(it).copied()),
                );
            }
        }
        matched.sort_unstable();
        matched.dedup();
        matched
    }
}

fn starts_word(text: &str, at: usize) -> bool {
    let before = text[..at].chars().next_back();
    before.is_none_or(|it| !it.is_alphanumeric())
}
