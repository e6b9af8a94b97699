//! The two buckets: reached, telling of what comes in, keeping what is overwritten, closed to the world.

use aws_sdk_s3::Client;
use aws_sdk_s3::operation::get_bucket_notification_configuration::GetBucketNotificationConfigurationOutput as Notifications;
use aws_sdk_s3::types::{
    BucketVersioningStatus, CorsRule, Event, FilterRuleName, PublicAccessBlockConfiguration,
    QueueConfiguration, ServerSideEncryption, ServerSideEncryptionRule,
};

use super::policy;
use crate::check::finding::{Finding, judged};
use crate::endpoint::Target;

const INPUT: &str = "input bucket";
const OUTPUT: &str = "output bucket";
const REPLACED: &str = "somebody has replaced the bucket's notifications, and a deployment does not notice: put \
                        them back as docs/DEPLOY.md says (When something waits). The sweep does the work meanwhile, within 15 minutes";

/// What a queue is to hear of.
struct Wanted<'a> {
    function: &'a str,
    what: &'a str,
    prefix: &'a str,
    suffix: &'a str,
}

const DROPPED: Wanted<'static> = Wanted {
    function: "build-manifest",
    what: "dropped files",
    prefix: "",
    suffix: "",
};
const BATCHES: Wanted<'static> = Wanted {
    function: "start-job",
    what: "batches",
    prefix: "manifests/",
    suffix: ".manifest",
};
const JOINED: Wanted<'static> = Wanted {
    function: "sync-team",
    what: "people who joined",
    prefix: "joined/",
    suffix: "",
};

struct Looked<'a> {
    s3: Client,
    bucket: &'a str,
    about: &'static str,
    target: &'a Target,
}

pub(super) async fn input(target: &Target) -> Vec<Finding> {
    let bucket = Looked {
        s3: target.config.s3(),
        bucket: &target.config.input_bucket,
        about: INPUT,
        target,
    };
    let Some(mut all) = bucket.reached().await else {
        return vec![bucket.gone().await];
    };
    all.push(bucket.cors().await);
    if !target.deployment.is_here() {
        let foreign = target.deployment.parameter("ExistingInputBucket").is_some();
        all.push(bucket.notifications(&[DROPPED], true, foreign).await);
        all.extend(bucket.guarded().await);
    }
    all
}

pub(super) async fn output(target: &Target) -> Vec<Finding> {
    let bucket = Looked {
        s3: target.config.s3(),
        bucket: &target.config.output_bucket,
        about: OUTPUT,
        target,
    };
    let Some(mut all) = bucket.reached().await else {
        return vec![bucket.gone().await];
    };
    if !target.deployment.is_here() {
        let foreign = target.deployment.parameter("ExistingOutputBucket").is_some();
        all.push(bucket.notifications(&[BATCHES, JOINED], foreign, foreign).await);
        all.extend(bucket.guarded().await);
        all.push(bucket.policy().await);
    }
    all
}

impl Looked<'_> {
    async fn reached(&self) -> Option<Vec<Finding>> {
        let asked = self
            .s3
            .list_objects_v2()
            .bucket(self.bucket)
            .max_keys(1)
            .send()
            .await;
        asked.ok()?;
        Some(vec![Finding::fine(
            self.about,
            format!("{} answers", self.bucket),
        )])
    }

    async fn gone(&self) -> Finding {
        match self
            .s3
            .list_objects_v2()
            .bucket(self.bucket)
            .max_keys(1)
            .send()
            .await
        {
            Ok(_) => Finding::fine(self.about, format!("{} answers", self.bucket)),
            Err(error) => Finding::of_failure(self.about, "s3:ListBucket", error),
        }
    }

    async fn notifications(&self, wanted: &[Wanted<'_>], bus: bool, foreign: bool) -> Finding {
        let asked = self
            .s3
            .get_bucket_notification_configuration()
            .bucket(self.bucket);
        match asked.send().await {
            Ok(told) => {
                let queues = &self.target.deployment.queue_urls;
                let arn = |function: &str| queues.get(function).map(|url| queue_of(url));
                let wanted = wanted.iter().filter(|_| !foreign);
                let missing: Vec<&str> = wanted
                    .filter(|wanted| !arn(wanted.function).is_some_and(|arn| hears(&told, wanted, &arn)))
                    .map(|wanted| wanted.what)
                    .collect();
                let no_bus = bus && told.event_bridge_configuration().is_none();
                judged(self.about, deaf(&missing, no_bus), "tells of what comes into it")
            }
            Err(error) => Finding::of_failure(self.about, "s3:GetBucketNotification", error),
        }
    }

    async fn guarded(&self) -> Vec<Finding> {
        let (versions, encryption, access) =
            tokio::join!(self.versions(), self.encryption(), self.public_access());
        vec![versions, encryption, access]
    }

    async fn versions(&self) -> Finding {
        match self.s3.get_bucket_versioning().bucket(self.bucket).send().await {
            Ok(told) => {
                let kept = told.status() == Some(&BucketVersioningStatus::Enabled);
                let wrong = "versioning is off, so what is overwritten or deleted is lost: switch it on with: \
                             aws s3api put-bucket-versioning";
                judged(
                    self.about,
                    (!kept).then(|| wrong.to_owned()),
                    "keeps what is overwritten (versioning)",
                )
            }
            Err(error) => Finding::of_failure(self.about, "s3:GetBucketVersioning", error),
        }
    }

    async fn encryption(&self) -> Finding {
        let key = self.target.deployment.parameter("KmsKeyArn");
        match self.s3.get_bucket_encryption().bucket(self.bucket).send().await {
            Ok(told) => {
                let rules = told.server_side_encryption_configuration.map(|all| all.rules);
                judged(
                    self.about,
                    in_clear(&rules.unwrap_or_default(), key),
                    "encrypts what is put into it",
                )
            }
            Err(error) if code(&error) == "ServerSideEncryptionConfigurationNotFoundError" => {
                judged(self.about, in_clear(&[], key), "")
            }
            Err(error) => Finding::of_failure(self.about, "s3:GetEncryptionConfiguration", error),
        }
    }

    async fn public_access(&self) -> Finding {
        let wrong = "does not block public access by itself; switch on all four settings with: aws s3api put-public-access-block";
        match self.s3.get_public_access_block().bucket(self.bucket).send().await {
            Ok(told) => {
                let blocked = told.public_access_block_configuration().is_some_and(is_blocked);
                judged(
                    self.about,
                    (!blocked).then(|| wrong.to_owned()),
                    "blocks public access",
                )
            }
            Err(error) if code(&error) == "NoSuchPublicAccessBlockConfiguration" => {
                Finding::mend(self.about, wrong)
            }
            Err(error) => Finding::of_failure(self.about, "s3:GetBucketPublicAccessBlock", error),
        }
    }

    async fn cors(&self) -> Finding {
        let wrong = "has no CORS rule for GET: workers' browsers cannot load images from it. docs/DEPLOY.md has the command";
        match self.s3.get_bucket_cors().bucket(self.bucket).send().await {
            Ok(told) => {
                let open = told.cors_rules().iter().any(lets_get);
                judged(
                    self.about,
                    (!open).then(|| wrong.to_owned()),
                    "lets workers' browsers load images (CORS)",
                )
            }
            Err(error) if code(&error) == "NoSuchCORSConfiguration" => Finding::mend(self.about, wrong),
            Err(error) => Finding::of_failure(self.about, "s3:GetBucketCORS", error),
        }
    }

    async fn policy(&self) -> Finding {
        match self.s3.get_bucket_policy().bucket(self.bucket).send().await {
            Ok(told) => judged(
                self.about,
                policy::unguarded(told.policy().unwrap_or_default(), self.bucket),
                "lets nobody delete or overwrite batches (manifests/)",
            ),
            Err(error) if code(&error) == "NoSuchBucketPolicy" => {
                judged(self.about, policy::unguarded("{}", self.bucket), "")
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

/// Exactly what the template asks for, or more.
fn hears(told: &Notifications, wanted: &Wanted<'_>, queue: &str) -> bool {
    told.queue_configurations()
        .iter()
        .any(|one| one.queue_arn().ends_with(queue) && takes(one, wanted))
}

fn takes(one: &QueueConfiguration, wanted: &Wanted<'_>) -> bool {
    let all = one
        .events()
        .iter()
        .any(|event| event.as_str() == Event::S3ObjectCreated.as_str());
    let rules = one
        .filter()
        .and_then(|filter| filter.key())
        .map(|key| key.filter_rules())
        .unwrap_or_default();
    let narrower = |rule: &aws_sdk_s3::types::FilterRule| {
        let value = rule.value().unwrap_or_default();
        match rule.name() {
            Some(FilterRuleName::Prefix) => !wanted.prefix.starts_with(value),
            Some(FilterRuleName::Suffix) => !wanted.suffix.ends_with(value),
            _ => true,
        }
    };
    all && !rules.iter().any(narrower)
}

fn deaf(missing: &[&str], no_bus: bool) -> Option<String> {
    match (missing, no_bus) {
        ([], false) => None,
        ([], true) => Some(format!("tells EventBridge nothing: {REPLACED}")),
        (some, false) => Some(format!("tells no queue of {}: {REPLACED}", some.join(" and "))),
        (some, true) => Some(format!(
            "tells neither EventBridge nor, of {}, a queue: {REPLACED}",
            some.join(" and ")
        )),
    }
}

fn in_clear(rules: &[ServerSideEncryptionRule], key: Option<&str>) -> Option<String> {
    let rule = rules
        .iter()
        .find_map(|rule| rule.apply_server_side_encryption_by_default());
    let Some(rule) = rule else {
        return Some(
            "encrypts nothing by itself; switch it on with: aws s3api put-bucket-encryption".to_owned(),
        );
    };
    let key = key?;
    let with_it =
        *rule.sse_algorithm() == ServerSideEncryption::AwsKms && rule.kms_master_key_id() == Some(key);
    (!with_it)
        .then(|| format!("does not encrypt with {key}, which the stack was told to use: deploy it again"))
}

fn is_blocked(access: &PublicAccessBlockConfiguration) -> bool {
    [
        access.block_public_acls(),
        access.block_public_policy(),
        access.ignore_public_acls(),
        access.restrict_public_buckets(),
    ]
    .iter()
    .all(|setting| *setting == Some(true))
}

fn lets_get(rule: &CorsRule) -> bool {
    rule.allowed_methods().iter().any(|method| method == "GET")
}

#[cfg(test)]
mod tests {
    use aws_sdk_s3::types::{
        FilterRule, NotificationConfigurationFilter, S3KeyFilter, ServerSideEncryptionByDefault,
    };

    use super::*;

    fn told(queue: &str, event: Event, rules: &[(FilterRuleName, &str)]) -> Notifications {
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
    fn a_queue_hears_what_it_is_to_hear_or_more() {
        let queue = queue_of("https://sqs.eu-west-1.amazonaws.com/2/crew-start-job");
        assert_eq!(queue, ":2:crew-start-job");
        let prefix = |value| (FilterRuleName::Prefix, value);
        let suffix = |value| (FilterRuleName::Suffix, value);
        let all = Event::S3ObjectCreated;
        for (told, well) in [
            (told(&queue, all.clone(), &[]), true),
            (
                told(&queue, all.clone(), &[prefix("manifests/"), suffix(".manifest")]),
                true,
            ),
            (told(&queue, all.clone(), &[prefix("manifests/cats/")]), false),
            (told(&queue, all.clone(), &[suffix(".json")]), false),
            (told(&queue, Event::S3ObjectCreatedPut, &[]), false),
            (told(":2:other", all, &[]), false),
            (Notifications::builder().build(), false),
        ] {
            assert_eq!(hears(&told, &BATCHES, &queue), well, "{told:?}");
        }
    }

    #[test]
    fn whoever_is_not_told_is_named() {
        assert_eq!(deaf(&[], false), None);
        let text = deaf(&["batches", "people who joined"], false).unwrap();
        assert!(
            text.starts_with("tells no queue of batches and people who joined: somebody has replaced"),
            "{text}"
        );
        assert!(deaf(&[], true).unwrap().contains("EventBridge"));
        assert!(deaf(&["dropped files"], true).unwrap().contains("neither"));
    }

    #[test]
    fn the_stacks_own_key_is_asked_for_where_it_has_one() {
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
        assert!(in_clear(&[], None).is_some());
        assert!(in_clear(&plain, None).is_none() && in_clear(&own, None).is_none());
        assert!(in_clear(&plain, Some("k")).is_some() && in_clear(&own, Some("k")).is_none());
        assert!(in_clear(&own, Some("other")).is_some());
    }
}
