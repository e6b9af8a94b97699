//! Everything outside the functions: buckets, uploads, queues, the labeling service, the topic, and time.

pub(crate) mod calls;
mod directory;
pub(crate) mod objects;
pub(crate) mod pool;
pub(crate) mod service;
pub(crate) mod store;
pub(crate) mod workforce;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use shared::port::NO_LIMIT;

use crate::agenda::{Agenda, Event};
use crate::crew::SignIn;
use crate::dice::Dice;
use crate::fault::{Fault, Faults};
use crate::people::Plan;
use crate::queue::{Queue, object_created};
use crate::time::{Ms, timestamp};
use crate::trace::Trace;
use crate::truth::{Truth, Violation};
use crate::{INPUT, function::Function};
use calls::Calls;
use objects::Objects;
use pool::Pool;
use service::Service;
use workforce::Crowd;

/// The world, as the ports and the run share it. One thread uses it; the lock is there because the ports' futures
/// have to be `Send`.
#[derive(Clone)]
pub(crate) struct SharedWorld(Arc<Mutex<World>>);

impl SharedWorld {
    pub(crate) fn new(world: World) -> Self {
        Self(Arc::new(Mutex::new(world)))
    }

    pub(crate) fn lock(&self) -> MutexGuard<'_, World> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The world, when nothing else holds it any more.
    pub(crate) fn into_world(self) -> Option<World> {
        Some(
            Arc::into_inner(self.0)?
                .into_inner()
                .unwrap_or_else(PoisonError::into_inner),
        )
    }
}

/// A multipart upload that has been begun.
#[derive(Clone, Debug)]
pub(crate) struct Upload {
    pub(crate) key: String,
    pub(crate) initiated: Ms,
}

pub(crate) struct World {
    pub(crate) now: Ms,
    pub(crate) dice: Dice,
    pub(crate) faults: Faults,
    pub(crate) agenda: Agenda,
    pub(crate) input: Objects,
    pub(crate) output: Objects,
    pub(crate) uploads: BTreeMap<u32, Upload>,
    pub(crate) queues: BTreeMap<Function, Queue>,
    pub(crate) messages: u32,
    /// No event arrives any more.
    pub(crate) silent: bool,
    /// `DelaySeconds` of the queue of build-manifest.
    pub(crate) delay: Ms,
    pub(crate) page_size: usize,
    pub(crate) service: Service,
    pub(crate) pool: Pool,
    pub(crate) crowd: Crowd,
    /// Sign-ins whose trigger is about to be called.
    pub(crate) triggers: Vec<SignIn>,
    /// Whose sign-in an invocation answers.
    pub(crate) current_call: BTreeMap<u32, String>,
    pub(crate) calls: Calls,
    /// Invocations of build-manifest under way, and batches they left in flight.
    pub(crate) building: u32,
    pub(crate) truth: Truth,
    pub(crate) trace: Trace,
    pub(crate) wrong: Option<Violation>,
    /// Notices that leave one by one in an hour.
    pub(crate) hourly: usize,
    /// Effective writes and publishes, ever.
    pub(crate) writes: u64,
    /// Calls that reached the world, and bytes they read.
    pub(crate) cost: Cost,
}

/// What was asked of the world.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Cost {
    pub lists: u64,
    pub gets: u64,
    pub writes: u64,
    pub bytes_read: u64,
}

impl Cost {
    pub fn calls(&self) -> u64 {
        self.lists + self.gets + self.writes
    }

    pub(crate) fn since(&self, before: &Self) -> Self {
        Self {
            lists: self.lists - before.lists,
            gets: self.gets - before.gets,
            writes: self.writes - before.writes,
            bytes_read: self.bytes_read - before.bytes_read,
        }
    }
}

impl World {
    pub(crate) fn new(mut dice: Dice, faults: Faults, plan: &Plan, trace: Trace) -> Self {
        let page_size = match plan.pages {
            0 => dice.pick(&[2, 3, 1_000, 1_000], 1_000),
            size => size,
        };
        let mut world = Self {
            now: 0,
            dice,
            faults,
            agenda: Agenda::default(),
            input: Objects::default(),
            output: Objects::default(),
            uploads: BTreeMap::new(),
            queues: BTreeMap::new(),
            messages: 0,
            silent: false,
            delay: plan.delay,
            page_size,
            service: Service::new(plan.quota, plan.job_time),
            pool: Pool::default(),
            crowd: Crowd::default(),
            triggers: Vec::new(),
            current_call: BTreeMap::new(),
            calls: Calls::default(),
            building: 0,
            truth: Truth::default(),
            trace,
            wrong: None,
            hourly: NO_LIMIT,
            writes: 0,
            cost: Cost::default(),
        };
        world.set_up(plan);
        world
    }

    fn set_up(&mut self, plan: &Plan) {
        let Some(crew) = &plan.crew else { return };
        let set = |people: &[&str]| people.iter().map(|person| (*person).to_owned()).collect();
        self.pool.days = crew.days;
        self.pool.bouncing = set(&crew.bouncing);
        self.pool.refused = set(&crew.refused);
        self.crowd.room = crew.room;
        self.crowd.slow = crew.slow_workforce;
        self.crowd.workforce = crew.has_workforce.then_some(0);
        self.truth.crew.set_limits(crew);
        for team in &crew.groups_of_others {
            self.put_group_of_others(team);
        }
        for team in &crew.teams_of_others {
            self.put_team_of_others(team);
        }
    }

    pub(crate) fn strikes(&mut self, fault: Fault) -> bool {
        self.faults.strikes(fault, &mut self.dice)
    }

    pub(crate) fn note(&mut self, line: impl FnOnce() -> String) {
        self.trace.add(timestamp(self.now), line);
    }

    /// The first thing that must not be. Everything after it follows from it.
    pub(crate) fn check(&mut self, held: Result<(), Violation>) {
        if let Err(violation) = held {
            self.note(|| format!("!! {violation}"));
            self.wrong.get_or_insert(violation);
        }
    }

    pub(crate) fn after(&mut self, wait: Ms, event: Event) {
        self.agenda.add(self.now + wait, event);
    }

    /// A PUT to the input bucket, or the end of an upload begun earlier.
    pub(crate) fn drop_file(&mut self, key: &str, bytes: Vec<u8>, begun: Option<Ms>) {
        let event = if begun.is_some() {
            "CompleteMultipartUpload"
        } else {
            "Put"
        };
        self.input
            .put(key, bytes, BTreeMap::new(), begun.unwrap_or(self.now));
        let body = object_created(INPUT, key, event, self.now);
        self.send(Function::BuildManifest, &body);
    }
}
