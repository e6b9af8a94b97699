//! What lost events left undone in one team, from a listing of all accounts: a password set without the trigger, an
//! invitation about to run out, an account deleted by hand, somebody put back into the group by an older file.

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};
use shared::crew::{Invitation, Member, MemberState, Person, Roster};
use shared::layout;
use shared::name::TeamName;
use shared::port::crew::{Account, AccountStatus, Directory};
use shared::port::{Bucket, Store};

use crate::leave::Places;
use crate::member::{self, Standing};
use crate::people::{self, Served, each};
use crate::problems::tell_unreachable;
use crate::run::Run;
use crate::{Ports, SyncError, joined, leave, own, person, roster};

/// A mail goes out again so long before the temporary password runs out; where that is good for a few days only, in the
/// last quarter of its time.
fn before(life: SignedDuration) -> SignedDuration {
    SignedDuration::from_hours(24).min(life / 4)
}

const GONE: &str = "the account was deleted in the user pool; take the address out of the file, or take it out and put \
                    it back to invite the person anew";
/// A listing may lag behind what was just made.
const LAG: SignedDuration = SignedDuration::from_hours(1);

/// What is to be known of a team that was looked at.
#[derive(Default)]
pub(crate) struct Repaired {
    /// The user names in the team's own group.
    pub(crate) group: BTreeSet<String>,
    /// Somebody's account is gone: another team may have one made for them.
    pub(crate) misses_an_account: bool,
}

fn is_gone(member: &Member) -> bool {
    member.state == MemberState::Unreachable && member.problem.as_deref() == Some(GONE)
}

/// Whoever the listing shows not to be as the roster has them is looked at.
pub(crate) async fn repair<P: Ports>(run: &Run<'_, P>, team: &TeamName) -> Result<Repaired, SyncError> {
    let Some(roster) = roster::change(run, team, |roster| roster.cloned()).await? else {
        return Ok(Repaired::default());
    };
    if roster.members.is_empty() {
        return Ok(Repaired::default());
    }
    // Nobody comes into a group of others, and nobody goes.
    let Some(made) = own::group(run, team, &roster).await?.own() else {
        return Ok(Repaired::default());
    };
    let members = run.ports.directory().members(team.as_str()).await?;
    let group: BTreeSet<String> = members.into_iter().map(|account| account.username).collect();
    let life = run.invitation_life().await?;
    let look = Look {
        run,
        team,
        topic: roster.topic_arn.as_deref(),
        group: &group,
        made,
        life,
    };
    let look = &look;
    let served = each(run, look.worth_a_look(&roster), |member| look.at(member)).await;
    joined::subscribe_come(run, roster.topic_arn.as_deref(), &roster, &served.moved).await?;
    let after = written(run, team, &served).await?;
    served.failure()?;
    Ok(Repaired {
        group,
        misses_an_account: after.is_some_and(|after| after.members.iter().any(is_gone)),
    })
}

async fn written<P: Ports>(
    run: &Run<'_, P>,
    team: &TeamName,
    served: &Served,
) -> Result<Option<Roster>, SyncError> {
    let mut moved = served.moved.clone();
    moved.sort_by(|a, b| a.person.cmp(&b.person));
    let after = roster::change(run, team, |before| {
        let mut after = before?.clone();
        member::apply(&mut after, &moved);
        Some(after)
    });
    let after = after.await?;
    if let Some(after) = &after {
        tell_unreachable(run, team, after).await?;
    }
    Ok(after)
}

struct Look<'r, 'd, P> {
    run: &'r Run<'d, P>,
    team: &'r TeamName,
    topic: Option<&'r str>,
    group: &'r BTreeSet<String>,
    /// When the group was made.
    made: Timestamp,
    life: SignedDuration,
}

impl<P: Ports> Look<'_, '_, P> {
    fn account(&self, member: &Member) -> Option<&Account> {
        let account = self.run.accounts.as_ref()?.get(&member.person)?;
        account.is_theirs(member.sub.as_deref()).then_some(account)
    }

    fn older_than(&self, member: &Member, age: SignedDuration) -> bool {
        member
            .since
            .checked_add(age)
            .is_ok_and(|then| then <= self.run.now())
    }

    /// What the listing alone shows to be in order costs no request.
    fn worth_a_look(&self, roster: &Roster) -> Vec<Member> {
        let members = roster.members.iter().filter(|member| self.is_off(member));
        members.cloned().collect()
    }

    fn is_off(&self, member: &Member) -> bool {
        use MemberState::{Expired, Invited, Joined, Leaving, Left, Unreachable, Waiting};
        let account = self.account(member);
        let in_group = account.is_some_and(|account| self.group.contains(&account.username));
        match (member.state, account.map(|account| account.status)) {
            (Waiting | Leaving, _) => false,
            (Left, _) => in_group,
            (Joined, Some(AccountStatus::Confirmed)) => !in_group,
            (_, Some(AccountStatus::Confirmed)) => true,
            (Invited, Some(_)) => self.older_than(member, self.life.saturating_sub(before(self.life))),
            // The same account may have been listed a moment before its password was set.
            (Joined, Some(AccountStatus::Invited)) => {
                account.map(|account| &account.sub) != member.sub.as_ref()
            }
            (Invited | Joined | Expired, None) => self.older_than(member, LAG),
            // Reached for another team since then, perhaps, be it after the accounts were listed.
            (Unreachable, Some(AccountStatus::Invited) | None) => is_gone(member),
            (Joined | Expired | Unreachable, _) => false,
        }
    }

    async fn at(&self, member: Member) -> Result<Option<Standing>, SyncError> {
        let (run, now) = (self.run, self.run.now());
        if member.state == MemberState::Left {
            let from = Places {
                topic: self.topic,
                group: true,
            };
            return leave::go(run, self.team, from, member).await;
        }
        match self.account(&member) {
            Some(account) if account.status == AccountStatus::Confirmed => {
                people::join(run, (self.team, Some(self.made)), &member.person, account)
                    .await
                    .map(Some)
            }
            Some(account) if account.status == AccountStatus::Unconfirmed => {
                // Deleted, and signed up anew by somebody: no mail of ours reaches an account nobody has confirmed.
                person::unreachable(run, &member.person, people::SIGNED_UP).await?;
                Ok(Some(Standing::unreachable(people::SIGNED_UP, now)))
            }
            Some(account) if matches!(member.state, MemberState::Joined | MemberState::Unreachable) => {
                self.made_anew(&member, account).await
            }
            Some(account) => self.runs_out(&member, account).await,
            None if member.state == MemberState::Unreachable => self.invited_since(&member).await,
            None => Ok(Some(Standing::unreachable(GONE, now))),
        }
    }

    /// The account was deleted, and another may have been made after this listing, for another team.
    async fn invited_since(&self, member: &Member) -> Result<Option<Standing>, SyncError> {
        let Some(person) = self.person(member).await? else {
            return Ok(None);
        };
        if person.sub.is_none() || person.sub == member.sub {
            return Ok(None);
        }
        let found = self.run.ports.directory().find(&person.email).await?;
        match found.filter(|account| person.sub.as_ref() == Some(&account.sub)) {
            Some(account) => self.made_anew(member, &account).await,
            None => Ok(None),
        }
    }

    async fn person(&self, member: &Member) -> Result<Option<Person>, SyncError> {
        let key = layout::person(&member.person);
        let stored = self.run.ports.store().get(Bucket::Output, &key, None).await?;
        Ok(stored.and_then(|stored| serde_json::from_slice(&stored.bytes).ok()))
    }

    /// Deleted, and made anew by hand: invited when it was made. Or for another team, which knows what became of the mail.
    async fn made_anew(&self, member: &Member, account: &Account) -> Result<Option<Standing>, SyncError> {
        let joined = member.state == MemberState::Joined;
        let known = person::change(self.run, &member.person, |before| {
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
        self.runs_out(member, account).await
    }

    /// The temporary password is good for a day more, or not any more.
    async fn runs_out(&self, member: &Member, account: &Account) -> Result<Option<Standing>, SyncError> {
        let (run, now) = (self.run, self.run.now());
        let Some(person) = self.person(member).await? else {
            return Ok(None);
        };
        if let Some(problem) = &person.invitation.problem {
            // Met while mailing them for another team; it is the same mailbox.
            return Ok(Some(Standing::unreachable(problem, now)));
        }
        let sent = person.invitation.sent.unwrap_or(account.modified);
        let reaches = |age: SignedDuration| sent.checked_add(age).is_ok_and(|then| then <= now);
        let times = person.invitation.times;
        if !reaches(self.life.saturating_sub(before(self.life))) {
            // Mailed again meanwhile, for another team perhaps.
            return Ok(Some(people::invited(sent, account, times)));
        }
        if times < run.ports.settings().max_invitations {
            let (id, email) = (&member.person, &person.email);
            let again = people::again(run, self.team, id, email, &person.invitation, times + 1).await?;
            if again.state != MemberState::Waiting {
                return Ok(Some(again));
            }
            // No mail today: still invited, and looked at again.
        } else if reaches(self.life) {
            return Ok(Some(Standing::new(MemberState::Expired, now)));
        }
        Ok((member.state != MemberState::Invited).then(|| people::invited(sent, account, times)))
    }
}

/// Markers without their notice, by team.
pub(crate) fn untold(
    joined: &BTreeMap<TeamName, BTreeSet<String>>,
    told: &BTreeMap<TeamName, BTreeSet<String>>,
) -> BTreeMap<TeamName, BTreeSet<String>> {
    let nobody = BTreeSet::new();
    joined
        .iter()
        .map(|(team, people)| {
            let told = told.get(team).unwrap_or(&nobody);
            (
                team.clone(),
                people.difference(told).cloned().collect::<BTreeSet<String>>(),
            )
        })
        .filter(|(_, people)| !people.is_empty())
        .collect()
}
