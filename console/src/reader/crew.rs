//! Teams and people: team files, rosters, markers of those who joined, and counted answers, through S3 alone.

use std::collections::BTreeMap;

use aws::s3::Buckets;
use shared::crew::Roster;
use shared::layout::{self, InputKey, JoinMarkerKey};
use shared::port::{Bucket, Object, StoreError};
use shared::summary::workers::{WORKERS_FILE, Workers};

use crate::documents::{BoundedListing, DocumentCache, cut_short, list, newest};
use crate::model::CrewFacts;
use crate::team_file::MAX_ROSTER_BYTES;

/// Files of counted answers read, newest first.
const MAX_COUNTS: usize = 5_000;

#[derive(Debug)]
pub(super) struct Cache {
    rosters: DocumentCache<Roster>,
    work: DocumentCache<Workers>,
}

impl Default for Cache {
    fn default() -> Self {
        Self {
            rosters: DocumentCache::with_limit(MAX_ROSTER_BYTES),
            work: DocumentCache::default(),
        }
    }
}

/// With a sentence for everything that is not shown completely. `results`: the objects under `results/`.
pub(super) async fn load(
    store: &Buckets,
    cache: &mut Cache,
    results: &BoundedListing,
) -> Result<(CrewFacts, Vec<String>), StoreError> {
    let teams = format!("{}/", layout::TEAMS);
    let (files, rosters, joined) = tokio::try_join!(
        list(store, Bucket::Input, &teams),
        list(store, Bucket::Output, layout::CREW),
        list(store, Bucket::Output, layout::JOINED),
    )?;
    let all: Vec<&Object> = rosters.objects.iter().collect();
    cache.rosters.refresh(store, &all).await?;
    let counts = || results.objects.iter().filter(|object| is_count(object));
    cache.work.refresh(store, &newest(counts(), MAX_COUNTS)).await?;
    let mut incomplete = cut_short([("people who joined", &joined)]);
    if counts().count() > MAX_COUNTS {
        incomplete.push(format!(
            "Only the answers of the newest {MAX_COUNTS} jobs are counted."
        ));
    }
    let (joined, unlisted) = parse_markers(&joined);
    let (files, misnamed) = team_files(&files);
    let facts = CrewFacts {
        files,
        misnamed,
        rosters: cache
            .rosters
            .documents()
            .map(|roster| (roster.team.clone(), roster.clone()))
            .collect(),
        joined,
        unlisted,
        work: cache.work.documents().cloned().collect(),
        ..CrewFacts::default()
    };
    Ok((facts, incomplete))
}

fn is_count(object: &Object) -> bool {
    object.key.rsplit('/').next() == Some(WORKERS_FILE)
}

/// ETags of the team files by the team's name, and what is wrong with the names of others.
fn team_files(listing: &BoundedListing) -> (BTreeMap<String, String>, Vec<String>) {
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

type JoinTimes = BTreeMap<String, BTreeMap<String, jiff::Timestamp>>;

fn parse_markers(listing: &BoundedListing) -> (JoinTimes, u64) {
    let (mut joined, mut unlisted) = (JoinTimes::new(), 0);
    for marker in &listing.objects {
        match layout::parse_join_marker(&marker.key) {
            Some(JoinMarkerKey::Unlisted(_)) => unlisted += 1,
            Some(JoinMarkerKey::Team(team, person)) => {
                let team = joined.entry(team.to_string()).or_default();
                team.insert(person, marker.last_modified);
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

    fn listing(keys: &[String]) -> BoundedListing {
        let listed = |key: &String| Object {
            key: key.clone(),
            etag: "e".into(),
            size: 1,
            last_modified: jiff::Timestamp::from_second(7).unwrap_or_default(),
        };
        BoundedListing {
            objects: keys.iter().map(listed).collect(),
            ..BoundedListing::default()
        }
    }

    #[test]
    fn markers_are_told_apart_by_team_and_those_on_no_list_are_only_counted() {
        let marker = |team: &str, email: &str| {
            layout::join_marker(&TeamName::new(team).unwrap(), &layout::person_id(email))
        };
        let keys = [
            marker("a", "p"),
            marker("a", "q"),
            marker("b", "p"),
            layout::unlisted_join_marker("sub"),
            "joined/stray".into(),
        ];
        let (joined, unlisted) = parse_markers(&listing(&keys));
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
