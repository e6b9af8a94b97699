//! Step 8: those who come. Each is held in their own document first, so that whoever signs in a moment later is given
//! the team, and invited once: creating the account is the lock.

use std::sync::atomic::{AtomicUsize, Ordering};

use futures::stream::{self, StreamExt};
use jiff::{SignedDuration, Timestamp};
use shared::crew::{Invitation, JoinMarker, Member, MemberState, Person, Roster};
use shared::layout;
use shared::name::TeamName;
use shared::port::Store;
use shared::port::crew::{Account, AccountStatus, CrewError, Directory, InviteOutcome};

use crate::member::{Moved, Standing};
use crate::reconcile::in_state;
use crate::run::Run;
use crate::{Ports, SyncError, person};

/// People served side by side. The pace is the user pool's; this is what keeps it busy over slow answers.
pub(crate) const AT_ONCE: usize = 32;
/// After so many failures nobody else is begun: it is not these people.
const TOO_MANY: usize = 64;

/// What became of a list of people.
#[derive(Debug, Default)]
pub(crate) struct Served {
    pub(crate) moved: Vec<Moved>,
    pub(crate) errors: Vec<SyncError>,
    /// Nothing more was begun, for want of time.
    pub(crate) unfinished: bool,
    of: usize,
}

impl Served {
    pub(crate) fn and(mut self, other: Self) -> Self {
        self.moved.extend(other.moved);
        self.errors.extend(other.errors);
        self.unfinished |= other.unfinished;
        self.of += other.of;
        self
    }

    /// One person's failure is the message's, after everybody else.
    pub(crate) fn failure(&self) -> Result<(), SyncError> {
        self.errors.first().map_or(Ok(()), |first| {
            Err(SyncError::People {
                failed: self.errors.len(),
                of: self.of,
                first: first.to_string(),
            })
        })
    }
}

/// Serves each of them, side by side.
pub(crate) async fn each<P, F>(run: &Run<'_, P>, members: Vec<Member>, serve: impl Fn(Member) -> F) -> Served
where
    P: Ports,
    F: Future<Output = Result<Option<Standing>, SyncError>>,
{
    let (of, failed) = (members.len(), AtomicUsize::new(0));
    let failed = &failed;
    let mut done = stream::iter(members)
        .map(|member| {
            let (person, from) = (member.person.clone(), member.state);
            let stop = run.out_of_time() || failed.load(Ordering::Relaxed) >= TOO_MANY;
            let served = (!stop).then(|| serve(member));
            async move {
                let served = served?.await;
                if served.is_err() {
                    failed.fetch_add(1, Ordering::Relaxed);
                }
                Some(served.map(|to| to.map(|to| Moved { person, from, to })))
            }
        })
        .buffer_unordered(AT_ONCE);
    let mut all = Served {
        of,
        ..Served::default()
    };
    while let Some(one) = done.next().await {
        match one {
            Some(Ok(moved)) => all.moved.extend(moved),
            Some(Err(error)) => all.errors.push(error),
            None => all.unfinished = true,
        }
    }
    all
}

/// Everybody who waits. A mail that was set aside for somebody who did not need it is for the next.
/// `group` is when the team's own group was made.
pub(crate) async fn serve<P: Ports>(
    run: &Run<'_, P>,
    team: &TeamName,
    group: Option<Timestamp>,
    roster: &Roster,
) -> Served {
    let mut waiting = in_state(roster, MemberState::Waiting);
    let mut served = Served::default();
    loop {
        let more = each(run, waiting.clone(), |member| come(run, team, group, member)).await;
        let (moved, failed) = (more.moved.len(), !more.errors.is_empty());
        waiting.retain(|member| !more.moved.iter().any(|moved| moved.person == member.person));
        served = served.and(more);
        if moved == 0 || failed || waiting.is_empty() || !run.mail.is_left().await {
            return served;
        }
    }
}

async fn come<P: Ports>(
    run: &Run<'_, P>,
    team: &TeamName,
    group: Option<Timestamp>,
    member: Member,
) -> Result<Option<Standing>, SyncError> {
    // Written down before any mail: signing in is enough from now on.
    let held = person::hold(run, (team, group), &member.person, &member.email).await?;
    let come = Come {
        run,
        team,
        group,
        id: &member.person,
        email: &held.email,
    };
    if let Some(standing) = come.was_invited(&held).await? {
        return Ok(Some(standing));
    }
    if let Some(account) = come.account(&held).await? {
        return come.has_account(&held, &account).await.map(Some);
    }
    if held.username.is_some() {
        person::forget_account(run, &member.person).await?;
    } else if let Some(problem) = &held.invitation.problem {
        return Ok(Some(Standing::unreachable(problem, run.now())));
    }
    come.invite().await
}

/// One person on the way into one team.
struct Come<'r, 'd, P> {
    run: &'r Run<'d, P>,
    team: &'r TeamName,
    group: Option<Timestamp>,
    id: &'r str,
    email: &'r str,
}

impl<P: Ports> Come<'_, '_, P> {
    /// Invited into this very team, by an invocation that was stopped before it could say so in the roster: a password
    /// set since then has brought the team with it.
    async fn was_invited(&self, person: &Person) -> Result<Option<Standing>, SyncError> {
        let (invitation, now) = (&person.invitation, self.run.now());
        let since = person
            .teams
            .get(self.team.as_str())
            .map(|membership| membership.since);
        let (Some(sub), Some(sent), Some(since)) = (&person.sub, invitation.sent, since) else {
            return Ok(None);
        };
        let ours = invitation.team.as_deref() == Some(self.team.as_str()) && invitation.problem.is_none();
        if !ours || sent < since || self.run.accounts.is_some() {
            return Ok(None);
        }
        let end = sent.checked_add(self.run.invitation_life().await?);
        let standing = Standing::new(MemberState::Invited, sent)
            .sub(sub)
            .invitations(invitation.times);
        Ok(end.is_ok_and(|end| end > now).then_some(standing))
    }

    /// The account there is, as far as one is to be expected: asking for every new person would be a call each.
    async fn account(&self, person: &Person) -> Result<Option<Account>, SyncError> {
        if let Some(all) = &self.run.accounts
            && let Some(account) = all.get(self.id)
            && account.is_theirs(person.sub.as_deref())
        {
            return Ok(Some(account.clone()));
        }
        match person.username {
            Some(_) => Ok(self.run.ports.directory().find(self.email).await?),
            None => Ok(None),
        }
    }

    async fn invite(&self) -> Result<Option<Standing>, SyncError> {
        let (run, directory) = (self.run, self.run.ports.directory());
        if !run.mail.take(run.ports, run.now()).await? {
            return Ok(None);
        }
        let claim = person::claim_first(run, self.id, self.team).await?;
        let invited_now = match directory.invite(self.email, self.team.as_str()).await {
            Ok(invited_now) => invited_now,
            Err(error) => {
                // Not worth failing for: without it the mail counts as sent, and goes again when it would run out.
                let _ = claim.is_unsure(run, self.id).await;
                return Err(error.into());
            }
        };
        match invited_now {
            InviteOutcome::Sent(account) => {
                let now = run.now();
                tracing::info!(team = %self.team, person = self.id, "invited");
                person::record(run, self.id, &account, person::went(now, self.team)).await?;
                Ok(Some(invited(now, &account, 1)))
            }
            InviteOutcome::AlreadyThere => {
                run.mail.give_back().await;
                claim.give_back(run, self.id).await?;
                self.was_there().await.map(Some)
            }
            InviteOutcome::Bounced { reason } => {
                // Known by name all the same: taken out of the file, the account leaves the group.
                if let Some(account) = directory.find(self.email).await? {
                    person::record(run, self.id, &account, Invitation::clone).await?;
                }
                self.cannot_be_reached(&bounced(&reason)).await.map(Some)
            }
            InviteOutcome::NoMailLeft => {
                run.mail.day_is_over(run.ports).await?;
                match directory.find(self.email).await? {
                    Some(account) => claim.made_without_mail(run, self.id, &account).await?,
                    None => claim.give_back(run, self.id).await?,
                }
                Ok(None)
            }
            InviteOutcome::Invalid { reason } => {
                run.mail.give_back().await;
                claim.give_back(run, self.id).await?;
                self.cannot_be_reached(&refused(&reason)).await.map(Some)
            }
        }
    }

    /// Somebody made the account: this function, before it was stopped, another invocation, another team, a person.
    ///
    /// Whether its mail went cannot be asked of Cognito; what is written down about the person says what is known:
    /// - claimed: whoever made the account was stopped after that, or is still at it. Cognito mails in the call that
    ///   makes the account, and finishes it whether or not anybody waits for the answer: it went;
    /// - tried, and answered with a failure or not at all: it may have gone, and may not, as when the trigger that
    ///   words it timed out after the account was made. One more goes: two mails, of which the second is good, are an
    ///   annoyance; none is somebody who never hears of the team;
    /// - nothing: a person made the account, and its mail went with it.
    async fn was_there(&self) -> Result<Standing, SyncError> {
        let Some(account) = self.run.ports.directory().find(self.email).await? else {
            return Err(SyncError::Crew(CrewError::Transient {
                operation: "AdminGetUser",
                reason: "an account that was there is not found".to_owned(),
            }));
        };
        let held = person::hold(self.run, (self.team, self.group), self.id, self.email).await?;
        self.has_account(&held, &account).await
    }

    async fn has_account(&self, person: &Person, account: &Account) -> Result<Standing, SyncError> {
        match account.status {
            _ if !account.is_theirs(person.sub.as_deref()) => self.cannot_be_reached(NOT_SHOWN).await,
            AccountStatus::Confirmed => join(self.run, (self.team, self.group), self.id, account).await,
            AccountStatus::Unconfirmed => self.cannot_be_reached(SIGNED_UP).await,
            AccountStatus::Invited if person.username.is_none() => {
                let mail = person::first_mail(account.modified, self.team);
                let known = person::record(self.run, self.id, account, mail).await?;
                self.may_be_invited(known.as_ref().unwrap_or(person), account)
                    .await
            }
            AccountStatus::Invited => match &person.invitation.problem {
                Some(problem) => Ok(Standing::unreachable(problem, self.run.now())),
                None => self.may_be_invited(person, account).await,
            },
        }
    }

    /// Invited before, by another team perhaps: one invitation is enough, while it is good.
    async fn may_be_invited(&self, person: &Person, account: &Account) -> Result<Standing, SyncError> {
        let sent = &person.invitation;
        let life = self.run.invitation_life().await?;
        let good = |at: Timestamp| at.checked_add(life).is_ok_and(|end| end > self.run.now());
        // Whoever was put into the team since then gets new ones; otherwise all count, also one nobody is sure of.
        let membership = person.teams.get(self.team.as_str());
        let anew = |sent: Timestamp| {
            let sure = sent.saturating_add(CLOCKS_APART).unwrap_or(sent);
            membership.is_some_and(|membership| membership.since > sure)
        };
        let times = if sent.sent.is_some_and(anew) {
            1
        } else {
            sent.times + 1
        };
        match sent.sent.filter(|at| good(*at)) {
            Some(at) => Ok(invited(at, account, sent.times)),
            None if times > self.run.ports.settings().max_invitations => {
                Ok(invited(account.modified, account, sent.times))
            }
            None => again(self.run, self.team, self.id, self.email, sent, times).await,
        }
    }

    async fn cannot_be_reached(&self, problem: &str) -> Result<Standing, SyncError> {
        tracing::warn!(team = %self.team, person = self.id, "cannot be reached");
        person::unreachable(self.run, self.id, problem).await?;
        Ok(Standing::unreachable(problem, self.run.now()))
    }
}

/// Two invocations wrote these times, each by its own clock.
const CLOCKS_APART: SignedDuration = SignedDuration::from_hours(1);
const NOT_SHOWN: &str = "an account has this address, and nobody has shown that the address is theirs; if it is the \
                         person's, mark the address as verified in the user pool, then take it out of the file and put \
                         it back";
pub(crate) const SIGNED_UP: &str = "somebody signed up with this address and never proved that it is theirs; delete the account \
                         in the user pool, then take the address out of the file and put it back";

pub(crate) fn bounced(reason: &str) -> String {
    format!(
        "the invitation came back ({reason}); mend the address, or, if it is right, take it out of the file and put it \
         back to try once more"
    )
}

pub(crate) fn refused(reason: &str) -> String {
    format!("the user pool does not take the address ({reason}); mend it")
}

pub(crate) fn invited(at: Timestamp, account: &Account, times: u32) -> Standing {
    Standing::new(MemberState::Invited, at)
        .sub(&account.sub)
        .invitations(times)
}

/// Has a password already: into the group at once, without a mail.
pub(crate) async fn join<P: Ports>(
    run: &Run<'_, P>,
    (team, group): (&TeamName, Option<Timestamp>),
    id: &str,
    account: &Account,
) -> Result<Standing, SyncError> {
    person::hold(run, (team, group), id, &account.email).await?;
    person::record(run, id, account, Invitation::clone).await?;
    if !run
        .ports
        .directory()
        .add_to_group(&account.username, team.as_str())
        .await?
    {
        return Err(SyncError::Crew(CrewError::Transient {
            operation: "AdminAddUserToGroup",
            reason: "an account that was there is not found".to_owned(),
        }));
    }
    mark_joined(run, team, id, account).await?;
    tracing::info!(%team, person = id, "put into the group");
    Ok(Standing::new(MemberState::Joined, run.now()).sub(&account.sub))
}

/// Once; its event makes this function tell of it.
pub(crate) async fn mark_joined<P: Ports>(
    run: &Run<'_, P>,
    team: &TeamName,
    id: &str,
    account: &Account,
) -> Result<(), SyncError> {
    let joined = JoinMarker {
        at: run.now(),
        username: account.username.clone(),
        sub: account.sub.clone(),
    };
    let body = serde_json::to_vec(&joined).unwrap_or_default();
    let key = layout::join_marker(team, id);
    run.ports
        .store()
        .create(&key, body, &std::collections::BTreeMap::new())
        .await?;
    Ok(())
}

/// Another mail to somebody who has not set a password. It is written down before it is sent.
pub(crate) async fn again<P: Ports>(
    run: &Run<'_, P>,
    team: &TeamName,
    id: &str,
    email: &str,
    seen: &Invitation,
    times: u32,
) -> Result<Standing, SyncError> {
    let (ports, now) = (run.ports, run.now());
    if !run.mail.take(ports, now).await? {
        return Ok(Standing::new(MemberState::Waiting, now));
    }
    let claimed = Invitation {
        sent: Some(now),
        times,
        team: Some(team.to_string()),
        problem: None,
    };
    let standing = |times| Standing::new(MemberState::Invited, now).invitations(times);
    if !person::claim_mail(run, id, seen, &claimed).await? {
        run.mail.give_back().await;
        return Ok(standing(times));
    }
    match ports.directory().invite_again(email, team.as_str()).await? {
        InviteOutcome::Sent(_) => {
            tracing::info!(%team, person = id, times, "invited again");
            Ok(standing(times))
        }
        // A password has been set meanwhile: the sweep, or the sign-in itself, does the rest.
        InviteOutcome::AlreadyThere => {
            run.mail.give_back().await;
            person::claim_mail(run, id, &claimed, seen).await?;
            Ok(standing(seen.times))
        }
        InviteOutcome::NoMailLeft => {
            run.mail.day_is_over(ports).await?;
            person::claim_mail(run, id, &claimed, seen).await?;
            Ok(Standing::new(MemberState::Waiting, now))
        }
        InviteOutcome::Bounced { reason } => {
            let problem = bounced(&reason);
            tracing::warn!(%team, person = id, "cannot be reached");
            person::unreachable(run, id, &problem).await?;
            Ok(Standing::unreachable(&problem, now))
        }
        InviteOutcome::Invalid { reason } => {
            run.mail.give_back().await;
            let problem = refused(&reason);
            tracing::warn!(%team, person = id, "cannot be reached");
            person::unreachable(run, id, &problem).await?;
            Ok(Standing::unreachable(&problem, now))
        }
    }
}
