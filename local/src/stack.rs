//! The whole stack: started in the order its parts need each other, stopped in the reverse.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use aws_config::SdkConfig;
use axum::Router;
use engine::{Engine, ReadablePrefix};
use serde::{Deserialize, Serialize};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio_util::sync::{CancellationToken, DropGuard};

use crate::aws_auth::Credentials;
use crate::aws_port::AwsPort;
use crate::clock::Clock;
use crate::cognito::{self, PoolError, SignIn, readable_password};
use crate::data_dir::{DROP_FOLDER, DataDir, write_json};
use crate::drop_folder::{DropFolder, DropStatus};
use crate::error::StackError;
use crate::event_source::Invoke;
use crate::events::{self, JobEvents};
use crate::functions::{self, Environment};
use crate::info::{
    self, ACCOUNT, ADMIN, FIRST_WORKER, FirstWorker, INFO_FILE, INPUT_BUCKET, JOB_PREFIX, OUTPUT_BUCKET,
    PARTITION, QueueInfo, REGION, STATE_BUCKET, StackConfig, StackInfo, TEAM, TOPIC,
};
use crate::lock::lock;
use crate::outbox::{self, Outbox};
use crate::recorder::Recorder;
use crate::s3::{CorsRule, S3};
use crate::serve::{Listening, listen_on_both, serve};
use crate::sns::{RETRIES, Sns};
use crate::sqs::{Address, Queues};
use crate::web_guard::{LocalAddress, WebGuard};
use crate::web_port::WebPort;
use crate::work_team::ensure_team;

/// A running stack. [`Stack::shutdown`] ends it in order; dropping it just stops.
pub struct Stack {
    info: StackInfo,
    engine: Engine,
    sign_in: SignIn,
    queues: Queues,
    outbox: Outbox,
    sns: Sns,
    drops: Arc<Mutex<DropStatus>>,
    /// Stops what works: drop folder, clock, functions. They need the servers until they are done.
    stop_work: DropGuard,
    work: Vec<JoinHandle<()>>,
    stop_serving: DropGuard,
    servers: Vec<JoinHandle<()>>,
    /// The lock on the data folder, to the last.
    _data: DataDir,
}

/// What the AWS port and the web port are made of.
struct Parts {
    data: DataDir,
    address: Address,
    web_url: String,
    here: LocalAddress,
    credentials: Credentials,
    sdk: SdkConfig,
    queues: Queues,
    store: S3,
    outbox: Outbox,
    sns: Sns,
    sign_in: SignIn,
}

impl Stack {
    /// Returns when every part answers. `extra_web` adds pages to the web port; it is given the outbox, which has no sign-in
    /// of its own: what does not come back guarded is not served.
    pub async fn start(
        config: StackConfig,
        extra_web: impl FnOnce(&StackInfo, Router) -> Router,
    ) -> Result<Self, StackError> {
        if !config.aws.ip().is_loopback() {
            return Err(StackError::NotLoopback(config.aws));
        }
        let data = DataDir::open(&config.data)?;
        let (aws, web) = listen_on_both(config.aws, config.web, &config.trusted_proxies).await?;
        let parts = Parts::open(data, &config, &aws, &web).await?;
        let stop_serving = CancellationToken::new();
        let aws_port = parts.aws_port();
        let web_port = WebPort::default();
        let guard = WebGuard::new(&parts.web_url, parts.here).behind(&config.trusted_proxies);
        let outbox = outbox::router(parts.outbox.clone(), parts.here, &parts.web_url);
        let mut aws_router = aws_port.clone().router();
        if let Some(file) = &config.record {
            aws_router = Recorder::open(file)?.around(aws_router);
        }
        let servers = vec![
            serve(aws, aws_router, stop_serving.clone()),
            serve(web, web_port.router(&parts.sign_in, guard), stop_serving.clone()),
        ];
        parts.make_buckets().await?;
        let engine = parts.start_engine(&config.links).await?;
        aws_port.set_labeling(engine.api());
        let info = parts.settle(&config, &engine).await?;
        web_port.open(engine.portal(), extra_web(&info, outbox));
        parts
            .run(info, &config.links, engine, stop_serving, servers)
            .await
    }

    pub fn info(&self) -> &StackInfo {
        &self.info
    }

    /// Whether the first worker's password is still the one that was made for them.
    pub async fn first_password_is_unchanged(&self) -> bool {
        self.sign_in.is_password_of(&self.info.worker).await
    }

    /// What left: mail and notices.
    pub fn outbox(&self) -> &Outbox {
        &self.outbox
    }

    pub fn queues(&self) -> &Queues {
        &self.queues
    }

    /// What became of the files in the drop folder.
    pub fn drop_status(&self) -> DropStatus {
        lock(&self.drops).clone()
    }

    /// A person who can sign in at the portal, in these groups.
    pub async fn add_worker(&self, email: &str, password: &str, groups: &[&str]) -> Result<(), StackError> {
        let added = self.sign_in.ensure_worker(email, password, groups).await;
        added.map_err(|error| StackError::Refused {
            what: "the worker".to_owned(),
            reason: error.to_string(),
        })
    }

    /// A work team of everyone in the group of the same name; its ARN.
    pub async fn ensure_team(&self, name: &str) -> Result<String, StackError> {
        ensure_team(&self.engine, &self.sign_in, name).await
    }

    /// Finishes what has begun, writes everything to disk, and gives the ports and the folder back.
    pub async fn shutdown(self) {
        drop(self.stop_work);
        for task in self.work {
            let _panicked = task.await;
        }
        self.engine.shutdown().await;
        self.sns.close().await;
        drop(self.stop_serving);
        for server in self.servers {
            let _panicked = server.await;
        }
    }
}

/// The keys as they are kept on disk.
#[derive(Serialize, Deserialize)]
struct Keys {
    access_key_id: String,
    secret_access_key: String,
}

impl Parts {
    async fn open(
        data: DataDir,
        config: &StackConfig,
        aws: &Listening,
        web: &Listening,
    ) -> Result<Self, StackError> {
        let aws_url = format!("http://{}", aws.address);
        let here = LocalAddress::of(web.address);
        let web_url = config
            .public_url
            .as_ref()
            .map_or_else(|| here.origin(), |url| url.trim_end_matches('/').to_owned());
        let keys = data.load_or_create("credentials.json", || Keys {
            access_key_id: format!("GROUNDCREW{}", &cognito::random_secret().to_uppercase()[..10]),
            secret_access_key: cognito::random_secret(),
        })?;
        let sdk = info::sdk(&aws_url, &keys.access_key_id, &keys.secret_access_key);
        let address = Address {
            aws_url: aws_url.into(),
            region: REGION,
            account: ACCOUNT,
        };
        let queues = Queues::open(&data.path("dead-letters"), events::queue_configs())?;
        let store = &data.path("s3");
        let store =
            S3::open(store, events::object_events(queues.clone())).map_err(|error| StackError::Data {
                what: "cannot open",
                path: store.clone(),
                reason: format!(
                    "{}. Everything dropped and labeled is in this folder: put back a copy of the whole folder. To start \
                     with nothing, move it away; what lies in the drop folder is uploaded again then",
                    error.reason
                ),
            })?;
        let outbox = Outbox::open(&data.path("outbox"))?;
        let sns = Sns::open(
            &data.path("sns.json"),
            address.clone(),
            queues.clone(),
            outbox.clone(),
            RETRIES,
        )?;
        let sign_in = SignIn::open(&data, &web_url, outbox.clone()).await?;
        let credentials = Credentials {
            access_key_id: keys.access_key_id,
            secret_access_key: keys.secret_access_key,
        };
        Ok(Self {
            data,
            address,
            web_url,
            here,
            credentials,
            sdk,
            queues,
            store,
            outbox,
            sns,
            sign_in,
        })
    }

    fn aws_port(&self) -> AwsPort {
        let s3 = self.store.service(self.credentials.clone());
        AwsPort::new(
            s3,
            &self.queues,
            &self.address,
            &self.sns,
            &self.sign_in,
            &self.credentials,
        )
    }

    async fn make_buckets(&self) -> Result<(), StackError> {
        let failed = |error: crate::s3::BucketError| StackError::Part {
            what: "S3",
            reason: error.to_string(),
        };
        for bucket in [INPUT_BUCKET, OUTPUT_BUCKET, STATE_BUCKET] {
            self.store.create_bucket(bucket).await.map_err(failed)?;
        }
        // The console uploads from the browser, and the portal shows images.
        let rule = CorsRule {
            allowed_origins: vec![self.web_url.clone()],
            allowed_methods: ["GET", "HEAD", "PUT", "POST"].map(str::to_owned).to_vec(),
            allowed_headers: vec!["*".to_owned()],
            expose_headers: vec!["ETag".to_owned()],
            max_age_seconds: Some(3600),
        };
        for bucket in [INPUT_BUCKET, OUTPUT_BUCKET] {
            self.store
                .set_cors(bucket, std::slice::from_ref(&rule))
                .await
                .map_err(failed)?;
        }
        Ok(())
    }

    async fn start_engine(&self, links: &[String]) -> Result<Engine, StackError> {
        let config = engine::Config {
            s3: info::s3(&self.sdk),
            state_bucket: STATE_BUCKET.to_owned(),
            region: REGION.to_owned(),
            account: ACCOUNT.to_owned(),
            portal_url: self.web_url.clone(),
            sign_in: engine::SignInConfig {
                issuer: self.sign_in.issuer().to_owned(),
                people: Some(cognito::POOL_ID.to_owned()),
                client_id: cognito::CLIENT_ID.to_owned(),
                client_secret: Some(self.sign_in.client_secret().to_owned()),
                groups_claim: "cognito:groups".to_owned(),
            },
            s3_public_origin: self.address.aws_url.to_string(),
            max_running_jobs: engine::DEFAULT_MAX_RUNNING_JOBS,
            readable: readable(links),
            groups: Some(Arc::new(self.sign_in.clone())),
            trusted_proxies: 0,
        };
        let events = Arc::new(JobEvents {
            queues: self.queues.clone(),
            sns: self.sns.clone(),
        });
        let started = Engine::start(config, events).await;
        started.map_err(|error| StackError::Part {
            what: "the engine",
            reason: error.to_string(),
        })
    }

    /// Topic, first worker, team; and everything there is to tell.
    async fn settle(&self, config: &StackConfig, engine: &Engine) -> Result<StackInfo, StackError> {
        let topic_arn = self.sns.ensure_topic(TOPIC, ADMIN)?;
        let worker = self.data.load_or_create("first-worker.json", || FirstWorker {
            email: FIRST_WORKER.to_owned(),
            password: readable_password(),
        })?;
        let failed = |error: PoolError| StackError::Part {
            what: "the first worker",
            reason: error.to_string(),
        };
        if !self.sign_in.knows(&worker.email).map_err(failed)? {
            let added = self
                .sign_in
                .ensure_worker(&worker.email, &worker.password, &[TEAM])
                .await;
            added.map_err(failed)?;
        }
        ensure_team(engine, &self.sign_in, TEAM).await?;
        let queue = |name: &str, dead: &str| QueueInfo {
            name: name.to_owned(),
            url: self.address.url(name),
            dead_letter_url: self.address.url(dead),
        };
        let info = StackInfo {
            aws_url: self.address.aws_url.to_string(),
            web_url: self.web_url.clone(),
            console_url: format!("{}/console", self.web_url),
            outbox_url: outbox::address(self.here),
            console_secret: self
                .data
                .load_or_create("console-token.json", cognito::random_secret)?,
            region: REGION.to_owned(),
            account: ACCOUNT.to_owned(),
            access_key_id: self.credentials.access_key_id.clone(),
            secret_access_key: self.credentials.secret_access_key.clone(),
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
            drop_folder: self.data.path(DROP_FOLDER),
            queues: events::queued()
                .map(|(wiring, _)| queue(wiring.name, &wiring.dead_letter_queue()))
                .collect(),
        };
        write_json(&self.data.path(INFO_FILE), &info)?;
        Ok(info)
    }

    async fn run(
        self,
        info: StackInfo,
        links: &[String],
        engine: Engine,
        stop_serving: CancellationToken,
        servers: Vec<JoinHandle<()>>,
    ) -> Result<Stack, StackError> {
        let functions = functions::all(&environment(&info, links), &self.sdk)?;
        self.sign_in.set_triggers(functions::triggers(&functions));
        let s3 = info::s3(&self.sdk);
        let drops = DropFolder::open(&info.drop_folder, &uploads(&self.data), s3.clone(), INPUT_BUCKET)?;
        let drop_status = drops.status();
        let stop_work = CancellationToken::new();
        let mut work = vec![tokio::spawn(drops.run(stop_work.clone()))];
        let sign_in = self.sign_in.clone();
        work.push(tokio::spawn(async move { sign_in.catch_up().await }));
        work.extend(self.run_functions(functions, s3, &stop_work));
        Ok(Stack {
            info,
            engine,
            sign_in: self.sign_in,
            queues: self.queues,
            outbox: self.outbox,
            sns: self.sns,
            drops: drop_status,
            stop_work: stop_work.drop_guard(),
            work,
            stop_serving: stop_serving.drop_guard(),
            servers,
            _data: self.data,
        })
    }

    fn run_functions(
        &self,
        functions: HashMap<&'static str, Invoke>,
        s3: aws_sdk_s3::Client,
        stop: &CancellationToken,
    ) -> Vec<JoinHandle<()>> {
        let (say_changed, changed) = mpsc::unbounded_channel();
        let sources = events::sources(&self.queues, &self.address, &functions, &say_changed);
        let clock = Clock {
            functions,
            s3,
            output_bucket: OUTPUT_BUCKET.to_owned(),
            changed,
            say_changed,
        };
        let sources = sources
            .into_iter()
            .map(|source| tokio::spawn(source.run(stop.clone())));
        sources.chain([tokio::spawn(clock.run(stop.clone()))]).collect()
    }
}

/// The memory of what has been uploaded lies with what was: a copy of one, put back, is a copy of the other, and what was
/// dropped since is uploaded again.
fn uploads(data: &DataDir) -> PathBuf {
    let with_the_store = data.path("s3/dropped.jsonl");
    // Earlier versions kept it beside.
    let _none_there = std::fs::rename(data.path("dropped.jsonl"), &with_the_store);
    with_the_store
}

/// What tasks may show to workers: what was dropped, and what the line made of it. Not the team files, and nothing of what
/// the functions keep of people (`people/`, `crew/`, `mail/`) or for themselves.
fn readable(links: &[String]) -> Vec<ReadablePrefix> {
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
fn environment(info: &StackInfo, links: &[String]) -> Environment {
    HashMap::from([
        ("INPUT_BUCKET", info.input_bucket.clone()),
        ("OUTPUT_BUCKET", info.output_bucket.clone()),
        ("NOTICE_TOPIC_ARN", info.topic_arn.clone()),
        ("LINK_SOURCES", links.join(",")),
        ("ALLOWED_KMS_KEYS", String::new()),
        ("ALLOWED_TEAMS", String::new()),
        // A tag costs nothing here, and finds its job.
        ("ALLOWED_TAG_KEYS", "*".to_owned()),
        // Nothing is paid for here.
        ("ITEMS_PER_DAY", "unlimited".to_owned()),
        ("JOBS_PER_DAY", "unlimited".to_owned()),
        ("JOB_PREFIX", info.job_prefix.clone()),
        ("LABELING_ROLE_ARN", info.labeling_role_arn.clone()),
        ("USER_POOL_ID", info.user_pool_id.clone()),
        ("CLIENT_ID", info.client_id.clone()),
        // No mail leaves this machine: there is no quota of it.
        ("INVITATIONS_PER_DAY", "unlimited".to_owned()),
        ("MAX_INVITATIONS", "3".to_owned()),
        // Whoever can drop files here owns the machine.
        ("ALLOWED_EMAIL_DOMAINS", String::new()),
        ("NETWORKS_WITHIN", String::new()),
        ("WORK_TOPIC_PREFIX", "groundcrew-work".to_owned()),
        ("AWS_ACCOUNT", info.account.clone()),
        ("AWS_PARTITION", PARTITION.to_owned()),
        ("CONSOLE_URL", info.console_url.clone()),
        ("PORTAL_URL", info.web_url.clone()),
    ])
}
