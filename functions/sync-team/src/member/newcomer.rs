//! A person who is to become a member: invited by mail, or added to the group where they have a password.

use jiff::{SignedDuration, Timestamp};
use shared::crew::{Invitation, MemberState, Person};
use shared::name::TeamName;
use shared::port::crew::{Account, AccountStatus, Directory, InviteOutcome};

use crate::error::SyncError;
use crate::member::invitation::{
    UNCONFIRMED_SIGN_UP, UNPROVEN_ADDRESS, bounced_mail, claim_first_mail, invited_state, refused_address,
    sent_at, sent_with_account,
};
use crate::member::join::{account_missing, join};
use crate::member::person;
use crate::member::reinvite::{Recipient, reinvite};
use crate::member::update::NextState;
use crate::ports::Ports;
use crate::run::Run;

/// Two invocations wrote these times, each by its own clock.
const CLOCKS_APART: SignedDuration = SignedDuration::from_hours(1);

/// A person who is to become a member of a team.
pub(crate) struct Newcomer<'r, 'd, P> {
    pub(crate) run: &'r Run<'d, P>,
    pub(crate) team: &'r TeamName,
    /// When the team's own group was made.
    pub(crate) group: Option<Timestamp>,
    pub(crate) id: &'r str,
    pub(crate) email: &'r str,
}

impl<P: Ports> Newcomer<'_, '_, P> {
    /// `None` where there is no mail left today.
    pub(crate) async fn invite_or_join(&self, person: &Person) -> Result<Option<NextState>, SyncError> {
        if let Some(state) = self.earlier_invitation(person).await? {
            return Ok(Some(state));
        }
        if let Some(account) = self.expected_account(person).await? {
            return self.invite_or_join_account(person, &account).await.map(Some);
        }
        if person.username.is_some() {
            person::forget_account(self.run, self.id).await?;
        } else if let Some(problem) = &person.invitation.problem {
            return Ok(Some(NextState::unreachable(problem, self.run.current_time())));
        }
        self.invite().await
    }

    /// Invited into this very team by an invocation that was stopped before it could write the roster: a password set
    /// since then has brought the team with it.
    async fn earlier_invitation(&self, person: &Person) -> Result<Option<NextState>, SyncError> {
        let (invitation, now) = (&person.invitation, self.run.current_time());
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
        let state = NextState::new(MemberState::Invited, sent)
            .with_sub(sub)
            .with_invitations(invitation.times);
        Ok(end.is_ok_and(|end| end > now).then_some(state))
    }

    /// The account, where one is to be expected: asking for every new person would be a call each.
    async fn expected_account(&self, person: &Person) -> Result<Option<Account>, SyncError> {
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

    async fn invite(&self) -> Result<Option<NextState>, SyncError> {
        let (run, directory) = (self.run, self.run.ports.directory());
        if !run.mail.take(run.ports, run.current_time()).await? {
            return Ok(None);
        }
        let claim = claim_first_mail(run, self.id, self.team).await?;
        let invited = match directory.invite(self.email, self.team.as_str()).await {
            Ok(invited) => invited,
            Err(error) => {
                // Not worth failing for: without it the mail counts as sent, and goes again when it would expire.
                let _ = claim.mark_unsure(run, self.id).await;
                return Err(error.into());
            }
        };
        match invited {
            InviteOutcome::Sent(account) => {
                let now = run.current_time();
                tracing::info!(team = %self.team, person = self.id, "member invited");
                person::record_account(run, self.id, &account, sent_at(now, self.team)).await?;
                Ok(Some(invited_state(now, &account, 1)))
            }
            InviteOutcome::AlreadyThere => {
                run.mail.give_back().await;
                claim.release(run, self.id).await?;
                self.found_account().await.map(Some)
            }
            InviteOutcome::Bounced { reason } => {
                // The account is recorded all the same: when the file leaves the person out, it leaves the group.
                if let Some(account) = directory.find(self.email).await? {
                    person::record_account(run, self.id, &account, Invitation::clone).await?;
                }
                self.unreachable(&bounced_mail(&reason)).await.map(Some)
            }
            InviteOutcome::NoMailLeft => {
                run.mail.use_up_today(run.ports).await?;
                match directory.find(self.email).await? {
                    Some(account) => claim.release_for_account(run, self.id, &account).await?,
                    None => claim.release(run, self.id).await?,
                }
                Ok(None)
            }
            InviteOutcome::Invalid { reason } => {
                run.mail.give_back().await;
                claim.release(run, self.id).await?;
                self.unreachable(&refused_address(&reason)).await.map(Some)
            }
        }
    }

    /// The account exists: made by this function before it was stopped, by another invocation, for another team, or by
    /// an admin.
    ///
    /// Cognito does not say whether its mail went. The person's document says what is known:
    /// - claimed: the process that made the account was stopped after that, or is still at work. Cognito mails in the
    ///   call that makes the account, and finishes it even if the caller is gone: the mail went;
    /// - unsure: the call failed or was not answered, as when the trigger that words the mail timed out after the
    ///   account was made. The mail may have gone, so one more goes: two mails, of which the second is good, are an
    ///   annoyance; without one the person never hears of the team;
    /// - nothing: an admin made the account, and its mail went with it.
    async fn found_account(&self) -> Result<NextState, SyncError> {
        let Some(account) = self.run.ports.directory().find(self.email).await? else {
            return Err(account_missing("AdminGetUser"));
        };
        let person = person::add_to_team(self.run, (self.team, self.group), self.id, self.email).await?;
        self.invite_or_join_account(&person, &account).await
    }

    async fn invite_or_join_account(
        &self,
        person: &Person,
        account: &Account,
    ) -> Result<NextState, SyncError> {
        match account.status {
            _ if !account.is_theirs(person.sub.as_deref()) => self.unreachable(UNPROVEN_ADDRESS).await,
            AccountStatus::Confirmed => join(self.run, (self.team, self.group), self.id, account).await,
            AccountStatus::Unconfirmed => self.unreachable(UNCONFIRMED_SIGN_UP).await,
            AccountStatus::Invited if person.username.is_none() => {
                let mail = sent_with_account(account.modified, self.team);
                let known = person::record_account(self.run, self.id, account, mail).await?;
                self.reinvite_if_expired(known.as_ref().unwrap_or(person), account)
                    .await
            }
            AccountStatus::Invited => match &person.invitation.problem {
                Some(problem) => Ok(NextState::unreachable(problem, self.run.current_time())),
                None => self.reinvite_if_expired(person, account).await,
            },
        }
    }

    /// Invited before, perhaps for another team: one invitation is enough while it is valid.
    async fn reinvite_if_expired(&self, person: &Person, account: &Account) -> Result<NextState, SyncError> {
        let sent = &person.invitation;
        let life = self.run.invitation_life().await?;
        let is_valid = |at: Timestamp| {
            at.checked_add(life)
                .is_ok_and(|end| end > self.run.current_time())
        };
        // A person put into the team since then gets new ones; otherwise all count, also one that may not have gone.
        let membership = person.teams.get(self.team.as_str());
        let is_before_team = |sent: Timestamp| {
            let sure = sent.saturating_add(CLOCKS_APART).unwrap_or(sent);
            membership.is_some_and(|membership| membership.since > sure)
        };
        let times = if sent.sent.is_some_and(is_before_team) {
            1
        } else {
            sent.times + 1
        };
        match sent.sent.filter(|at| is_valid(*at)) {
            Some(at) => Ok(invited_state(at, account, sent.times)),
            None if times > self.run.ports.settings().max_invitations => {
                Ok(invited_state(account.modified, account, sent.times))
            }
            None => {
                let person = Recipient {
                    id: self.id,
                    email: self.email,
                };
                reinvite(self.run, self.team, person, sent, times).await
            }
        }
    }

    async fn unreachable(&self, problem: &str) -> Result<NextState, SyncError> {
        tracing::warn!(team = %self.team, person = self.id, "member cannot be reached");
        person::record_problem(self.run, self.id, problem).await?;
        Ok(NextState::unreachable(problem, self.run.current_time()))
    }
}
