//! The two buckets: whether they answer, send events, keep what is overwritten, and are not public.

use aws_sdk_s3::Client;
use aws_sdk_s3::operation::get_bucket_notification_configuration::GetBucketNotificationConfigurationOutput as Notifications;
use aws_sdk_s3::types::{
    BucketVersioningStatus, CorsRule, Event, FilterRuleName, PublicAccessBlockConfiguration,
    QueueConfiguration, ServerSideEncryption, ServerSideEncryptionRule,
};

use super::policy;
use crate::check::finding::{Finding, judge};
use crate::target::Target;

const INPUT: &str = "input bucket";
const OUTPUT: &str = "output bucket";
const REPLACED: &str = "the bucket's notifications were replaced, which a deployment does not notice: put them back as \
                        docs/DEPLOY.md says (When something waits). Meanwhile the sweep does the work, within 15 minutes";

/// The events that a queue has to get.
struct RequiredEvents<'a> {
    function: &'a str,
    name: &'a str,
    prefix: &'a str,
    suffix: &'a str,
}

const DROPPED: RequiredEvents<'static> = RequiredEvents {
    function: "build-manifest",
    name: "dropped files",
    prefix: "",
    suffix: "",
};
const BATCHES: RequiredEvents<'static> = RequiredEvents {
    function: "start-job",
    name: "batches",
    prefix: "manifests/",
    suffix: ".manifest",
};
const JOINED: RequiredEvents<'static> = RequiredEvents {
    function: "sync-team",
    name: "people who joined",
    prefix: "joined/",
    suffix: "",
};

struct BucketCheck<'a> {
    s3: Client,
    bucket: &'a str,
    about: &'static str,
    target: &'a Target,
}

pub(super) async fn input(target: &Target) -> Vec<Finding> {
    let bucket = BucketCheck {
        s3: s3_client(target),
        bucket: &target.config.input_bucket,
        about: INPUT,
        target,
    };
    let mut all = match bucket.answers().await {
        Ok(finding) => vec![finding],
        Err(finding) => return vec![finding],
    };
    all.push(bucket.cors().await);
    if !target.deployment.is_local() {
        let is_existing = target.deployment.parameter("ExistingInputBucket").is_some();
        all.push(bucket.notifications(&[DROPPED], true, is_existing).await);
        all.extend(bucket.protection().await);
    }
    all
}

pub(super) async fn output(target: &Target) -> Vec<Finding> {
    let bucket = BucketCheck {
        s3: s3_client(target),
        bucket: &target.config.output_bucket,
        about: OUTPUT,
        target,
    };
    let mut all = match bucket.answers().await {
        Ok(finding) => vec![finding],
        Err(finding) => return vec![finding],
    };
    if !target.deployment.is_local() {
        let is_existing = target.deployment.parameter("ExistingOutputBucket").is_some();
        all.push(
            bucket
                .notifications(&[BATCHES, JOINED], is_existing, is_existing)
                .await,
        );
        all.extend(bucket.protection().await);
        all.push(bucket.policy().await);
    }
    all
}

/// A stand-in at an endpoint of its own knows a bucket by its path, not by a host name.
fn s3_client(target: &Target) -> Client {
    let config = aws_sdk_s3::config::Builder::from(&target.sdk);
    let path_style = target.sdk.endpoint_url().is_some();
    Client::from_conf(config.force_path_style(path_style).build())
}

impl BucketCheck<'_> {
    /// `Err`: it does not answer, and nothing else can be checked.
    async fn answers(&self) -> Result<Finding, Finding> {
        let list = self.s3.list_objects_v2().bucket(self.bucket).max_keys(1);
        match list.send().await {
            Ok(_) => Ok(Finding::fine(self.about, format!("{} answers", self.bucket))),
            Err(error) => Err(Finding::of_failure(self.about, "s3:ListBucket", error)),
        }
    }

    async fn notifications(
        &self,
        required: &[RequiredEvents<'_>],
        event_bridge: bool,
        is_existing: bool,
    ) -> Finding {
        let call = self
            .s3
            .get_bucket_notification_configuration()
            .bucket(self.bucket);
        match call.send().await {
            Ok(set) => {
                let queues = &self.target.deployment.queue_urls;
                let arn = |function: &str| queues.get(function).map(|url| queue_of(url));
                let is_missing = |events: &&RequiredEvents<'_>| {
                    let arn = arn(events.function);
                    !arn.is_some_and(|arn| gets_events(&set, events, &arn))
                };
                // A bucket that was there before sends its events through EventBridge alone.
                let required = required.iter().filter(|_| !is_existing);
                let missing: Vec<&str> = required.filter(is_missing).map(|events| events.name).collect();
                let no_event_bridge = event_bridge && set.event_bridge_configuration().is_none();
                judge(
                    self.about,
                    missing_events(&missing, no_event_bridge),
                    "sends events for new objects",
                )
            }
            Err(error) => Finding::of_failure(self.about, "s3:GetBucketNotification", error),
        }
    }

    async fn protection(&self) -> Vec<Finding> {
        let (versions, encryption, access) =
            tokio::join!(self.versions(), self.encryption(), self.public_access());
        vec![versions, encryption, access]
    }

    async fn versions(&self) -> Finding {
        match self.s3.get_bucket_versioning().bucket(self.bucket).send().await {
            Ok(versioning) => {
                let is_on = versioning.status() == Some(&BucketVersioningStatus::Enabled);
                let wrong = "versioning is off, so what is overwritten or deleted is lost: switch it on with: \
                             aws s3api put-bucket-versioning";
                judge(
                    self.about,
                    (!is_on).then(|| wrong.to_owned()),
                    "keeps what is overwritten (versioning)",
                )
            }
            Err(error) => Finding::of_failure(self.about, "s3:GetBucketVersioning", error),
        }
    }

    async fn encryption(&self) -> Finding {
        let key = self.target.deployment.parameter("KmsKeyArn");
        match self.s3.get_bucket_encryption().bucket(self.bucket).send().await {
            Ok(encryption) => {
                let rules = encryption
                    .server_side_encryption_configuration
                    .map(|all| all.rules);
                judge(
                    self.about,
                    encryption_problem(&rules.unwrap_or_default(), key),
                    "encrypts what is put into it",
                )
            }
            Err(error) if code(&error) == "ServerSideEncryptionConfigurationNotFoundError" => {
                judge(self.about, encryption_problem(&[], key), "")
            }
            Err(error) => Finding::of_failure(self.about, "s3:GetEncryptionConfiguration", error),
        }
    }

    async fn public_access(&self) -> Finding {
        let wrong = "does not block public access by itself; switch on all four settings with: aws s3api put-public-access-block";
        match self.s3.get_public_access_block().bucket(self.bucket).send().await {
            Ok(access) => {
                let is_blocked = access
                    .public_access_block_configuration()
                    .is_some_and(blocks_public_access);
                judge(
                    self.about,
                    (!is_blocked).then(|| wrong.to_owned()),
                    "blocks public access",
                )
            }
            Err(error) if code(&error) == "NoSuchPublicAccessBlockConfiguration" => {
                Finding::fix(self.about, wrong)
            }
            Err(error) => Finding::of_failure(self.about, "s3:GetBucketPublicAccessBlock", error),
        }
    }

    async fn cors(&self) -> Finding {
        let wrong = "has no CORS rule for GET: workers' browsers cannot load images from it. docs/DEPLOY.md has the command";
        match self.s3.get_bucket_cors().bucket(self.bucket).send().await {
            Ok(cors) => {
                let allows_get = cors.cors_rules().iter().any(allows_get);
                judge(
                    self.about,
                    (!allows_get).then(|| wrong.to_owned()),
                    "lets workers' browsers load images (CORS)",
                )
            }
            Err(error) if code(&error) == "NoSuchCORSConfiguration" => Finding::fix(self.about, wrong),
            Err(error) => Finding::of_failure(self.about, "s3:GetBucketCORS", error),
        }
    }

    async fn policy(&self) -> Finding {
        match self.s3.get_bucket_policy().bucket(self.bucket).send().await {
            Ok(set) => judge(
                self.about,
                policy::problem(set.policy().unwrap_or_default(), self.bucket),
                "denies deleting and overwriting batches (manifests/)",
            ),
            Err(error) if code(&error) == "NoSuchBucketPolicy" => {
                judge(self.about, policy::problem("{}", self.bucket), "")
            }
            Err(error) => Finding::of_failure(self.about, "s3:GetBucketPolicy", error),
        }
    }
}

fn code(error: &impl aws_sdk_s3::error::ProvideErrorMetadata) -> &str {
    error.code().unwrap_or_default()
}

/// How a queue's ARN ends, from its address: `https://sqs.<region>.amazonaws.com/<account>/<name>`.
fn queue_of(url: &str) -> String {
    let mut parts = url.rsplit('/');
    let (name, account) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
    format!(":{account}:{name}")
}

/// Whether the queue gets the events that the template sets, or more.
fn gets_events(set: &Notifications, events: &RequiredEvents<'_>, queue: &str) -> bool {
    let queues = set.queue_configurations().iter();
    let mut own = queues.filter(|set| set.queue_arn().ends_with(queue));
    own.any(|set| includes(set, events))
}

fn includes(set: &QueueConfiguration, events: &RequiredEvents<'_>) -> bool {
    let all = set
        .events()
        .iter()
        .any(|event| event.as_str() == Event::S3ObjectCreated.as_str());
    let rules = set
        .filter()
        .and_then(|filter| filter.key())
        .map(|key| key.filter_rules())
        .unwrap_or_default();
    let narrower = |rule: &aws_sdk_s3::types::FilterRule| {
        let value = rule.value().unwrap_or_default();
        match rule.name() {
            Some(FilterRuleName::Prefix) => !events.prefix.starts_with(value),
            Some(FilterRuleName::Suffix) => !events.suffix.ends_with(value),
            _ => true,
        }
    };
    all && !rules.iter().any(narrower)
}

fn missing_events(missing: &[&str], no_event_bridge: bool) -> Option<String> {
    match (missing, no_event_bridge) {
        ([], false) => None,
        ([], true) => Some(format!("sends nothing to EventBridge: {REPLACED}")),
        (some, false) => Some(format!("sends no events for {}: {REPLACED}", some.join(" and "))),
        (some, true) => Some(format!(
            "sends nothing to EventBridge, and no events for {}: {REPLACED}",
            some.join(" and ")
        )),
    }
}

fn encryption_problem(rules: &[ServerSideEncryptionRule], key: Option<&str>) -> Option<String> {
    let rule = rules
        .iter()
        .find_map(|rule| rule.apply_server_side_encryption_by_default());
    let Some(rule) = rule else {
        return Some(
            "has no default encryption; switch it on with: aws s3api put-bucket-encryption".to_owned(),
        );
    };
    let key = key?;
    let is_used =
        *rule.sse_algorithm() == ServerSideEncryption::AwsKms && rule.kms_master_key_id() == Some(key);
    (!is_used).then(|| format!("does not encrypt with {key}, the key of the stack: deploy it again"))
}

fn blocks_public_access(access: &PublicAccessBlockConfiguration) -> bool {
    [
        access.block_public_acls(),
        access.block_public_policy(),
        access.ignore_public_acls(),
        access.restrict_public_buckets(),
    ]
    .iter()
    .all(|setting| *setting == Some(true))
}

fn allows_get(rule: &CorsRule) -> bool {
    rule.allowed_methods().iter().any(|method| method == "GET")
}

#[cfg(test)]
mod tests {
    use aws_sdk_s3::types::{
        FilterRule, NotificationConfigurationFilter, S3KeyFilter, ServerSideEncryptionByDefault,
    };

    use super::*;

    fn notifications(queue: &str, event: Event, rules: &[(FilterRuleName, &str)]) -> Notifications {
        let rules = rules
            .iter()
            .map(|(name, value)| FilterRule::builder().name(name.clone()).value(*value).build());
        let key = S3KeyFilter::builder()
            .set_filter_rules(Some(rules.collect()))
            .build();
        let one = QueueConfiguration::builder()
            .queue_arn(format!("arn:aws:sqs:eu-west-1:1{queue}"))
            .events(event)
            .filter(NotificationConfigurationFilter::builder().key(key).build());
        Notifications::builder()
            .queue_configurations(one.build().unwrap())
            .build()
    }

    #[test]
    fn a_queue_gets_the_required_events_or_more() {
        let queue = queue_of("https://sqs.eu-west-1.amazonaws.com/2/crew-start-job");
        assert_eq!(queue, ":2:crew-start-job");
        let prefix = |value| (FilterRuleName::Prefix, value);
        let suffix = |value| (FilterRuleName::Suffix, value);
        let all = Event::S3ObjectCreated;
        for (set, fine) in [
            (notifications(&queue, all.clone(), &[]), true),
            (
                notifications(&queue, all.clone(), &[prefix("manifests/"), suffix(".manifest")]),
                true,
            ),
            (
                notifications(&queue, all.clone(), &[prefix("manifests/cats/")]),
                false,
            ),
            (notifications(&queue, all.clone(), &[suffix(".json")]), false),
            (notifications(&queue, Event::S3ObjectCreatedPut, &[]), false),
            (notifications(":2:other", all, &[]), false),
            (Notifications::builder().build(), false),
        ] {
            assert_eq!(gets_events(&set, &BATCHES, &queue), fine, "{set:?}");
        }
    }

    #[test]
    fn events_that_are_not_sent_are_named() {
        assert_eq!(missing_events(&[], false), None);
        let text = missing_events(&["batches", "people who joined"], false).unwrap();
        assert!(
            text.starts_with(
                "sends no events for batches and people who joined: the bucket's notifications were replaced"
            ),
            "{text}"
        );
        assert!(missing_events(&[], true).unwrap().contains("EventBridge"));
        assert!(
            missing_events(&["dropped files"], true)
                .unwrap()
                .contains("and no events for dropped files")
        );
    }

    #[test]
    fn the_stacks_own_key_has_to_be_used_where_it_has_one() {
        let rule = |algorithm, key: Option<&str>| {
            let set = ServerSideEncryptionByDefault::builder()
                .sse_algorithm(algorithm)
                .set_kms_master_key_id(key.map(str::to_owned));
            ServerSideEncryptionRule::builder()
                .apply_server_side_encryption_by_default(set.build().unwrap())
                .build()
        };
        let plain = [rule(ServerSideEncryption::Aes256, None)];
        let own = [rule(ServerSideEncryption::AwsKms, Some("k"))];
        assert!(encryption_problem(&[], None).is_some());
        assert!(encryption_problem(&plain, None).is_none() && encryption_problem(&own, None).is_none());
        assert!(
            encryption_problem(&plain, Some("k")).is_some() && encryption_problem(&own, Some("k")).is_none()
        );
        assert!(encryption_problem(&own, Some("other")).is_some());
    }
}
