//! The clock: every team, even if no event named it.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use lambda::HandlerError;
use lambda::metric::Metric;
use serde_json::{Value, json};
use shared::crew::{Roster, TeamFile};
use shared::documents;
use shared::layout::{self, InputKey, JoinMarkerKey};
use shared::name::TeamName;
use shared::notice::{DigestGroup, Notice, send_digest};
use shared::port::Bucket;
use shared::port::crew::{AccountStatus, Directory};

use crate::error::SyncError;
use crate::mail;
use crate::member::join_notice::announce_joined;
use crate::member::unlisted_account::{announce_accounts, announce_sign_in};
use crate::ports::Ports;
use crate::reconcile::{Outcome, reconcile};
use crate::repair::repair;
use crate::run::{Run, team_files};

pub(crate) async fn sweep<P: Ports>(ports: &P) -> Result<Value, HandlerError> {
    let failed = |failed, of, first: &SyncError| HandlerError::Sweep {
        failed,
        of,
        first: first.to_string(),
    };
    let run = Run::begin_sweep(ports)
        .await
        .map_err(|error| failed(1, 1, &error))?;
    let mut round = SweepRound::default();
    let result = round.look_at_everything(&run).await;
    let now = run.current_time();
    if let Err(error) = send_digest(ports.store(), ports.topic(), DigestGroup::Teams, now).await {
        tracing::error!(%error, "failed to publish the digest of notices; the next sweep tries again");
        round.errors.push(error.into());
    }
    run.end().await;
    put_metrics(ports, now).await;
    result.map_err(|error| failed(1, 1, &error))?;
    match round.errors.first() {
        Some(first) => Err(failed(round.errors.len(), round.teams, first)),
        None => Ok(json!({ "teams": round.teams, "joined": round.joined, "unlisted": round.unlisted })),
    }
}

/// After unused mail has been given back.
async fn put_metrics<P: Ports>(ports: &P, now: Timestamp) {
    match mail::left_today(ports, now).await {
        Ok(Some(left)) => ports
            .metrics()
            .put(&[(Metric::InvitationsLeftToday, u64::from(left))]),
        Ok(None) => {}
        Err(error) => tracing::warn!(%error, "failed to read how many invitations are left today"),
    }
}

#[derive(Default)]
struct SweepRound {
    teams: usize,
    joined: usize,
    unlisted: usize,
    errors: Vec<SyncError>,
    /// Teams with a member whose account was deleted, unless a team after them has had one made.
    missing_accounts: Vec<TeamName>,
    /// User names in any team's groups.
    grouped: BTreeSet<String>,
    /// Some teams were not looked at: then no account is called unlisted.
    is_partial: bool,
}

impl SweepRound {
    async fn look_at_everything<P: Ports>(&mut self, run: &Run<'_, P>) -> Result<(), SyncError> {
        for object in run.list(Bucket::Input, &team_files()).await? {
            match InputKey::parse(&object.key) {
                InputKey::Team(team) => {
                    self.teams += 1;
                    let result = self.look_at_team(run, &team).await;
                    self.add_failure(&team, result);
                }
                InputKey::BadTeam(error) => run.announce(&Notice::team_misnamed(&object.key, &error)).await?,
                _ => {}
            }
        }
        for team in std::mem::take(&mut self.missing_accounts) {
            let result = repair(run, &team).await;
            self.add_failure(&team, result.map(|_| ()));
        }
        self.announce_markers(run).await?;
        if !self.is_partial {
            let listed = listed_people(run).await?;
            self.unlisted += announce_accounts(run, &listed, &self.grouped).await?;
        }
        Ok(())
    }

    fn add_failure(&mut self, team: &TeamName, result: Result<(), SyncError>) {
        if let Err(error) = result {
            tracing::error!(%team, %error, "reconcile failed; the next sweep tries again");
            self.is_partial = true;
            self.errors.push(error);
        }
    }

    async fn look_at_team<P: Ports>(&mut self, run: &Run<'_, P>, team: &TeamName) -> Result<(), SyncError> {
        if run.is_out_of_time() {
            self.is_partial = true;
            return Ok(());
        }
        let outcome = reconcile(run, team).await?;
        if outcome == Outcome::Rejected && run.ports.directory().group(team.as_str()).await?.is_none() {
            // No one can be added to it before a usable file creates it again.
            self.is_partial = true;
            return Ok(());
        }
        let repaired = repair(run, team).await?;
        self.grouped.extend(repaired.group);
        if repaired.misses_an_account {
            self.missing_accounts.push(team.clone());
        }
        let Some(file) = usable_file(run, team).await? else {
            self.is_partial = true;
            return Ok(());
        };
        let Some(cognito) = file.cognito() else {
            return Ok(());
        };
        for group in &cognito.groups {
            if run.ports.directory().group(&group.name).await?.is_some() {
                let members = run.ports.directory().members(&group.name).await?;
                self.grouped
                    .extend(members.into_iter().map(|account| account.username));
            }
        }
        Ok(())
    }

    /// Members who have joined without an announcement.
    async fn announce_markers<P: Ports>(&mut self, run: &Run<'_, P>) -> Result<(), SyncError> {
        let mut joined_by_team: BTreeMap<TeamName, BTreeSet<String>> = BTreeMap::new();
        let mut unlisted_markers = BTreeSet::new();
        let mut unannounced_by_team = Vec::new();
        for object in run.list(Bucket::Output, layout::JOINED).await? {
            match layout::parse_join_marker(&object.key) {
                Some(JoinMarkerKey::Team(team, person)) => {
                    joined_by_team.entry(team).or_default().insert(person);
                }
                Some(JoinMarkerKey::Unlisted(hash)) => {
                    unlisted_markers.insert(hash);
                }
                None => {}
            }
        }
        for (team, people) in joined_by_team {
            let announced = run.announced_ids(&Notice::joined_prefix(&team)).await?;
            let unannounced: BTreeSet<String> = people.difference(&announced).cloned().collect();
            unannounced_by_team.push((team, unannounced));
        }
        unannounced_by_team.retain(|(_, people)| !people.is_empty());
        for (team, people) in unannounced_by_team {
            self.joined += people.len();
            let result = announce_joined(run, &team, &people).await;
            self.add_failure(&team, result);
        }
        let announced = run.announced_ids(Notice::UNLISTED).await?;
        for hash in unlisted_markers.difference(&announced) {
            self.unlisted += 1;
            announce_sign_in(run, hash).await?;
        }
        Ok(())
    }
}

/// The members of every roster, also those who have left: they were in a team file.
async fn listed_people<P: Ports>(run: &Run<'_, P>) -> Result<BTreeSet<String>, SyncError> {
    let confirmed = |account: &shared::port::crew::Account| account.status == AccountStatus::Confirmed;
    let mut listed = BTreeSet::new();
    if !run.accounts.iter().flat_map(BTreeMap::values).any(confirmed) {
        return Ok(listed);
    }
    for object in run.list(Bucket::Output, layout::CREW).await? {
        let roster = documents::load_if_readable::<Roster>(run.ports.store(), &object.key).await?;
        let members = roster.document.into_iter().flat_map(|roster| roster.members);
        listed.extend(members.map(|member| member.person));
    }
    Ok(listed)
}

/// `None` where there is none, or one that cannot be used.
async fn usable_file<P: Ports>(run: &Run<'_, P>, team: &TeamName) -> Result<Option<TeamFile>, SyncError> {
    let stored = run.team_file(&layout::team_file(team)).await?;
    Ok(stored.and_then(|stored| TeamFile::parse(team, &stored.bytes).ok()))
}
