//! Whether work goes on: dead letters, teams that wait for somebody, datasets nobody looked at in time.

use console::model::{Model, Tone};
use jiff::{SignedDuration, Timestamp};

use crate::check::finding::{Finding, judged};

const LETTERS: &str = "dead letters";
const TEAMS: &str = "teams";
const DATASETS: &str = "datasets";
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
    let told: Vec<Finding> = waiting
        .map(|team| Finding::mend(TEAMS, format!("{}: {}", team.name, team.message)))
        .collect();
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
    use console::model::{Dataset, DeadLetters};

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
            batches: 0,
            items: 0,
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
