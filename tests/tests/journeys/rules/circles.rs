//! No circle of files: what a file uses can be understood without that file.
//!
//! An arrow is a path in code that is no test: `use`, a type, a call. A module that only passes on what its child
//! defines (`pub use child::Thing`) is no stop on the way: the arrow goes to the child.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use syn::visit::{self, Visit};

use super::root;

/// Crates whose files form no circle at all.
const WITHOUT: &[&str] = &[
    "shared",
    "aws",
    "lambda",
    "functions/assign-worker",
    "functions/build-manifest",
    "functions/invite-message",
    "functions/notify",
    "functions/start-job",
    "functions/sync-team",
    "testkit",
    "engine",
    "console",
    "cli",
    "benches",
];

/// A module's path inside its crate: `["item", "image"]`.
type ModulePath = Vec<String>;

#[test]
fn no_crate_has_a_circle_of_files() {
    let circles: Vec<String> = WITHOUT
        .iter()
        .flat_map(|name| circles(&root().join(name).join("src")))
        .collect();
    assert!(
        circles.is_empty(),
        "{} circles:\n{}",
        circles.len(),
        circles.join("\n")
    );
}

#[test]
fn a_circle_is_found_through_a_module_that_passes_names_on() {
    let folder = tempfile::tempdir().expect("a folder");
    let write = |name: &str, text: &str| std::fs::write(folder.path().join(name), text).expect("written");
    std::fs::create_dir(folder.path().join("a")).expect("a folder");
    write("lib.rs", "mod a; mod b;");
    write("a.rs", "mod inner; pub(crate) use inner::Thing;");
    write("a/inner.rs", "pub(crate) struct Thing(crate::b::Other);");
    write(
        "b.rs",
        "pub(crate) struct Other; #[cfg(test)] mod tests { use crate::a::Thing; }",
    );
    assert_eq!(circles(folder.path()), Vec::<String>::new());
    write("b.rs", "use crate::a::Thing; pub(crate) struct Other(Thing);");
    let found = circles(folder.path());
    assert_eq!(found.len(), 1);
    assert!(
        found[0].contains("a/inner.rs -> b.rs") && found[0].contains("b.rs -> a/inner.rs"),
        "{found:?}"
    );
}

/// One text for each circle: its arrows, one a line.
fn circles(source: &Path) -> Vec<String> {
    let files = read(source);
    let mut arrows: BTreeMap<&ModulePath, BTreeSet<ModulePath>> = BTreeMap::new();
    for (module, file) in &files {
        let targets = file
            .uses
            .iter()
            .filter_map(|path| target(&files, module, path, 8));
        arrows.insert(module, targets.filter(|target| target != module).collect());
    }
    let reach: BTreeMap<&ModulePath, BTreeSet<ModulePath>> = arrows
        .keys()
        .map(|module| (*module, reachable(&arrows, module)))
        .collect();
    let mut seen = BTreeSet::new();
    let mut found = Vec::new();
    for (module, all) in &reach {
        if !all.contains(*module) || seen.contains(*module) {
            continue;
        }
        let circle: BTreeSet<&ModulePath> = reach
            .keys()
            .copied()
            .filter(|other| all.contains(*other) && reach[other].contains(*module))
            .collect();
        seen.extend(circle.iter().copied());
        let lines = circle.iter().flat_map(|from| {
            let inside = arrows[*from].iter().filter(|to| circle.contains(to));
            inside.map(|to| format!("  {} -> {}", files[*from].name, files[to].name))
        });
        found.push(format!(
            "in {}:\n{}",
            source.display(),
            lines.collect::<Vec<_>>().join("\n")
        ));
    }
    found
}

fn reachable(
    arrows: &BTreeMap<&ModulePath, BTreeSet<ModulePath>>,
    from: &ModulePath,
) -> BTreeSet<ModulePath> {
    let mut reached = BTreeSet::new();
    let mut next: Vec<&ModulePath> = arrows[from].iter().collect();
    while let Some(module) = next.pop() {
        if reached.insert(module.clone()) {
            next.extend(&arrows[module]);
        }
    }
    reached
}

/// The file that defines what this path names, if it is one of the crate's.
fn target(
    files: &BTreeMap<ModulePath, File>,
    at: &ModulePath,
    path: &[String],
    depth: u8,
) -> Option<ModulePath> {
    let full = absolute(files, at, path)?;
    let longest = (0..=full.len())
        .rev()
        .find(|length| files.contains_key(&full[..*length]))?;
    let (module, rest) = full.split_at(longest);
    let module = module.to_vec();
    match rest.first().and_then(|name| files[&module].passed_on.get(name)) {
        Some(onward) if depth > 0 => target(files, &module, onward, depth - 1).or(Some(module)),
        _ => Some(module),
    }
}

/// From the crate's root; `None` for what other crates and the standard library define.
fn absolute(files: &BTreeMap<ModulePath, File>, at: &ModulePath, path: &[String]) -> Option<Vec<String>> {
    let mut base = at.clone();
    let mut rest = path;
    match path.first()?.as_str() {
        "crate" => {
            base.clear();
            rest = &path[1..];
        }
        "self" => rest = &path[1..],
        "super" => {
            while rest.first().is_some_and(|name| name == "super") {
                base.pop()?;
                rest = &rest[1..];
            }
        }
        child => {
            base.push(child.to_owned());
            files.get(&base)?;
            base.pop();
        }
    }
    base.extend(rest.iter().cloned());
    Some(base)
}

struct File {
    /// From the crate's `src`.
    name: String,
    uses: BTreeSet<Vec<String>>,
    /// Names this module makes its own from elsewhere, and where they come from.
    passed_on: BTreeMap<String, Vec<String>>,
}

fn read(source: &Path) -> BTreeMap<ModulePath, File> {
    let all = walkdir::WalkDir::new(source).into_iter().filter_map(Result::ok);
    let rust = all
        .map(walkdir::DirEntry::into_path)
        .filter(|p| p.extension().is_some_and(|e| e == "rs"));
    rust.filter_map(|path| {
        let name = path.strip_prefix(source).expect("inside").to_owned();
        let module = module_path(&name)?;
        let text = std::fs::read_to_string(&path).expect("readable");
        let tree = syn::parse_file(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        let mut reader = Reader::default();
        reader.visit_file(&tree);
        let name = name.display().to_string();
        let (uses, passed_on) = (reader.uses, reader.passed_on);
        Some((
            module,
            File {
                name,
                uses,
                passed_on,
            },
        ))
    })
    .collect()
}

/// `None` for tests and for programs of their own.
fn module_path(name: &Path) -> Option<ModulePath> {
    let mut parts: ModulePath = name
        .iter()
        .map(|part| part.to_string_lossy().into_owned())
        .collect();
    let last = parts.pop()?;
    let stem = last.strip_suffix(".rs")?;
    if parts.first().is_some_and(|first| first == "bin") {
        return None;
    }
    if !["lib", "main", "mod"].contains(&stem) {
        parts.push(stem.to_owned());
    }
    let is_test = |part: &String| part == "tests" || part.starts_with("tests_") || part.ends_with("_tests");
    (!parts.iter().any(is_test)).then_some(parts)
}

#[derive(Default)]
struct Reader {
    uses: BTreeSet<Vec<String>>,
    passed_on: BTreeMap<String, Vec<String>>,
}

impl<'ast> Visit<'ast> for Reader {
    fn visit_item_mod(&mut self, item: &'ast syn::ItemMod) {
        if !for_tests(&item.attrs) {
            visit::visit_item_mod(self, item);
        }
    }

    fn visit_item_fn(&mut self, item: &'ast syn::ItemFn) {
        if !for_tests(&item.attrs) {
            visit::visit_item_fn(self, item);
        }
    }

    fn visit_item_impl(&mut self, item: &'ast syn::ItemImpl) {
        if !for_tests(&item.attrs) {
            visit::visit_item_impl(self, item);
        }
    }

    fn visit_impl_item_fn(&mut self, item: &'ast syn::ImplItemFn) {
        if !for_tests(&item.attrs) {
            visit::visit_impl_item_fn(self, item);
        }
    }

    fn visit_item_use(&mut self, item: &'ast syn::ItemUse) {
        if for_tests(&item.attrs) {
            return;
        }
        let public = !matches!(item.vis, syn::Visibility::Inherited);
        let mut leaves = Vec::new();
        flatten(&item.tree, &mut Vec::new(), &mut leaves);
        for (path, name) in leaves {
            match (public, name) {
                (true, Some(name)) => drop(self.passed_on.insert(name, path)),
                _ => drop(self.uses.insert(path)),
            }
        }
    }

    fn visit_path(&mut self, path: &'ast syn::Path) {
        if path.segments.len() > 1 {
            self.uses.insert(
                path.segments
                    .iter()
                    .map(|segment| segment.ident.to_string())
                    .collect(),
            );
        }
        visit::visit_path(self, path);
    }
}

/// Every name of a `use`, each with its whole path; no name for a glob.
fn flatten(tree: &syn::UseTree, before: &mut Vec<String>, leaves: &mut Vec<(Vec<String>, Option<String>)>) {
    let leaf = |name: &syn::Ident| {
        before
            .iter()
            .cloned()
            .chain([name.to_string()])
            .collect::<Vec<_>>()
    };
    match tree {
        syn::UseTree::Path(path) => {
            before.push(path.ident.to_string());
            flatten(&path.tree, before, leaves);
            before.pop();
        }
        syn::UseTree::Name(name) if name.ident == "self" => {
            leaves.push((before.clone(), before.last().cloned()));
        }
        syn::UseTree::Name(name) => leaves.push((leaf(&name.ident), Some(name.ident.to_string()))),
        syn::UseTree::Rename(rename) => leaves.push((leaf(&rename.ident), Some(rename.rename.to_string()))),
        syn::UseTree::Glob(_) => leaves.push((before.clone(), None)),
        syn::UseTree::Group(group) => group.items.iter().for_each(|item| flatten(item, before, leaves)),
    }
}

fn for_tests(attributes: &[syn::Attribute]) -> bool {
    attributes.iter().any(|attribute| {
        let syn::Meta::List(list) = &attribute.meta else {
            return attribute.path().is_ident("test");
        };
        list.path.is_ident("cfg")
            && list
                .tokens
                .to_string()
                .split(|c: char| !c.is_alphanumeric())
                .any(|t| t == "test")
    })
}
