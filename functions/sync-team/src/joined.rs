//! Somebody has joined: they are subscribed to the team's work notices, an admin hears of it, and the roster says so.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use shared::crew::{JoinMarker, MemberState, Person, Roster};
use shared::layout;
use shared::name::TeamName;
use shared::notice::Notice;
use shared::port::crew::WorkTopics;
use shared::port::{Bucket, Store};

use crate::member::{self, Moved, Standing};
use crate::run::Run;
use crate::{Ports, SyncError, roster};

/// Says so for everybody of these who has a marker. Repeating it changes nothing.
pub(crate) async fn tell<P: Ports>(
    run: &Run<'_, P>,
    team: &TeamName,
    people: &BTreeSet<String>,
) -> Result<(), SyncError> {
    let known = roster::change(run, team, |roster| roster.cloned()).await?;
    let mut joined: BTreeMap<&String, (JoinMarker, Person)> = BTreeMap::new();
    for id in people {
        let marker = read::<JoinMarker, P>(run, &layout::join_marker(team, id)).await?;
        let person = read::<Person, P>(run, &layout::person(id)).await?;
        if let (Some(marker), Some(person)) = (marker, person) {
            joined.insert(id, (marker, person));
        }
    }
    let emails: Vec<String> = joined.values().map(|(_, person)| person.email.clone()).collect();
    let mut topic = known.and_then(|roster| roster.topic_arn);
    if let Some(topic) = &topic {
        subscribe(run, topic, &emails).await?;
    }
    for (id, (_, person)) in &joined {
        tracing::info!(%team, person = id, "joined");
        run.tell(&Notice::worker_joined(team, id, &person.email)).await?;
    }
    let markers = joined
        .iter()
        .map(|(id, (marker, _))| ((*id).clone(), marker.clone()))
        .collect();
    // Whoever made a topic meanwhile subscribed those the roster knew to have joined, and not these.
    while let Some(made) = written(run, team, &markers, topic.as_deref()).await? {
        subscribe(run, &made, &emails).await?;
        topic = Some(made);
    }
    Ok(())
}

async fn read<T: serde::de::DeserializeOwned, P: Ports>(
    run: &Run<'_, P>,
    key: &str,
) -> Result<Option<T>, SyncError> {
    let stored = run.ports.store().get(Bucket::Output, key, None).await?;
    Ok(stored.and_then(|stored| serde_json::from_slice(&stored.bytes).ok()))
}

/// Who has been asked to confirm is not asked again.
pub(crate) async fn subscribe<P: Ports>(
    run: &Run<'_, P>,
    topic: &str,
    emails: &[String],
) -> Result<(), SyncError> {
    if emails.is_empty() {
        return Ok(());
    }
    let topics = run.ports.work_topics();
    let there: BTreeSet<String> = topics
        .subscribed(topic)
        .await?
        .iter()
        .map(|email| email.to_lowercase())
        .collect();
    for email in emails
        .iter()
        .filter(|email| !there.contains(&email.to_lowercase()))
    {
        topics.subscribe(topic, email).await?;
    }
    Ok(())
}

/// Those who have come in this invocation. The marker of somebody put back is of the first time, and has been told of.
pub(crate) async fn subscribe_come<P: Ports>(
    run: &Run<'_, P>,
    topic: Option<&str>,
    roster: &Roster,
    moved: &[Moved],
) -> Result<(), SyncError> {
    let Some(topic) = topic else { return Ok(()) };
    let come: BTreeSet<&str> = moved
        .iter()
        .filter(|moved| moved.to.state == MemberState::Joined)
        .map(|moved| moved.person.as_str())
        .collect();
    let members = roster
        .members
        .iter()
        .filter(|member| come.contains(member.person.as_str()));
    let emails: Vec<String> = members.map(|member| member.email.clone()).collect();
    subscribe(run, topic, &emails).await
}

/// Nothing is written where there is another topic than the one these were subscribed to: that one is the answer.
async fn written<P: Ports>(
    run: &Run<'_, P>,
    team: &TeamName,
    joined: &BTreeMap<String, JoinMarker>,
    topic: Option<&str>,
) -> Result<Option<String>, SyncError> {
    let mut other = None;
    // A marker outlives its account: another one, or none, is not the one that has joined.
    let is_there = |person: &str, joined: &JoinMarker| match &run.accounts {
        Some(all) => all.get(person).is_some_and(|account| account.sub == joined.sub),
        None => true,
    };
    roster::change(run, team, |before| {
        let mut after: Roster = before?.clone();
        other = after.topic_arn.clone().filter(|there| topic != Some(there));
        if other.is_some() {
            return None;
        }
        let moved: Vec<Moved> = after
            .members
            .iter()
            .filter_map(|member| {
                let marker = joined.get(&member.person)?;
                let come = has_come(member.state, member.since, marker.at);
                (come && is_there(&member.person, marker)).then(|| Moved {
                    person: member.person.clone(),
                    from: member.state,
                    to: Standing::new(MemberState::Joined, marker.at).sub(&marker.sub),
                })
            })
            .collect();
        let mut moved = moved;
        moved.sort_by(|a, b| a.person.cmp(&b.person));
        member::apply(&mut after, &moved);
        Some(after)
    })
    .await?;
    Ok(other)
}

/// A marker is never removed: for somebody who was put back into the team it may be of the first time.
fn has_come(state: MemberState, since: Timestamp, joined: Timestamp) -> bool {
    match state {
        MemberState::Waiting => joined >= since,
        MemberState::Invited | MemberState::Expired | MemberState::Unreachable => true,
        MemberState::Joined | MemberState::Leaving | MemberState::Left => false,
    }
}
