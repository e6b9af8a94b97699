//! What the functions count, in CloudWatch's embedded metric format: a line of JSON on standard output that CloudWatch
//! Logs turns into metrics. It costs no call and no permission.
//! <https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html>

use std::fmt;
use std::io::Write;
use std::sync::Arc;

use jiff::Timestamp;
use serde_json::{Map, Value, json};

const NAMESPACE: &str = "Groundcrew";
/// The one dimension: alarms name the function they watch.
const DIMENSION: &str = "Function";

/// The names alarms and the dashboard of the stack's template know.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Metric {
    /// Batches that have no labeling job yet.
    BatchesWaiting,
    /// Minutes since the oldest of them was cut; 0 when there is none.
    OldestWaitingMinutes,
    /// Labeling jobs still running although their items are no longer offered.
    JobsOverdue,
    /// Invitations that may still be sent before 09:00 UTC.
    InvitationsLeftToday,
    /// Files that a sweep was the first to look at, although their events should have arrived long before.
    FoundWithoutEvent,
    /// Events of another bucket, of another stack's job, of another user pool.
    DroppedForeignEvents,
}

impl Metric {
    pub fn name(self) -> &'static str {
        match self {
            Self::BatchesWaiting => "BatchesWaiting",
            Self::OldestWaitingMinutes => "OldestWaitingMinutes",
            Self::JobsOverdue => "JobsOverdue",
            Self::InvitationsLeftToday => "InvitationsLeftToday",
            Self::FoundWithoutEvent => "FoundWithoutEvent",
            Self::DroppedForeignEvents => "DroppedForeignEvents",
        }
    }

    /// CloudWatch has seconds and no minutes.
    fn unit(self) -> &'static str {
        match self {
            Self::OldestWaitingMinutes => "None",
            _ => "Count",
        }
    }
}

type Writer = Arc<dyn Fn(&str) + Send + Sync>;

/// Where metrics go: nowhere, unless Lambda runs the function.
#[derive(Clone, Default)]
pub struct Metrics(Option<(String, Writer)>);

impl Metrics {
    /// On Lambda, which names the function in `AWS_LAMBDA_FUNCTION_NAME`, they go to standard output.
    pub fn from_env(env: &dyn Fn(&str) -> Option<String>) -> Self {
        let function = env("AWS_LAMBDA_FUNCTION_NAME").filter(|name| !name.is_empty());
        function.map_or_else(Self::default, |function| {
            Self::written_by(&function, write_to_stdout)
        })
    }

    /// Lines, each with its line end, go to this writer.
    pub fn written_by(function: &str, write: impl Fn(&str) + Send + Sync + 'static) -> Self {
        Self(Some((function.to_owned(), Arc::new(write))))
    }

    /// Writes values of this moment.
    pub fn put(&self, values: &[(Metric, u64)]) {
        if let Some((function, write)) = &self.0 {
            write(&metric_line(function, values, Timestamp::now()));
        }
    }

    /// Counts events about things that are not this stack's. Zero is not worth a line.
    pub fn count_foreign_events(&self, events: usize) {
        if events > 0 {
            let events = u64::try_from(events).unwrap_or(u64::MAX);
            self.put(&[(Metric::DroppedForeignEvents, events)]);
        }
    }
}

impl fmt::Debug for Metrics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let function = self.0.as_ref().map(|(function, _)| function);
        f.debug_tuple("Metrics").field(&function).finish()
    }
}

/// In one piece: log lines are written beside it.
fn write_to_stdout(line: &str) {
    // A function can do nothing about a closed standard output.
    let _ = std::io::stdout().lock().write_all(line.as_bytes());
}

fn metric_line(function: &str, values: &[(Metric, u64)], now: Timestamp) -> String {
    let metrics: Vec<Value> = values
        .iter()
        .map(|(metric, _)| json!({"Name": metric.name(), "Unit": metric.unit()}))
        .collect();
    let mut root = Map::new();
    root.insert(
        "_aws".to_owned(),
        json!({
            "Timestamp": now.as_millisecond(),
            "CloudWatchMetrics": [{"Namespace": NAMESPACE, "Dimensions": [[DIMENSION]], "Metrics": metrics}],
        }),
    );
    root.insert(DIMENSION.to_owned(), json!(function));
    root.extend(
        values
            .iter()
            .map(|(metric, value)| (metric.name().to_owned(), json!(value))),
    );
    format!("{}\n", Value::Object(root))
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use super::*;

    const UNITS: [&str; 2] = ["Count", "None"];

    /// The rules of the specification's document structure.
    fn assert_valid(line: &str) {
        let line = line.strip_suffix('\n').expect("a whole line");
        assert!(!line.contains('\n'), "nothing before or after the object: {line}");
        let root: Map<String, Value> = serde_json::from_str(line).expect(line);
        let directives = root["_aws"].as_object().unwrap();
        assert_eq!(directives.len(), 2, "no members beyond those specified");
        assert!(
            directives["Timestamp"].as_i64().unwrap() > 1_600_000_000_000,
            "milliseconds"
        );
        for directive in directives["CloudWatchMetrics"].as_array().unwrap() {
            let directive = directive.as_object().unwrap();
            assert_eq!(directive.len(), 3);
            assert!((1..=1024).contains(&directive["Namespace"].as_str().unwrap().len()));
            for set in directive["Dimensions"].as_array().unwrap() {
                let set = set.as_array().unwrap();
                assert!(set.len() <= 30);
                for dimension in set {
                    let value = root[dimension.as_str().unwrap()].as_str().unwrap();
                    assert!((1..=1024).contains(&value.len()), "a dimension's target is text");
                }
            }
            let metrics = directive["Metrics"].as_array().unwrap();
            assert!((1..=100).contains(&metrics.len()));
            for metric in metrics {
                let name = metric["Name"].as_str().unwrap();
                assert!(root[name].is_number(), "{name} has its value at the root");
                assert!(UNITS.contains(&metric["Unit"].as_str().unwrap()));
            }
        }
    }

    #[test]
    fn every_metric_makes_a_line_cloudwatch_reads() {
        let all = [
            Metric::BatchesWaiting,
            Metric::OldestWaitingMinutes,
            Metric::JobsOverdue,
            Metric::InvitationsLeftToday,
            Metric::FoundWithoutEvent,
            Metric::DroppedForeignEvents,
        ];
        for metric in all {
            assert_valid(&metric_line("gc-\"start\"-job", &[(metric, 0)], Timestamp::now()));
        }
        assert_valid(&metric_line(
            "f",
            &all.map(|metric| (metric, u64::MAX)),
            Timestamp::now(),
        ));
    }

    #[test]
    fn a_line_is_what_the_template_expects() {
        let now = "2026-11-21T10:00:00Z".parse().unwrap();
        let line = metric_line("gc-start-job", &[(Metric::BatchesWaiting, 3)], now);
        assert_eq!(
            serde_json::from_str::<Value>(&line).unwrap(),
            json!({
                "_aws": {
                    "Timestamp": 1_795_255_200_000_i64,
                    "CloudWatchMetrics": [{
                        "Namespace": "Groundcrew", "Dimensions": [["Function"]],
                        "Metrics": [{"Name": "BatchesWaiting", "Unit": "Count"}],
                    }],
                },
                "Function": "gc-start-job", "BatchesWaiting": 3,
            })
        );
    }

    #[test]
    fn nothing_is_written_outside_lambda() {
        assert!(Metrics::from_env(&|_| None).0.is_none());
        assert!(Metrics::from_env(&|_| Some(String::new())).0.is_none());
        let named = Metrics::from_env(&|name| (name == "AWS_LAMBDA_FUNCTION_NAME").then(|| "f".to_owned()));
        assert_eq!(format!("{named:?}"), r#"Metrics(Some("f"))"#);
    }

    #[test]
    fn zero_foreign_events_are_not_written() {
        let lines = Arc::new(Mutex::new(Vec::new()));
        let written = lines.clone();
        let metrics = Metrics::written_by("f", move |line| written.lock().unwrap().push(line.to_owned()));
        metrics.count_foreign_events(0);
        metrics.count_foreign_events(2);
        let lines = lines.lock().unwrap();
        assert_eq!(lines.len(), 1);
        assert!(lines[0].contains(r#""DroppedForeignEvents":2"#), "{}", lines[0]);
    }
}
