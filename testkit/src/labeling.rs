//! A labeling service in memory.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use jiff::Timestamp;
use shared::port::JobRequest;
use shared::port::{
    CreateJobOutcome, JobCounters, JobDescription, JobListing, JobState, Labeling, LabelingError,
};

/// A labeling service with a quota and no workers.
#[derive(Clone)]
pub struct FakeLabeling(Arc<Mutex<Jobs>>);

struct Jobs {
    jobs: Vec<JobDescription>,
    quota: usize,
    answers: VecDeque<Answer>,
    created: Vec<JobRequest>,
}

/// What the service says to the next CreateLabelingJob.
pub enum Answer {
    Invalid(&'static str),
    Throttled,
    /// The job is made; the answer is lost.
    ResponseLost,
    /// The name is taken, though the job cannot be described yet.
    NameTaken,
}

impl Default for FakeLabeling {
    fn default() -> Self {
        let jobs = Jobs {
            jobs: Vec::new(),
            quota: usize::MAX,
            answers: VecDeque::new(),
            created: Vec::new(),
        };
        Self(Arc::new(Mutex::new(jobs)))
    }
}

impl FakeLabeling {
    fn state(&self) -> MutexGuard<'_, Jobs> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub fn quota(&self, running: usize) {
        self.state().quota = running;
    }

    pub fn answer_next(&self, answer: Answer) {
        self.state().answers.push_back(answer);
    }

    /// A job, ours or another stack's, in whatever state.
    pub fn put(&self, job: JobDescription) {
        let mut state = self.state();
        state.jobs.retain(|other| other.name != job.name);
        state.jobs.push(job);
    }

    /// A job as a request makes it.
    pub fn job(name: &str, manifest_uri: &str, state: JobState) -> JobDescription {
        JobDescription {
            name: name.to_owned(),
            arn: format!("arn:aws:sagemaker:us-east-1:000000000000:labeling-job/{name}"),
            state,
            manifest_uri: manifest_uri.to_owned(),
            label_attribute: "label".to_owned(),
            output_manifest_uri: None,
            failure_reason: None,
            created: Timestamp::UNIX_EPOCH,
            modified: Timestamp::UNIX_EPOCH,
            counters: JobCounters::default(),
            offer: None,
        }
    }

    pub fn finish(&self, name: &str, end: JobState) {
        if let Some(job) = self.state().jobs.iter_mut().find(|job| job.name == name) {
            job.state = end;
        }
    }

    /// Requests that made a job, in order.
    pub fn requests(&self) -> Vec<JobRequest> {
        self.state().created.clone()
    }
}

impl Labeling for FakeLabeling {
    async fn create(&self, request: &JobRequest) -> Result<CreateJobOutcome, LabelingError> {
        let mut state = self.state();
        let lost = || LabelingError::Transient {
            operation: "CreateLabelingJob",
            reason: "timed out".to_owned(),
        };
        let answer = state.answers.pop_front();
        match answer {
            Some(Answer::Throttled) => return Err(lost()),
            Some(Answer::NameTaken) => return Ok(CreateJobOutcome::NameTaken),
            Some(Answer::Invalid(reason)) => {
                return Ok(CreateJobOutcome::Invalid {
                    reason: reason.to_owned(),
                });
            }
            _ => {}
        }
        // Names are taken whatever their case.
        if state
            .jobs
            .iter()
            .any(|job| job.name.eq_ignore_ascii_case(&request.name))
        {
            return Ok(CreateJobOutcome::NameTaken);
        }
        if state.jobs.iter().filter(|job| !job.state.is_terminal()).count() >= state.quota {
            return Ok(CreateJobOutcome::QuotaFull);
        }
        let mut job = Self::job(&request.name, &request.manifest_uri, JobState::InProgress);
        job.label_attribute.clone_from(&request.label_attribute);
        let arn = job.arn.clone();
        state.jobs.push(job);
        state.created.push(request.clone());
        if answer.is_some() {
            Err(lost())
        } else {
            Ok(CreateJobOutcome::Created { arn })
        }
    }

    async fn describe(&self, name: &str) -> Result<Option<JobDescription>, LabelingError> {
        Ok(self.state().jobs.iter().find(|job| job.name == name).cloned())
    }

    async fn list(
        &self,
        name_contains: &str,
        since: Option<Timestamp>,
    ) -> Result<Vec<JobListing>, LabelingError> {
        let state = self.state();
        let jobs = state.jobs.iter().rev();
        let jobs =
            jobs.filter(|j| j.name.contains(name_contains) && since.is_none_or(|since| j.created >= since));
        let listing = |j: &JobDescription| JobListing {
            name: j.name.clone(),
            arn: j.arn.clone(),
            state: j.state,
            created: j.created,
            modified: j.modified,
        };
        Ok(jobs.map(listing).collect())
    }
}
