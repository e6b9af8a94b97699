//! Teams and people: team files, rosters, markers of those who joined, and counted answers, through S3 alone.

use std::collections::BTreeMap;

use aws_sdk_s3::Client;
use shared::crew::Roster;
use shared::layout::{self, InputKey, JoinedKey};
use shared::summary::workers::{WORKERS_FILE, Workers};

use super::{cut, newest};
use crate::documents::{Documents, Listed, Listing, LoadError, list};
use crate::model::CrewFacts;

/// A roster of 10,000 people takes some 3 MB.
const LARGEST_ROSTER: i64 = 16 << 20;
/// Counts read, newest first.
const COUNTS: usize = 5_000;

#[derive(Debug)]
pub(super) struct Memory {
    rosters: Documents<Roster>,
    work: Documents<Workers>,
}

impl Default for Memory {
    fn default() -> Self {
        Self {
            rosters: Documents::up_to(LARGEST_ROSTER),
            work: Documents::default(),
        }
    }
}

/// `results`: what lies under `results/`.
pub(super) async fn facts(
    s3: &Client,
    (input, output): (&str, &str),
    memory: &mut Memory,
    results: &Listing,
) -> Result<(CrewFacts, Vec<String>), LoadError> {
    let teams = format!("{}/", layout::TEAMS);
    let (files, rosters, joined) = tokio::try_join!(
        list(s3, input, &teams, false),
        list(s3, output, layout::CREW, false),
        list(s3, output, layout::JOINED, false),
    )?;
    memory
        .rosters
        .refresh(s3, output, &rosters.objects.iter().collect::<Vec<_>>())
        .await?;
    let counts = || results.objects.iter().filter(|object| is_count(object));
    memory.work.refresh(s3, output, &newest(counts(), COUNTS)).await?;
    let mut problems = cut([("people who joined", &joined)]);
    if counts().count() > COUNTS {
        problems.push(format!(
            "Only the answers of the newest {COUNTS} jobs are counted."
        ));
    }
    let (joined, unlisted) = markers(&joined);
    let (files, misnamed) = team_files(&files);
    let facts = CrewFacts {
        files,
        misnamed,
        rosters: memory
            .rosters
            .all()
            .map(|r| (r.team.clone(), r.clone()))
            .collect(),
        joined,
        unlisted,
        work: memory.work.all().cloned().collect(),
        ..CrewFacts::default()
    };
    Ok((facts, problems))
}

fn is_count(object: &Listed) -> bool {
    object.key.rsplit('/').next() == Some(WORKERS_FILE)
}

/// ETags of the team files by the team's name, and what is wrong with the names of others.
fn team_files(listing: &Listing) -> (BTreeMap<String, String>, Vec<String>) {
    let (mut files, mut misnamed) = (BTreeMap::new(), Vec::new());
    for object in &listing.objects {
        match InputKey::parse(&object.key) {
            InputKey::Team(team) => {
                files.insert(team.to_string(), object.etag.clone());
            }
            InputKey::BadTeam(error) => misnamed.push(error.to_string()),
            _ => {}
        }
    }
    (files, misnamed)
}

type Joined = BTreeMap<String, BTreeMap<String, jiff::Timestamp>>;

fn markers(listing: &Listing) -> (Joined, u64) {
    let (mut joined, mut unlisted) = (Joined::new(), 0);
    for marker in &listing.objects {
        match layout::parse_joined(&marker.key) {
            Some(JoinedKey::Unlisted(_)) => unlisted += 1,
            Some(JoinedKey::Team(team, person)) => {
                let team = joined.entry(team.to_string()).or_default();
                team.insert(person, marker.modified);
            }
            None => {}
        }
    }
    (joined, unlisted)
}

#[cfg(test)]
mod tests {
    use shared::name::TeamName;

    use super::*;

    fn listing(keys: &[String]) -> Listing {
        let listed = |key: &String| Listed {
            key: key.clone(),
            etag: "e".into(),
            size: 1,
            modified: jiff::Timestamp::from_second(7).unwrap_or_default(),
        };
        Listing {
            objects: keys.iter().map(listed).collect(),
            ..Listing::default()
        }
    }

    #[test]
    fn markers_are_told_apart_by_team_and_those_on_no_list_are_only_counted() {
        let marker = |team: &str, email: &str| {
            layout::joined(&TeamName::new(team).unwrap(), &layout::person_id(email))
        };
        let keys = [
            marker("a", "p"),
            marker("a", "q"),
            marker("b", "p"),
            layout::joined_unlisted("sub"),
            "joined/stray".into(),
        ];
        let (joined, unlisted) = markers(&listing(&keys));
        let teams: Vec<_> = joined
            .iter()
            .map(|(team, people)| (team.as_str(), people.len()))
            .collect();
        assert_eq!((teams, unlisted), (vec![("a", 2), ("b", 1)], 1));
    }

    #[test]
    fn a_team_file_under_a_name_no_team_can_have_is_said() {
        let keys = [
            "teams/",
            "teams/a.yaml",
            "teams/b.yml",
            "teams/c d.yaml",
            "teams/._a.yaml",
        ];
        let (files, misnamed) = team_files(&listing(&keys.map(str::to_owned)));
        assert_eq!(files.into_keys().collect::<Vec<_>>(), ["a"]);
        assert_eq!(misnamed.len(), 2, "{misnamed:?}");
    }
}
