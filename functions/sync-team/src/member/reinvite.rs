//! Another mail to a person who has not set a password. It is written down before it is sent.

use shared::crew::{Invitation, MemberState};
use shared::name::TeamName;
use shared::port::crew::{Directory, InviteOutcome};

use crate::error::SyncError;
use crate::member::invitation::{bounced_mail, claim_mail, refused_address};
use crate::member::person;
use crate::member::update::NextState;
use crate::ports::Ports;
use crate::run::Run;

/// The person a mail is for.
#[derive(Clone, Copy)]
pub(crate) struct Recipient<'a> {
    pub(crate) id: &'a str,
    pub(crate) email: &'a str,
}

/// `seen` is what is known of the mails so far, `times` how many there are with this one.
pub(crate) async fn reinvite<P: Ports>(
    run: &Run<'_, P>,
    team: &TeamName,
    person: Recipient<'_>,
    seen: &Invitation,
    times: u32,
) -> Result<NextState, SyncError> {
    let (ports, now, id) = (run.ports, run.current_time(), person.id);
    if !run.mail.take(ports, now).await? {
        return Ok(NextState::new(MemberState::Waiting, now));
    }
    let claim = Invitation {
        sent: Some(now),
        times,
        team: Some(team.to_string()),
        problem: None,
    };
    let invited = |times| NextState::new(MemberState::Invited, now).with_invitations(times);
    if !claim_mail(run, id, seen, &claim).await? {
        run.mail.give_back().await;
        return Ok(invited(times));
    }
    let problem = match ports
        .directory()
        .invite_again(person.email, team.as_str())
        .await?
    {
        InviteOutcome::Sent(_) => {
            tracing::info!(%team, person = id, times, "member invited again");
            return Ok(invited(times));
        }
        // A password has been set in between: the sweep, or the sign-in itself, does the rest.
        InviteOutcome::AlreadyThere => {
            run.mail.give_back().await;
            claim_mail(run, id, &claim, seen).await?;
            return Ok(invited(seen.times));
        }
        InviteOutcome::NoMailLeft => {
            run.mail.use_up_today(ports).await?;
            claim_mail(run, id, &claim, seen).await?;
            return Ok(NextState::new(MemberState::Waiting, now));
        }
        InviteOutcome::Bounced { reason } => bounced_mail(&reason),
        InviteOutcome::Invalid { reason } => {
            run.mail.give_back().await;
            refused_address(&reason)
        }
    };
    tracing::warn!(%team, person = id, "member cannot be reached");
    person::record_problem(run, id, &problem).await?;
    Ok(NextState::unreachable(&problem, now))
}
