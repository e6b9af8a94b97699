//! The key layout of the two buckets: what a key of the input bucket is, and where everything in the output bucket is.
//! Keys are built and taken apart here and nowhere else.

use sha2::{Digest, Sha256};

pub use crate::name::TEAMS;
use crate::name::{BatchNumber, DatasetName, DatasetNameError, TeamFileNameError, TeamName};

/// File name of a dataset's spec.
pub const SPEC_FILE: &str = "labeling.yaml";
/// File name of the marker that cuts a batch now.
pub const READY_FILE: &str = "_READY";
/// Output of the labeling service starts here; no event of ours listens to it.
pub const LABELS: &str = "labels/";
/// All batches.
pub const MANIFESTS: &str = "manifests/";

/// What each batch's labeling job is made from, and whether it has one.
pub const JOBS: &str = "jobs/";
/// What Groundcrew makes of finished jobs.
pub const RESULTS: &str = "results/";
/// Notices that have been published.
pub const NOTICES: &str = "notified/";
/// Notices that wait.
pub const DIGEST: &str = "digest/";
/// The status of every dataset.
pub const STATUS: &str = "status/";
/// Who belongs to which teams.
pub const PEOPLE: &str = "people/";
/// The roster of every team.
pub const CREW: &str = "crew/";
/// Who has joined: markers, and an event for `sync-team`.
pub const JOINED: &str = "joined/";
const UNLISTED: &str = "_unlisted";
/// In a batch's results folder: [`crate::summary::JobSummary`].
pub const SUMMARY_FILE: &str = "summary.json";
/// In a batch's results folder: [`crate::summary::workers::Workers`].
pub const WORKERS_FILE: &str = "workers.json";
/// In a batch's results folder: the report people read.
pub const REPORT_FILE: &str = "report.md";

/// A marker under `joined/`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum JoinMarkerKey {
    /// This person has joined this team.
    Team(TeamName, String),
    /// A person on no list; the hash of their `sub`.
    Unlisted(String),
}

/// What a key of the input bucket is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum InputKey {
    /// `teams/<team>.yaml`
    Team(TeamName),
    /// Directly in `teams/` and meant for a team file, under a name no team can have
    BadTeam(TeamFileNameError),
    /// The marker of `teams/` itself, and what desktops leave there
    TeamsFolder,
    /// `<dataset>/labeling.yaml`
    Spec(DatasetName),
    /// `<dataset>/_READY`
    Ready(DatasetName),
    /// `<dataset>/….manifest`, made by hand
    Manifest(DatasetName),
    /// Anything else in a dataset's folder, subfolders included
    File(DatasetName),
    /// At the top of the bucket, in no folder: belongs to no dataset
    Loose,
    /// In a folder that cannot be a dataset, also data files in `teams/`
    BadDataset(DatasetNameError),
}

impl InputKey {
    pub fn parse(key: &str) -> Self {
        let Some((folder, rest)) = key.split_once('/') else {
            return Self::Loose;
        };
        if folder == TEAMS
            && let Some(team) = among_teams(rest)
        {
            return team;
        }
        let dataset = match DatasetName::new(folder) {
            Ok(dataset) => dataset,
            Err(error) => return Self::BadDataset(error),
        };
        match rest {
            SPEC_FILE => Self::Spec(dataset),
            READY_FILE => Self::Ready(dataset),
            _ if rest.ends_with(".manifest") && !is_junk(rest) => Self::Manifest(dataset),
            _ => Self::File(dataset),
        }
    }
}

/// What may be in the folder of team files; anything else there was meant to be a dataset. A file called like a spec is no
/// team file.
fn among_teams(path: &str) -> Option<InputKey> {
    if path.is_empty() || is_junk(path) {
        return Some(InputKey::TeamsFolder);
    }
    let (name, extension) = path.rsplit_once('.')?;
    let yaml = ["yaml", "yml"]
        .iter()
        .any(|yaml| extension.eq_ignore_ascii_case(yaml));
    if !yaml || path.contains('/') || path == SPEC_FILE {
        return None;
    }
    Some(match (extension, TeamName::new(name)) {
        ("yaml", Ok(team)) => InputKey::Team(team),
        ("yaml", Err(error)) => InputKey::BadTeam(TeamFileNameError::Name(error)),
        _ => InputKey::BadTeam(TeamFileNameError::Extension {
            file: path.escape_default().to_string(),
        }),
    })
}

/// What operating systems and editors leave behind, in any folder.
pub fn is_junk(path: &str) -> bool {
    // `.` and `..` are odd in a key, and yet nothing but names: S3 knows no folders.
    let hidden = |part: &str| {
        part.starts_with('.') && !matches!(part, "." | "..") || part.eq_ignore_ascii_case("__MACOSX")
    };
    let name = path.rsplit('/').next().unwrap_or(path);
    let left_over = ["thumbs.db", "desktop.ini", "ehthumbs.db"]
        .iter()
        .any(|junk| name.eq_ignore_ascii_case(junk));
    path.split('/').any(hidden) || left_over || name.starts_with("~$")
}

/// Prefix of everything dropped into a dataset, in the input bucket.
pub fn dataset_prefix(dataset: &DatasetName) -> String {
    format!("{dataset}/")
}

/// The dataset's spec, in the input bucket.
pub fn spec_input(dataset: &DatasetName) -> String {
    format!("{dataset}/{SPEC_FILE}")
}

/// The exact spec a batch was cut with, named by its own hash (64 hex digits); immutable.
pub fn pinned_spec(sha256: &str) -> String {
    format!("specs/{sha256}")
}

/// Prefix of a dataset's batches.
pub fn manifest_prefix(dataset: &DatasetName) -> String {
    format!("{MANIFESTS}{dataset}/")
}

/// A batch: created once, never changed, never deleted.
pub fn manifest(dataset: &DatasetName, batch: BatchNumber) -> String {
    format!("{MANIFESTS}{dataset}/{batch}.manifest")
}

/// The dataset and number of a batch, from its key; `None` for any other key, so that an output manifest of the
/// labeling service, or a stray log, can never start a job.
pub fn parse_manifest(key: &str) -> Option<(DatasetName, BatchNumber)> {
    let (dataset, file) = key.strip_prefix(MANIFESTS)?.split_once('/')?;
    let number = file.strip_suffix(".manifest")?;
    Some((DatasetName::new(dataset).ok()?, BatchNumber::parse(number)?))
}

/// Holds a batch's worker template, label categories and markers.
pub fn job_folder(dataset: &DatasetName, batch: BatchNumber) -> String {
    format!("{JOBS}{dataset}/{batch}/")
}

pub fn job_template(dataset: &DatasetName, batch: BatchNumber) -> String {
    format!("{}template.liquid.html", job_folder(dataset, batch))
}

pub fn job_categories(dataset: &DatasetName, batch: BatchNumber) -> String {
    format!("{}label-categories.json", job_folder(dataset, batch))
}

/// [`crate::status::StartedJob`]: the batch has its labeling job.
pub fn job_started(dataset: &DatasetName, batch: BatchNumber) -> String {
    format!("{}started", job_folder(dataset, batch))
}

/// The batch that a `started` marker is of; `None` for any other key.
pub fn parse_job_started(key: &str) -> Option<(DatasetName, BatchNumber)> {
    parse_batch_file(key, JOBS)
        .and_then(|(dataset, batch, file)| (file == "started").then_some((dataset, batch)))
}

/// The batch that a `waiting.json` is of; `None` for any other key.
pub fn parse_job_waiting(key: &str) -> Option<(DatasetName, BatchNumber)> {
    parse_batch_file(key, JOBS)
        .and_then(|(dataset, batch, file)| (file == "waiting.json").then_some((dataset, batch)))
}

/// `<folder><dataset>/<batch>/<file>`
fn parse_batch_file<'k>(key: &'k str, folder: &str) -> Option<(DatasetName, BatchNumber, &'k str)> {
    let mut parts = key.strip_prefix(folder)?.splitn(3, '/');
    let dataset = DatasetName::new(parts.next()?).ok()?;
    let batch = BatchNumber::parse(parts.next()?)?;
    Some((dataset, batch, parts.next()?))
}

/// [`crate::status::WaitingBatch`]: why the batch has no labeling job yet.
pub fn job_waiting(dataset: &DatasetName, batch: BatchNumber) -> String {
    format!("{}waiting.json", job_folder(dataset, batch))
}

/// What Groundcrew makes of a finished job: `summary.json`, `report.md`, exports.
pub fn results_folder(dataset: &DatasetName, batch: BatchNumber) -> String {
    format!("{RESULTS}{dataset}/{batch}/")
}

/// A file of a batch's results: [`SUMMARY_FILE`], [`WORKERS_FILE`], [`REPORT_FILE`] or an export.
pub fn results_file(dataset: &DatasetName, batch: BatchNumber, file: &str) -> String {
    format!("{}{file}", results_folder(dataset, batch))
}

/// The batch and the name of a file of its results; `None` for any other key.
pub fn parse_results_file(key: &str) -> Option<(DatasetName, BatchNumber, &str)> {
    parse_batch_file(key, RESULTS)
}

/// Prefix of what each worker answered for each item of a job, as the labeling service writes it.
pub fn worker_responses(job: &str) -> String {
    format!("{LABELS}{job}/annotations/worker-response/")
}

/// Every rejected file and row of the dataset with its reason, one JSON object a line.
pub fn rejects(dataset: &DatasetName) -> String {
    format!("{RESULTS}{dataset}/rejected.jsonl")
}

/// [`crate::status::DatasetStatus`].
pub fn status(dataset: &DatasetName) -> String {
    format!("{STATUS}{dataset}.json")
}

/// The dataset whose status this is; `None` for any other key.
pub fn parse_status(key: &str) -> Option<DatasetName> {
    let name = key.strip_prefix(STATUS)?.strip_suffix(".json")?;
    DatasetName::new(name).ok()
}

/// What the dataset's batches hold, for processes that have not read them; a shortcut that may be deleted at any time.
pub fn batch_cache(dataset: &DatasetName) -> String {
    format!("{STATUS}{dataset}.seen")
}

/// Marker that a notice with this id has been published. Holds the notice itself.
pub fn notice_marker(notice_id: &str) -> String {
    format!("{NOTICES}{notice_id}")
}

/// How many notices have left in an hour, and which wait for the hour's digest.
pub fn digest(group: &str) -> String {
    format!("{DIGEST}{group}.json")
}

/// Prefix of all team files, in the input bucket.
pub fn team_files() -> String {
    format!("{TEAMS}/")
}

/// A team's file, in the input bucket.
pub fn team_file(team: &TeamName) -> String {
    format!("{TEAMS}/{team}.yaml")
}

/// [`crate::crew::Roster`].
pub fn roster(team: &TeamName) -> String {
    format!("{CREW}{team}.json")
}

/// The team whose roster this is; `None` for any other key.
pub fn parse_roster(key: &str) -> Option<TeamName> {
    TeamName::new(key.strip_prefix(CREW)?.strip_suffix(".json")?).ok()
}

/// Which of the spellings of a team's name is the team's: created once.
pub fn team_spelling(team: &TeamName) -> String {
    format!("crew-names/{}", team.case_folded())
}

/// Written by an operator: the group and the work team of this name that are there are the team's from now on. Functions
/// read it and may not write it.
pub fn adoption(team: &TeamName) -> String {
    format!("adopted/{team}")
}

/// Names a person in keys: SHA-256 (64 hex digits) of the lower-cased, trimmed address.
pub fn person_id(email: &str) -> String {
    hex::encode(Sha256::digest(email.trim().to_lowercase()))
}

/// [`crate::crew::Person`].
pub fn person(id: &str) -> String {
    format!("{PEOPLE}{id}")
}

/// Marker that this person has joined this team: [`crate::crew::JoinMarker`]. Created once.
pub fn join_marker(team: &TeamName, person: &str) -> String {
    format!("{JOINED}{team}/{person}")
}

/// Marker that a person on no list has signed up or signed in: [`crate::crew::JoinMarker`]. No team can be called so.
pub fn unlisted_join_marker(sub: &str) -> String {
    unlisted_join_marker_of(&hex::encode(Sha256::digest(sub)))
}

/// The same marker by the hash in its key.
pub fn unlisted_join_marker_of(hash: &str) -> String {
    format!("{JOINED}{UNLISTED}/{hash}")
}

/// What a key under `joined/` is a marker of; `None` for anything else.
pub fn parse_join_marker(key: &str) -> Option<JoinMarkerKey> {
    let (folder, name) = key.strip_prefix(JOINED)?.split_once('/')?;
    if name.len() != 64 || !name.bytes().all(|b| b.is_ascii_hexdigit()) {
        return None;
    }
    Some(match folder {
        UNLISTED => JoinMarkerKey::Unlisted(name.to_owned()),
        team => JoinMarkerKey::Team(TeamName::new(team).ok()?, name.to_owned()),
    })
}

/// Prefix of the markers of those who have joined this team.
pub fn join_markers(team: &TeamName) -> String {
    format!("{JOINED}{team}/")
}

/// Items or jobs that were claimed on one UTC day (`2026-12-01`): [`crate::daily`].
pub fn daily_ledger(unit: &str, day: &str) -> String {
    format!("daily/{unit}/{day}.json")
}

/// Invitations mailed on one of the mail quota's days (`2026-11-22`), which begin at 09:00 UTC.
pub fn mail_ledger(day: &str) -> String {
    format!("mail/{day}.json")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_numbered_manifest_directly_in_its_dataset_is_a_batch() {
        let cats = DatasetName::new("cats").unwrap();
        assert_eq!(
            parse_manifest("manifests/cats/000007.manifest"),
            Some((cats, BatchNumber::new(7).unwrap()))
        );
        for key in [
            "manifests/cats/7.manifest",
            "manifests/cats/000000.manifest",
            "manifests/cats/000007.manifest.log",
            "manifests/cats/output/000007.manifest",
            "manifests/teams/000007.manifest",
            "labels/x/manifests/output/output.manifest",
            "manifests/000007.manifest",
        ] {
            assert_eq!(parse_manifest(key), None, "{key}");
        }
    }

    #[test]
    fn a_key_of_the_input_bucket_says_what_it_is() {
        let cats = || DatasetName::new("cats").unwrap();
        let team = TeamName::new("a").unwrap();
        assert_eq!(InputKey::parse("teams/a.yaml"), InputKey::Team(team));
        for key in [
            "teams/my team.yaml",
            "teams/a.yml",
            "teams/A.YAML",
            "teams/a.b.yaml",
        ] {
            assert!(matches!(InputKey::parse(key), InputKey::BadTeam(_)), "{key}");
        }
        for key in ["teams/labeling.yaml", "teams/1.jpg", "teams/sub/a.yaml"] {
            assert_eq!(
                InputKey::parse(key),
                InputKey::BadDataset(DatasetNameError::Reserved),
                "{key}"
            );
        }
        assert_eq!(InputKey::parse("teams/"), InputKey::TeamsFolder);
        assert_eq!(InputKey::parse("teams/.DS_Store"), InputKey::TeamsFolder);
        assert_eq!(InputKey::parse("cats/._x.manifest"), InputKey::File(cats()));
        assert_eq!(InputKey::parse("cats/labeling.yaml"), InputKey::Spec(cats()));
        assert_eq!(InputKey::parse("cats/sub/labeling.yaml"), InputKey::File(cats()));
        assert_eq!(InputKey::parse("cats/_READY"), InputKey::Ready(cats()));
        assert_eq!(InputKey::parse("cats/x/y.manifest"), InputKey::Manifest(cats()));
        assert_eq!(InputKey::parse("cats/a b/c.jpg"), InputKey::File(cats()));
        assert_eq!(InputKey::parse("readme.txt"), InputKey::Loose);
        assert!(matches!(InputKey::parse("/x"), InputKey::BadDataset(_)));
    }

    #[test]
    fn a_file_of_a_batch_names_its_batch() {
        let (cats, seven) = (DatasetName::new("cats").unwrap(), BatchNumber::new(7).unwrap());
        let batch = || (cats.clone(), seven);
        assert_eq!(parse_job_started(&job_started(&cats, seven)), Some(batch()));
        assert_eq!(parse_job_started(&job_waiting(&cats, seven)), None);
        assert_eq!(parse_job_waiting(&job_waiting(&cats, seven)), Some(batch()));
        assert_eq!(
            parse_results_file(&results_file(&cats, seven, SUMMARY_FILE)),
            Some((cats.clone(), seven, SUMMARY_FILE))
        );
        assert_eq!(parse_results_file(&rejects(&cats)), None);
        assert_eq!(parse_status(&status(&cats)), Some(cats.clone()));
        assert_eq!(parse_status(&batch_cache(&cats)), None);
        let team = TeamName::new("a").unwrap();
        assert_eq!(parse_roster(&roster(&team)), Some(team));
    }

    #[test]
    fn a_join_marker_names_the_team_and_the_person_or_a_person_on_no_list() {
        let (team, person) = (TeamName::new("cats").unwrap(), person_id(" Ana@Example.org "));
        assert_eq!(person, person_id("ana@example.org"));
        let key = JoinMarkerKey::Team(team.clone(), person.clone());
        assert_eq!(parse_join_marker(&join_marker(&team, &person)), Some(key));
        assert!(matches!(
            parse_join_marker(&unlisted_join_marker("s")),
            Some(JoinMarkerKey::Unlisted(_))
        ));
        for key in [
            "joined/cats/",
            "joined/cats/x",
            "joined/x",
            "people/x",
            "joined/a b/c",
        ] {
            assert_eq!(parse_join_marker(key), None, "{key}");
        }
    }
}
