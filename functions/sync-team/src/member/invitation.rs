//! What is known of a person's mail, and claims on it: written down before a mail goes, so that no other process sends it.

use jiff::Timestamp;
use shared::crew::{Invitation, MemberState};
use shared::name::TeamName;
use shared::port::crew::Account;

use crate::error::SyncError;
use crate::member::person;
use crate::member::update::NextState;
use crate::ports::Ports;
use crate::run::Run;

pub(crate) const UNPROVEN_ADDRESS: &str = "an account has this address, and nothing shows that the address is its owner's; if it \
                         is the person's, mark the address as verified in the user pool, then take it out of the file and put \
                         it back";
pub(crate) const UNCONFIRMED_SIGN_UP: &str = "an account signed up with this address and never proved that the address is its \
                         owner's; delete the account in the user pool, then take the address out of the file and put it back";

pub(crate) fn bounced_mail(reason: &str) -> String {
    format!(
        "the invitation came back ({reason}); fix the address, or, if it is right, take it out of the file and put it \
         back to try once more"
    )
}

pub(crate) fn refused_address(reason: &str) -> String {
    format!("the user pool refuses the address ({reason}); fix it")
}

pub(crate) fn invited_state(at: Timestamp, account: &Account, times: u32) -> NextState {
    NextState::new(MemberState::Invited, at)
        .with_sub(&account.sub)
        .with_invitations(times)
}

/// Writes down that a mail is about to go, before it goes. `false`: another process is about to send it.
pub(crate) async fn claim_mail<P: Ports>(
    run: &Run<'_, P>,
    person: &str,
    seen: &Invitation,
    claim: &Invitation,
) -> Result<bool, SyncError> {
    let (mut is_ours, mut is_written) = (false, false);
    person::update(run, person, |before| {
        let mut after = before?.clone();
        if is_written && after.invitation == *claim {
            // Our own write, whose answer was lost. Two processes do not claim in the same nanosecond.
            is_ours = true;
            return None;
        }
        is_ours = after.invitation == *seen;
        is_written = is_ours;
        is_ours.then(|| {
            after.invitation = claim.clone();
            after
        })
    })
    .await?;
    Ok(is_ours)
}

/// A claim on a person's first mail.
#[derive(Debug)]
pub(crate) struct FirstMailClaim {
    claim: Invitation,
    /// What was known before. `None`: another process has the claim; it has been stopped since, or is still sending.
    before: Option<Invitation>,
}

/// Writes down that an account is about to be made, and its mail with it: a process that is stopped in between has said so.
pub(crate) async fn claim_first_mail<P: Ports>(
    run: &Run<'_, P>,
    person: &str,
    team: &TeamName,
) -> Result<FirstMailClaim, SyncError> {
    let mut first = FirstMailClaim {
        claim: sent_at(run.current_time(), team)(&Invitation::default()),
        before: None,
    };
    person::update(run, person, |known| {
        let mut after = known?.clone();
        if after.invitation.sent.is_some() {
            return None;
        }
        let before = std::mem::replace(&mut after.invitation, first.claim.clone());
        first.before = Some(before);
        Some(after)
    })
    .await?;
    Ok(first)
}

impl FirstMailClaim {
    /// The mail did not go.
    pub(crate) async fn release<P: Ports>(&self, run: &Run<'_, P>, person: &str) -> Result<(), SyncError> {
        if let Some(before) = &self.before {
            claim_mail(run, person, &self.claim, before).await?;
        }
        Ok(())
    }

    /// The mail did not go, though the account was made: its name is known, and no mail is counted. A process that found the
    /// account in between has taken the claim for a mail that went.
    pub(crate) async fn release_for_account<P: Ports>(
        &self,
        run: &Run<'_, P>,
        person: &str,
        account: &Account,
    ) -> Result<(), SyncError> {
        let believed = self.claim.sent.map(|sent| Invitation {
            sent: Some(sent.max(account.modified)),
            ..self.claim.clone()
        });
        person::update(run, person, |known| {
            let mut after = known?.clone();
            after.username = Some(account.username.clone());
            after.sub = Some(account.sub.clone());
            let known = Some(&after.invitation);
            let is_ours = known == Some(&self.claim) || known == believed.as_ref();
            if let Some(before) = self.before.as_ref().filter(|_| is_ours) {
                after.invitation = before.clone();
            }
            Some(after)
        })
        .await?;
        Ok(())
    }

    /// The mail may have gone.
    pub(crate) async fn mark_unsure<P: Ports>(
        &self,
        run: &Run<'_, P>,
        person: &str,
    ) -> Result<(), SyncError> {
        let unsure = Invitation {
            sent: None,
            ..self.claim.clone()
        };
        if self.before.is_some() {
            claim_mail(run, person, &self.claim, &unsure).await?;
        }
        Ok(())
    }
}

/// The first mail went now.
pub(crate) fn sent_at(now: Timestamp, team: &TeamName) -> impl Fn(&Invitation) -> Invitation + Send + Sync {
    move |before| Invitation {
        sent: Some(now),
        times: before.times.max(1),
        team: Some(team.to_string()),
        problem: None,
    }
}

/// The first mail of an account that exists since `made`. It may have been claimed long before it went, by a process that
/// was stopped in between; it cannot have gone before the account was made.
pub(crate) fn sent_with_account(
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
