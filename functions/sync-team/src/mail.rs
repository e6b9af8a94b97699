//! The day's mail: how many invitations may still be sent, over all invocations.
//!
//! The sender a user pool has by itself sends 50 mails a day and account; the day begins at 09:00 UTC
//! (<https://docs.aws.amazon.com/cognito/latest/developerguide/quotas.html>). Mail is set aside in the day's ledger
//! before it is sent: a crash loses what was set aside, and never sends more.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use shared::documents::{self, DocumentError};
use shared::layout;
use shared::port::ReplaceOutcome;
use tokio::sync::Mutex;

use crate::error::SyncError;
use crate::ports::Ports;

/// Mails set aside at once.
const BLOCK: u32 = 10;

/// `mail/<day>.json`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
struct Ledger {
    claimed: u32,
}

/// What this invocation has set aside.
#[derive(Default)]
pub(crate) struct MailBudget(Mutex<MailState>);

#[derive(Default)]
struct MailState {
    day: String,
    left: u32,
    /// The ledger has no more today.
    is_used_up: bool,
    /// The sender sends no more today.
    is_stopped: bool,
}

/// The quota's day.
fn day(now: Timestamp) -> String {
    const BEGINS: SignedDuration = SignedDuration::from_hours(9);
    let shifted = now.saturating_sub(BEGINS).unwrap_or(now);
    shifted.strftime("%Y-%m-%d").to_string()
}

impl MailBudget {
    /// One mail may be sent; `false`: not today.
    pub(crate) async fn take<P: Ports>(&self, ports: &P, now: Timestamp) -> Result<bool, SyncError> {
        let mut state = self.0.lock().await;
        let today = day(now);
        if state.day != today {
            *state = MailState {
                day: today,
                ..MailState::default()
            };
        }
        let Some(limit) = ports.settings().invitations_per_day else {
            return Ok(!state.is_stopped);
        };
        if state.left == 0 && !state.is_used_up && !state.is_stopped {
            state.left = claim(ports, &state.day, limit).await?;
            state.is_used_up = state.left == 0;
            if state.is_used_up {
                tracing::info!(
                    day = state.day,
                    "no invitations left today; the rest waits for 09:00 UTC"
                );
            }
        }
        if state.left == 0 || state.is_stopped {
            return Ok(false);
        }
        state.left -= 1;
        Ok(true)
    }

    /// It was not sent.
    pub(crate) async fn give_back(&self) {
        self.0.lock().await.left += 1;
    }

    /// Whether a mail was given back that another person may have.
    pub(crate) async fn is_left(&self) -> bool {
        let state = self.0.lock().await;
        state.left > 0 && !state.is_stopped
    }

    /// The sender answers that the day's mail is used up, perhaps by other users of the account.
    pub(crate) async fn use_up_today<P: Ports>(&self, ports: &P) -> Result<(), SyncError> {
        let mut state = self.0.lock().await;
        tracing::warn!(day = state.day, "the sender's mail of the day is used up");
        state.is_stopped = true;
        state.left = 0;
        if let Some(limit) = ports.settings().invitations_per_day {
            update_ledger(ports, &state.day, |ledger| {
                ledger.claimed = ledger.claimed.max(limit);
            })
            .await?;
        }
        Ok(())
    }

    /// Gives what was set aside and not used to other invocations. Not worth failing for.
    pub(crate) async fn end<P: Ports>(&self, ports: &P, now: Timestamp) {
        let mut state = self.0.lock().await;
        let left = std::mem::take(&mut state.left);
        let limited = ports.settings().invitations_per_day.is_some();
        if left == 0 || !limited || state.is_stopped || state.day != day(now) {
            return;
        }
        if let Err(error) = give_back(ports, &state.day, left).await {
            tracing::warn!(left, %error, "failed to give back unused mail; it is lost for today");
        }
    }
}

/// How many mails may still be sent today; `None`: as many as the sender sends.
pub(crate) async fn left_today<P: Ports>(ports: &P, now: Timestamp) -> Result<Option<u32>, SyncError> {
    let Some(limit) = ports.settings().invitations_per_day else {
        return Ok(None);
    };
    let ledger = documents::load::<Ledger>(ports.store(), &layout::mail_ledger(&day(now))).await?;
    let claimed = ledger.document.unwrap_or_default().claimed;
    Ok(Some(limit.saturating_sub(claimed)))
}

/// Sets some mail aside; 0: there is none.
async fn claim<P: Ports>(ports: &P, day: &str, limit: u32) -> Result<u32, SyncError> {
    let mut claimed = 0;
    update_ledger(ports, day, |ledger| {
        claimed = limit.saturating_sub(ledger.claimed).min(BLOCK);
        ledger.claimed += claimed;
    })
    .await?;
    Ok(claimed)
}

/// Tried once. A conflict may be with this very write, whose answer was lost: given back twice, it would be sent twice.
async fn give_back<P: Ports>(ports: &P, day: &str, left: u32) -> Result<(), SyncError> {
    let key = layout::mail_ledger(day);
    let ledger = documents::load::<Ledger>(ports.store(), &key).await?;
    let Some(Ledger { claimed }) = ledger.document else {
        return Ok(());
    };
    let after = Ledger {
        claimed: claimed.saturating_sub(left),
    };
    match ledger.replace(ports.store(), &after).await? {
        ReplaceOutcome::Done { .. } => Ok(()),
        ReplaceOutcome::Changed => Err(DocumentError::Contended { key, attempts: 1 }.into()),
    }
}

/// A ledger that cannot be read is an error: better no mail than too much.
async fn update_ledger<P: Ports>(
    ports: &P,
    day: &str,
    mut change: impl FnMut(&mut Ledger) + Send,
) -> Result<(), SyncError> {
    documents::update(
        ports.store(),
        &layout::mail_ledger(day),
        |before: Option<&Ledger>| {
            let before = before.copied().unwrap_or_default();
            let mut after = before;
            change(&mut after);
            (after != before).then_some(after)
        },
    )
    .await?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_day_begins_at_nine() {
        for (now, expected) in [
            ("2026-11-22T08:59:59Z", "2026-11-21"),
            ("2026-11-22T09:00:00Z", "2026-11-22"),
            ("2026-11-23T00:00:00Z", "2026-11-22"),
        ] {
            assert_eq!(day(now.parse().unwrap()), expected);
        }
    }
}
