//! The functions themselves, over the ports of the world: the same Rust that runs on Lambda.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use lambda::HandlerError;
use serde_json::Value;
use shared::job::Stack;

use crate::fault::Fault;
use crate::function::Function;
use crate::people::Plan;
use crate::safeguard::{Ports, Safeguard};
use crate::time::{Ms, timestamp};
use crate::world::SharedWorld;
use crate::world::store::Port;
use crate::{CLIENT, INPUT, OUTPUT, POOL, prefix};

/// An invocation that is under way.
pub(crate) type InvocationFuture = Pin<Box<dyn Future<Output = Result<Value, HandlerError>>>>;

type BuildDeps = build_manifest::Deps<Ports, Ports>;

/// A process of build-manifest: its memory lives as long as it does.
struct Process {
    deps: Arc<BuildDeps>,
    number: u32,
    busy: u32,
}

/// Where functions run.
pub(crate) struct Processes {
    world: SharedWorld,
    without: Option<Safeguard>,
    building: Vec<Process>,
    made: u32,
    remember_every: Option<usize>,
    /// These remember nothing, so one stands for all.
    starting: Arc<start_job::Deps<Ports, Ports, Ports>>,
    notifying: Arc<notify::Deps<Ports, Ports, Ports>>,
    syncing: Arc<SyncDeps>,
    assigning: Arc<assign_worker::Deps<Ports, Ports>>,
}

type SyncDeps = sync_team::Deps<Ports, Ports, Ports, Ports, Ports>;

fn sync_team_deps(ports: &dyn Fn() -> Ports, plan: &Plan) -> SyncDeps {
    let crew = plan.crew.as_ref();
    SyncDeps {
        store: ports(),
        directory: ports(),
        workforce: ports(),
        work_topics: ports(),
        topic: ports(),
        metrics: Default::default(),
        settings: sync_team::Settings {
            input_bucket: INPUT.to_owned(),
            output_bucket: OUTPUT.to_owned(),
            user_pool: POOL.to_owned(),
            client_id: CLIENT.to_owned(),
            invitations_per_day: crew.and_then(|crew| crew.mails_a_day),
            max_invitations: crew.map_or(3, |crew| crew.invitations),
            allowed_domains: Default::default(),
            networks_within: Default::default(),
            portal_url: None,
        },
    }
}

fn assign_worker_deps(
    ports: &dyn Fn() -> Ports,
    without: Option<Safeguard>,
) -> assign_worker::Deps<Ports, Ports> {
    let pool = Arc::new(ports());
    assign_worker::Deps {
        store: ports(),
        directory: Box::new(move |_| Arc::clone(&pool)),
        stack: OUTPUT.to_owned(),
        budget: match without {
            Some(Safeguard::Budget) => Duration::from_secs(900),
            _ => assign_worker::BUDGET,
        },
        metrics: Default::default(),
    }
}

impl Processes {
    pub(crate) fn new(world: &SharedWorld, without: Option<Safeguard>, plan: &Plan) -> Option<Self> {
        let ports = || Ports::new(Port(world.clone()), without);
        let prefix = prefix()?;
        let stack = Stack {
            region: "us-east-1".to_owned(),
            account: "111122223333".to_owned(),
            partition: "aws".to_owned(),
            prefix: prefix.clone(),
            input_bucket: INPUT.to_owned(),
            output_bucket: OUTPUT.to_owned(),
            labeling_role_arn: "arn:aws:iam::111122223333:role/labeling".to_owned(),
            bounds: shared::bounds::Bounds::strictest(INPUT, OUTPUT),
        };
        let starting = start_job::Deps {
            store: ports(),
            labeling: ports(),
            topic: ports(),
            stack,
            jobs_per_day: None,
            metrics: Default::default(),
        };
        let notifying = notify::Deps {
            store: ports(),
            labeling: ports(),
            topic: ports(),
            prefix,
            output_bucket: OUTPUT.to_owned(),
            console_url: None,
            portal_url: None,
            metrics: Default::default(),
        };
        Some(Self {
            world: world.clone(),
            without,
            building: Vec::new(),
            made: 0,
            remember_every: plan.remember_every,
            starting: Arc::new(starting),
            notifying: Arc::new(notifying),
            syncing: Arc::new(sync_team_deps(&ports, plan)),
            assigning: Arc::new(assign_worker_deps(&ports, without)),
        })
    }

    /// Begins an invocation; the number is that of its process.
    pub(crate) fn begin(&mut self, function: Function, event: Value, now: Ms) -> (InvocationFuture, u32) {
        let now = timestamp(now);
        match function {
            Function::BuildManifest => {
                let (deps, process) = self.building_process();
                let doing = async move { build_manifest::handle(&*deps, event).await };
                (Box::pin(doing), process)
            }
            Function::StartJob => {
                let deps = Arc::clone(&self.starting);
                let doing = async move { start_job::handle_at(&*deps, event, now).await };
                (Box::pin(doing), 0)
            }
            Function::Notify => {
                let deps = Arc::clone(&self.notifying);
                let doing = async move { notify::handle_at(&*deps, event, now).await };
                (Box::pin(doing), 0)
            }
            Function::SyncTeam => {
                let deps = Arc::clone(&self.syncing);
                (Box::pin(async move { sync_team::handle(&*deps, event).await }), 0)
            }
            Function::AssignWorker => {
                let deps = Arc::clone(&self.assigning);
                let doing = async move { assign_worker::handle_at(&*deps, event, now).await };
                (Box::pin(doing), 0)
            }
        }
    }

    /// On Lambda a process has one invocation at a time; on one machine all share one.
    fn building_process(&mut self) -> (Arc<BuildDeps>, u32) {
        let mut world = self.world.lock();
        let cold = world.strikes(Fault::ColdStart);
        let share = world.strikes(Fault::SharedProcess);
        let idle = self.building.iter().position(|process| process.busy == 0);
        let place = match share {
            true if !self.building.is_empty() => Some(world.dice.index(self.building.len())),
            _ => idle,
        };
        drop(world);
        let place = place.filter(|_| !cold);
        let place = place.unwrap_or_else(|| {
            self.made += 1;
            let ports = || Ports::new(Port(self.world.clone()), self.without);
            let deps = build_manifest::Deps::new(ports(), ports(), INPUT.to_owned());
            let process = Process {
                deps: Arc::new(match self.remember_every {
                    Some(batches) => deps.remembering_every(batches),
                    None => deps,
                }),
                number: self.made,
                busy: 0,
            };
            self.building.push(process);
            self.building.len() - 1
        });
        let process = &mut self.building[place];
        process.busy += 1;
        (Arc::clone(&process.deps), process.number)
    }

    pub(crate) fn end_invocation(&mut self, process: u32) {
        let process = self.building.iter_mut().find(|one| one.number == process);
        if let Some(process) = process {
            process.busy = process.busy.saturating_sub(1);
        }
    }

    /// The next invocation begins with nothing remembered.
    pub(crate) fn all_end(&mut self) {
        self.building.clear();
    }

    /// What it remembered is gone.
    pub(crate) fn kill(&mut self, process: u32) {
        self.building.retain(|one| one.number != process);
    }
}
