//! What all parts of one engine share.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::Duration;

use futures::{StreamExt, TryStreamExt, stream};
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::clock::Clock;
use crate::keeper;
use crate::state::{
    Address, Documents, JobRecord, Objects, StoreError, Stored, TeamRecord, WorkforceRecord, keys,
};
use crate::work::Running;
use crate::workforce::CurrentWorkforce;
use crate::{EventSink, Groups, Readable};

/// Documents read at once.
const READERS: usize = 32;

pub(crate) struct Core {
    pub(crate) objects: Arc<dyn Objects>,
    pub(crate) documents: Documents,
    pub(crate) clock: Clock,
    pub(crate) events: Arc<dyn EventSink>,
    pub(crate) place: Place,
    pub(crate) pace: Pace,
    pub(crate) rules: Rules,
    /// Jobs in work, by name in lower case.
    running: RwLock<HashMap<String, Arc<Running>>>,
    /// As last read; the portal follows it.
    pub(crate) workforce: CurrentWorkforce,
    /// Work teams by name in lower case, as last read.
    teams: RwLock<HashMap<String, Arc<TeamRecord>>>,
    /// Job documents by key, with the ETag they were read at: lists of jobs are asked for again and again.
    read: Mutex<HashMap<String, Stored<Arc<JobRecord>>>>,
    /// Documents that could not be read, by key.
    illegible: Mutex<HashSet<String>>,
    /// Jobs that have a keeper.
    kept: Mutex<HashSet<String>>,
    /// Something was created here; the supervisor looks at once.
    pub(crate) look: Notify,
    pub(crate) stop: CancellationToken,
    pub(crate) tasks: TaskTracker,
}

/// Where the engine says it is.
#[derive(Clone, Debug)]
pub(crate) struct Place {
    pub(crate) region: String,
    pub(crate) account: String,
    pub(crate) portal_url: String,
}

impl Place {
    pub(crate) fn arn(&self, resource: &str) -> String {
        format!("arn:aws:sagemaker:{}:{}:{resource}", self.region, self.account)
    }
}

/// What the operator allows.
pub(crate) struct Rules {
    pub(crate) max_running_jobs: usize,
    pub(crate) readable: Vec<Readable>,
    pub(crate) groups: Option<Arc<dyn Groups>>,
}

/// How often the engine looks at what nobody tells it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Pace {
    /// A running job: its own document, expired leases.
    pub(crate) tick: Duration,
    /// What other engines on the same store did.
    pub(crate) refresh: Duration,
    /// Between two snapshots of a running job's manifest.
    pub(crate) snapshot: Duration,
    /// How long another engine that ended a job has to announce it.
    pub(crate) grace: Duration,
    /// Objects done for good since that was last written down: a start reads so many documents in a second or two.
    pub(crate) settled: u32,
}

pub(crate) const PACE: Pace = Pace {
    tick: Duration::from_secs(1),
    refresh: Duration::from_secs(10),
    snapshot: Duration::from_secs(60),
    grace: Duration::from_secs(5),
    settled: 1_000,
};

impl Core {
    pub(crate) fn new(
        objects: Arc<dyn Objects>,
        state_bucket: String,
        place: Place,
        rules: Rules,
        events: Arc<dyn EventSink>,
        (clock, pace): (Clock, Pace),
    ) -> Core {
        Core {
            documents: Documents::new(objects.clone(), state_bucket),
            objects,
            clock,
            events,
            place,
            pace,
            rules,
            running: RwLock::default(),
            workforce: CurrentWorkforce::default(),
            teams: RwLock::default(),
            read: Mutex::default(),
            illegible: Mutex::default(),
            kept: Mutex::default(),
            look: Notify::new(),
            stop: CancellationToken::new(),
            tasks: TaskTracker::new(),
        }
    }

    pub(crate) fn running(&self, job: &str) -> Option<Arc<Running>> {
        let running = self.running.read().unwrap_or_else(PoisonError::into_inner);
        running.get(&job.to_ascii_lowercase()).cloned()
    }

    pub(crate) fn all_running(&self) -> Vec<Arc<Running>> {
        self.running
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .values()
            .cloned()
            .collect()
    }

    pub(crate) fn set_running(&self, job: &str, running: Option<Arc<Running>>) {
        let mut all = self.running.write().unwrap_or_else(PoisonError::into_inner);
        match running {
            Some(running) => drop(all.insert(job.to_ascii_lowercase(), running)),
            None => drop(all.remove(&job.to_ascii_lowercase())),
        }
    }

    pub(crate) fn team(&self, name: &str) -> Option<Arc<TeamRecord>> {
        self.teams
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .get(&name.to_ascii_lowercase())
            .cloned()
    }

    pub(crate) fn known_teams(&self) -> Vec<Arc<TeamRecord>> {
        let teams = self.teams.read().unwrap_or_else(PoisonError::into_inner);
        teams.values().cloned().collect()
    }

    pub(crate) fn remember_team(&self, team: TeamRecord) {
        let mut teams = self.teams.write().unwrap_or_else(PoisonError::into_inner);
        teams.insert(team.name.to_ascii_lowercase(), Arc::new(team));
    }

    /// Every labeling job there ever was; reads those that changed since the last time.
    pub(crate) async fn all_jobs(&self) -> Result<Vec<Arc<JobRecord>>, StoreError> {
        let listed = self.documents.list(keys::JOBS).await?;
        let found: Vec<Option<Arc<JobRecord>>> = stream::iter(listed)
            .map(|listed| self.job_at(listed.key, listed.etag))
            .buffered(READERS)
            .try_collect()
            .await?;
        Ok(found.into_iter().flatten().collect())
    }

    async fn job_at(&self, key: String, etag: String) -> Result<Option<Arc<JobRecord>>, StoreError> {
        let known = self
            .read
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .get(&key)
            .cloned();
        if let Some(known) = known.filter(|known| known.etag == etag) {
            return Ok(Some(known.value));
        }
        let Some(Stored { value, etag }) = self.legible::<JobRecord>(&key).await? else {
            return Ok(None);
        };
        let value = Arc::new(value);
        let stored = Stored {
            value: value.clone(),
            etag,
        };
        self.read
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .insert(key, stored);
        Ok(Some(value))
    }

    pub(crate) async fn all_teams(&self) -> Result<Vec<TeamRecord>, StoreError> {
        self.read_all(keys::TEAMS).await
    }

    /// Every document below a prefix, in order of keys.
    pub(crate) async fn read_all<T: serde::de::DeserializeOwned>(
        &self,
        prefix: &str,
    ) -> Result<Vec<T>, StoreError> {
        Ok(self.read_each(prefix).await?.into_iter().flatten().collect())
    }

    /// Every document below a prefix, in order of keys; `None` for one that cannot be read.
    pub(crate) async fn read_each<T: serde::de::DeserializeOwned>(
        &self,
        prefix: &str,
    ) -> Result<Vec<Option<T>>, StoreError> {
        let listed = self.documents.list(prefix).await?;
        stream::iter(listed)
            .map(|item| async move {
                Ok::<_, StoreError>(self.legible(&item.key).await?.map(|stored| stored.value))
            })
            .buffered(READERS)
            .try_collect()
            .await
    }

    /// The document; one that is not a document any more is left out and told of, and holds up no other.
    pub(crate) async fn legible<T: serde::de::DeserializeOwned>(
        &self,
        key: &str,
    ) -> Result<Option<Stored<T>>, StoreError> {
        match self.documents.load(key).await {
            Err(StoreError::Refused(reason) | StoreError::Unreadable(reason)) => {
                let mut told = self.illegible.lock().unwrap_or_else(PoisonError::into_inner);
                // Each is told once, not at each look.
                if told.insert(key.to_owned()) {
                    tracing::error!(key, reason, "left out until a copy of it is put back");
                }
                Ok(None)
            }
            loaded => loaded,
        }
    }

    /// A link by which a worker's browser may read an object for a while (`grant_read_access`). That the task names the
    /// object is for the rendering to see to; here is what the operator lets tasks show at all. The message goes to the worker.
    pub(crate) async fn grant_read_access(&self, uri: &str) -> Result<String, String> {
        let at = Address::parse(uri).ok_or("It names no object in S3 (s3://bucket/key).")?;
        if self.documents.hold(&at) {
            return Err("It is in the labeling engine's own bucket, which nobody is shown.".into());
        }
        if !self
            .rules
            .readable
            .iter()
            .any(|part| part.has(&at.bucket, &at.key))
        {
            return Err("It is outside of what labeling tasks may show; the operator lists that.".into());
        }
        // A browser takes such steps out of the address; the link would be for another object than the one named.
        if at.key.split('/').any(|step| step == "." || step == "..") {
            return Err("Its key has a step \".\" or \"..\", with which browsers cannot fetch it.".into());
        }
        let link = self.objects.presign(&at).await;
        link.map_err(|error| {
            tracing::warn!(bucket = at.bucket, %error, "could not make a link to an object");
            "No link to it could be made just now.".into()
        })
    }

    /// Finds what there is to look after, and gives it somebody.
    pub(crate) async fn supervise(self: &Arc<Core>) -> Result<(), StoreError> {
        let workforces: Vec<Option<WorkforceRecord>> = self.read_each(keys::WORKFORCES).await?;
        match workforces.iter().any(Option::is_none) {
            true => self.workforce.set_unreadable(),
            false => self.workforce.set(workforces.into_iter().flatten().next()),
        }
        let teams = self.all_teams().await?;
        let teams = teams
            .into_iter()
            .map(|team| (team.name.to_ascii_lowercase(), Arc::new(team)))
            .collect();
        *self.teams.write().unwrap_or_else(PoisonError::into_inner) = teams;
        for marker in self.documents.list(keys::UNFINISHED).await? {
            if let Some(job) = marker.key.strip_prefix(keys::UNFINISHED) {
                self.keep(job);
            }
        }
        Ok(())
    }

    /// Starts a keeper for the job unless it has one.
    pub(crate) fn keep(self: &Arc<Core>, job: &str) {
        let job = job.to_ascii_lowercase();
        if !self
            .kept
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .insert(job.clone())
        {
            return;
        }
        let core = self.clone();
        self.tasks.spawn(async move {
            keeper::keep(core.clone(), job.clone()).await;
            core.kept
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .remove(&job);
        });
    }

    pub(crate) async fn supervise_for_ever(self: Arc<Core>) {
        loop {
            tokio::select! {
                () = self.stop.cancelled() => return,
                () = self.look.notified() => {}
                () = tokio::time::sleep(self.pace.refresh) => {}
            }
            if let Err(error) = self.supervise().await {
                tracing::warn!(%error, "could not read which jobs there are; trying again");
            }
        }
    }
}
