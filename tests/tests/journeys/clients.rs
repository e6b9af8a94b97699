//! Clients from elsewhere: boto3 and the AWS CLI against the endpoint. GROUNDCREW_PYTHON names a Python that has both.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};
use tests::app::App;

#[expect(clippy::print_stderr, reason = "a test that was skipped says so")]
/// A Python with this package, unless there is none and none was promised.
fn python_with(package: &str) -> Option<String> {
    let python = std::env::var("GROUNDCREW_PYTHON").unwrap_or_else(|_| "python3".to_owned());
    let has = Command::new(&python)
        .args(["-c", &format!("import {package}")])
        .output()
        .is_ok_and(|o| o.status.success());
    if !has {
        assert!(
            std::env::var_os("GROUNDCREW_PYTHON").is_none(),
            "{python} has no {package}"
        );
        eprintln!("skipped: {python} has no {package} (GROUNDCREW_PYTHON names one that has)");
    }
    has.then_some(python)
}

fn combined_output(output: &std::process::Output) -> String {
    let (out, err) = (&output.stdout, &output.stderr);
    format!("{}{}", String::from_utf8_lossy(out), String::from_utf8_lossy(err))
}

/// One of the scripts in `tests/clients`, against a stack of its own.
async fn runs(script: &str) -> Result<()> {
    let Some(python) = python_with("boto3") else {
        return Ok(());
    };
    let app = App::start_bare().await?;
    let output = Command::new(&python)
        .arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("clients").join(script))
        .envs(app.aws_environment())
        .output()?;
    assert!(output.status.success(), "{}", combined_output(&output));
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn boto3_finds_what_it_expects() -> Result<()> {
    runs("smoke.py").await
}

#[tokio::test(flavor = "multi_thread")]
async fn every_operation_of_s3_is_answered_or_refused_with_nothing_changed() -> Result<()> {
    runs("sweep_s3.py").await
}

/// The blocks of README, docs/SPEC.md and docs/TEAMS.md that call the AWS CLI on one machine.
fn commands_of_the_pages() -> Vec<String> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let pages =
        ["README.md", "docs/SPEC.md", "docs/TEAMS.md"].map(|page| std::fs::read_to_string(root.join(page)));
    let pages: Vec<String> = pages.into_iter().flatten().collect();
    let blocks = pages.iter().flat_map(|page| page.split("```sh\n").skip(1));
    blocks
        .filter_map(|rest| Some(rest.split_once("```")?.0.trim_start().to_owned()))
        .filter(|block| block.starts_with("aws ") || block.starts_with("date -u | aws "))
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_commands_of_the_pages_do_what_they_say() -> Result<()> {
    let Some(python) = python_with("awscli") else {
        return Ok(());
    };
    let app = App::start_bare().await?;
    let folder = tempfile::tempdir()?;
    let bin = PathBuf::from(&python).parent().context("a folder")?.to_owned();
    let path = format!("{}:{}", bin.display(), std::env::var("PATH").unwrap_or_default());
    let shell = |script: &str| {
        Command::new("sh")
            .args(["-ec", script])
            .current_dir(folder.path())
            .envs(app.aws_environment())
            .env("PATH", &path)
            .env("OUTPUT", "groundcrew-output")
            .output()
    };
    let prepared = shell(
        "echo report > report.md && aws s3 cp report.md s3://groundcrew-output/results/numbers/report.md \
         && aws s3 cp report.md s3://groundcrew-input/numbers/notes.zip \
         && aws s3 cp report.md s3://groundcrew-input/cats/notes.zip",
    )?;
    assert!(prepared.status.success(), "{}", combined_output(&prepared));
    let blocks = commands_of_the_pages();
    assert!(blocks.len() >= 4, "{blocks:?}");
    for block in blocks {
        let output = shell(&block)?;
        assert!(output.status.success(), "{block}\n{}", combined_output(&output));
    }
    assert_eq!(
        std::fs::read_to_string(folder.path().join("results/numbers/report.md"))?,
        "report\n"
    );
    let adopted = shell("aws s3 ls s3://groundcrew-output/adopted/numbers-team")?;
    assert!(adopted.status.success(), "{}", combined_output(&adopted));
    let left = shell("aws s3 ls --recursive s3://groundcrew-input/")?;
    assert!(
        !combined_output(&left).contains("notes.zip"),
        "{}",
        combined_output(&left)
    );
    Ok(())
}
