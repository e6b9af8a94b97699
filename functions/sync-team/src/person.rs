//! The documents under `people/`, changed by compare-and-swap alone.

use jiff::Timestamp;
use shared::crew::{Invitation, Membership, Person};
use shared::layout;
use shared::name::TeamName;
use shared::port::crew::Account;
use shared::port::{Bucket, ReplaceOutcome, Store};

use crate::mail::damaged;
use crate::run::Run;
use crate::{Ports, SyncError};

const TRIES: usize = 20;

/// Reads the document, lets `decide` change it (`None`: leave it as it is) and writes it, until nobody came between.
/// Gives the document as it is afterwards.
pub(crate) async fn change<P: Ports>(
    run: &Run<'_, P>,
    person: &str,
    mut decide: impl FnMut(Option<&Person>) -> Option<Person> + Send,
) -> Result<Option<Person>, SyncError> {
    let (store, key) = (run.ports.store(), layout::person(person));
    for _ in 0..TRIES {
        let stored = store.get(Bucket::Output, &key, None).await?;
        let before: Option<Person> = match &stored {
            Some(stored) => Some(serde_json::from_slice(&stored.bytes).map_err(|_| damaged(&key))?),
            None => None,
        };
        let Some(after) = decide(before.as_ref()).filter(|after| before.as_ref() != Some(after)) else {
            return Ok(before);
        };
        let etag = stored.as_ref().map(|stored| stored.etag.as_str());
        let body = serde_json::to_vec(&after).unwrap_or_default();
        if let ReplaceOutcome::Done { .. } = store.replace(&key, body, etag).await? {
            return Ok(Some(after));
        }
    }
    Err(SyncError::Contended {
        what: key,
        tries: TRIES,
    })
}

/// The person belongs to the team from now on, whatever happens next. Whoever is put in anew is tried anew. `group` is
/// when the team's own group was made: a sign-in puts people into no other.
pub(crate) async fn hold<P: Ports>(
    run: &Run<'_, P>,
    (team, group): (&TeamName, Option<Timestamp>),
    person: &str,
    email: &str,
) -> Result<Person, SyncError> {
    let (now, pool) = (run.now(), run.ports.settings().user_pool.as_str());
    let held = |before: Option<&Person>| {
        let mut held = before.cloned().unwrap_or_else(|| nobody(email, pool));
        if held.user_pool != pool {
            // Accounts of another pool are other accounts.
            held = Person {
                teams: held.teams,
                ..nobody(email, pool)
            };
        }
        match held.teams.get_mut(team.as_str()) {
            Some(membership) => membership.group = group.or(membership.group),
            None => {
                let membership = Membership { since: now, group };
                held.teams.insert(team.to_string(), membership);
                if held.invitation.problem.is_some() {
                    held.invitation = Invitation::default();
                }
            }
        }
        held
    };
    let after = change(run, person, |before| Some(held(before))).await?;
    Ok(after.unwrap_or_else(|| held(None)))
}

fn nobody(email: &str, pool: &str) -> Person {
    Person {
        email: email.to_owned(),
        user_pool: pool.to_owned(),
        username: None,
        sub: None,
        teams: std::collections::BTreeMap::new(),
        invitation: Invitation::default(),
    }
}

/// The account is this person's. `invitation` is asked what is to be known of the mail, given what is.
pub(crate) async fn record<P: Ports>(
    run: &Run<'_, P>,
    person: &str,
    account: &Account,
    invitation: impl Fn(&Invitation) -> Invitation + Send + Sync,
) -> Result<Option<Person>, SyncError> {
    change(run, person, |before| {
        let before = before?.clone();
        Some(Person {
            username: Some(account.username.clone()),
            sub: Some(account.sub.clone()),
            invitation: invitation(&before.invitation),
            ..before
        })
    })
    .await
}

/// There is no account any more, or never was.
pub(crate) async fn forget_account<P: Ports>(run: &Run<'_, P>, person: &str) -> Result<(), SyncError> {
    change(run, person, |before| {
        Some(Person {
            username: None,
            sub: None,
            invitation: Invitation::default(),
            ..before?.clone()
        })
    })
    .await?;
    Ok(())
}

pub(crate) async fn unreachable<P: Ports>(
    run: &Run<'_, P>,
    person: &str,
    problem: &str,
) -> Result<(), SyncError> {
    change(run, person, |before| {
        let mut after = before?.clone();
        after.invitation.problem = Some(problem.to_owned());
        Some(after)
    })
    .await?;
    Ok(())
}

/// Writes down that a mail is about to go, before it goes. `false`: somebody else is about to send it.
pub(crate) async fn claim_mail<P: Ports>(
    run: &Run<'_, P>,
    person: &str,
    seen: &Invitation,
    claimed: &Invitation,
) -> Result<bool, SyncError> {
    let (mut ours, mut tried) = (false, false);
    change(run, person, |before| {
        let mut after = before?.clone();
        if tried && after.invitation == *claimed {
            // Met with itself: the answer to the first try was lost. Two do not claim in the same nanosecond.
            ours = true;
            return None;
        }
        ours = after.invitation == *seen;
        tried = ours;
        ours.then(|| {
            after.invitation = claimed.clone();
            after
        })
    })
    .await?;
    Ok(ours)
}

/// That a first mail is about to go.
#[derive(Debug)]
pub(crate) struct Claim {
    claimed: Invitation,
    /// What was known before; `None`: somebody else has claimed it, and has been stopped since, or is still at it.
    before: Option<Invitation>,
}

/// Writes down that an account is about to be made, and its mail with it: whoever is stopped in between has said so.
pub(crate) async fn claim_first<P: Ports>(
    run: &Run<'_, P>,
    person: &str,
    team: &TeamName,
) -> Result<Claim, SyncError> {
    let mut claim = Claim {
        claimed: went(run.now(), team)(&Invitation::default()),
        before: None,
    };
    change(run, person, |known| {
        let mut after = known?.clone();
        if after.invitation.sent.is_some() {
            return None;
        }
        let before = std::mem::replace(&mut after.invitation, claim.claimed.clone());
        claim.before = Some(before);
        Some(after)
    })
    .await?;
    Ok(claim)
}

impl Claim {
    /// It did not go.
    pub(crate) async fn give_back<P: Ports>(&self, run: &Run<'_, P>, person: &str) -> Result<(), SyncError> {
        if let Some(before) = &self.before {
            claim_mail(run, person, &self.claimed, before).await?;
        }
        Ok(())
    }

    /// It did not go, though the account was made: its name is known, and no mail is counted. Somebody who met the account
    /// meanwhile has taken the claim for a mail that went.
    pub(crate) async fn made_without_mail<P: Ports>(
        &self,
        run: &Run<'_, P>,
        person: &str,
        account: &Account,
    ) -> Result<(), SyncError> {
        let believed = self.claimed.sent.map(|sent| Invitation {
            sent: Some(sent.max(account.modified)),
            ..self.claimed.clone()
        });
        change(run, person, |known| {
            let mut after = known?.clone();
            after.username = Some(account.username.clone());
            after.sub = Some(account.sub.clone());
            let known = Some(&after.invitation);
            let is_ours = known == Some(&self.claimed) || known == believed.as_ref();
            if let Some(before) = self.before.as_ref().filter(|_| is_ours) {
                after.invitation = before.clone();
            }
            Some(after)
        })
        .await?;
        Ok(())
    }

    /// It may have gone.
    pub(crate) async fn is_unsure<P: Ports>(&self, run: &Run<'_, P>, person: &str) -> Result<(), SyncError> {
        let unsure = Invitation {
            sent: None,
            ..self.claimed.clone()
        };
        if self.before.is_some() {
            claim_mail(run, person, &self.claimed, &unsure).await?;
        }
        Ok(())
    }
}

/// The first mail has gone now.
pub(crate) fn went(now: Timestamp, team: &TeamName) -> impl Fn(&Invitation) -> Invitation + Send + Sync {
    move |before| Invitation {
        sent: Some(now),
        times: before.times.max(1),
        team: Some(team.to_string()),
        problem: None,
    }
}

/// The first mail, of an account that is `made` since then. It may have been claimed long before it went, by somebody who
/// was stopped in between; it cannot have gone before the account was made.
pub(crate) fn first_mail(
    made: Timestamp,
    team: &TeamName,
) -> impl Fn(&Invitation) -> Invitation + Send + Sync {
    move |before| match before.times {
        0 => Invitation {
            sent: Some(made),
            times: 1,
            team: Some(team.to_string()),
            problem: None,
        },
        _ => Invitation {
            sent: before.sent.map(|claimed| claimed.max(made)),
            ..before.clone()
        },
    }
}
