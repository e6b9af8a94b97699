//! Made-up jobs: numbers, messages and pictures, and some that go wrong.
use engine::portal::Desk;
use engine::work::{HeldTask, Lease, PortalJob, WorkError, Worker};
use futures::FutureExt;
use futures::future::BoxFuture;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use std::sync::{Arc, Mutex};

struct Job {
    name: &'static str,
    title: &'static str,
    description: &'static str,
    element: &'static str,
    labels: Value,
    extra: &'static str,
    items: Vec<String>,
    done: u32,
}

pub(crate) struct MadeUp {
    jobs: Mutex<Vec<Job>>,
    url: String,
}

const SECONDS: u32 = 300;

impl MadeUp {
    #[expect(clippy::too_many_lines, reason = "a list of made-up jobs")]
    pub(crate) fn new(url: String) -> MadeUp {
        let numbers = ["7", "12", "40031", "twenty-eight", "0", "MCMXCIX"]
            .map(str::to_owned)
            .to_vec();
        let story = "The parcel came two days late, and the box was open at one side. The lamp inside was fine, though, and when I called, the person on the phone was friendly and sent me a voucher without my asking. ";
        let messages = vec![
            "<script>document.title = 'hacked'</script> I love it, thank you!".to_owned(),
            story.to_owned(),
            story.repeat(14),
        ];
        let pictures = vec![
            format!("{url}/portal/icon.svg"),
            format!("{url}/portal/missing.png"),
        ];
        let job = |name, title, description, element, labels, extra, items| Job {
            name,
            title,
            description,
            element,
            labels,
            extra,
            items,
            done: 0,
        };
        let details = r##"label-details="[{&quot;label&quot;:&quot;Praise&quot;,&quot;color&quot;:&quot;#2f855a&quot;,&quot;hotkey&quot;:&quot;p&quot;,&quot;description&quot;:&quot;Something went well&quot;},{&quot;label&quot;:&quot;Complaint&quot;,&quot;color&quot;:&quot;#c05621&quot;,&quot;hotkey&quot;:&quot;c&quot;}]" exclusion-category="{ text: 'None of these' }""##;
        MadeUp {
            jobs: Mutex::new(vec![
                job(
                    "numbers-000001",
                    "Even or odd?",
                    "Say whether the number is odd or even.",
                    "crowd-classifier",
                    json!(["Even Number", "Odd Number"]),
                    "",
                    numbers,
                ),
                job(
                    "messages-000003",
                    "What is this message about?",
                    "Tag customer messages with everything they speak of.",
                    "crowd-classifier-multi-select",
                    json!([
                        "Praise",
                        "Complaint",
                        "Delivery",
                        "Packaging",
                        "Product quality",
                        "Customer service"
                    ]),
                    details,
                    messages,
                ),
                job(
                    "pictures-000002",
                    "Which sign is it?",
                    "",
                    "crowd-image-classifier",
                    json!(["Label", "Arrow", "Cannot tell"]),
                    "",
                    pictures,
                ),
                job(
                    "countries-000001",
                    "Which country is it?",
                    "A long list of labels.",
                    "crowd-classifier",
                    json!((1..=30).map(|n| format!("Country {n}")).collect::<Vec<_>>()),
                    "",
                    vec!["Lisbon".to_owned()],
                ),
                job(
                    "done-000001",
                    "Cats and dogs",
                    "Tell cats from dogs.",
                    "crowd-image-classifier",
                    json!(["Cat", "Dog"]),
                    "",
                    Vec::new(),
                ),
                job(
                    "survey-000001",
                    "A template of one's own",
                    "Fields, boxes and a script.",
                    "custom",
                    json!([]),
                    "",
                    vec!["Lisbon".to_owned()],
                ),
                job(
                    "broken-000001",
                    "A template with a mistake",
                    "",
                    "crowd-classifier",
                    json!(["a", "b"]),
                    "header='{{ task.input.nothing }}'",
                    vec!["1".to_owned()],
                ),
            ]),
            url,
        }
    }

    fn with<T>(&self, job: &str, act: impl FnOnce(&mut Job) -> Result<T, WorkError>) -> Result<T, WorkError> {
        let mut jobs = self.jobs.lock().map_err(|_| WorkError::Unavailable)?;
        act(jobs
            .iter_mut()
            .find(|other| other.name == job)
            .ok_or(WorkError::NoSuchJob)?)
    }

    fn advance(&self, token: &str) -> Result<(), WorkError> {
        let (name, index) = token.split_once('.').ok_or(WorkError::NotHeld)?;
        self.with(name, |job| {
            if job.done.to_string() != index {
                return Err(WorkError::NotHeld);
            }
            job.done += 1;
            Ok(())
        })
    }

    fn lease_now(&self, name: &str) -> Result<Option<Lease>, WorkError> {
        self.with(name, |job| {
            let left = usize::try_from(job.done).is_ok_and(|done| done < job.items.len());
            Ok(left.then(|| Lease {
                token: format!("{name}.{}", job.done),
                job: name.to_owned(),
                index: job.done,
                title: job.title.to_owned(),
                expires: expiry(),
                seconds_left: SECONDS,
            }))
        })
    }

    fn held_now(&self, token: &str) -> Result<HeldTask, WorkError> {
        let (name, index) = token.split_once('.').ok_or(WorkError::NotHeld)?;
        self.with(name, |job| {
            let item = index
                .parse::<usize>()
                .ok()
                .and_then(|index| job.items.get(index))
                .ok_or(WorkError::NotHeld)?;
            Ok(HeldTask {
                job: name.to_owned(),
                template: template(job),
                task_input: json!({ "taskObject": item, "labels": job.labels }),
                title: job.title.to_owned(),
                expires: expiry(),
                seconds_left: SECONDS,
            })
        })
    }
}

fn expiry() -> Timestamp {
    Timestamp::now() + SignedDuration::from_secs(i64::from(SECONDS))
}

/// What people write who follow AWS's pages on custom templates.
const CUSTOM: &str = r#"<script src="https://assets.crowd.aws/crowd-html-elements.js"></script>
<crowd-form>
  <h1>{{ task.input.taskObject }}</h1>
  <crowd-input name="country" label="Country" placeholder="e.g. Portugal" required></crowd-input>
  <crowd-text-area name="remarks" label="Remarks" rows="3"></crowd-text-area>
  <crowd-radio-group>
    <crowd-radio-button name="capital" value="yes">It is a capital</crowd-radio-button>
    <crowd-radio-button name="capital" value="no">It is not</crowd-radio-button>
  </crowd-radio-group>
  <crowd-checkbox name="sure" value="sure">I am sure</crowd-checkbox>
  <input type="hidden" name="version" value="3">
  <crowd-button form-action="submit" variant="primary">Send</crowd-button>
</crowd-form>
<script>
  document.querySelector('crowd-form').onsubmit = (event) => {
    if (document.querySelector('crowd-input').value === 'Spain') event.preventDefault();
  };
</script>"#;

fn template(job: &Job) -> Arc<str> {
    if job.element == "custom" {
        return CUSTOM.into();
    }
    let Job {
        element,
        title,
        extra,
        ..
    } = job;
    let source = if element.contains("image") {
        "src=\"{{ task.input.taskObject | grant_read_access }}\""
    } else {
        ""
    };
    let target = if element.contains("image") {
        ""
    } else {
        "<classification-target style=\"white-space: pre-wrap\">{{ task.input.taskObject }}</classification-target>"
    };
    format!(
        r#"<script src="https://assets.crowd.aws/crowd-html-elements.js"></script>
<crowd-form>
  <{element} name="{element}" {extra} {source} categories="{{{{ task.input.labels | to_json | escape }}}}" header="{title}">
    {target}
    <full-instructions header="How to decide">
      <p>Read the item as a whole before you choose.</p>
      <h3>When in doubt</h3><ul><li>Take the plainest reading.</li><li>Decline the task rather than guess.</li></ul>
    </full-instructions>
    <short-instructions><p>Choose what fits <strong>best</strong>. A number is even when two people can share it fairly.</p>
      <h3>Good example</h3><p>4 is <em>even</em>: 2 and 2.</p><h3>Bad example</h3><p>7 as <em>even</em>: one is left over.</p></short-instructions>
  </{element}>
</crowd-form>"#
    )
    .into()
}

impl Desk for MadeUp {
    fn jobs<'a>(&'a self, _: &'a Worker) -> BoxFuture<'a, Vec<PortalJob>> {
        let Ok(jobs) = self.jobs.lock() else {
            return async { Vec::new() }.boxed();
        };
        let seen = jobs.iter().map(|job| {
            let items = job.items.len() as u64;
            PortalJob {
                name: job.name.to_owned(),
                team: "numbers-team".to_owned(),
                title: job.title.to_owned(),
                description: job.description.to_owned(),
                total: items + 120,
                done: u64::from(job.done) + if items == 0 { 120 } else { 34 },
                done_by_you: u64::from(job.done) + if items == 0 { 17 } else { 0 },
                available: items - u64::from(job.done),
                held: job.name == "messages-000003",
                seconds_per_task: SECONDS,
                created: Timestamp::now(),
            }
        });
        let seen = seen.collect();
        async move { seen }.boxed()
    }

    fn teams<'a>(&'a self, worker: &'a Worker) -> BoxFuture<'a, Vec<String>> {
        async { worker.groups.clone() }.boxed()
    }

    fn lease<'a>(&'a self, _: &'a Worker, job: &'a str) -> BoxFuture<'a, Result<Option<Lease>, WorkError>> {
        async move { self.lease_now(job) }.boxed()
    }

    fn held<'a>(&'a self, _: &'a Worker, token: &'a str) -> BoxFuture<'a, Result<HeldTask, WorkError>> {
        async move { self.held_now(token) }.boxed()
    }

    fn submit<'a>(
        &'a self,
        _: &'a Worker,
        token: &'a str,
        answer: Value,
    ) -> BoxFuture<'a, Result<(), WorkError>> {
        println!("{token} {answer}");
        async move { self.advance(token) }.boxed()
    }

    fn decline<'a>(&'a self, _: &'a Worker, token: &'a str) -> BoxFuture<'a, Result<(), WorkError>> {
        async move { self.advance(token) }.boxed()
    }

    fn release<'a>(&'a self, _: &'a Worker, _: &'a str) -> BoxFuture<'a, Result<(), WorkError>> {
        async { Ok(()) }.boxed()
    }

    fn presign(&self, uri: String) -> BoxFuture<'static, Result<String, String>> {
        let url = self.url.clone();
        async move { Ok(uri.replace("s3://", &format!("{url}/"))) }.boxed()
    }
}
