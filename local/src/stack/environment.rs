//! What the parts may read and know: the objects workers may be shown, and the functions' environment.

use std::collections::HashMap;

use engine::ReadablePrefix;

use crate::events::functions::Environment;
use crate::info::{INPUT_BUCKET, OUTPUT_BUCKET, PARTITION, StackInfo};

/// What tasks may show to workers: what was dropped, and what the line made of it. Not the team files, and nothing of what
/// the functions keep of people (`people/`, `crew/`, `mail/`) or for themselves.
pub(super) fn readable_places(links: &[String]) -> Vec<ReadablePrefix> {
    let part = |bucket: &str, prefix: &str, except: &[&str]| ReadablePrefix {
        bucket: bucket.to_owned(),
        prefix: prefix.to_owned(),
        except: except.iter().map(|&hidden| hidden.to_owned()).collect(),
    };
    let own = [
        part(INPUT_BUCKET, "", &["teams/"]),
        part(OUTPUT_BUCKET, "manifests/", &[]),
        part(OUTPUT_BUCKET, "jobs/", &[]),
        part(OUTPUT_BUCKET, "labels/", &[]),
    ];
    // What the operator lists beside these: `s3://bucket/prefix/`.
    let listed = links
        .iter()
        .filter_map(|place| place.strip_prefix("s3://")?.split_once('/'));
    own.into_iter()
        .chain(listed.map(|(bucket, prefix)| part(bucket, prefix, &[])))
        .collect()
}

/// What the functions find in their environment.
pub(super) fn environment(info: &StackInfo, links: &[String]) -> Environment {
    HashMap::from([
        ("INPUT_BUCKET", info.input_bucket.clone()),
        ("OUTPUT_BUCKET", info.output_bucket.clone()),
        ("NOTICE_TOPIC_ARN", info.topic_arn.clone()),
        ("LINK_SOURCES", links.join(",")),
        ("ALLOWED_KMS_KEYS", String::new()),
        ("ALLOWED_TEAMS", String::new()),
        // A tag costs nothing here, and finds its job.
        ("ALLOWED_TAG_KEYS", "*".to_owned()),
        // No one pays for items or jobs here.
        ("ITEMS_PER_DAY", "unlimited".to_owned()),
        ("JOBS_PER_DAY", "unlimited".to_owned()),
        ("JOB_PREFIX", info.job_prefix.clone()),
        ("LABELING_ROLE_ARN", info.labeling_role_arn.clone()),
        ("USER_POOL_ID", info.user_pool_id.clone()),
        ("CLIENT_ID", info.client_id.clone()),
        // No mail leaves this machine: there is no quota of it.
        ("INVITATIONS_PER_DAY", "unlimited".to_owned()),
        ("MAX_INVITATIONS", "3".to_owned()),
        // Only the owner of this machine can drop files here.
        ("ALLOWED_EMAIL_DOMAINS", String::new()),
        ("NETWORKS_WITHIN", String::new()),
        ("WORK_TOPIC_PREFIX", "groundcrew-work".to_owned()),
        ("AWS_ACCOUNT", info.account.clone()),
        ("AWS_PARTITION", PARTITION.to_owned()),
        ("CONSOLE_URL", info.console_url.clone()),
        ("PORTAL_URL", info.web_url.clone()),
    ])
}
