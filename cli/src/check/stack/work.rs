//! Whether work makes progress: dead letters, teams that wait for the admin, datasets that were not checked in time.

use console::model::crew::Team;
use console::model::team_size::{StaffShortage, StaffingNeeds};
use console::model::{Model, Tone};
use jiff::{SignedDuration, Timestamp};

use crate::check::finding::{Finding, judge};

const LETTERS: &str = "dead letters";
const TEAMS: &str = "teams";
const DATASETS: &str = "datasets";
/// Problems listed of a team.
const MAX_PROBLEMS: usize = 3;
/// One sweep is missed, and the clocks of two machines differ a little.
const MAX_LATENESS: SignedDuration = SignedDuration::from_mins(30);

pub(super) fn findings(model: &Model, now: Timestamp) -> Vec<Finding> {
    let mut all: Vec<Finding> = model
        .problems
        .iter()
        .map(|problem| Finding::unknown(DATASETS, problem.clone()))
        .collect();
    all.extend(dead_letters(model));
    all.extend(teams(model));
    all.extend(shortages(model));
    all.push(datasets(model, now));
    all
}

fn dead_letters(model: &Model) -> Vec<Finding> {
    let some = model.dead_letters.iter().filter(|letters| letters.count > 0);
    let findings: Vec<Finding> = some
        .map(|letters| {
            let first = letters.first.first().map_or("", String::as_str);
            let text = format!(
                "{} failed on {} ({first}): its log says why; fix that, then redrive the queue",
                letters.queue, letters.count
            );
            Finding::fix(LETTERS, text)
        })
        .collect();
    if findings.is_empty() && !model.dead_letters.is_empty() {
        return vec![Finding::fine(LETTERS, "none")];
    }
    findings
}

fn teams(model: &Model) -> Vec<Finding> {
    let waiting = model
        .crew
        .teams
        .iter()
        .filter(|team| team.tone == Tone::Attention);
    let findings: Vec<Finding> = waiting.map(|team| Finding::fix(TEAMS, team_text(team))).collect();
    if !findings.is_empty() {
        return findings;
    }
    vec![match model.crew.teams.as_slice() {
        [] => Finding::fine(
            TEAMS,
            "no team file has been dropped; work teams made by hand work, too",
        ),
        teams => {
            let names: Vec<&str> = teams.iter().map(|team| team.name.as_str()).collect();
            Finding::fine(TEAMS, names.join(", "))
        }
    }]
}

fn team_text(team: &Team) -> String {
    let problems = team
        .problems
        .iter()
        .take(MAX_PROBLEMS)
        .map(|problem| match problem.line {
            Some(line) => format!("line {line}: {}", problem.message),
            None => problem.message.clone(),
        });
    let problems: Vec<String> = problems.collect();
    let more = match team.problems.len().saturating_sub(MAX_PROBLEMS) {
        0 => "",
        _ => "; and more; to list them: groundcrew status",
    };
    let text = format!("{}: {} {}{more}", team.name, team.message, problems.join("; "));
    text.trim_end().to_owned()
}

/// Datasets whose teams have too few people, so that their batches are never done.
fn shortages(model: &Model) -> Vec<Finding> {
    let findings = model.datasets.iter().filter_map(|dataset| {
        let mut needs = dataset.jobs.iter().filter_map(|job| job.needs.as_ref());
        let is_short = |needs: &&StaffingNeeds| {
            let shortage = model.crew.shortage(needs);
            shortage.is_some_and(StaffShortage::needs_more_people)
        };
        let needs = needs.rfind(is_short)?;
        let (team, shortage) = (needs.team.as_deref()?, model.crew.shortage(needs)?);
        let text = format!("{}: {shortage}: add people to teams/{team}.yaml", dataset.name);
        Some(Finding::fix(DATASETS, text))
    });
    findings.collect()
}

/// An event or the sweep should have reached every dataset in time: a dataset that is late shows that neither runs.
fn datasets(model: &Model, now: Timestamp) -> Finding {
    let late = |dataset: &&console::model::Dataset| {
        dataset
            .check_at
            .is_some_and(|due| now.duration_since(due) > MAX_LATENESS)
    };
    let late: Vec<&str> = model
        .datasets
        .iter()
        .filter(late)
        .map(|d| d.name.as_str())
        .collect();
    let wrong = format!(
        "build-manifest has not checked {} in time: see whether its schedule is on, and in its log whether it runs",
        late.join(", ")
    );
    let fine = match model.datasets.len() {
        1 => "1, checked in time".to_owned(),
        count => format!("{count}, each checked in time"),
    };
    judge(DATASETS, (!late.is_empty()).then_some(wrong), fine)
}

#[cfg(test)]
mod tests {
    use console::model::crew::Counts;
    use console::model::{Dataset, DeadLetters, Job, Phase};
    use shared::crew::TeamProblem;
    use shared::port::JobCounters;

    use super::*;
    use crate::check::finding::{Verdict, are_good};

    fn dataset(check_at: Option<Timestamp>) -> Dataset {
        Dataset {
            name: "cats".into(),
            state: None,
            tone: Tone::Waiting,
            message: String::new(),
            check_at,
            task: None,
            title: None,
            team: None,
            pending_files: 0,
            left_out: 0,
            batches: 0,
            items: 0,
            blank_rows: 0,
            rejected: 0,
            rejected_first: Vec::new(),
            rejected_advice: None,
            rejected_list: None,
            jobs: Vec::new(),
        }
    }

    #[test]
    fn a_dataset_that_was_not_checked_for_two_sweeps_is_reported() {
        let now: Timestamp = "2026-11-22T10:00:00Z".parse().unwrap();
        for (check_at, fine) in [
            (None, true),
            (Some("2026-11-22T10:10:00Z"), true),
            (Some("2026-11-22T09:31:00Z"), true),
            (Some("2026-11-22T09:29:00Z"), false),
        ] {
            let due = check_at.map(|at| at.parse().unwrap());
            let model = Model {
                datasets: vec![dataset(due)],
                ..Model::default()
            };
            assert_eq!(are_good(&findings(&model, now)), fine, "{check_at:?}");
        }
    }

    #[test]
    fn a_running_job_whose_team_is_too_small_has_to_be_fixed() {
        let needs = |people| StaffingNeeds {
            people,
            team: Some("cats".into()),
        };
        let job = |people| Job {
            dataset: "d".into(),
            batch: 1,
            name: None,
            state: Phase::InProgress,
            reason: None,
            items: 7,
            counters: JobCounters::default(),
            needs: Some(needs(people)),
            progress: 0.0,
            created: None,
            modified: None,
            results: Vec::new(),
            labels: None,
        };
        let mut model = Model {
            datasets: vec![dataset(None)],
            ..Model::default()
        };
        model.crew.teams = vec![Team {
            counts: Counts {
                joined: 1,
                ..Counts::default()
            },
            tone: Tone::Done,
            ..team_with_problems(Vec::new())
        }];
        for (people, fine) in [(1, true), (2, false)] {
            model.datasets[0].jobs = vec![job(people)];
            let all = findings(&model, Timestamp::UNIX_EPOCH);
            assert_eq!(are_good(&all), fine, "{all:?}");
        }
    }

    fn team_with_problems(problems: Vec<TeamProblem>) -> Team {
        Team {
            name: "cats".into(),
            tone: Tone::Attention,
            message: "What to fix:".into(),
            has_file: true,
            details: None,
            problems,
            counts: Counts::default(),
            only_listed_people: true,
            can_be_adopted: false,
        }
    }

    #[test]
    fn a_team_with_problems_is_reported_with_them() {
        let problem = |n: u64| TeamProblem {
            message: format!("problem {n}"),
            line: Some(n).filter(|n| *n < 3),
        };
        let team = team_with_problems((1..=4).map(problem).collect());
        assert_eq!(
            team_text(&team),
            "cats: What to fix: line 1: problem 1; line 2: problem 2; problem 3; and more; to list them: groundcrew status"
        );
        assert_eq!(team_text(&team_with_problems(Vec::new())), "cats: What to fix:");
    }

    #[test]
    fn dead_letters_are_reported_by_their_queue() {
        let letters = |count| DeadLetters {
            queue: "notify".into(),
            count,
            first: vec!["file a".into()],
        };
        let model = Model {
            dead_letters: vec![letters(0), letters(2)],
            problems: vec!["x could not be read".into()],
            ..Model::default()
        };
        let all = findings(&model, Timestamp::UNIX_EPOCH);
        assert_eq!(all[0].verdict, Verdict::Unknown);
        assert!(
            all[1].text.starts_with("notify failed on 2 (file a)"),
            "{}",
            all[1].text
        );
    }
}
