//! `groundcrew check`: says what would happen to a folder or a team file before it is dropped, by the rules of the
//! functions. With `--stack` or `--data` it also says whether a deployment is as it should be, and whether the folder fits
//! it. It writes nothing, and without these options it sends no request.

mod against_stack;
mod assess;
mod files;
mod finding;
mod folder;
mod manifest_link;
mod show;
mod stack;
mod teams;

use std::path::Path;
use std::process::ExitCode;

use anyhow::ensure;
use serde_json::{Value, json};
use shared::name::DatasetName;

use self::finding::{Finding, are_good};
use crate::args::Check;
use crate::locate;
use crate::paint::{self, Paint};
use crate::target::Target;

/// What is printed, and whether the command succeeds.
struct Report {
    json: Value,
    text: String,
    is_good: bool,
}

pub(crate) async fn run(check: Check) -> anyhow::Result<ExitCode> {
    let report = match &check.path {
        None => check_deployment(&locate::find(&check.location).await?).await,
        Some(path) => match teams::files_at(path)? {
            Some(files) => {
                ensure!(
                    !check.location.is_given(),
                    "a team file is checked by itself: leave out --stack and --data"
                );
                check_team_files(files)?
            }
            None => check_folder(path, &check).await?,
        },
    };
    let Report { json, text, is_good } = report;
    paint::print(&if check.json { format!("{json:#}\n") } else { text })?;
    Ok(if is_good {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

fn check_team_files(files: Vec<std::path::PathBuf>) -> anyhow::Result<Report> {
    let checked = teams::check(files)?;
    Ok(Report {
        json: teams::json(&checked),
        text: teams::text(&checked, Paint::stdout()),
        is_good: teams::are_good(&checked),
    })
}

async fn check_deployment(target: &Target) -> Report {
    let findings = stack::findings(target).await;
    let is_good = are_good(&findings);
    let verdict = if is_good {
        "Nothing has to be fixed."
    } else {
        "Fix what is marked with `!`."
    };
    Report {
        json: json!({ "ok": is_good, "findings": findings }),
        text: format!("{}\n{verdict}\n{}\n", lines(&findings), stack::NOT_CHECKED),
        is_good,
    }
}

fn lines(findings: &[Finding]) -> String {
    findings
        .iter()
        .map(|finding| finding.line(Paint::stdout()))
        .collect()
}

async fn check_folder(path: &Path, check: &Check) -> anyhow::Result<Report> {
    let folder = folder::check(path, &check.links, check.location.is_given())?;
    let mut report = Report {
        json: show::json(&folder),
        text: show::text(&folder, Paint::stdout()),
        is_good: folder.is_good(),
    };
    if check.location.is_given()
        && let Ok(spec) = &folder.spec
    {
        let target = locate::find(&check.location).await?;
        let dataset = DatasetName::new(&folder.dataset)?;
        let spec = (spec, folder.text.as_slice());
        let contents = folder.contents.as_ref();
        let links = contents.map_or(&[][..], |contents| &contents.links_elsewhere_first);
        let findings = against_stack::findings(&target, &dataset, spec, &files::walk(path)?, links).await;
        report.is_good &= are_good(&findings);
        report.text = format!(
            "{}\nWhere it would be dropped:\n{}",
            report.text,
            lines(&findings)
        );
        report.json["there"] = json!(findings);
        report.json["ok"] = json!(report.is_good);
    }
    Ok(report)
}
