//! docs/SPEC.md and docs/TEAMS.md are kept in step: their tables of keys are made from the types, their examples parse,
//! and the tests their tables of bad input name exist.

#![expect(clippy::expect_used, reason = "a test may fail where it stands")]

use std::path::{Path, PathBuf};

use serde_json::Value;
use shared::crew::TeamFile;
use shared::name::TeamName;
use shared::spec::Spec;

const BEGIN: &str =
    "<!-- made from the types: UPDATE_DOCS=1 cargo test -p tests --test journeys docs:: -->\n";
const END: &str = "<!-- end -->";

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .expect("the workspace")
        .to_owned()
}

const SPEC: &str = "docs/SPEC.md";
const TEAMS: &str = "docs/TEAMS.md";

fn page(name: &str) -> String {
    std::fs::read_to_string(root().join(name)).expect("the page")
}

/// One row a key, keys of a mapping as `outer.inner`.
fn rows(schema: &Value, definition: &Value, outer: &str, out: &mut String) {
    let required: Vec<&str> = definition["required"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .collect();
    for (key, value) in definition["properties"].as_object().into_iter().flatten() {
        let name = if outer.is_empty() {
            key.clone()
        } else {
            format!("{outer}.{key}")
        };
        let must = if required.contains(&key.as_str()) {
            "yes"
        } else {
            ""
        };
        let words = value["description"].as_str().unwrap_or_default();
        out.push_str(&format!("| `{name}` | {must} | {}{} |\n", words, choices(value)));
        let inner = value["$ref"]
            .as_str()
            .or_else(|| value["items"]["anyOf"][1]["$ref"].as_str());
        if let Some(inner) = inner.and_then(|r| r.strip_prefix("#/$defs/")) {
            rows(schema, &schema["$defs"][inner], &name, out);
        }
    }
}

fn choices(value: &Value) -> String {
    let list = value["enum"]
        .as_array()
        .or_else(|| value["items"]["enum"].as_array());
    let names: Vec<String> = list
        .into_iter()
        .flatten()
        .filter_map(|v| Some(format!("`{}`", v.as_str()?)))
        .collect();
    if names.is_empty() {
        String::new()
    } else {
        format!(" One of {}.", names.join(", "))
    }
}

#[test]
fn the_tables_of_keys_are_the_schemas() {
    for (name, schema) in [(SPEC, Spec::json_schema()), (TEAMS, TeamFile::json_schema())] {
        let mut table = String::from("| key | required | |\n|---|---|---|\n");
        rows(&schema, &schema, "", &mut table);
        let page = page(name);
        let (before, rest) = page.split_once(BEGIN).expect("the begin marker");
        let (now, after) = rest.split_once(END).expect("the end marker");
        if std::env::var_os("UPDATE_DOCS").is_some() {
            let text = format!("{before}{BEGIN}{table}{END}{after}");
            std::fs::write(root().join(name), text).expect("the page can be written");
        } else {
            assert_eq!(
                now, table,
                "{name} is out of step: UPDATE_DOCS=1 cargo test -p tests --test journeys docs::"
            );
        }
    }
}

fn examples(page: &str) -> Vec<&str> {
    let blocks = page.split("```yaml\n").skip(1);
    blocks
        .filter_map(|rest| Some(rest.split_once("```")?.0))
        .collect()
}

#[test]
fn every_example_on_the_pages_is_a_good_one() {
    let spec = page(SPEC);
    let specs = examples(&spec);
    assert!(specs.len() >= 2, "the page shows examples");
    for example in specs {
        Spec::parse(example.as_bytes()).unwrap_or_else(|e| panic!("{e}\n{example}"));
    }
    let teams = page(TEAMS);
    let teams = examples(&teams);
    assert!(teams.len() >= 3, "the page shows examples");
    let name = TeamName::new("numbers-team").expect("a name");
    for example in teams {
        TeamFile::parse(&name, example.as_bytes()).unwrap_or_else(|e| panic!("{e}\n{example}"));
    }
}

/// A team file of the examples, by its path from the root: its name, and how many people it has.
fn people(path: &str) -> (TeamName, usize) {
    let name = Path::new(path).file_stem().and_then(|stem| stem.to_str());
    let name = TeamName::new(name.expect("a file name")).expect("a name");
    let team = TeamFile::parse(&name, page(path).as_bytes()).expect("a team file");
    (name, team.cognito().map_or(0, |crew| crew.workers.len()))
}

/// Who follows the pages has the people whom the example's team file names, and no others.
#[test]
fn the_first_team_has_the_people_that_every_example_for_it_needs() {
    let (name, people) = people("examples/teams/numbers-team.yaml");
    let sample = page("console/assets/drop-zone.js");
    let (readme, spec) = (page("README.md"), page(SPEC));
    let files = ["numbers", "pictures"].map(|folder| page(&format!("examples/{folder}/labeling.yaml")));
    let sample = sample.split('`').find(|text| text.starts_with("task: "));
    let all = examples(&readme)
        .into_iter()
        .chain(examples(&spec))
        .chain(files.iter().map(String::as_str))
        .chain(sample);
    let specs: Vec<Spec> = all.filter_map(|text| Spec::parse(text.as_bytes()).ok()).collect();
    assert!(specs.len() >= 6, "there are examples");
    for spec in specs {
        assert_eq!(spec.team.as_str(), name.as_str());
        assert!(spec.workers_per_item as usize <= people, "{}", spec.title);
    }
}

#[test]
fn the_example_of_a_team_of_three_has_the_three_people_it_needs() {
    let (name, people) = people("examples/team-of-three/teams/review-team.yaml");
    let spec = page("examples/team-of-three/reviews/labeling.yaml");
    let spec = Spec::parse(spec.as_bytes()).expect("a spec");
    assert_eq!((spec.team.as_str(), people), (name.as_str(), 3));
    assert_eq!(spec.workers_per_item, 3);
}

#[test]
fn every_row_of_bad_input_names_a_test_that_exists() {
    let sources = sources();
    for (name, least) in [(SPEC, 25), (TEAMS, 12)] {
        let page = page(name);
        let table = page.split_once("## What bad input gets").expect("the section").1;
        let mut rows = 0;
        for row in table
            .lines()
            .filter(|l| l.starts_with("| ") && !l.starts_with("| what"))
        {
            let tests = row.trim_end_matches(" |").rsplit(" | ").next();
            for test in tests
                .expect("a last column")
                .split(", ")
                .map(|t| t.trim_matches('`'))
            {
                assert!(
                    sources.contains(&format!("fn {test}(")),
                    "no test is called `{test}`: {row}"
                );
                rows += 1;
            }
        }
        assert!(rows >= least, "{name}: {rows} rows");
    }
}

#[test]
fn nothing_touches_a_command_that_readers_copy() {
    let pages = [
        "README.md",
        "docs/DEPLOY.md",
        "docs/SPEC.md",
        "docs/TEAMS.md",
        "docs/SECURITY.md",
    ];
    let mut commands = 0;
    for name in pages {
        let page = page(name);
        // Between back ticks every second part is code; blocks are lines of their own.
        let parts: Vec<&str> = page.split('`').collect();
        for code in parts.windows(2).skip(1).step_by(2) {
            let [code, after] = code else { continue };
            let starts = ["aws ", "groundcrew ", "sam ", "eval ", "curl "];
            let is_command = starts.iter().any(|start| code.starts_with(start));
            let has_arguments = ["s3://", " --", "$("].iter().any(|part| code.contains(part));
            if is_command && has_arguments {
                commands += 1;
                let touched = after.starts_with(['.', ',', ';', ':', ')', '!', '?']);
                assert!(
                    !touched,
                    "{name}: `{code}`{}",
                    after.chars().take(20).collect::<String>()
                );
            }
        }
    }
    assert!(commands >= 8, "only {commands} commands were found");
}

/// Who runs the commands of a page's block that starts with this line: a file that does, and how it can be known there.
const RUNS: [(&str, &str, &str); 9] = [
    (
        "pip install groundcrew-",
        "packaging/wheel",
        "pip\" install -q --no-index \"$wheel\"",
    ),
    ("cargo run", "packaging/first_run", "cargo run"),
    ("cargo test --workspace", ".ci/run", "cargo test --workspace"),
    (
        "aws s3 cp --recursive s3://groundcrew-output/results/ results",
        "tests/tests/journeys/clients.rs",
        "commands_of_the_pages",
    ),
    (
        "aws s3 rm s3://groundcrew-input/",
        "tests/tests/journeys/clients.rs",
        "commands_of_the_pages",
    ),
    (
        "date -u | aws s3 cp - s3://$OUTPUT/adopted/",
        "tests/tests/journeys/clients.rs",
        "commands_of_the_pages",
    ),
    (
        "packaging/ready && sam build && sam deploy --guided    # [AWS]",
        "packaging/prove",
        "sam build",
    ),
    (
        "groundcrew up --web 127.0.0.1:8080 --public-url",
        "cli/tests/commands/private_files.rs",
        "\"--trusted-proxies\"",
    ),
    ("packaging/figures", "packaging/figures", "bench\" cold-start"),
];

/// The blocks of shell on a page.
fn shell_blocks(page: &str) -> Vec<&str> {
    let blocks = page.split("```sh\n").skip(1);
    blocks
        .filter_map(|rest| Some(rest.split_once("```")?.0.trim_start()))
        .collect()
}

/// Every page, by its path from the root.
fn pages() -> Vec<String> {
    let in_docs = walkdir::WalkDir::new(root().join("docs")).sort_by_file_name();
    let at_the_top = walkdir::WalkDir::new(root()).max_depth(1).sort_by_file_name();
    let entries = in_docs.into_iter().chain(at_the_top).filter_map(Result::ok);
    let pages = entries.filter(|e| e.path().extension().is_some_and(|x| x == "md"));
    pages
        .filter_map(|e| Some(e.path().strip_prefix(root()).ok()?.to_str()?.to_owned()))
        .collect()
}

/// The targets of the page's links and pictures that lead to a file or to a heading.
fn links(page: &str) -> Vec<&str> {
    let targets = page.split("](").skip(1);
    targets
        .filter_map(|rest| Some(rest.split_once(')')?.0))
        .filter(|target| {
            !target.contains("://") && !target.starts_with("mailto:") && !target.contains(['{', '…'])
        })
        .collect()
}

/// What a heading is called in a link, as GitHub makes it.
fn anchors(page: &str) -> Vec<String> {
    let headings = page.lines().filter(|line| line.starts_with('#'));
    headings
        .map(|line| {
            let text = line.trim_start_matches('#').trim().to_lowercase();
            let kept = text
                .chars()
                .filter(|c| c.is_alphanumeric() || [' ', '-', '_'].contains(c));
            kept.map(|c| if c == ' ' { '-' } else { c }).collect()
        })
        .collect()
}

#[test]
fn every_link_on_the_pages_leads_to_a_file_and_a_heading_that_exist() {
    let mut looked_at = 0;
    for name in pages() {
        let text = page(&name);
        for link in links(&text) {
            looked_at += 1;
            let (file, anchor) = link.split_once('#').unwrap_or((link, ""));
            let folder = root().join(&name).parent().expect("a folder").to_owned();
            let target = if file.is_empty() {
                root().join(&name)
            } else {
                folder.join(file)
            };
            assert!(target.exists(), "{name}: {link}");
            if !anchor.is_empty() {
                let there = std::fs::read_to_string(&target).expect("a page");
                assert!(anchors(&there).iter().any(|a| a == anchor), "{name}: {link}");
            }
        }
    }
    assert!(looked_at >= 30, "the pages link to each other: {looked_at}");
}

#[test]
fn every_command_on_the_pages_is_run_or_marked_as_one_for_aws() {
    let names = pages();
    let mut blocks = 0;
    for name in names {
        for block in shell_blocks(&page(&name)) {
            blocks += 1;
            let run = RUNS.iter().find(|(start, ..)| block.starts_with(start));
            if block.starts_with("# [AWS]") {
                continue;
            }
            let (_, file, evidence) = run
                .unwrap_or_else(|| panic!("{name}: nothing runs this, and it is not marked [AWS]:\n{block}"));
            assert!(page(file).contains(evidence), "{file} does not run: {block}");
        }
    }
    assert!(blocks >= 10, "the pages have blocks of commands: {blocks}");
}

/// Every line of Rust there is.
fn sources() -> String {
    walkdir::WalkDir::new(root())
        .into_iter()
        .filter_entry(|e| !["target", ".git", "data"].iter().any(|d| e.file_name() == *d))
        .filter_map(Result::ok)
        .filter(|e| e.path().extension().is_some_and(|x| x == "rs"))
        .filter_map(|e| std::fs::read_to_string(e.path()).ok())
        .collect()
}
