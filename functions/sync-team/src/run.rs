//! One invocation: its clock, the time it has, the day's mail, and what it has looked up once for all.

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use shared::crew::MAX_BYTES;
use shared::layout::{self, TEAMS};
use shared::notice::{Notice, announce};
use shared::port::crew::{Account, Directory};
use shared::port::{Bucket, Object, Store, StoreError, StoredObject};
use tokio::sync::OnceCell;
use tokio::time::Instant;

use crate::mail::Budget;
use crate::{Ports, SyncError};

/// The function's timeout is 900 s; the last minute is for what has been begun.
const TIME: Duration = Duration::from_secs(840);

pub(crate) struct Run<'d, P> {
    pub(crate) ports: &'d P,
    pub(crate) mail: Budget,
    /// Every account by the person's id, where all have been listed.
    pub(crate) accounts: Option<BTreeMap<String, Account>>,
    began: Timestamp,
    since: Instant,
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
            mail: Budget::default(),
            accounts: None,
            began: page.date,
            since: Instant::now(),
            invitation_days: OnceCell::new(),
        })
    }

    /// With every account of the user pool, so that what lost events left undone can be found.
    pub(crate) async fn sweep(ports: &'d P) -> Result<Self, SyncError> {
        let run = Self::begin(ports).await?;
        let accounts = ports.directory().accounts().await?;
        let mut by_person = BTreeMap::<String, Account>::new();
        for account in accounts {
            let person = layout::person_id(&account.email);
            // Somebody may have given their own account this address: whoever has shown that it is theirs comes first.
            let shown = |known: &Account| known.verified || !account.verified;
            if !by_person.get(&person).is_some_and(shown) {
                by_person.insert(person, account);
            }
        }
        Ok(Self {
            accounts: Some(by_person),
            ..run
        })
    }

    pub(crate) fn now(&self) -> Timestamp {
        let passed = SignedDuration::try_from(self.since.elapsed()).unwrap_or_default();
        self.began.saturating_add(passed).unwrap_or(self.began)
    }

    /// Nothing new is begun from now on.
    pub(crate) fn out_of_time(&self) -> bool {
        self.since.elapsed() >= TIME
    }

    /// How long a temporary password is good.
    pub(crate) async fn invitation_life(&self) -> Result<SignedDuration, SyncError> {
        let days = self
            .invitation_days
            .get_or_try_init(|| self.ports.directory().invitation_days())
            .await?;
        Ok(SignedDuration::from_hours(24 * i64::from(*days)))
    }

    pub(crate) async fn tell(&self, notice: &Notice) -> Result<(), SyncError> {
        announce(self.ports.store(), self.ports.topic(), notice, self.now()).await?;
        Ok(())
    }

    /// A team's file; of one that is too large, enough to refuse it.
    pub(crate) async fn team_file(&self, key: &str) -> Result<Option<StoredObject>, StoreError> {
        let range = 0..MAX_BYTES as u64 + 1;
        self.ports.store().get(Bucket::Input, key, Some(range)).await
    }

    /// All pages.
    pub(crate) async fn list(&self, bucket: Bucket, prefix: &str) -> Result<Vec<Object>, StoreError> {
        let (mut objects, mut token) = (Vec::new(), None::<String>);
        loop {
            let page = self
                .ports
                .store()
                .list(bucket, prefix, false, token.as_deref())
                .await?;
            objects.extend(page.objects);
            token = page.next;
            if token.is_none() {
                return Ok(objects);
            }
        }
    }

    /// Gives back the mail that was set aside and not sent.
    pub(crate) async fn end(self) {
        self.mail.end(self.ports, self.now()).await;
    }
}

/// Prefix of all team files.
pub(crate) fn team_files() -> String {
    format!("{TEAMS}/")
}
