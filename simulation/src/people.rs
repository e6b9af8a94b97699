//! What people do in one schedule: drop, overwrite and delete files, write and break specs, delete batches.

use shared::name::{BatchNumber, DatasetName, JobName};
use shared::spec::Spec;

use crate::agenda::Event;
use crate::content::Content;
use crate::crew::{CrewAct, CrewPlan};
use crate::dice::Dice;
use crate::fault::{Fault, Faults};
use crate::scene::Scene;
use crate::time::{DAY, HOUR, MINUTE, Ms, SECOND};
use crate::truth::SpecTruth;
use crate::world::objects::StoredVersion;
use crate::world::{Upload, World};
use crate::{OUTPUT, prefix};

/// One thing a person does.
#[derive(Clone, Debug)]
pub(crate) enum Act {
    Put {
        key: String,
        content: Content,
    },
    Remove {
        key: String,
    },
    Begin {
        upload: u32,
        key: String,
    },
    Finish {
        upload: u32,
        content: Content,
    },
    Spec {
        dataset: String,
        text: String,
        truth: SpecTruth,
    },
    DeleteBatch {
        dataset: String,
    },
    Restore,
    /// Another stack makes a job with the name of this batch's.
    TakeName {
        dataset: String,
        batch: u32,
    },
    Crew(CrewAct),
}

/// How a dataset's files are read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Mode {
    Files,
    Rows,
}

#[derive(Clone, Debug)]
pub(crate) struct Dataset {
    pub(crate) name: String,
    mode: Mode,
    limit: Option<u64>,
}

/// A schedule before anything has happened.
#[derive(Clone, Debug)]
pub(crate) struct Plan {
    pub(crate) datasets: Vec<Dataset>,
    pub(crate) acts: Vec<(Ms, Act)>,
    /// People and faults stop here.
    pub(crate) span: Ms,
    pub(crate) sweep_every: Ms,
    pub(crate) delay: Ms,
    pub(crate) quota: usize,
    pub(crate) job_time: Ms,
    /// Entries of a page of a listing; 0 to draw it.
    pub(crate) pages: usize,
    /// Batches after which build-manifest writes down what they hold; `None` for as many as on Lambda.
    pub(crate) remember_every: Option<usize>,
    /// Where the schedule is about people and teams.
    pub(crate) crew: Option<CrewPlan>,
}

impl Plan {
    pub(crate) fn scene(&self) -> Scene {
        match self.crew {
            Some(_) => Scene::Crew,
            None => Scene::Datasets,
        }
    }
}

/// The pairs differ where job names do not.
const NAMES: [(&str, &str); 3] = [
    ("cats", "Cats"),
    ("a_b", "a-b"),
    (
        "the-same-thirty-characters-first-1",
        "the-same-thirty-characters-first-2",
    ),
];
const ODD: [&str; 8] = [
    "red flower",
    "a+b",
    "a%2Bb",
    "\"q\" \\",
    "a\tb\n",
    "고양이",
    "../x",
    "a\",\"x\":\"b",
];

/// Draws a schedule's people.
pub(crate) struct PlanBuilder<'a> {
    dice: &'a mut Dice,
    faults: &'a mut Faults,
    acts: Vec<(Ms, Act)>,
    span: Ms,
    uploads: u32,
}

pub(crate) fn draw(dice: &mut Dice, faults: &mut Faults) -> Plan {
    let full = faults.strikes(Fault::QuotaFull, dice);
    let span = match full {
        true => dice.between(2, 12) * DAY,
        false => dice.pick(&[5 * MINUTE, 30 * MINUTE, 90 * MINUTE], HOUR),
    };
    let (first, twin) = dice.pick(&NAMES, ("cats", "Cats"));
    let names = match faults.strikes(Fault::TwinName, dice) {
        true => vec![first, twin],
        false => vec![first],
    };
    let mut drawing = PlanBuilder {
        dice,
        faults,
        acts: Vec::new(),
        span,
        uploads: 0,
    };
    let datasets: Vec<_> = names.into_iter().map(|name| drawing.dataset(name)).collect();
    if drawing.strikes(Fault::BatchDeleted) {
        let dataset = first.to_owned();
        let at = drawing.sometime();
        drawing.acts.push((at, Act::DeleteBatch { dataset }));
        let back = drawing.dice.between(at, span);
        drawing.acts.push((back, Act::Restore));
    }
    let acts = drawing.acts;
    Plan {
        datasets,
        acts,
        span,
        sweep_every: (span / 8).max(15 * MINUTE),
        delay: dice.pick(&[0, 135 * SECOND, 900 * SECOND], 0),
        quota: if full { 1 + dice.index(2) } else { 20 },
        job_time: if full { 10 * DAY } else { 2 * HOUR },
        pages: 0,
        remember_every: Some(2),
        crew: None,
    }
}

impl PlanBuilder<'_> {
    fn strikes(&mut self, fault: Fault) -> bool {
        self.faults.strikes(fault, self.dice)
    }

    fn sometime(&mut self) -> Ms {
        self.dice.between(0, self.span)
    }

    fn dataset(&mut self, name: &str) -> Dataset {
        let dataset = Dataset {
            name: name.to_owned(),
            mode: if self.dice.percent(35) {
                Mode::Rows
            } else {
                Mode::Files
            },
            limit: self
                .strikes(Fault::Limited)
                .then(|| self.dice.between(1, 6).unsigned_abs()),
        };
        self.specs(&dataset);
        let burst = self.sometime();
        let files = self.dice.between(1, 6);
        for number in 0..files {
            let at = match self.dice.percent(60) {
                true => burst + self.dice.between(0, 3 * MINUTE),
                false => self.sometime(),
            };
            self.file(&dataset, number, at);
        }
        if self.strikes(Fault::Ready) {
            let at = self.sometime();
            let (key, content) = (format!("{name}/_READY"), Content::Empty);
            self.acts.push((at, Act::Put { key, content }));
        }
        if self.strikes(Fault::HandMade) {
            for number in 0..self.dice.between(1, 2) {
                let at = self.sometime();
                let key = format!("{name}/hand{number}.manifest");
                let content = Content::Lines(self.rows("h"));
                self.acts.push((at, Act::Put { key, content }));
            }
        }
        if self.strikes(Fault::ForeignJob) {
            let batch = 1 + self.dice.below(2);
            let dataset = name.to_owned();
            self.acts.push((0, Act::TakeName { dataset, batch }));
        }
        dataset
    }

    fn specs(&mut self, dataset: &Dataset) {
        let mut at = match self.strikes(Fault::SpecLast) {
            true => self.dice.between(self.span / 2, self.span),
            false => 0,
        };
        if self.strikes(Fault::SpecBroken) {
            self.acts.push((at, broken_spec(&dataset.name)));
            at = self.dice.between(at, self.span);
        }
        let first = self.spec(dataset, 1);
        self.acts.push((at, first));
        if self.strikes(Fault::SpecChanged) {
            let again = self.dice.between(at, self.span);
            let second = self.spec(dataset, 2);
            self.acts.push((again, second));
        }
    }

    fn spec(&mut self, dataset: &Dataset, version: u32) -> Act {
        let truth = SpecTruth {
            title: format!("{} v{version}", dataset.name),
            quiet: self.dice.pick(&[2 * MINUTE, 10 * MINUTE], MINUTE),
            max_wait: self.dice.pick(&[20 * MINUTE, HOUR], HOUR),
            max_items: self.dice.pick(&[2, 3, 5, 1_000], 5),
            limit: dataset.limit,
            valid: true,
        };
        spec_act(dataset, truth)
    }

    fn file(&mut self, dataset: &Dataset, number: i64, at: Ms) {
        let stem = match self.strikes(Fault::OddKey) {
            true => self.dice.pick(&ODD, "odd").to_owned(),
            false if self.dice.percent(5) => "skip/x".to_owned(),
            false => "x".to_owned(),
        };
        let extension = match dataset.mode {
            Mode::Files => "txt",
            Mode::Rows => "csv",
        };
        let key = format!("{}/{stem}{number}.{extension}", dataset.name);
        let content = self.content(dataset.mode);
        if self.strikes(Fault::Multipart) {
            self.uploads += 1;
            let upload = self.uploads;
            let begin = Act::Begin {
                upload,
                key: key.clone(),
            };
            self.acts.push((at, begin));
            if !self.strikes(Fault::NeverFinished) {
                let takes = self.dice.between(SECOND, 40 * MINUTE);
                self.acts.push((at + takes, Act::Finish { upload, content }));
            }
        } else {
            let key = key.clone();
            self.acts.push((at, Act::Put { key, content }));
        }
        if self.strikes(Fault::Overwritten) {
            let (key, content) = (key.clone(), self.content(dataset.mode));
            let later = self.dice.between(at, self.span.max(at));
            self.acts.push((later, Act::Put { key, content }));
        }
        if self.strikes(Fault::Deleted) {
            let later = self.dice.between(at, self.span.max(at));
            self.acts.push((later, Act::Remove { key }));
        }
    }

    fn content(&mut self, mode: Mode) -> Content {
        let bad = self.strikes(Fault::BadFile);
        match mode {
            _ if bad && self.dice.percent(40) => {
                if self.dice.percent(50) {
                    Content::Empty
                } else {
                    Content::NotUtf8
                }
            }
            Mode::Files => Content::Text(format!("text {}", self.dice.below(1_000))),
            Mode::Rows => Content::Rows(self.rows("r")),
        }
    }

    fn rows(&mut self, of: &str) -> Vec<Option<String>> {
        let bad = self.strikes(Fault::BadFile);
        let rows = self.dice.between(1, 5);
        (0..rows)
            .map(|_| (!(bad && self.dice.percent(40))).then(|| format!("{of}{}", self.dice.below(1_000))))
            .collect()
    }
}

fn broken_spec(dataset: &str) -> Act {
    let truth = SpecTruth {
        title: String::new(),
        quiet: 0,
        max_wait: 0,
        max_items: 0,
        limit: None,
        valid: false,
    };
    Act::Spec {
        dataset: dataset.to_owned(),
        text: "task: text-classification\nlabels: [Even, Odd\n".to_owned(),
        truth,
    }
}

fn spec_act(dataset: &Dataset, truth: SpecTruth) -> Act {
    let SpecTruth {
        title,
        quiet,
        max_wait,
        max_items,
        limit,
        ..
    } = &truth;
    let split = match dataset.mode {
        Mode::Files => "",
        Mode::Rows => "text: {split: row, column: n}\n",
    };
    let limit = limit.map(|limit| format!(", limit: {limit}")).unwrap_or_default();
    let text = format!(
        "task: text-classification\nlabels: [Even, Odd]\nteam: numbers-team\ntitle: {title}\n{split}\
         select: {{exclude: [/skip/]{limit}}}\n\
         batch: {{quiet: {}s, max_wait: {}s, max_items: {max_items}}}\n",
        quiet / SECOND,
        max_wait / SECOND,
    );
    Act::Spec {
        dataset: dataset.name.clone(),
        text,
        truth,
    }
}

impl Dataset {
    /// One whose files are an item each.
    pub(crate) fn plain(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            mode: Mode::Files,
            limit: None,
        }
    }

    /// A spec for batches of at most this many items.
    pub(crate) fn spec_for(&self, max_items: usize) -> Act {
        let truth = SpecTruth {
            title: self.name.clone(),
            quiet: 2 * MINUTE,
            max_wait: HOUR,
            max_items,
            limit: None,
            valid: true,
        };
        spec_act(self, truth)
    }

    /// A spec that replaces what was there before, and is valid.
    pub(crate) fn fixed_spec(&self) -> Act {
        let truth = SpecTruth {
            title: format!("{} fixed", self.name),
            quiet: 2 * MINUTE,
            max_wait: HOUR,
            max_items: 4,
            limit: self.limit,
            valid: true,
        };
        spec_act(self, truth)
    }
}

impl World {
    pub(crate) fn act(&mut self, act: Act) {
        match act {
            Act::Put { key, content } => {
                self.note(|| format!("  an admin drops {key:?}: {content:?}"));
                self.put(&key, content, None);
            }
            Act::Remove { key } => {
                self.note(|| format!("  an admin deletes {key:?}"));
                self.input.remove(&key);
                self.truth.record_removal(&key);
            }
            Act::Begin { upload, key } => {
                self.note(|| format!("  an upload of {key:?} begins"));
                let initiated = self.now;
                self.uploads.insert(upload, Upload { key, initiated });
            }
            Act::Finish { upload, content } => {
                let Some(Upload { key, initiated }) = self.uploads.remove(&upload) else {
                    return;
                };
                self.note(|| format!("  the upload of {key:?} ends: {content:?}"));
                self.put(&key, content, Some(initiated));
            }
            Act::Spec { dataset, text, truth } => {
                self.note(|| format!("  a spec for {dataset}: {truth:?}"));
                let sha256 = Spec::sha256(text.as_bytes());
                self.truth.spec_dropped(&dataset, &sha256, truth, self.now);
                self.drop_file(&format!("{dataset}/labeling.yaml"), text.into_bytes(), None);
            }
            Act::DeleteBatch { dataset } => self.delete_batch(&dataset),
            Act::Restore => self.restore(),
            Act::TakeName { dataset, batch } => self.take_name(&dataset, batch),
            Act::Crew(act) => self.crew_act(act),
        }
    }

    fn put(&mut self, key: &str, content: Content, begun: Option<Ms>) {
        let bytes = content.bytes();
        self.truth.record_drop(key, &bytes, content);
        self.drop_file(key, bytes, begun);
    }

    /// The bucket's policy forbids it, and administrators can. Noticed is what happens between two reconciles, to a
    /// batch that the status names: so that is what they do here.
    fn delete_batch(&mut self, dataset: &str) {
        if self.faults.is_calm() {
            return;
        }
        if self.building > 0 {
            let dataset = dataset.to_owned();
            return self.after(MINUTE, Event::Act(Act::DeleteBatch { dataset }));
        }
        let announced = self.output.get(&format!("status/{dataset}.json"));
        let announced =
            announced.and_then(|stored| serde_json::from_slice::<serde_json::Value>(&stored.bytes).ok());
        let batches = announced
            .and_then(|status| status.get("batches")?.as_u64())
            .unwrap_or(0);
        if batches == 0 {
            return;
        }
        let number = 1 + self.dice.below(u32::try_from(batches).unwrap_or(1));
        let key = format!("manifests/{dataset}/{number:06}.manifest");
        if let Some(stored) = self.output.remove(&key) {
            self.note(|| format!("  an admin deletes {key}"));
            self.truth.deleted = Some((key, stored));
        }
    }

    pub(crate) fn restore(&mut self) {
        let deleted: Option<(String, StoredVersion)> = self.truth.deleted.take();
        if let Some((key, stored)) = deleted {
            self.note(|| format!("  an admin restores {key}"));
            self.output.insert(&key, stored);
        }
    }

    fn take_name(&mut self, dataset: &str, batch: u32) {
        let name = DatasetName::new(dataset).ok().zip(BatchNumber::new(batch));
        let (Some(prefix), Some((dataset, batch))) = (prefix(), name) else {
            return;
        };
        let name = JobName::new(&prefix, &dataset, batch).to_string();
        self.note(|| format!("  an admin makes a job called {name}"));
        let manifest = format!("s3://{OUTPUT}/elsewhere.manifest");
        self.make_job(&name, &manifest, "label");
        self.truth.foreign.insert(name);
    }
}
