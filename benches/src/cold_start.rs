//! Cold starts: from starting the process to its first answer, without an AWS call in between; then the one a person
//! waits for, with its calls.

use anyhow::Result;
use serde_json::{Value, json};

use crate::first_sign_in;
use crate::lambda::Function;
use crate::measure::{binary, median};

const ROUNDS: usize = 31;

/// What each function is started with; nothing answers at the endpoint, because nothing is asked.
fn environment() -> Vec<(String, String)> {
    [
        ("AWS_REGION", "us-east-1"),
        ("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE"),
        ("AWS_SECRET_ACCESS_KEY", "secret"),
        ("INPUT_BUCKET", "input"),
        ("OUTPUT_BUCKET", "output"),
        ("NOTICE_TOPIC_ARN", "arn:aws:sns:us-east-1:000000000000:notices"),
        ("JOB_PREFIX", "gc00"),
        ("LABELING_ROLE_ARN", "arn:aws:iam::000000000000:role/labeling"),
        ("AWS_ACCOUNT", "000000000000"),
        ("AWS_PARTITION", "aws"),
        ("LINK_SOURCES", ""),
        ("ALLOWED_KMS_KEYS", ""),
        ("ALLOWED_TEAMS", ""),
        ("ALLOWED_TAG_KEYS", "project"),
        ("ITEMS_PER_DAY", "10000"),
        ("JOBS_PER_DAY", "100"),
    ]
    .map(|(k, v)| (k.to_owned(), v.to_owned()))
    .to_vec()
}

/// S3 announces itself on a new queue with this; it is acknowledged without looking at anything, and to a trigger of
/// the user pool it says nothing.
fn test_event() -> Value {
    let body = json!({"Service": "Amazon S3", "Event": "s3:TestEvent", "Bucket": "input"}).to_string();
    json!({"Records": [{"messageId": "1", "receiptHandle": "r", "body": body, "eventSource": "aws:sqs",
        "attributes": {"ApproximateReceiveCount": "1"}, "messageAttributes": {}, "md5OfBody": "",
        "eventSourceARN": "arn:aws:sqs:us-east-1:000000000000:q", "awsRegion": "us-east-1"}]})
}

pub(crate) async fn run() -> Result<()> {
    println!("\ncold start: process start to first answer, median of {ROUNDS}; warm peak memory");
    let names = [
        "hello",
        "build-manifest",
        "start-job",
        "notify",
        "assign-worker",
        "invite-message",
    ];
    let mut times = vec![Vec::new(); names.len()];
    let mut memory = vec![0.0_f64; names.len()];
    for _ in 0..ROUNDS {
        // Interleaved, so that a busy moment of the machine falls on all of them.
        for (i, name) in names.iter().enumerate() {
            let mut function = Function::start(&binary(name)?, &environment()).await?;
            function.invoke(test_event()).await?;
            times[i].push(function.age().as_secs_f64() * 1e3);
            for _ in 0..20 {
                function.invoke(test_event()).await?;
            }
            memory[i] = memory[i].max(function.peak_memory()?);
        }
    }
    let medians = times.into_iter().map(median).collect::<Result<Vec<_>>>()?;
    println!(
        "{:<16} {:>8} {:>8} {:>9} {:>9}",
        "function", "ms", "x hello", "peak MB", "binary MB"
    );
    for (i, name) in names.iter().enumerate() {
        let size = std::fs::metadata(binary(name)?)?.len() as f64 / 1e6;
        println!(
            "{name:<16} {:>8.1} {:>8.2} {:>9.1} {size:>9.1}",
            medians[i],
            medians[i] / medians[0],
            memory[i]
        );
    }
    first_sign_in::run(environment()).await
}
