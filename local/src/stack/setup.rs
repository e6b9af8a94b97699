//! What a stack makes for itself at each start, unless it is there: buckets, topic, first worker, first team.

use engine::Engine;

use super::parts::Parts;
use crate::cognito::{self, PoolError, readable_password};
use crate::data_dir::{DROP_FOLDER, write_json};
use crate::error::StackError;
use crate::events::queues::functions_with_queue;
use crate::info::{
    ACCOUNT, ADMIN, FIRST_WORKER, FirstWorker, INFO_FILE, INPUT_BUCKET, JOB_PREFIX, OUTPUT_BUCKET, PARTITION,
    QueueInfo, REGION, STATE_BUCKET, StackConfig, StackInfo, TEAM, TOPIC,
};
use crate::outbox;
use crate::s3::{BucketError, CorsRule};
use crate::work_team::ensure_team;

/// The three buckets, which pages of the web port may use.
pub(super) async fn create_buckets(parts: &Parts) -> Result<(), StackError> {
    let failed = |error: BucketError| StackError::Part {
        what: "S3",
        reason: error.to_string(),
    };
    for bucket in [INPUT_BUCKET, OUTPUT_BUCKET, STATE_BUCKET] {
        parts.store.create_bucket(bucket).await.map_err(failed)?;
    }
    // The console uploads from the browser, and the portal shows images.
    let rule = CorsRule {
        allowed_origins: vec![parts.web_url.clone()],
        allowed_methods: ["GET", "HEAD", "PUT", "POST"].map(str::to_owned).to_vec(),
        allowed_headers: vec!["*".to_owned()],
        expose_headers: vec!["ETag".to_owned()],
        max_age_seconds: Some(3600),
    };
    for bucket in [INPUT_BUCKET, OUTPUT_BUCKET] {
        parts
            .store
            .set_cors(bucket, std::slice::from_ref(&rule))
            .await
            .map_err(failed)?;
    }
    Ok(())
}

/// The topic, the first worker and the first team; and how to reach all of the stack, written to a file of the data folder.
pub(super) async fn prepare(
    parts: &Parts,
    config: &StackConfig,
    engine: &Engine,
) -> Result<StackInfo, StackError> {
    let topic_arn = parts.sns.ensure_topic(TOPIC, ADMIN)?;
    let worker = parts.data.load_or_create("first-worker.json", || FirstWorker {
        email: FIRST_WORKER.to_owned(),
        password: readable_password(),
    })?;
    let failed = |error: PoolError| StackError::Part {
        what: "the first worker",
        reason: error.to_string(),
    };
    if !parts.sign_in.knows(&worker.email).map_err(failed)? {
        let added = parts
            .sign_in
            .ensure_worker(&worker.email, &worker.password, &[TEAM])
            .await;
        added.map_err(failed)?;
    }
    ensure_team(engine, &parts.sign_in, TEAM).await?;
    let queue = |name: &str, dead: &str| QueueInfo {
        name: name.to_owned(),
        url: parts.address.url(name),
        dead_letter_url: parts.address.url(dead),
    };
    let info = StackInfo {
        aws_url: parts.address.aws_url.to_string(),
        web_url: parts.web_url.clone(),
        console_url: format!("{}/console", parts.web_url),
        outbox_url: outbox::address(parts.here),
        console_secret: parts
            .data
            .load_or_create("console-token.json", cognito::random_secret)?,
        region: REGION.to_owned(),
        account: ACCOUNT.to_owned(),
        access_key_id: parts.credentials.access_key_id.clone(),
        secret_access_key: parts.credentials.secret_access_key.clone(),
        input_bucket: INPUT_BUCKET.to_owned(),
        output_bucket: OUTPUT_BUCKET.to_owned(),
        state_bucket: STATE_BUCKET.to_owned(),
        topic_arn,
        labeling_role_arn: format!("arn:{PARTITION}:iam::{ACCOUNT}:role/groundcrew-labeling"),
        job_prefix: JOB_PREFIX.to_owned(),
        user_pool_id: cognito::POOL_ID.to_owned(),
        client_id: cognito::CLIENT_ID.to_owned(),
        team: TEAM.to_owned(),
        worker,
        data: config.data.clone(),
        drop_folder: parts.data.path(DROP_FOLDER),
        queues: functions_with_queue()
            .map(|(wiring, _)| queue(wiring.name, &wiring.dead_letter_queue()))
            .collect(),
    };
    write_json(&parts.data.path(INFO_FILE), &info)?;
    Ok(info)
}
