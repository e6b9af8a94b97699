//! What lost events left undone in one team, from a listing of all accounts: a password set without the trigger, an
//! invitation about to expire, an account deleted by hand, a person put back into the group by an older file.

use std::collections::BTreeSet;

use jiff::{SignedDuration, Timestamp};
use shared::crew::{Invitation, Member, MemberState, Person, Roster};
use shared::documents;
use shared::layout;
use shared::name::TeamName;
use shared::port::crew::{Account, AccountStatus, Directory};

use crate::error::SyncError;
use crate::member::each::{MembersOutcome, for_each};
use crate::member::invitation::{UNCONFIRMED_SIGN_UP, invited_state};
use crate::member::join::join;
use crate::member::join_notice::subscribe_joined;
use crate::member::leave::{self, TeamPlaces};
use crate::member::person;
use crate::member::reinvite::{Recipient, reinvite};
use crate::member::update::{self, NextState};
use crate::ports::Ports;
use crate::problems::announce_unreachable;
use crate::roster;
use crate::run::Run;
use crate::setup::ownership::group_ownership;

/// A mail goes out again so long before the temporary password expires; where that is valid for a few days only, in the
/// last quarter of its time.
fn reminder_time(life: SignedDuration) -> SignedDuration {
    SignedDuration::from_hours(24).min(life / 4)
}

/// A listing may lag behind what was just made.
const LAG: SignedDuration = SignedDuration::from_hours(1);

/// What a repair found out about a team.
#[derive(Default)]
pub(crate) struct RepairOutcome {
    /// The user names in the team's own group.
    pub(crate) group: BTreeSet<String>,
    /// A member's account was deleted: another team may have one made for them.
    pub(crate) misses_an_account: bool,
}

/// Looks at every member whom the listing does not show as the roster has them.
pub(crate) async fn repair<P: Ports>(run: &Run<'_, P>, team: &TeamName) -> Result<RepairOutcome, SyncError> {
    let Some(roster) = roster::load(run, team).await?.document else {
        return Ok(RepairOutcome::default());
    };
    if roster.members.is_empty() {
        return Ok(RepairOutcome::default());
    }
    // No one is added to a group of others, or removed from it.
    let Some(group_made) = group_ownership(run, team, &roster).await?.own_since() else {
        return Ok(RepairOutcome::default());
    };
    let members = run.ports.directory().members(team.as_str()).await?;
    let group: BTreeSet<String> = members.into_iter().map(|account| account.username).collect();
    let life = run.invitation_life().await?;
    let check = MemberCheck {
        run,
        team,
        topic: roster.topic_arn.as_deref(),
        group: &group,
        group_made,
        life,
    };
    let check = &check;
    let outcome = for_each(run, check.members_to_repair(&roster), |member| {
        check.repair(member)
    })
    .await;
    subscribe_joined(run, roster.topic_arn.as_deref(), &roster, &outcome.updates).await?;
    let after = record_members(run, team, &outcome).await?;
    outcome.first_failure()?;
    Ok(RepairOutcome {
        group,
        misses_an_account: after
            .is_some_and(|after| after.members.iter().any(|member| member.account_deleted)),
    })
}

async fn record_members<P: Ports>(
    run: &Run<'_, P>,
    team: &TeamName,
    outcome: &MembersOutcome,
) -> Result<Option<Roster>, SyncError> {
    let updates = outcome.sorted_updates();
    let after = roster::update(run, team, |before| {
        let mut after = before?.clone();
        update::apply(&mut after, &updates);
        Some(after)
    });
    let after = after.await?;
    if let Some(after) = &after {
        announce_unreachable(run, team, after).await?;
    }
    Ok(after)
}

/// One member, compared with the listing of accounts.
struct MemberCheck<'r, 'd, P> {
    run: &'r Run<'d, P>,
    team: &'r TeamName,
    topic: Option<&'r str>,
    group: &'r BTreeSet<String>,
    group_made: Timestamp,
    life: SignedDuration,
}

impl<P: Ports> MemberCheck<'_, '_, P> {
    fn account(&self, member: &Member) -> Option<&Account> {
        let account = self.run.accounts.as_ref()?.get(&member.person)?;
        account.is_theirs(member.sub.as_deref()).then_some(account)
    }

    fn older_than(&self, member: &Member, age: SignedDuration) -> bool {
        member
            .since
            .checked_add(age)
            .is_ok_and(|then| then <= self.run.current_time())
    }

    /// A member whom the listing alone shows to be in order costs no request.
    fn members_to_repair(&self, roster: &Roster) -> Vec<Member> {
        let members = roster.members.iter().filter(|member| self.needs_repair(member));
        members.cloned().collect()
    }

    fn needs_repair(&self, member: &Member) -> bool {
        use MemberState::{Expired, Invited, Joined, Leaving, Left, Unreachable, Waiting};
        let account = self.account(member);
        let in_group = account.is_some_and(|account| self.group.contains(&account.username));
        match (member.state, account.map(|account| account.status)) {
            (Waiting | Leaving, _) => false,
            (Left, _) => in_group,
            (Joined, Some(AccountStatus::Confirmed)) => !in_group,
            (_, Some(AccountStatus::Confirmed)) => true,
            (Invited, Some(_)) => self.older_than(member, self.life.saturating_sub(reminder_time(self.life))),
            // The same account may have been listed a moment before its password was set.
            (Joined, Some(AccountStatus::Invited)) => {
                account.map(|account| &account.sub) != member.sub.as_ref()
            }
            (Invited | Joined | Expired, None) => self.older_than(member, LAG),
            // Another team may have had an account made for them since then, even after the accounts were listed.
            (Unreachable, Some(AccountStatus::Invited) | None) => member.account_deleted,
            (Joined | Expired | Unreachable, _) => false,
        }
    }

    async fn repair(&self, member: Member) -> Result<Option<NextState>, SyncError> {
        let (run, now) = (self.run, self.run.current_time());
        if member.state == MemberState::Left {
            let from = TeamPlaces {
                topic: self.topic,
                group: true,
            };
            return leave::remove(run, self.team, from, member).await;
        }
        match self.account(&member) {
            Some(account) if account.status == AccountStatus::Confirmed => {
                join(run, (self.team, Some(self.group_made)), &member.person, account)
                    .await
                    .map(Some)
            }
            Some(account) if account.status == AccountStatus::Unconfirmed => {
                // Deleted, and signed up again: no mail of ours reaches an account that is not confirmed.
                person::record_problem(run, &member.person, UNCONFIRMED_SIGN_UP).await?;
                Ok(Some(NextState::unreachable(UNCONFIRMED_SIGN_UP, now)))
            }
            Some(account) if matches!(member.state, MemberState::Joined | MemberState::Unreachable) => {
                self.adopt_new_account(&member, account).await
            }
            Some(account) => self.remind_or_expire(&member, account).await,
            None if member.state == MemberState::Unreachable => self.find_new_account(&member).await,
            None => Ok(Some(NextState::account_deleted(now))),
        }
    }

    /// The account was deleted, and another may have been made after this listing, for another team.
    async fn find_new_account(&self, member: &Member) -> Result<Option<NextState>, SyncError> {
        let Some(person) = self.person(member).await? else {
            return Ok(None);
        };
        if person.sub.is_none() || person.sub == member.sub {
            return Ok(None);
        }
        let found = self.run.ports.directory().find(&person.email).await?;
        match found.filter(|account| person.sub.as_ref() == Some(&account.sub)) {
            Some(account) => self.adopt_new_account(member, &account).await,
            None => Ok(None),
        }
    }

    async fn person(&self, member: &Member) -> Result<Option<Person>, SyncError> {
        let key = layout::person(&member.person);
        let person = documents::load_if_readable(self.run.ports.store(), &key).await?;
        Ok(person.document)
    }

    /// Deleted, and made again by hand: invited when it was made. Or made for another team, which knows whether its mail
    /// went.
    async fn adopt_new_account(
        &self,
        member: &Member,
        account: &Account,
    ) -> Result<Option<NextState>, SyncError> {
        let joined = member.state == MemberState::Joined;
        let known = person::update(self.run, &member.person, |before| {
            let before = before.filter(|before| before.sub.as_ref() != Some(&account.sub))?;
            let is_by_hand = joined || before.invitation.problem.is_none();
            is_by_hand.then(|| Person {
                username: Some(account.username.clone()),
                sub: Some(account.sub.clone()),
                invitation: Invitation {
                    sent: Some(account.modified),
                    times: 1,
                    ..Invitation::default()
                },
                ..before.clone()
            })
        });
        known.await?;
        self.remind_or_expire(member, account).await
    }

    /// The temporary password is valid for a day more, or has expired.
    async fn remind_or_expire(
        &self,
        member: &Member,
        account: &Account,
    ) -> Result<Option<NextState>, SyncError> {
        let (run, now) = (self.run, self.run.current_time());
        let Some(person) = self.person(member).await? else {
            return Ok(None);
        };
        if let Some(problem) = &person.invitation.problem {
            // Found while mailing them for another team; it is the same mailbox.
            return Ok(Some(NextState::unreachable(problem, now)));
        }
        let sent = person.invitation.sent.unwrap_or(account.modified);
        let reaches = |age: SignedDuration| sent.checked_add(age).is_ok_and(|then| then <= now);
        let times = person.invitation.times;
        if !reaches(self.life.saturating_sub(reminder_time(self.life))) {
            // SentInvitation again in between, perhaps for another team.
            return Ok(Some(invited_state(sent, account, times)));
        }
        if times < run.ports.settings().max_invitations {
            let recipient = Recipient {
                id: &member.person,
                email: &person.email,
            };
            let next = reinvite(run, self.team, recipient, &person.invitation, times + 1).await?;
            if next.state != MemberState::Waiting {
                return Ok(Some(next));
            }
            // No mail today: still invited, and looked at again.
        } else if reaches(self.life) {
            return Ok(Some(NextState::new(MemberState::Expired, now)));
        }
        Ok((member.state != MemberState::Invited).then(|| invited_state(sent, account, times)))
    }
}
