//! Whether work goes on: dead letters, teams that wait for somebody, datasets nobody looked at in time.

use console::model::crew::Team;
use console::model::enough::{Lacking, Needs};
use console::model::{Model, Tone};
use jiff::{SignedDuration, Timestamp};

use crate::check::finding::{Finding, judged};

const LETTERS: &str = "dead letters";
const TEAMS: &str = "teams";
const DATASETS: &str = "datasets";
/// Of a team, each a sentence.
const PROBLEMS: usize = 3;
/// A sweep and a half, and what two clocks may be apart.
const LATE: SignedDuration = SignedDuration::from_mins(30);

pub(super) fn of(model: &Model, now: Timestamp) -> Vec<Finding> {
    let mut all: Vec<Finding> = model
        .problems
        .iter()
        .map(|problem| Finding::unseen(DATASETS, problem.clone()))
        .collect();
    all.extend(dead_letters(model));
    all.extend(teams(model));
    all.extend(too_few(model));
    all.push(datasets(model, now));
    all
}

fn dead_letters(model: &Model) -> Vec<Finding> {
    let some = model.dead_letters.iter().filter(|letters| letters.count > 0);
    let told: Vec<Finding> = some
        .map(|letters| {
            let first = letters.first.first().map_or("", String::as_str);
            let text = format!(
                "{} gave up on {} ({first}): its log says why; mend that, then redrive the queue",
                letters.queue, letters.count
            );
            Finding::mend(LETTERS, text)
        })
        .collect();
    if told.is_empty() && !model.dead_letters.is_empty() {
        return vec![Finding::fine(LETTERS, "none")];
    }
    told
}

fn teams(model: &Model) -> Vec<Finding> {
    let waiting = model
        .crew
        .teams
        .iter()
        .filter(|team| team.tone == Tone::Attention);
    let told: Vec<Finding> = waiting.map(|team| Finding::mend(TEAMS, in_words(team))).collect();
    if !told.is_empty() {
        return told;
    }
    vec![match model.crew.teams.as_slice() {
        [] => Finding::fine(
            TEAMS,
            "no team file has been dropped; work teams made by hand do as well",
        ),
        teams => {
            let names: Vec<&str> = teams.iter().map(|team| team.name.as_str()).collect();
            Finding::fine(TEAMS, names.join(", "))
        }
    }]
}

fn in_words(team: &Team) -> String {
    let problems = team
        .problems
        .iter()
        .take(PROBLEMS)
        .map(|problem| match problem.line {
            Some(line) => format!("line {line}: {}", problem.message),
            None => problem.message.clone(),
        });
    let problems: Vec<String> = problems.collect();
    let more = match team.problems.len().saturating_sub(PROBLEMS) {
        0 => "",
        _ => "; and more; all of them: groundcrew status",
    };
    let said = format!("{}: {} {}{more}", team.name, team.message, problems.join("; "));
    said.trim_end().to_owned()
}

/// Batches that are never done by the people there are.
fn too_few(model: &Model) -> Vec<Finding> {
    let short = model.datasets.iter().filter_map(|dataset| {
        let mut needs = dataset.jobs.iter().filter_map(|job| job.needs.as_ref());
        let lasting = |needs: &&Needs| model.crew.lacking(needs).is_some_and(Lacking::is_lasting);
        let needs = needs.rfind(lasting)?;
        let (team, lacking) = (needs.team.as_deref()?, model.crew.lacking(needs)?);
        let text = format!("{}: {lacking}: add people to teams/{team}.yaml", dataset.name);
        Some(Finding::mend(DATASETS, text))
    });
    short.collect()
}

/// What no event reached in time the sweep would have: a dataset that is late says that neither runs.
fn datasets(model: &Model, now: Timestamp) -> Finding {
    let late = |dataset: &&console::model::Dataset| {
        dataset.check_at.is_some_and(|due| now.duration_since(due) > LATE)
    };
    let late: Vec<&str> = model
        .datasets
        .iter()
        .filter(late)
        .map(|d| d.name.as_str())
        .collect();
    let wrong = format!(
        "nobody has looked at {} in time: is build-manifest's schedule on, and does the function run? Its log says",
        late.join(", ")
    );
    let well = match model.datasets.len() {
        1 => "1, looked at in time".to_owned(),
        count => format!("{count}, each looked at in time"),
    };
    judged(DATASETS, (!late.is_empty()).then_some(wrong), well)
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
            rejected_list: None,
            jobs: Vec::new(),
        }
    }

    #[test]
    fn a_dataset_that_nobody_looked_at_for_two_sweeps_is_told() {
        let now: Timestamp = "2026-11-22T10:00:00Z".parse().unwrap();
        for (check_at, well) in [
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
            assert_eq!(are_good(&of(&model, now)), well, "{check_at:?}");
        }
    }

    #[test]
    fn a_running_job_whose_team_is_too_small_is_to_be_mended() {
        let needs = |people| Needs {
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
            ..to_mend(Vec::new())
        }];
        for (people, well) in [(1, true), (2, false)] {
            model.datasets[0].jobs = vec![job(people)];
            let all = of(&model, Timestamp::UNIX_EPOCH);
            assert_eq!(are_good(&all), well, "{all:?}");
        }
    }

    fn to_mend(problems: Vec<TeamProblem>) -> Team {
        Team {
            name: "cats".into(),
            tone: Tone::Attention,
            message: "What to mend:".into(),
            has_file: true,
            known: None,
            problems,
            counts: Counts::default(),
            listed_alone: true,
        }
    }

    #[test]
    fn a_team_to_mend_is_told_with_what_is_to_be_mended() {
        let problem = |n: u64| TeamProblem {
            message: format!("problem {n}"),
            line: Some(n).filter(|n| *n < 3),
        };
        let team = to_mend((1..=4).map(problem).collect());
        assert_eq!(
            in_words(&team),
            "cats: What to mend: line 1: problem 1; line 2: problem 2; problem 3; and more; all of them: groundcrew status"
        );
        assert_eq!(in_words(&to_mend(Vec::new())), "cats: What to mend:");
    }

    #[test]
    fn dead_letters_are_told_by_their_queue() {
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
        let all = of(&model, Timestamp::UNIX_EPOCH);
        assert_eq!(all[0].verdict, Verdict::Unseen);
        assert!(
            all[1].text.starts_with("notify gave up on 2 (file a)"),
            "{}",
            all[1].text
        );
    }
}
