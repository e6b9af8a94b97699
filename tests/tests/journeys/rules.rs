//! The rules of the repository that no compiler checks: who may depend on whom, and what every file owes its reader.

#![expect(clippy::expect_used, reason = "a test may fail where it stands")]

mod circles;
mod names;
mod words;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .expect("the workspace")
        .to_owned()
}

fn packages() -> Vec<Value> {
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--format-version", "1", "--no-deps", "--offline"])
        .current_dir(root())
        .output()
        .expect("cargo metadata runs");
    let metadata: Value = serde_json::from_slice(&output.stdout).expect("cargo metadata prints JSON");
    metadata["packages"].as_array().expect("packages").clone()
}

/// Direct dependencies that end up in the product: not those of tests.
fn dependencies(package: &Value) -> BTreeSet<String> {
    let all = package["dependencies"].as_array().expect("dependencies");
    let product = all.iter().filter(|d| d["kind"].is_null());
    product
        .map(|d| d["name"].as_str().expect("a name").to_owned())
        .collect()
}

/// What a crate may use of ours, and of the SDKs and servers that mark a layer.
fn allowed_dependencies(package: &str) -> &'static [&'static str] {
    match package {
        "shared" => &[],
        "aws" => &[
            "shared",
            "aws-config",
            "aws-sdk-s3",
            "aws-sdk-sagemaker",
            "aws-sdk-sns",
            "aws-sdk-sqs",
            "aws-sdk-cognitoidentityprovider",
        ],
        "build-manifest" | "start-job" | "notify" | "sync-team" | "assign-worker" | "invite-message" => {
            &["shared", "aws", "lambda"]
        }
        "lambda" => &["shared", "aws", "lambda_runtime"],
        "testkit" => &["shared", "aws", "lambda"],
        // A test that grew a command of its own: nothing depends on it.
        "simulation" => &[
            "shared",
            "lambda",
            "build-manifest",
            "start-job",
            "notify",
            "sync-team",
            "assign-worker",
        ],
        "engine" => &["axum", "aws-sdk-s3"],
        "local" => &[
            "engine",
            "build-manifest",
            "start-job",
            "notify",
            "sync-team",
            "assign-worker",
            "invite-message",
            "axum",
            "aws-config",
            "aws-sdk-s3",
            "aws-sigv4",
        ],
        "console" => &["shared", "aws", "axum"],
        "groundcrew" => &[
            "local",
            "console",
            "shared",
            "aws",
            "axum",
            "aws-config",
            "aws-sdk-cognitoidentityprovider",
            "aws-sdk-s3",
            "aws-sdk-sns",
            "aws-sdk-sqs",
            "aws-sigv4",
        ],
        other => panic!("the crate `{other}` has no rule: say in this test what it may depend on"),
    }
}

#[test]
fn crates_depend_only_along_the_edges_of_the_architecture() {
    let packages = packages();
    let ours: BTreeSet<&str> = packages.iter().filter_map(|p| p["name"].as_str()).collect();
    for package in packages
        .iter()
        .filter(|p| p["name"] != "tests" && p["name"] != "benches")
    {
        let name = package["name"].as_str().expect("a name");
        for dependency in dependencies(package) {
            let marks_a_layer = ours.contains(dependency.as_str())
                || dependency.starts_with("aws-sdk-")
                || ["axum", "lambda_runtime", "aws-config", "aws-sigv4"].contains(&dependency.as_str());
            let fine = !marks_a_layer || allowed_dependencies(name).contains(&dependency.as_str());
            assert!(fine, "`{name}` must not depend on `{dependency}`");
        }
    }
}

#[test]
fn the_pure_core_reaches_nothing_outside() {
    let is_test = |f: &Path| {
        f.components()
            .any(|c| c.as_os_str().to_string_lossy().starts_with("tests"))
    };
    let source = rust_files()
        .into_iter()
        .filter(|f| f.starts_with(root().join("shared/src")));
    for file in source.filter(|f| !is_test(f.strip_prefix(root()).expect("inside"))) {
        let text = std::fs::read_to_string(&file).expect("readable");
        let product = text.split("#[cfg(test)]").next().unwrap_or_default();
        for reach in [
            "std::env",
            "std::fs",
            "std::net",
            "SystemTime::now",
            "Timestamp::now",
            "Instant::now",
        ] {
            assert!(!product.contains(reach), "{}: uses {reach}", file.display());
        }
    }
}

#[test]
fn every_crate_takes_the_shared_lints() {
    for package in packages() {
        let manifest = package["manifest_path"].as_str().expect("a path");
        let text = std::fs::read_to_string(manifest).expect("readable");
        assert!(
            text.contains("[lints]\nworkspace = true"),
            "{manifest}: add `[lints] workspace = true`"
        );
    }
}

#[test]
fn every_file_says_what_it_answers_for_and_is_of_a_size_to_read() {
    for file in rust_files() {
        let text = std::fs::read_to_string(&file).expect("readable");
        assert!(
            text.starts_with("//!"),
            "{}: begin with a `//!` line",
            file.display()
        );
        let lines = text.lines().count();
        assert!(lines <= 500, "{}: {lines} lines; one idea a file", file.display());
    }
}

#[test]
fn no_room_is_called_miscellaneous() {
    for file in rust_files() {
        let stem = file.file_stem().and_then(|s| s.to_str()).unwrap_or_default();
        assert!(
            !["utils", "util", "common", "helpers", "misc"].contains(&stem),
            "{}",
            file.display()
        );
    }
}

fn rust_files() -> Vec<PathBuf> {
    let skip = |e: &walkdir::DirEntry| !["target", ".git", "data"].iter().any(|d| e.file_name() == *d);
    let files = walkdir::WalkDir::new(root())
        .into_iter()
        .filter_entry(skip)
        .filter_map(Result::ok);
    files
        .map(walkdir::DirEntry::into_path)
        .filter(|p| p.extension().is_some_and(|e| e == "rs"))
        .collect()
}
