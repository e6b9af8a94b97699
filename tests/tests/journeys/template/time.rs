//! Nothing outlives its invocation: the SDK's limits against the functions' timeouts in the template, and real clients against
//! services that never answer, or always answer "later".

use std::time::Duration;

use aws::sdk::{CallTimeouts, MAX_ATTEMPTS};
use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_credential_types::Credentials;
use aws_credential_types::provider::SharedCredentialsProvider;
use lambda::start::{message_ids, stop_before_timeout};
use local::wiring::FUNCTIONS;
use serde_json::{Value, json};
use tests::template::{Stack, logical};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;

/// A user pool's, and not to be changed.
const TRIGGER: Duration = Duration::from_secs(5);
/// Nothing here waits so long: only so that a test that hangs ends.
const HANGS: Duration = Duration::from_secs(60);

fn timeout(stack: &Value, function: &str) -> Duration {
    let properties = &stack["Resources"][logical(function, "Function")]["Properties"];
    Duration::from_secs(properties["Timeout"].as_u64().expect("a timeout"))
}

#[test]
fn every_call_times_out_before_its_function_does() {
    let stack = Stack::by_default();
    // The waits before the second and the third attempt are a second and two at most.
    let longest = |timeouts: CallTimeouts| {
        let tried = timeouts.attempt * MAX_ATTEMPTS + Duration::from_secs(1 + 2);
        tried.max(timeouts.operation)
    };
    for function in FUNCTIONS {
        let timeout = timeout(&stack, function.name);
        if function.queue.is_some() {
            assert!(
                longest(CallTimeouts::LONG) * 3 < timeout,
                "{}: {timeout:?}",
                function.name
            );
            continue;
        }
        assert!(
            timeout <= TRIGGER,
            "{}: the user pool waits no longer",
            function.name
        );
        assert!(
            CallTimeouts::SHORT.operation < timeout,
            "{}: {timeout:?}",
            function.name
        );
    }
    for budget in [assign_worker::BUDGET, CallTimeouts::SHORT.operation] {
        // The rest is for a cold start and the way there and back.
        assert!(budget + Duration::from_secs(1) < TRIGGER, "{budget:?}");
    }
    for timeouts in [CallTimeouts::LONG, CallTimeouts::SHORT] {
        assert!(timeouts.connect < timeouts.attempt && timeouts.attempt < timeouts.operation);
    }
}

/// Takes connections; `answer` goes back for each request, nothing where it is empty.
async fn service(answer: &'static str) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address");
    tokio::spawn(async move {
        while let Ok((mut connection, _)) = listener.accept().await {
            tokio::spawn(async move {
                let mut request = [0_u8; 16_384];
                while connection.read(&mut request).await.is_ok_and(|read| read > 0) {
                    if !answer.is_empty() && connection.write_all(answer.as_bytes()).await.is_err() {
                        break;
                    }
                }
            });
        }
    });
    format!("http://{address}")
}

const NEVER: &str = "";
const LATER: &str = "HTTP/1.1 503 Service Unavailable\r\ncontent-length: 0\r\n\r\n";

fn sdk(endpoint: &str, timeouts: CallTimeouts) -> SdkConfig {
    let keys = Credentials::new("AKIDEXAMPLE", "secret", None, None, "test");
    SdkConfig::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new("us-east-1"))
        .credentials_provider(SharedCredentialsProvider::new(keys))
        .endpoint_url(endpoint)
        .timeout_config(timeouts.to_config())
        .retry_config(aws_config::retry::RetryConfig::standard().with_max_attempts(MAX_ATTEMPTS))
        .build()
}

fn environment(name: &str) -> Option<String> {
    let value = match name {
        "INPUT_BUCKET" => "in",
        "OUTPUT_BUCKET" => "out",
        "NOTICE_TOPIC_ARN" => "arn:aws:sns:us-east-1:1:notices",
        "JOB_PREFIX" => "gc01",
        "LABELING_ROLE_ARN" => "arn:aws:iam::1:role/labeling",
        "AWS_ACCOUNT" => "1",
        "AWS_PARTITION" => "aws",
        "JOBS_PER_DAY" => "100",
        _ => return None,
    };
    Some(value.to_owned())
}

fn sign_in() -> Value {
    json!({
        "version": "1", "triggerSource": "TokenGeneration_Authentication", "region": "us-east-1",
        "userPoolId": "us-east-1_abc", "userName": "ana", "callerContext": {"clientId": "c"},
        "request": {
            "userAttributes": {
                "sub": "s", "cognito:user_status": "CONFIRMED", "email_verified": "true", "email": "ana@example.org",
            },
            "groupConfiguration": {"groupsToOverride": ["readers"], "iamRolesToOverride": [], "preferredRole": null},
        },
        "response": {"claimsOverrideDetails": null},
    })
}

/// With its own budget and limits: some seconds, both at once.
#[tokio::test]
async fn a_sign_in_goes_on_whether_services_never_answer_or_say_later_for_ever() {
    let signed_in = async |answer| {
        let sdk = sdk(&service(answer).await, CallTimeouts::SHORT);
        let deps = assign_worker::deps(&environment, &sdk).expect("the environment is whole");
        let answered = tokio::time::timeout(HANGS, assign_worker::handle(&deps, sign_in()));
        answered.await.expect("an answer").expect("never an error")
    };
    let (never, later) = tokio::join!(signed_in(NEVER), signed_in(LATER));
    assert_eq!(never, sign_in());
    assert_eq!(later, sign_in());
}

/// The long timeouts and five minutes, a thousand times as fast. One call alone fails in time; ten one after another would not.
#[tokio::test]
async fn messages_fail_before_the_functions_end_when_s3_does_not_answer() {
    let timeouts = CallTimeouts {
        connect: CallTimeouts::LONG.connect / 1_000,
        attempt: CallTimeouts::LONG.attempt / 1_000,
        operation: CallTimeouts::LONG.operation / 1_000,
    };
    let sdk = sdk(&service(NEVER).await, timeouts);
    let deps = start_job::deps(&environment, &sdk).expect("the environment is whole");
    let ids: Vec<String> = (1..=10).map(|batch| format!("m{batch}")).collect();
    let dropped = |batch: usize| {
        let key = format!("manifests/d/{batch:06}.manifest");
        let record = json!({"eventVersion": "2.1", "eventName": "ObjectCreated:Put", "eventTime": "2026-11-22T10:00:00Z",
            "s3": {"bucket": {"name": "out"}, "object": {"key": key}}});
        json!({"messageId": format!("m{batch}"), "eventSource": "aws:sqs", "body": json!({"Records": [record]}).to_string()})
    };
    let failed = async |batches: std::ops::RangeInclusive<usize>, left: Duration| {
        let event = json!({"Records": batches.map(dropped).collect::<Vec<_>>()});
        let ids = message_ids(&event);
        let reply = stop_before_timeout(start_job::handle(&deps, event), &ids, left);
        let reply = tokio::time::timeout(HANGS, reply).await.expect("an answer");
        let reply = reply.expect("messages fail one by one");
        let failed = reply["batchItemFailures"].as_array().expect("failures").clone();
        failed
            .iter()
            .map(|f| f["itemIdentifier"].as_str().unwrap_or_default().to_owned())
            .collect::<Vec<_>>()
    };
    let five_minutes = Duration::from_millis(300);
    assert_eq!(
        failed(1..=1, five_minutes * 100).await,
        ["m1"],
        "by the call's own limit"
    );
    assert_eq!(
        failed(1..=10, five_minutes).await,
        ids,
        "by what is left of the invocation"
    );
}
