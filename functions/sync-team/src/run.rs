//! One invocation: its clock, the time it has, the day's mail, and what it looks up once.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use shared::crew::MAX_BYTES;
use shared::documents;
use shared::layout::{self, TEAMS};
use shared::notice::{self, Notice};
use shared::port::crew::{Account, Directory};
use shared::port::{Bucket, Object, Store, StoreError, StoredObject};
use tokio::sync::OnceCell;
use tokio::time::Instant;

use crate::error::SyncError;
use crate::mail::MailBudget;
use crate::ports::Ports;

/// The function's timeout is 900 s; the last minute is for work that has begun.
const TIME_FOR_NEW_WORK: Duration = Duration::from_secs(840);

pub(crate) struct Run<'d, P> {
    pub(crate) ports: &'d P,
    pub(crate) mail: MailBudget,
    /// Every account by the person's id, where all have been listed.
    pub(crate) accounts: Option<BTreeMap<String, Account>>,
    start: Timestamp,
    started: Instant,
    invitation_days: OnceCell<u16>,
}

impl<'d, P: Ports> Run<'d, P> {
    /// By S3's clock.
    pub(crate) async fn begin(ports: &'d P) -> Result<Self, StoreError> {
        let page = ports
            .store()
            .list(Bucket::Input, &team_files(), false, None)
            .await?;
        Ok(Self {
            ports,
            mail: MailBudget::default(),
            accounts: None,
            start: page.date,
            started: Instant::now(),
            invitation_days: OnceCell::new(),
        })
    }

    /// With every account of the user pool, so that what lost events left undone can be found.
    pub(crate) async fn begin_sweep(ports: &'d P) -> Result<Self, SyncError> {
        let run = Self::begin(ports).await?;
        let accounts = ports.directory().accounts().await?;
        let mut by_person = BTreeMap::<String, Account>::new();
        for account in accounts {
            let person = layout::person_id(&account.email);
            // A person may have given their own account this address: an account with a verified address comes first.
            let comes_first = |known: &Account| known.verified || !account.verified;
            if !by_person.get(&person).is_some_and(comes_first) {
                by_person.insert(person, account);
            }
        }
        Ok(Self {
            accounts: Some(by_person),
            ..run
        })
    }

    pub(crate) fn current_time(&self) -> Timestamp {
        let passed = SignedDuration::try_from(self.started.elapsed()).unwrap_or_default();
        self.start.saturating_add(passed).unwrap_or(self.start)
    }

    /// No new work is begun from now on.
    pub(crate) fn is_out_of_time(&self) -> bool {
        self.started.elapsed() >= TIME_FOR_NEW_WORK
    }

    /// How long a temporary password is valid.
    pub(crate) async fn invitation_life(&self) -> Result<SignedDuration, SyncError> {
        let days = self
            .invitation_days
            .get_or_try_init(|| self.ports.directory().invitation_days())
            .await?;
        Ok(SignedDuration::from_hours(24 * i64::from(*days)))
    }

    /// Publishes a notice, once.
    pub(crate) async fn announce(&self, notice: &Notice) -> Result<(), SyncError> {
        notice::announce(
            self.ports.store(),
            self.ports.topic(),
            notice,
            self.current_time(),
        )
        .await?;
        Ok(())
    }

    /// A team's file; of one that is too large, enough to refuse it.
    pub(crate) async fn team_file(&self, key: &str) -> Result<Option<StoredObject>, StoreError> {
        let range = 0..MAX_BYTES as u64 + 1;
        self.ports.store().get(Bucket::Input, key, Some(range)).await
    }

    pub(crate) async fn list(&self, bucket: Bucket, prefix: &str) -> Result<Vec<Object>, StoreError> {
        documents::list_all(self.ports.store(), bucket, prefix).await
    }

    /// The last parts of the ids of notices with this prefix that have been announced.
    pub(crate) async fn announced_ids(&self, prefix: &str) -> Result<BTreeSet<String>, StoreError> {
        let prefix = layout::notice_marker(prefix);
        let markers = self.list(Bucket::Output, &prefix).await?;
        let names = markers
            .iter()
            .filter_map(|object| object.key.strip_prefix(&prefix));
        Ok(names.map(str::to_owned).collect())
    }

    /// Gives back the mail that was set aside and not sent.
    pub(crate) async fn end(self) {
        self.mail.end(self.ports, self.current_time()).await;
    }
}

/// Prefix of all team files.
pub(crate) fn team_files() -> String {
    format!("{TEAMS}/")
}
