//! Names say what they name: a type, a module or a function is a noun or a verb that a reader can search for.

use std::path::Path;

use syn::visit::{self, Visit};

use super::{root, rust_files};

/// Participles, adverbs and pronouns without an `-ed` or `-ing` at their end. Each could name a hundred things.
const BARE: &[&str] = &[
    "again",
    "anew",
    "apart",
    "because",
    "begun",
    "beside",
    "both",
    "bound",
    "broken",
    "brought",
    "built",
    "caught",
    "chosen",
    "come",
    "done",
    "drawn",
    "driven",
    "enough",
    "forgotten",
    "found",
    "fresh",
    "given",
    "gone",
    "heard",
    "held",
    "here",
    "hidden",
    "kept",
    "known",
    "laid",
    "later",
    "left",
    "lost",
    "made",
    "meant",
    "met",
    "mine",
    "never",
    "nobody",
    "once",
    "others",
    "ours",
    "own",
    "paid",
    "risen",
    "said",
    "same",
    "seen",
    "sent",
    "shown",
    "somebody",
    "spent",
    "standing",
    "struck",
    "stuck",
    "such",
    "swept",
    "taken",
    "theirs",
    "then",
    "there",
    "thrown",
    "told",
    "torn",
    "twice",
    "understood",
    "untold",
    "whoever",
    "whole",
    "why",
    "woken",
    "won",
    "written",
];

/// Nouns that end like a participle.
const NOUNS: &[&str] = &[
    "batching",
    "billing",
    "binding",
    "building",
    "embed",
    "encoding",
    "eventing",
    "feed",
    "finding",
    "framing",
    "heading",
    "labeling",
    "linking",
    "listing",
    "logging",
    "mapping",
    "meaning",
    "naming",
    "need",
    "onboarding",
    "ordering",
    "paging",
    "pairing",
    "ping",
    "reading",
    "ring",
    "seed",
    "setting",
    "speed",
    "string",
    "tagging",
    "testing",
    "thing",
    "timing",
    "warning",
    "wiring",
];

#[test]
fn every_name_says_what_it_names() {
    let mut bare = Vec::new();
    for file in rust_files() {
        let text = std::fs::read_to_string(&file).expect("readable");
        let tree = syn::parse_file(&text).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
        let mut names = Names::default();
        names.visit_file(&tree);
        let place = file.strip_prefix(root()).unwrap_or(&file).display().to_string();
        bare.extend(
            names
                .all
                .into_iter()
                .filter(|(_, name)| is_bare(name))
                .map(|(kind, name)| format!("{place}: the {kind} `{name}`")),
        );
        bare.extend(
            module_of(&file)
                .filter(|name| is_bare(name))
                .map(|name| format!("{place}: the module `{name}`")),
        );
    }
    assert!(
        bare.is_empty(),
        "{} names that do not say what they name:\n{}",
        bare.len(),
        bare.join("\n")
    );
}

#[test]
fn a_bare_participle_is_no_name_and_a_noun_is() {
    for name in [
        "Asked", "Found", "Standing", "Held", "told", "kept", "Because", "hurried", "Waiting", "Nobody",
    ] {
        assert!(is_bare(name), "{name}");
    }
    for name in [
        "PendingWork",
        "Listing",
        "Seed",
        "files_without_event",
        "is_ended",
        "new",
        "Warning",
        "read",
        "run",
    ] {
        assert!(!is_bare(name), "{name}");
    }
}

/// One word alone, and that word a participle, an adverb or a pronoun.
fn is_bare(name: &str) -> bool {
    let single = !name.contains('_') && name.chars().skip(1).all(|c| !c.is_uppercase());
    let word = name.to_lowercase();
    let participle = (word.ends_with("ed") || word.ends_with("ing")) && !NOUNS.contains(&word.as_str());
    single && (BARE.contains(&word.as_str()) || participle)
}

fn module_of(file: &Path) -> impl Iterator<Item = String> {
    file.file_stem()
        .map(|stem| stem.to_string_lossy().into_owned())
        .into_iter()
}

#[derive(Default)]
struct Names {
    all: Vec<(&'static str, String)>,
}

impl Names {
    fn add(&mut self, kind: &'static str, name: &syn::Ident) {
        self.all.push((kind, name.to_string()));
    }
}

impl<'ast> Visit<'ast> for Names {
    fn visit_item_struct(&mut self, item: &'ast syn::ItemStruct) {
        self.add("type", &item.ident);
    }

    fn visit_item_enum(&mut self, item: &'ast syn::ItemEnum) {
        self.add("type", &item.ident);
    }

    fn visit_item_type(&mut self, item: &'ast syn::ItemType) {
        self.add("type", &item.ident);
    }

    fn visit_item_trait(&mut self, item: &'ast syn::ItemTrait) {
        self.add("trait", &item.ident);
        visit::visit_item_trait(self, item);
    }

    fn visit_trait_item_fn(&mut self, item: &'ast syn::TraitItemFn) {
        self.add("function", &item.sig.ident);
    }

    fn visit_item_fn(&mut self, item: &'ast syn::ItemFn) {
        self.add("function", &item.sig.ident);
        visit::visit_item_fn(self, item);
    }

    fn visit_item_impl(&mut self, item: &'ast syn::ItemImpl) {
        // Another crate's trait chose the names of its functions.
        if item.trait_.is_none() {
            visit::visit_item_impl(self, item);
        }
    }

    fn visit_impl_item_fn(&mut self, item: &'ast syn::ImplItemFn) {
        self.add("function", &item.sig.ident);
        visit::visit_impl_item_fn(self, item);
    }
}
