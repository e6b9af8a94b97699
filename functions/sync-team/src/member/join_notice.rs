//! After a member has joined: they are subscribed to the team's work notices, a notice goes to the admins, and the roster
//! says so.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use shared::crew::{JoinMarker, MemberState, Person, Roster};
use shared::documents;
use shared::layout;
use shared::name::TeamName;
use shared::notice::Notice;
use shared::port::crew::WorkTopics;

use crate::error::SyncError;
use crate::member::update::{self, MemberUpdate, NextState};
use crate::ports::Ports;
use crate::roster;
use crate::run::Run;

/// For each of these people who has a marker. Repeating it changes nothing.
pub(crate) async fn announce_joined<P: Ports>(
    run: &Run<'_, P>,
    team: &TeamName,
    people: &BTreeSet<String>,
) -> Result<(), SyncError> {
    let roster = roster::load(run, team).await?.document;
    let mut joined: BTreeMap<&String, (JoinMarker, Person)> = BTreeMap::new();
    for id in people {
        let store = run.ports.store();
        let marker = documents::load_if_readable(store, &layout::join_marker(team, id)).await?;
        let person = documents::load_if_readable(store, &layout::person(id)).await?;
        if let (Some(marker), Some(person)) = (marker.document, person.document) {
            joined.insert(id, (marker, person));
        }
    }
    let emails: Vec<String> = joined.values().map(|(_, person)| person.email.clone()).collect();
    let mut topic = roster.and_then(|roster| roster.topic_arn);
    if let Some(topic) = &topic {
        subscribe(run, topic, &emails).await?;
    }
    for (id, (_, person)) in &joined {
        tracing::info!(%team, person = id, "member joined");
        run.announce(&Notice::worker_joined(team, id, &person.email))
            .await?;
    }
    let markers = joined
        .iter()
        .map(|(id, (marker, _))| ((*id).clone(), marker.clone()))
        .collect();
    // A process that made a topic in between subscribed those who had joined by the roster, and not these.
    while let Some(made) = record_joined(run, team, &markers, topic.as_deref()).await? {
        subscribe(run, &made, &emails).await?;
        topic = Some(made);
    }
    Ok(())
}

/// A person who has been asked to confirm is not asked again.
pub(crate) async fn subscribe<P: Ports>(
    run: &Run<'_, P>,
    topic: &str,
    emails: &[String],
) -> Result<(), SyncError> {
    if emails.is_empty() {
        return Ok(());
    }
    let topics = run.ports.work_topics();
    let subscribed = topics.subscribers(topic).await?;
    let subscribed: BTreeSet<String> = subscribed.iter().map(|email| email.to_lowercase()).collect();
    for email in emails {
        if !subscribed.contains(&email.to_lowercase()) {
            topics.subscribe(topic, email).await?;
        }
    }
    Ok(())
}

/// Those who have joined in this invocation. The marker of a person put back into the team is of the first time, and has been
/// announced.
pub(crate) async fn subscribe_joined<P: Ports>(
    run: &Run<'_, P>,
    topic: Option<&str>,
    roster: &Roster,
    updates: &[MemberUpdate],
) -> Result<(), SyncError> {
    let Some(topic) = topic else { return Ok(()) };
    let joined: BTreeSet<&str> = updates
        .iter()
        .filter(|update| update.to.state == MemberState::Joined)
        .map(|update| update.person.as_str())
        .collect();
    let members = roster
        .members
        .iter()
        .filter(|member| joined.contains(member.person.as_str()));
    let emails: Vec<String> = members.map(|member| member.email.clone()).collect();
    subscribe(run, topic, &emails).await
}

/// Where the roster has another topic than the one these were subscribed to, nothing is written: that topic is returned.
async fn record_joined<P: Ports>(
    run: &Run<'_, P>,
    team: &TeamName,
    joined: &BTreeMap<String, JoinMarker>,
    topic: Option<&str>,
) -> Result<Option<String>, SyncError> {
    let mut other_topic = None;
    // A marker outlives its account: another account, or none, is not the one that joined.
    let is_of_account = |person: &str, joined: &JoinMarker| match &run.accounts {
        Some(all) => all.get(person).is_some_and(|account| account.sub == joined.sub),
        None => true,
    };
    roster::update(run, team, |before| {
        let mut after: Roster = before?.clone();
        other_topic = after.topic_arn.clone().filter(|there| topic != Some(there));
        if other_topic.is_some() {
            return None;
        }
        let updates = after.members.iter().filter_map(|member| {
            let marker = joined.get(&member.person)?;
            let is_new = has_joined_since(member.state, member.since, marker.at);
            (is_new && is_of_account(&member.person, marker)).then(|| MemberUpdate {
                person: member.person.clone(),
                from: member.state,
                to: NextState::new(MemberState::Joined, marker.at).with_sub(&marker.sub),
            })
        });
        let mut updates: Vec<MemberUpdate> = updates.collect();
        updates.sort_by(|a, b| a.person.cmp(&b.person));
        update::apply(&mut after, &updates);
        Some(after)
    })
    .await?;
    Ok(other_topic)
}

/// A marker is never removed: for a person who was put back into the team it may be of the first time.
fn has_joined_since(state: MemberState, since: Timestamp, joined: Timestamp) -> bool {
    match state {
        MemberState::Waiting => joined >= since,
        MemberState::Invited | MemberState::Expired | MemberState::Unreachable => true,
        MemberState::Joined | MemberState::Leaving | MemberState::Left => false,
    }
}
