//! The day's mail: how many invitations may still be sent, over all invocations.
//!
//! The sender a user pool has by itself sends 50 mails a day and account; the day begins at 09:00 UTC
//! (<https://docs.aws.amazon.com/cognito/latest/developerguide/quotas.html>). Mail is set aside in the day's ledger
//! before it is sent: a crash loses what was set aside, and never sends more.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use shared::layout;
use shared::port::{Bucket, ReplaceOutcome, Store, StoreError};
use tokio::sync::Mutex;

use crate::{Ports, SyncError};

/// Set aside at once.
const BLOCK: u32 = 10;
const TRIES: usize = 20;

/// `mail/<day>.json`.
#[derive(Debug, Default, Serialize, Deserialize)]
struct Ledger {
    claimed: u32,
}

/// What this invocation has set aside.
#[derive(Default)]
pub(crate) struct Budget(Mutex<State>);

#[derive(Default)]
struct State {
    day: String,
    left: u32,
    /// The ledger has no more today.
    over: bool,
    /// The sender sends no more today.
    stopped: bool,
}

/// The quota's day.
fn day(now: Timestamp) -> String {
    const BEGINS: SignedDuration = SignedDuration::from_hours(9);
    let shifted = now.saturating_sub(BEGINS).unwrap_or(now);
    shifted.strftime("%Y-%m-%d").to_string()
}

impl Budget {
    /// One mail may be sent; `false`: not today.
    pub(crate) async fn take<P: Ports>(&self, ports: &P, now: Timestamp) -> Result<bool, SyncError> {
        let mut state = self.0.lock().await;
        let today = day(now);
        if state.day != today {
            *state = State {
                day: today,
                ..State::default()
            };
        }
        let Some(limit) = ports.settings().invitations_per_day else {
            return Ok(!state.stopped);
        };
        if state.left == 0 && !state.over && !state.stopped {
            state.left = claim(ports, &state.day, limit).await?;
            state.over = state.left == 0;
            if state.over {
                tracing::info!(
                    day = state.day,
                    "no invitations left; the rest waits for 09:00 UTC"
                );
            }
        }
        if state.left == 0 || state.stopped {
            return Ok(false);
        }
        state.left -= 1;
        Ok(true)
    }

    /// It was not sent.
    pub(crate) async fn give_back(&self) {
        self.0.lock().await.left += 1;
    }

    /// Whether some was given back that another may have.
    pub(crate) async fn is_left(&self) -> bool {
        let state = self.0.lock().await;
        state.left > 0 && !state.stopped
    }

    /// The sender says that the day's mail is used up, by others perhaps.
    pub(crate) async fn day_is_over<P: Ports>(&self, ports: &P) -> Result<(), SyncError> {
        let mut state = self.0.lock().await;
        tracing::warn!(day = state.day, "the sender says that the day's mail is used up");
        state.stopped = true;
        state.left = 0;
        if let Some(limit) = ports.settings().invitations_per_day {
            change(ports, &state.day, |ledger| {
                ledger.claimed = ledger.claimed.max(limit);
            })
            .await?;
        }
        Ok(())
    }

    /// What was set aside and not used is there for others. Not worth failing for.
    pub(crate) async fn end<P: Ports>(&self, ports: &P, now: Timestamp) {
        let mut state = self.0.lock().await;
        let left = std::mem::take(&mut state.left);
        let limited = ports.settings().invitations_per_day.is_some();
        if left == 0 || !limited || state.stopped || state.day != day(now) {
            return;
        }
        if let Err(error) = give_back(ports, &state.day, left).await {
            tracing::warn!(left, %error, "mail set aside and not sent is lost for today");
        }
    }
}

/// How many mails may still be sent today; `None`: as many as the sender sends.
pub(crate) async fn left_today<P: Ports>(ports: &P, now: Timestamp) -> Result<Option<u32>, SyncError> {
    let Some(limit) = ports.settings().invitations_per_day else {
        return Ok(None);
    };
    let mut claimed = 0;
    change(ports, &day(now), |ledger| claimed = ledger.claimed).await?;
    Ok(Some(limit.saturating_sub(claimed)))
}

/// Sets some mail aside; 0: there is none.
async fn claim<P: Ports>(ports: &P, day: &str, limit: u32) -> Result<u32, SyncError> {
    let mut claimed = 0;
    change(ports, day, |ledger| {
        claimed = limit.saturating_sub(ledger.claimed).min(BLOCK);
        ledger.claimed += claimed;
    })
    .await?;
    Ok(claimed)
}

/// Tried once. A conflict may be with this very write, whose answer was lost: given back twice, it would be sent twice.
async fn give_back<P: Ports>(ports: &P, day: &str, left: u32) -> Result<(), SyncError> {
    let key = layout::mail_ledger(day);
    let Some(stored) = ports.store().get(Bucket::Output, &key, None).await? else {
        return Ok(());
    };
    let mut ledger: Ledger = serde_json::from_slice(&stored.bytes).map_err(|_| damaged(&key))?;
    ledger.claimed = ledger.claimed.saturating_sub(left);
    let body = serde_json::to_vec(&ledger).unwrap_or_default();
    match ports.store().replace(&key, body, Some(&stored.etag)).await? {
        ReplaceOutcome::Done { .. } => Ok(()),
        ReplaceOutcome::Changed => Err(SyncError::Contended { what: key, tries: 1 }),
    }
}

async fn change<P: Ports>(
    ports: &P,
    day: &str,
    mut change: impl FnMut(&mut Ledger) + Send,
) -> Result<(), SyncError> {
    let key = layout::mail_ledger(day);
    for _ in 0..TRIES {
        let stored = ports.store().get(Bucket::Output, &key, None).await?;
        let mut ledger = match &stored {
            // Somebody's hand: better no mail than too much.
            Some(stored) => serde_json::from_slice(&stored.bytes).map_err(|_| damaged(&key))?,
            None => Ledger::default(),
        };
        let before = ledger.claimed;
        change(&mut ledger);
        if ledger.claimed == before {
            return Ok(());
        }
        let etag = stored.as_ref().map(|stored| stored.etag.as_str());
        let body = serde_json::to_vec(&ledger).unwrap_or_default();
        if let ReplaceOutcome::Done { .. } = ports.store().replace(&key, body, etag).await? {
            return Ok(());
        }
    }
    Err(SyncError::Contended {
        what: key,
        tries: TRIES,
    })
}

pub(crate) fn damaged(key: &str) -> StoreError {
    StoreError::Refused {
        operation: "GetObject",
        what: key.to_owned(),
        reason: "it is not what this function wrote; remove it or put back an earlier version".to_owned(),
    }
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
