//! The line: files dropped, batched, labelled by two people, announced. Nothing is labelled twice, nothing is left out, and
//! no answer the portal said thank you for is lost.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result};
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use serde_json::Value;
use tests::app::App;
use tests::aws::Aws;
use tests::wait;
use tests::worker::{Worker, WorkerReply};
use tokio::sync::watch;

use crate::tally::Tally;

const DATASET: &str = "lots";
const FILES: u32 = 40;
/// Dropped while nothing runs.
const LATER: u32 = 12;
const PATIENCE: Duration = Duration::from_secs(40);
const SPEC: &str = "task: text-classification
labels: [Even, Odd]
team: numbers-team
title: Even or odd?
workers_per_item: 2
batch: {quiet: 1s}
";
const COLLEAGUE: (&str, &str) = ("grace@example.com", "Grace-labels-numbers-7");
const SUBSCRIBER: &str = "program@example.com";

/// An answer that was acknowledged.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct AcknowledgedAnswer {
    email: String,
    text: String,
}

/// An app that is killed now and then, and two people who go on regardless.
pub(crate) struct CrashingLine {
    app: App,
    random: StdRng,
    tally: Tally,
    portal: watch::Sender<String>,
    thanked: watch::Sender<Vec<AcknowledgedAnswer>>,
    crew: Vec<tokio::task::JoinHandle<Result<()>>>,
    /// The people's ids at the sign-in, by address.
    subs: BTreeMap<String, String>,
}

impl CrashingLine {
    pub(crate) async fn start(seed: u64) -> Result<Self> {
        let app = App::start_bare().await?;
        let aws = Aws::of(&app);
        aws.hire(&app, COLLEAGUE).await?;
        aws.subscribe(&app, SUBSCRIBER).await?;
        let (portal, _) = watch::channel(app.text("web_url").to_owned());
        let (thanked, _) = watch::channel(Vec::new());
        let mut subs = BTreeMap::new();
        let mut crew = Vec::new();
        for ((email, password), habit) in [app.worker(), COLLEAGUE]
            .into_iter()
            .zip([Habit::StaysSignedIn, Habit::StartsAnew])
        {
            subs.insert(email.to_owned(), aws.sub(&app, email).await?);
            let worker = Worker::new(email, password)?;
            crew.push(tokio::spawn(label(
                worker,
                habit,
                portal.subscribe(),
                thanked.clone(),
            )));
        }
        Ok(Self {
            app,
            random: StdRng::seed_from_u64(seed),
            tally: Tally::default(),
            portal,
            thanked,
            crew,
            subs,
        })
    }

    pub(crate) async fn run(mut self) -> Result<Tally> {
        drop_files(&self.app.drop_folder(), 0..FILES - LATER)?;
        let uploaded = self.random.random_range(1..(FILES - LATER) as usize);
        self.until_objects(true, "", uploaded).await;
        self.crash("files on their way").await?;

        self.until_objects(false, "manifests/", 1).await;
        self.app.crash()?;
        drop_files(&self.app.drop_folder(), FILES - LATER..FILES)?;
        self.come_back("a batch without a job").await?;

        for span in [1..10, 12..24, 26..38, 40..54, 56..70] {
            let answers = self.random.random_range(span);
            self.until_thanked(answers).await;
            self.crash("answers on their way").await?;
        }
        self.until_objects(false, "labels/", 1).await;
        self.crash("output on its way").await?;

        self.until_all_is_told().await;
        self.check().await
    }

    async fn crash(&mut self, point: &'static str) -> Result<()> {
        self.app.crash()?;
        self.come_back(point).await
    }

    #[expect(
        clippy::print_stderr,
        reason = "a failure needs to say where the line was killed"
    )]
    async fn come_back(&mut self, point: &'static str) -> Result<()> {
        eprintln!("killed: {point}; {} answers so far", self.thanked.borrow().len());
        self.tally.count_kill(point);
        self.app.restart().await?;
        self.portal.send_replace(self.app.text("web_url").to_owned());
        Ok(())
    }

    fn s3(&self) -> Result<aws_sdk_s3::Client> {
        Ok(local::StackInfo::read(self.app.data())?
            .context("no stack.json")?
            .s3())
    }

    async fn keys(&self, input: bool, prefix: &str) -> Result<Vec<String>> {
        let bucket = self
            .app
            .text(if input { "input_bucket" } else { "output_bucket" });
        let listed = self
            .s3()?
            .list_objects_v2()
            .bucket(bucket)
            .prefix(prefix)
            .send()
            .await?;
        assert_ne!(listed.is_truncated(), Some(true), "one page is enough for this");
        Ok(listed
            .contents()
            .iter()
            .filter_map(|object| object.key().map(str::to_owned))
            .collect())
    }

    /// A text object of the output bucket.
    async fn text(&self, key: &str) -> Result<String> {
        let object = self
            .s3()?
            .get_object()
            .bucket(self.app.text("output_bucket"))
            .key(key)
            .send()
            .await?;
        Ok(String::from_utf8(object.body.collect().await?.to_vec())?)
    }

    async fn until_objects(&self, input: bool, prefix: &str, least: usize) {
        wait::until(&format!("{least} objects below `{prefix}`"), PATIENCE, || async {
            let keys = self
                .keys(input, prefix)
                .await
                .map_err(|error| error.to_string())?;
            if keys.len() >= least {
                Ok(())
            } else {
                Err(format!("{keys:?}"))
            }
        })
        .await;
    }

    async fn until_thanked(&self, answers: usize) {
        let mut thanked = self.thanked.subscribe();
        let enough = tokio::time::timeout(PATIENCE, thanked.wait_for(|all| all.len() >= answers)).await;
        let crew: Vec<_> = self.crew.iter().map(|worker| worker.is_finished()).collect();
        assert!(
            enough.is_ok(),
            "{} of {answers} answers; gave up: {crew:?}",
            self.thanked.borrow().len()
        );
    }

    /// Every item is in a completed job, and every job has its notice.
    async fn until_all_is_told(&self) {
        wait::until("every job is completed and announced", PATIENCE, || async {
            let status = self.app.status().map_err(|error| error.to_string())?;
            let jobs = jobs(&status);
            let items: u64 = jobs.iter().filter_map(|job| job["items"].as_u64()).sum();
            let completed = jobs.iter().all(|job| job["state"] == "completed");
            // A sweep may meet the colleague between the account and the group, and announce that as well.
            let notices = status["notices"].as_array().into_iter().flatten();
            let announced = notices.filter(|notice| notice["dataset"] == DATASET).count() == jobs.len();
            if items == u64::from(FILES) && completed && announced {
                Ok(())
            } else {
                Err(format!("{status:#}"))
            }
        })
        .await;
    }

    async fn check(mut self) -> Result<Tally> {
        for worker in &self.crew {
            assert!(!worker.is_finished(), "a worker gave up");
        }
        let status = self.app.status()?;
        let mut answers = Vec::new();
        let mut labels = Vec::new();
        let mut batched = Vec::new();
        for job in jobs(&status) {
            let name = job["name"].as_str().context("a completed job has a name")?;
            let batch = format!(
                "manifests/{DATASET}/{:06}.manifest",
                job["batch"].as_u64().unwrap_or(0)
            );
            let lines = json_lines(&self.text(&batch).await?)?;
            batched.extend(
                lines
                    .iter()
                    .map(|line| line["groundcrew"]["key"].as_str().unwrap_or("").to_owned()),
            );
            answers.extend(self.answers(name, &lines).await?);
            labels.extend(self.labels(name).await?);
        }
        let manifests = self.keys(false, "manifests/").await?;
        assert_eq!(manifests.len(), jobs(&status).len(), "{manifests:?}");
        batched.sort();
        let dropped: Vec<String> = (0..FILES)
            .map(|number| format!("{DATASET}/{}", file_name(number)))
            .collect();
        assert_eq!(batched, dropped, "every file in exactly one manifest");

        labels.sort();
        let right: Vec<_> = (0..FILES)
            .map(|number| (content(number), parity(&content(number)).to_owned()))
            .collect();
        assert_eq!(labels, right, "every text labelled once");
        self.check_answers(&answers);
        self.check_notices(&status).await?;
        self.tally.items += FILES as usize;
        self.tally.batches += manifests.len();
        self.tally.jobs += jobs(&status).len();
        self.tally.answers += self.thanked.borrow().len();
        Ok(std::mem::take(&mut self.tally))
    }

    /// Of one job, from the raw answers beside its output: who answered what.
    async fn answers(&self, job: &str, lines: &[Value]) -> Result<Vec<(String, AcknowledgedAnswer)>> {
        let prefix = format!("labels/{job}/annotations/worker-response/iteration-1/");
        let mut all = Vec::new();
        let mut seen = BTreeSet::new();
        for key in self.keys(false, &prefix).await? {
            let index: usize = key[prefix.len()..]
                .split('/')
                .next()
                .unwrap_or_default()
                .parse()?;
            assert!(
                seen.insert(index),
                "two files of raw answers for item {index} of {job}"
            );
            let text = lines[index]["source"]
                .as_str()
                .unwrap_or_default()
                .trim()
                .to_owned();
            let raw: Value = serde_json::from_str(&self.text(&key).await?)?;
            for answer in raw["answers"].as_array().into_iter().flatten() {
                let sub = answer["workerMetadata"]["identityData"]["sub"]
                    .as_str()
                    .unwrap_or_default();
                let person = self.subs.iter().find(|(_, known)| *known == sub);
                let email = person
                    .with_context(|| format!("no person has the id {sub}"))?
                    .0
                    .clone();
                assert_eq!(
                    answer["answerContent"]["crowd-classifier"]["label"],
                    parity(&text),
                    "{answer}"
                );
                let id = answer["workerId"].as_str().unwrap_or_default().to_owned();
                all.push((
                    id,
                    AcknowledgedAnswer {
                        email,
                        text: text.clone(),
                    },
                ));
            }
        }
        Ok(all)
    }

    async fn labels(&self, job: &str) -> Result<Vec<(String, String)>> {
        let output = self
            .text(&format!("labels/{job}/manifests/output/output.manifest"))
            .await?;
        let label = |line: Value| {
            let metadata = line
                .as_object()
                .and_then(|all| all.iter().find(|(name, _)| name.ends_with("-metadata")));
            let class = metadata
                .and_then(|(_, metadata)| metadata["class-name"].as_str())
                .unwrap_or("none");
            (
                line["source"].as_str().unwrap_or_default().trim().to_owned(),
                class.to_owned(),
            )
        };
        Ok(json_lines(&output)?.into_iter().map(label).collect())
    }

    fn check_answers(&self, stored: &[(String, AcknowledgedAnswer)]) {
        let ids: BTreeSet<_> = stored.iter().map(|(id, answer)| (&answer.email, id)).collect();
        assert_eq!(ids.len(), 2, "a person has one id, always: {ids:?}");
        let all: BTreeSet<AcknowledgedAnswer> = stored.iter().map(|(_, answer)| answer.clone()).collect();
        assert_eq!(all.len(), stored.len(), "every answer counts once");
        assert_eq!(all.len(), 2 * FILES as usize, "two people looked at every item");
        let thanked = self.thanked.borrow();
        let lost: Vec<_> = thanked.iter().filter(|answer| !all.contains(answer)).collect();
        assert!(lost.is_empty(), "acknowledged and lost: {lost:?}");
        let once: BTreeSet<_> = thanked.iter().collect();
        assert_eq!(once.len(), thanked.len(), "no stored answer was asked for again");
    }

    /// A notice may be repeated after a crash, always with the id it had.
    async fn check_notices(&mut self, status: &Value) -> Result<()> {
        let outbox = self.app.outbox("").await?;
        let messages = outbox["messages"].as_array().context("the outbox has messages")?;
        let announced: Vec<String> = messages
            .iter()
            .filter(|message| message["to"] == SUBSCRIBER)
            .filter_map(|message| serde_json::from_str::<Value>(message["text"].as_str()?).ok())
            .filter_map(|notice| Some(notice["MessageAttributes"]["id"]["Value"].as_str()?.to_owned()))
            .filter(|id| id.starts_with("jobs/"))
            .collect();
        let ids: BTreeSet<String> = announced.iter().cloned().collect();
        self.tally.notices += ids.len();
        self.tally.notices_again += announced.len() - ids.len();
        let expected: BTreeSet<String> = jobs(status)
            .iter()
            .map(|job| format!("jobs/{}/completed", job["name"].as_str().unwrap_or("")))
            .collect();
        assert_eq!(ids, expected);
        Ok(())
    }
}

impl Drop for CrashingLine {
    fn drop(&mut self) {
        self.crew.iter().for_each(tokio::task::JoinHandle::abort);
    }
}

/// What a person does when the page has gone.
#[derive(Clone, Copy, PartialEq)]
enum Habit {
    StaysSignedIn,
    /// Opens another browser, and so signs in again.
    StartsAnew,
}

/// Answers whatever there is, wherever the portal is now, until aborted.
async fn label(
    mut worker: Worker,
    habit: Habit,
    mut portal: watch::Receiver<String>,
    thanked: watch::Sender<Vec<AcknowledgedAnswer>>,
) -> Result<()> {
    let mut here = String::new();
    loop {
        let now = portal.borrow_and_update().clone();
        if now != here && habit == Habit::StartsAnew {
            worker = worker.with_new_session()?;
        }
        here = now;
        label_at(&worker, &here, &thanked).await?;
        // Nothing to do here now, or the session is over.
        let _look_again = tokio::time::timeout(Duration::from_millis(50), portal.changed()).await;
    }
}

async fn label_at(
    worker: &Worker,
    here: &str,
    thanked: &watch::Sender<Vec<AcknowledgedAnswer>>,
) -> Result<()> {
    let listed = match worker.jobs(here).await? {
        WorkerReply::Done(listed) => listed,
        WorkerReply::SignedOut => {
            // Fails where the app is killed meanwhile; then it is tried again.
            let _again = worker.sign_in(here).await;
            return Ok(());
        }
        WorkerReply::Gone | WorkerReply::Unavailable => return Ok(()),
    };
    for job in listed["jobs"].as_array().into_iter().flatten() {
        let name = job["name"].as_str().unwrap_or_default();
        while let WorkerReply::Done(next) = worker.next(here, name).await? {
            let Some(token) = next["task"]["token"].as_str() else {
                break;
            };
            let WorkerReply::Done(task) = worker.task(here, token).await? else {
                break;
            };
            let text = task["input"]["taskObject"]
                .as_str()
                .context("a text")?
                .trim()
                .to_owned();
            if let WorkerReply::Done(_) = worker.answer(here, token, parity(&text)).await? {
                let email = worker.email.clone();
                thanked.send_modify(|all| all.push(AcknowledgedAnswer { email, text }));
            }
        }
    }
    Ok(())
}

fn file_name(number: u32) -> String {
    format!("number-{number:02}.txt")
}

/// Four digits, so that sorted texts are sorted numbers.
fn content(number: u32) -> String {
    (1_000 + 7 * number).to_string()
}

fn parity(text: &str) -> &'static str {
    if text.ends_with(['0', '2', '4', '6', '8']) {
        "Even"
    } else {
        "Odd"
    }
}

fn drop_files(folder: &Path, numbers: std::ops::Range<u32>) -> Result<()> {
    let dataset = folder.join(DATASET);
    std::fs::create_dir_all(&dataset)?;
    for number in numbers {
        std::fs::write(dataset.join(file_name(number)), content(number))?;
    }
    std::fs::write(dataset.join("labeling.yaml"), SPEC)?;
    Ok(())
}

fn jobs(status: &Value) -> Vec<Value> {
    let datasets = status["datasets"].as_array().cloned().unwrap_or_default();
    let dataset = datasets
        .into_iter()
        .find(|dataset| dataset["name"] == DATASET)
        .unwrap_or_default();
    dataset["jobs"].as_array().cloned().unwrap_or_default()
}

fn json_lines(text: &str) -> Result<Vec<Value>> {
    text.lines().map(|line| Ok(serde_json::from_str(line)?)).collect()
}
