//! The labeling service and the topic as the functions see them through the ports.

use std::collections::BTreeMap;

use jiff::Timestamp;
use shared::port::JobRequest;
use shared::port::NoticeMessage;
use shared::port::{
    CreateJobOutcome, JobCounters, JobDescription, JobListing, JobState, Labeling, LabelingError,
    PublishError, Topic,
};

use super::World;
use super::calls::Turn;
use super::store::Port;
use crate::OUTPUT;
use crate::agenda::Event;
use crate::fault::Fault;
use crate::function::Function;
use crate::queue::job_changed;
use crate::time::{Ms, timestamp};

pub(crate) struct Service {
    pub(crate) jobs: Vec<JobDescription>,
    /// Jobs that may run at once.
    pub(crate) quota: usize,
    /// How long a job takes at most.
    job_time: Ms,
}

impl Service {
    pub(crate) fn new(quota: usize, job_time: Ms) -> Self {
        Self {
            jobs: Vec::new(),
            quota,
            job_time,
        }
    }

    fn running_jobs(&self) -> usize {
        self.jobs.iter().filter(|job| !job.state.is_terminal()).count()
    }
}

fn throttling_error(operation: &'static str) -> LabelingError {
    LabelingError::Transient {
        operation,
        reason: "ThrottlingException".to_owned(),
    }
}

impl World {
    /// A job is made, perhaps by another stack.
    pub(crate) fn make_job(&mut self, name: &str, manifest_uri: &str, label_attribute: &str) -> String {
        let arn = format!("arn:aws:sagemaker:us-east-1:111122223333:labeling-job/{name}");
        let (now, place) = (timestamp(self.now), self.service.jobs.len());
        self.service.jobs.push(JobDescription {
            name: name.to_owned(),
            arn: arn.clone(),
            state: JobState::InProgress,
            manifest_uri: manifest_uri.to_owned(),
            label_attribute: label_attribute.to_owned(),
            output_manifest_uri: None,
            failure_reason: None,
            created: now,
            modified: now,
            counters: JobCounters::default(),
            offer: None,
        });
        let most = self.service.job_time;
        let time = self.dice.between(60_000, most);
        self.after(time, Event::JobEnds(place));
        arn
    }

    fn create_job(&mut self, of: u32, request: &JobRequest) -> Result<CreateJobOutcome, LabelingError> {
        if self.strikes(Fault::LabelingThrottled) {
            return Err(throttling_error("CreateLabelingJob"));
        }
        if self.strikes(Fault::JobRefused) {
            let reason = "ValidationException: the role cannot be assumed".to_owned();
            return Ok(CreateJobOutcome::Invalid { reason });
        }
        // Names are taken whatever their case.
        let same = |job: &JobDescription| job.name.eq_ignore_ascii_case(&request.name);
        if self.service.jobs.iter().any(same) {
            return Ok(CreateJobOutcome::NameTaken);
        }
        if self.service.running_jobs() >= self.service.quota {
            return Ok(CreateJobOutcome::QuotaFull);
        }
        self.writes += 1;
        let held = self.job_made(of, request);
        self.check(held);
        let arn = self.make_job(&request.name, &request.manifest_uri, &request.label_attribute);
        if self.strikes(Fault::JobResponseLost) {
            return Err(throttling_error("CreateLabelingJob"));
        }
        if self.strikes(Fault::JobNotDescribed) {
            return Ok(CreateJobOutcome::NameTaken);
        }
        Ok(CreateJobOutcome::Created { arn })
    }

    /// The job at this place ends, writes its output and says so, as best it can.
    pub(crate) fn end_job(&mut self, place: usize) {
        let badly = self.strikes(Fault::JobEndsBadly);
        let state = match badly {
            true => self
                .dice
                .pick(&[JobState::Failed, JobState::Stopped], JobState::Failed),
            false => JobState::Completed,
        };
        let spoilt = self.strikes(Fault::BadOutput);
        let now = timestamp(self.now);
        let Some(job) = self.service.jobs.get_mut(place) else {
            return;
        };
        job.state = state;
        job.modified = now;
        job.failure_reason = badly.then(|| "an admin stopped it".to_owned());
        let job = job.clone();
        if !spoilt {
            self.write_output(place, &job);
        }
        self.note(|| format!("  job {} ends: {state:?}", job.name));
        for to in [Function::Notify, Function::StartJob] {
            self.send(to, &job_changed(&job.arn, state));
        }
    }

    fn write_output(&mut self, place: usize, job: &JobDescription) {
        let key = format!("labels/{}/manifests/output/output.manifest", job.name);
        let manifest = job.manifest_uri.strip_prefix(&format!("s3://{OUTPUT}/"));
        let Some(manifest) = manifest.and_then(|key| self.output.get(key)) else {
            return;
        };
        let text = String::from_utf8_lossy(&manifest.bytes).into_owned();
        let attribute = &job.label_attribute;
        let answer = format!(
            r#","{attribute}":1,"{attribute}-metadata":{{"confidence":0.9,"class-name":"Odd","human-annotated":"yes","job-name":"{}","creation-date":"2026-01-05T10:00:00.000000","type":"groundtruth/text-classification"}}}}"#,
            job.name
        );
        let mut total = 0;
        let mut output = String::new();
        for line in text.lines() {
            total += 1;
            output.push_str(line.strip_suffix('}').unwrap_or(line));
            output.push_str(&answer);
            output.push('\n');
        }
        self.output
            .put(&key, output.into_bytes(), BTreeMap::new(), self.now);
        if let Some(job) = self.service.jobs.get_mut(place) {
            job.output_manifest_uri = Some(format!("s3://{OUTPUT}/{key}"));
            job.counters.total_labeled = total;
            job.counters.human_labeled = total;
        }
    }
}

impl Labeling for Port {
    async fn create(&self, request: &JobRequest) -> Result<CreateJobOutcome, LabelingError> {
        let who = self.0.lock().calls.current;
        let late = {
            let request = request.clone();
            move |world: &mut World| {
                let made = world.create_job(who, &request);
                world.note(|| {
                    format!(
                        "#{who} CreateLabelingJob {} after its end: {made:?}",
                        request.name
                    )
                });
            }
        };
        let of = Turn::to_write(&self.0, Box::new(late)).await;
        let mut world = self.0.lock();
        let made = world.create_job(of, request);
        world.note(|| format!("#{of} CreateLabelingJob {}: {made:?}", request.name));
        made
    }

    async fn describe(&self, name: &str) -> Result<Option<JobDescription>, LabelingError> {
        let of = Turn::of(&self.0).await;
        let mut world = self.0.lock();
        if world.strikes(Fault::LabelingThrottled) {
            world.note(|| format!("#{of} DescribeLabelingJob {name}: throttled"));
            return Err(throttling_error("DescribeLabelingJob"));
        }
        // A job is not described before some seconds have passed.
        let hidden = world.strikes(Fault::JobNotDescribed);
        let job = world
            .service
            .jobs
            .iter()
            .find(|job| job.name.eq_ignore_ascii_case(name));
        let young = timestamp(world.now - 30_000);
        let job = job.filter(|job| !(hidden && job.created > young)).cloned();
        world.note(|| {
            format!(
                "#{of} DescribeLabelingJob {name}: {:?}",
                job.as_ref().map(|job| job.state)
            )
        });
        Ok(job)
    }

    async fn list(
        &self,
        name_contains: &str,
        since: Option<Timestamp>,
    ) -> Result<Vec<JobListing>, LabelingError> {
        let of = Turn::of(&self.0).await;
        let mut world = self.0.lock();
        if world.strikes(Fault::LabelingThrottled) {
            world.note(|| format!("#{of} ListLabelingJobs: throttled"));
            return Err(throttling_error("ListLabelingJobs"));
        }
        let jobs = world.service.jobs.iter().rev();
        let jobs = jobs
            .filter(|job| job.name.contains(name_contains) && since.is_none_or(|since| job.created >= since));
        let listing = |job: &JobDescription| JobListing {
            name: job.name.clone(),
            arn: job.arn.clone(),
            state: job.state,
            created: job.created,
            modified: job.modified,
        };
        let jobs: Vec<_> = jobs.map(listing).collect();
        world.note(|| format!("#{of} ListLabelingJobs {name_contains}: {}", jobs.len()));
        Ok(jobs)
    }
}

impl Topic for Port {
    fn hourly_limit(&self) -> usize {
        self.0.lock().hourly
    }

    async fn publish(&self, message: &NoticeMessage) -> Result<(), PublishError> {
        let who = self.0.lock().calls.current;
        let late = {
            let message = message.clone();
            move |world: &mut World| {
                let held = world.check_notice(who, &message);
                world.check(held);
                world.note(|| format!("#{who} Publish {:?} after its end", message.attributes.get("id")));
            }
        };
        let of = Turn::to_write(&self.0, Box::new(late)).await;
        let mut world = self.0.lock();
        let id = message.attributes.get("id").cloned().unwrap_or_default();
        let failed = |reason: &str| {
            let reason = reason.to_owned();
            Err(PublishError { reason })
        };
        if world.strikes(Fault::PublishFails) {
            world.note(|| format!("#{of} Publish {id}: 503"));
            return failed("503");
        }
        world.writes += 1;
        let held = world.check_notice(of, message);
        world.check(held);
        if world.strikes(Fault::PublishResponseLost) {
            world.note(|| format!("#{of} Publish {id}: published, the answer is lost"));
            return failed("the answer was lost");
        }
        world.note(|| format!("#{of} Publish {id}"));
        Ok(())
    }
}
