//! Teams and people: team files, rosters, markers of those who joined, and counted answers, through S3 alone.

use std::collections::BTreeMap;

use aws_sdk_s3::Client;
use shared::crew::Roster;
use shared::layout;
use shared::summary::workers::{WORKERS_FILE, Workers};

use super::{cut, newest};
use crate::documents::{Documents, Listed, Listing, LoadError, list};
use crate::model::CrewFacts;

/// A roster of 10,000 people takes some 3 MB.
const LARGEST_ROSTER: i64 = 16 << 20;
/// Counts read, newest first.
const COUNTS: usize = 5_000;
/// Folder of the markers of people on no list.
const UNLISTED: &str = "_unlisted";

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
    let facts = CrewFacts {
        files: files
            .objects
            .iter()
            .filter_map(|object| team_file(object, &teams))
            .collect(),
        rosters: memory
            .rosters
            .all()
            .map(|r| (r.team.clone(), r.clone()))
            .collect(),
        joined,
        unlisted,
        work: memory.work.all().cloned().collect(),
    };
    Ok((facts, problems))
}

fn is_count(object: &Listed) -> bool {
    object.key.rsplit('/').next() == Some(WORKERS_FILE)
}

fn team_file(object: &Listed, folder: &str) -> Option<(String, String)> {
    let name = object.key.strip_prefix(folder)?.strip_suffix(".yaml")?;
    let plain =
        !name.contains('/') && matches!(layout::InputKey::parse(&object.key), layout::InputKey::Team(_));
    plain.then(|| (name.to_owned(), object.etag.clone()))
}

type Joined = BTreeMap<String, BTreeMap<String, jiff::Timestamp>>;

fn markers(listing: &Listing) -> (Joined, u64) {
    let (mut joined, mut unlisted) = (Joined::new(), 0);
    for marker in &listing.objects {
        let path = marker
            .key
            .strip_prefix(layout::JOINED)
            .and_then(|path| path.split_once('/'));
        match path {
            Some((UNLISTED, _)) => unlisted += 1,
            Some((team, person)) => {
                let team = joined.entry(team.to_owned()).or_default();
                team.insert(person.to_owned(), marker.modified);
            }
            None => {}
        }
    }
    (joined, unlisted)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn listed(key: &str) -> Listed {
        Listed {
            key: key.into(),
            etag: "e".into(),
            size: 1,
            modified: jiff::Timestamp::from_second(7).unwrap_or_default(),
        }
    }

    #[test]
    fn markers_are_told_apart_by_team_and_those_on_no_list_are_only_counted() {
        let objects = [
            "joined/_unlisted/x",
            "joined/a/p",
            "joined/a/q",
            "joined/b/p",
            "joined/stray",
        ];
        let (joined, unlisted) = markers(&Listing {
            objects: objects.map(listed).into(),
            ..Listing::default()
        });
        let teams: Vec<_> = joined
            .iter()
            .map(|(team, people)| (team.as_str(), people.len()))
            .collect();
        assert_eq!((teams, unlisted), (vec![("a", 2), ("b", 1)], 1));
    }

    #[test]
    fn only_a_yaml_file_directly_in_the_folder_is_a_team_file() {
        let name = |key: &str| team_file(&listed(key), "teams/").map(|(name, _)| name);
        assert_eq!(name("teams/a.yaml").as_deref(), Some("a"));
        for key in [
            "teams/",
            "teams/a/b.yaml",
            "teams/labeling.yaml",
            "teams/a.yml",
            "teams/._a.yaml",
        ] {
            assert_eq!(name(key), None, "{key}");
        }
    }
}
