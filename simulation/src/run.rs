//! One schedule, from its seed to its verdict.

use std::collections::BTreeMap;
use std::task::{Context, Poll, Waker};

use platform::HandlerError;
use serde_json::{Value, json};

use crate::agenda::Event;
use crate::dice::Dice;
use crate::fault::{Fault, Faults, Tally};
use crate::function::Function;
use crate::people::{Plan, draw};
use crate::processes::{Doing, Processes};
use crate::queue::{Message, batch, failures};
use crate::safeguard::Safeguard;
use crate::time::{HOUR, MINUTE, Ms};
use crate::trace::Trace;
use crate::truth::{Promise, Violation};
use crate::world::calls::{Fate, Turned};
use crate::world::{Cost, Shared, World};

/// What is changed about a schedule.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// Keep a line for everything that happens.
    pub trace: bool,
    pub without: Option<Safeguard>,
    /// Chances that are not drawn.
    pub chances: Vec<(Fault, u8)>,
}

/// How a schedule ended.
#[derive(Clone)]
pub struct Outcome {
    pub violation: Option<Violation>,
    pub trace: Vec<String>,
    pub tally: Tally,
    pub counts: Counts,
}

/// What happened in a schedule, or in many.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    pub invocations: u64,
    pub calls: u64,
    pub batches: u64,
    pub items: u64,
    pub jobs: u64,
    pub notices: u64,
    /// Notices that went out again, with the same id.
    pub repeated: u64,
}

impl Counts {
    pub fn add(&mut self, other: &Self) {
        self.invocations += other.invocations;
        self.calls += other.calls;
        self.batches += other.batches;
        self.items += other.items;
        self.jobs += other.jobs;
        self.notices += other.notices;
        self.repeated += other.repeated;
    }
}

/// Runs the schedule of this seed.
pub fn run(seed: u64, options: &Options) -> Outcome {
    let mut dice = Dice::new(seed);
    let mut faults = Faults::drawn(&mut dice);
    for (fault, chance) in &options.chances {
        faults.set(*fault, *chance);
    }
    let plan = draw(&mut dice, &mut faults);
    let world = World::new(dice, faults, &plan, Trace::kept(options.trace));
    let Some(mut run) = Run::new(world, options.without) else {
        unreachable!("the prefix of the jobs is four letters")
    };
    run.all(&plan);
    run.outcome()
}

struct Invocation {
    function: Function,
    process: u32,
    future: Doing,
    messages: Vec<Message>,
    sweep: bool,
    /// Begun after everything had calmed down.
    calm: bool,
}

pub(crate) struct Run {
    pub(crate) world: Shared,
    pub(crate) processes: Processes,
    doing: BTreeMap<u32, Invocation>,
    invocations: u32,
    /// Whether the clock asks at all.
    sweeps: bool,
}

impl Run {
    /// `None` never: the prefix of the jobs is a constant.
    pub(crate) fn new(world: World, without: Option<Safeguard>) -> Option<Self> {
        let world = Shared::new(world);
        let processes = Processes::new(&world, without)?;
        Some(Self {
            world,
            processes,
            doing: BTreeMap::new(),
            invocations: 0,
            sweeps: without != Some(Safeguard::Sweep),
        })
    }

    fn all(&mut self, plan: &Plan) {
        self.schedule(plan);
        self.until(plan.span);
        self.calm_down(plan);
        self.until(Ms::MAX);
        self.closing_rounds(plan);
    }

    fn schedule(&mut self, plan: &Plan) {
        let mut world = self.world.lock();
        for (at, act) in &plan.acts {
            world.agenda.add(*at, Event::Act(act.clone()));
        }
        for function in Function::ALL.into_iter().filter(|_| self.sweeps) {
            let mut at = world.dice.between(0, plan.sweep_every);
            while at < plan.span {
                world.agenda.add(at, Event::Sweep(function));
                at += plan.sweep_every;
            }
        }
    }

    /// Nothing goes wrong from here on. Half of the time no event reaches anybody either, so that the clock alone
    /// has to do what is left.
    fn calm_down(&mut self, plan: &Plan) {
        let mut world = self.world.lock();
        world.now = plan.span.max(world.now);
        world.faults.calm_down();
        world.service.quota = usize::MAX;
        world.silent = world.dice.percent(50);
        let silent = world.silent;
        world.note(|| {
            format!(
                "=== nothing goes wrong any more{}",
                if silent { ", and no event arrives" } else { "" }
            )
        });
        world.restore();
        for dataset in &plan.datasets {
            if !world.truth.has_valid_spec(&dataset.name) && world.dice.percent(85) {
                world.act(dataset.mended());
            }
        }
    }

    /// One round of each function, with everything in between: batches, jobs, their ends.
    fn closing_rounds(&mut self, plan: &Plan) {
        self.wait(HOUR + MINUTE);
        self.sweep_and_settle(Function::BuildManifest);
        self.sweep_and_settle(Function::StartJob);
        self.sweep_and_settle(Function::Notify);
        let again = {
            let mut world = self.world.lock();
            if world.wrong.is_some() {
                return;
            }
            let held = world.closing(plan);
            world.check(held);
            world.dice.percent(25)
        };
        if again && self.sweeps {
            let before = self.world.lock().writes;
            Function::ALL
                .into_iter()
                .for_each(|function| self.sweep_and_settle(function));
            let mut world = self.world.lock();
            let more = world.writes - before;
            if more > 0 {
                world.check(Err(Violation {
                    promise: Promise::Settles,
                    detail: format!("another round wrote {more} times"),
                }));
            }
        }
    }

    pub(crate) fn wait(&mut self, time: Ms) {
        let mut world = self.world.lock();
        world.now += time;
    }

    pub(crate) fn sweep_and_settle(&mut self, function: Function) {
        if self.sweeps {
            self.begin(function, json!({"sweep": "all"}), Vec::new());
        }
        self.until(Ms::MAX);
    }

    /// Everything up to this time, or until something is wrong.
    pub(crate) fn until(&mut self, end: Ms) {
        loop {
            let next = {
                let mut world = self.world.lock();
                if world.wrong.is_some() {
                    return;
                }
                let next = world.agenda.next(end);
                if let Some((at, _)) = &next {
                    world.now = world.now.max(*at);
                }
                next
            };
            match next {
                Some((_, event)) => self.happens(event),
                None => return,
            }
        }
    }

    fn happens(&mut self, event: Event) {
        match event {
            Event::Turn(ticket) => {
                let turned = self.world.lock().turn(ticket);
                match turned {
                    Turned::Poll(invocation) => self.poll(invocation),
                    Turned::Dies(invocation) => self.dies(invocation, "crashes"),
                    Turned::Nobody => {}
                }
            }
            Event::Late(write) => {
                let mut world = self.world.lock();
                world.building -= 1;
                write(&mut world);
            }
            Event::Act(act) => self.world.lock().act(act),
            Event::Visible(function, message) => self.world.lock().visible(function, message),
            Event::Receive(function) => self.receive(function),
            Event::Sweep(function) => {
                if !self.world.lock().strikes(Fault::SweepMissed) {
                    self.begin(function, json!({"sweep": "all"}), Vec::new());
                }
            }
            Event::Timeout(invocation) => self.dies(invocation, "runs out of time"),
            Event::JobEnds(job) => self.world.lock().end_job(job),
        }
    }

    fn receive(&mut self, function: Function) {
        let messages = self.world.lock().receive(function);
        if !messages.is_empty() {
            self.begin(function, batch(&messages), messages);
        }
    }

    fn begin(&mut self, function: Function, event: Value, messages: Vec<Message>) {
        self.invocations += 1;
        let number = self.invocations;
        let (now, calm) = {
            let mut world = self.world.lock();
            let fate = world.fate();
            let now = world.now + fate.skew;
            let begun = world.now;
            world.note(|| {
                let about: Vec<u32> = messages.iter().map(|message| message.id).collect();
                format!("#{number} {function} begins, messages {about:?}{fate}")
            });
            world.building += u32::from(function == Function::BuildManifest);
            world.truth.begun.insert(number, begun);
            world.begin_calls(number, fate);
            world.after(function.timeout(), Event::Timeout(number));
            (now, world.faults.is_calm())
        };
        let sweep = messages.is_empty();
        let (future, process) = self.processes.begin(function, event, now);
        let invocation = Invocation {
            function,
            process,
            future,
            messages,
            sweep,
            calm,
        };
        self.doing.insert(number, invocation);
        self.poll(number);
    }

    fn poll(&mut self, number: u32) {
        let Some(invocation) = self.doing.get_mut(&number) else {
            return;
        };
        self.world.lock().calls.current = number;
        let polled = invocation
            .future
            .as_mut()
            .poll(&mut Context::from_waker(Waker::noop()));
        if let Poll::Ready(reply) = polled
            && let Some(invocation) = self.doing.remove(&number)
        {
            self.replied(number, &invocation, &reply);
        }
    }

    fn replied(&mut self, number: u32, invocation: &Invocation, reply: &Result<Value, HandlerError>) {
        self.processes.ended(invocation.process);
        let mut world = self.world.lock();
        world.building -= u32::from(invocation.function == Function::BuildManifest);
        let unheard = world.dies_before_reply(number);
        world.note(|| {
            let heard = if unheard { "unheard" } else { "heard" };
            match reply {
                Ok(reply) => format!("#{number} ends, {heard}: {reply}"),
                Err(error) => format!("#{number} fails, {heard}: {error}"),
            }
        });
        world.end_calls(number);
        match reply {
            Ok(reply) if invocation.sweep && invocation.function == Function::BuildManifest => {
                let batches = reply.get("batches").and_then(Value::as_u64).unwrap_or(0);
                let held = world.counted(number, batches);
                world.check(held);
            }
            Err(error) if invocation.calm && invocation.sweep => {
                let detail = format!("{}: {error}", invocation.function);
                world.check(Err(Violation {
                    promise: Promise::Settles,
                    detail,
                }));
            }
            _ => {}
        }
        let failed = reply.as_ref().map(failures).unwrap_or_default();
        for message in invocation.messages.clone() {
            if unheard || reply.is_err() || failed.contains(&message.id) {
                world.give_back(invocation.function, message);
            }
        }
    }

    fn dies(&mut self, number: u32, how: &str) {
        let Some(invocation) = self.doing.remove(&number) else {
            return;
        };
        self.processes.died(invocation.process);
        drop(invocation.future);
        let mut world = self.world.lock();
        world.building -= u32::from(invocation.function == Function::BuildManifest);
        world.note(|| format!("#{number} {how}"));
        world.end_calls(number);
        for message in invocation.messages {
            world.give_back(invocation.function, message);
        }
    }

    fn outcome(self) -> Outcome {
        let Self {
            world,
            processes,
            doing,
            invocations,
            ..
        } = self;
        drop((processes, doing));
        let Some(world) = world.into_world() else {
            unreachable!("the ports are gone, and with them every other hold on the world")
        };
        let (batches, items) = world.truth.counts();
        let Cost {
            lists, gets, writes, ..
        } = world.cost;
        let notices = world.truth.told.len() as u64;
        let told: u64 = world.truth.told.values().map(|times| u64::from(*times)).sum();
        Outcome {
            counts: Counts {
                invocations: u64::from(invocations),
                calls: lists + gets + writes,
                batches,
                items,
                jobs: world.service.jobs.len() as u64,
                notices,
                repeated: told - notices,
            },
            tally: world.faults.tally().clone(),
            violation: world.wrong,
            trace: world.trace.into_lines(),
        }
    }
}

impl World {
    fn fate(&mut self) -> Fate {
        let dies_at = self.strikes(Fault::Crash).then(|| 1 + self.dice.below(25));
        let skew = match self.strikes(Fault::ClockSkewed) {
            true => self.dice.between(-10 * MINUTE, 10 * MINUTE),
            false => 0,
        };
        Fate {
            dies_at,
            throttled: self.strikes(Fault::Throttled),
            slow: self.strikes(Fault::SlowCalls),
            skew,
        }
    }
}
