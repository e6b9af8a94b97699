//! The clock: every team there is, whatever events said or did not say.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use lambda::HandlerError;
use lambda::metric::Metric;
use serde_json::{Value, json};
use shared::crew::{Roster, TeamFile};
use shared::layout::{self, InputKey, JoinMarkerKey};
use shared::name::TeamName;
use shared::notice::{DigestGroup, Notice, send_digest};
use shared::port::crew::{AccountStatus, Directory};
use shared::port::{Bucket, Store};

use crate::reconcile::{Outcome, reconcile};
use crate::run::{Run, team_files};
use crate::{Ports, SyncError, joined, mail, repair, unlisted};

pub(crate) async fn answer<P: Ports>(ports: &P) -> Result<Value, HandlerError> {
    let failed = |failed, of, first: &SyncError| HandlerError::Sweep {
        failed,
        of,
        first: first.to_string(),
    };
    let run = Run::sweep(ports).await.map_err(|error| failed(1, 1, &error))?;
    let mut sweep = Sweep::default();
    let swept = sweep.all(&run).await;
    let now = run.now();
    if let Err(error) = send_digest(ports.store(), ports.topic(), DigestGroup::Teams, now).await {
        tracing::error!(%error, "the digest of notices was not sent; the next sweep tries again");
        sweep.errors.push(error.into());
    }
    run.end().await;
    count(ports, now).await;
    swept.map_err(|error| failed(1, 1, &error))?;
    match sweep.errors.first() {
        Some(first) => Err(failed(sweep.errors.len(), sweep.teams, first)),
        None => Ok(json!({ "teams": sweep.teams, "joined": sweep.joined, "unlisted": sweep.unlisted })),
    }
}

/// After what was set aside and not sent has been given back.
async fn count<P: Ports>(ports: &P, now: Timestamp) {
    match mail::left_today(ports, now).await {
        Ok(Some(left)) => ports
            .metrics()
            .put(&[(Metric::InvitationsLeftToday, u64::from(left))]),
        Ok(None) => {}
        Err(error) => tracing::warn!(%error, "how many invitations are left today is not known"),
    }
}

#[derive(Default)]
struct Sweep {
    teams: usize,
    joined: usize,
    unlisted: usize,
    errors: Vec<SyncError>,
    /// Teams in which somebody has no account, unless a team after them has had one made.
    missing: Vec<TeamName>,
    /// User names in any team's groups.
    grouped: BTreeSet<String>,
    /// What could not be looked at makes the rest unsure: nobody is called unlisted then.
    partial: bool,
}

impl Sweep {
    async fn all<P: Ports>(&mut self, run: &Run<'_, P>) -> Result<(), SyncError> {
        for object in run.list(Bucket::Input, &team_files()).await? {
            match InputKey::parse(&object.key) {
                InputKey::Team(team) => {
                    self.teams += 1;
                    let done = self.team(run, &team).await;
                    self.note(&team, done);
                }
                InputKey::BadTeam(error) => run.tell(&Notice::team_misnamed(&object.key, &error)).await?,
                _ => {}
            }
        }
        for team in std::mem::take(&mut self.missing) {
            let done = repair::repair(run, &team).await;
            self.note(&team, done.map(|_| ()));
        }
        self.markers(run).await?;
        if !self.partial {
            let listed = self.listed(run).await?;
            self.unlisted += unlisted::find(run, &listed, &self.grouped).await?;
        }
        Ok(())
    }

    fn note(&mut self, team: &TeamName, done: Result<(), SyncError>) {
        if let Err(error) = done {
            tracing::error!(%team, %error, "not brought up to date; the next sweep tries again");
            self.partial = true;
            self.errors.push(error);
        }
    }

    async fn team<P: Ports>(&mut self, run: &Run<'_, P>, team: &TeamName) -> Result<(), SyncError> {
        if run.out_of_time() {
            self.partial = true;
            return Ok(());
        }
        let outcome = reconcile(run, team).await?;
        if outcome == Outcome::Rejected && run.ports.directory().group(team.as_str()).await?.is_none() {
            // Nobody can be put into it before a file that can be used makes it again.
            self.partial = true;
            return Ok(());
        }
        let repaired = repair::repair(run, team).await?;
        self.grouped.extend(repaired.group);
        if repaired.misses_an_account {
            self.missing.push(team.clone());
        }
        let Some(file) = file(run, team).await? else {
            self.partial = true;
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

    /// Whoever has joined and was not told of.
    async fn markers<P: Ports>(&mut self, run: &Run<'_, P>) -> Result<(), SyncError> {
        let mut joined_by_team: BTreeMap<TeamName, BTreeSet<String>> = BTreeMap::new();
        let mut unlisted_markers = BTreeSet::new();
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
        let mut told = BTreeMap::new();
        for team in joined_by_team.keys() {
            told.insert(team.clone(), notified(run, &Notice::joined_prefix(team)).await?);
        }
        for (team, people) in repair::untold(&joined_by_team, &told) {
            self.joined += people.len();
            let done = joined::tell(run, &team, &people).await;
            self.note(&team, done);
        }
        let told = notified(run, Notice::UNLISTED).await?;
        for hash in unlisted_markers.difference(&told) {
            self.unlisted += 1;
            unlisted::tell(run, hash).await?;
        }
        Ok(())
    }

    /// Everybody of every roster, those who have left included: they were on a list.
    async fn listed<P: Ports>(&self, run: &Run<'_, P>) -> Result<BTreeSet<String>, SyncError> {
        let confirmed = |account: &shared::port::crew::Account| account.status == AccountStatus::Confirmed;
        let mut listed = BTreeSet::new();
        if !run.accounts.iter().flat_map(BTreeMap::values).any(confirmed) {
            return Ok(listed);
        }
        for object in run.list(Bucket::Output, layout::CREW).await? {
            let Some(stored) = run.ports.store().get(Bucket::Output, &object.key, None).await? else {
                continue;
            };
            if let Ok(roster) = serde_json::from_slice::<Roster>(&stored.bytes) {
                listed.extend(roster.members.into_iter().map(|member| member.person));
            }
        }
        Ok(listed)
    }
}

async fn notified<P: Ports>(run: &Run<'_, P>, prefix: &str) -> Result<BTreeSet<String>, SyncError> {
    let prefix = layout::notice_marker(prefix);
    let markers = run.list(Bucket::Output, &prefix).await?;
    let names = markers
        .iter()
        .filter_map(|object| object.key.strip_prefix(&prefix));
    Ok(names.map(str::to_owned).collect())
}

/// `None` where it cannot be used.
async fn file<P: Ports>(run: &Run<'_, P>, team: &TeamName) -> Result<Option<TeamFile>, SyncError> {
    let stored = run.team_file(&layout::team_file(team)).await?;
    Ok(stored.and_then(|stored| TeamFile::parse(team, &stored.bytes).ok()))
}
