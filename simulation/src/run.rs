//! One schedule, from its seed to its verdict.

use std::collections::BTreeMap;
use std::task::Poll;

use lambda::HandlerError;
use serde_json::{Value, json};
use shared::port::NO_LIMIT;

use crate::agenda::Event;
use crate::clock::{Clock, InvocationPoller};
use crate::crew::{self, SignIn};
use crate::dice::Dice;
use crate::fault::{Fault, Faults};
use crate::function::Function;
use crate::outcome::{Counts, Options, Outcome};
use crate::people::{Plan, draw};
use crate::processes::{InvocationFuture, Processes};
use crate::queue::{Message, batch, failures};
use crate::safeguard::Safeguard;
use crate::scene::Scene;
use crate::time::{HOUR, MINUTE, Ms, SECOND};
use crate::trace::Trace;
use crate::truth::{Promise, Violation};
use crate::world::calls::TurnOutcome;
use crate::world::{Cost, SharedWorld, World};

/// Cognito waits for five seconds; the function gives up before.
const PATIENCE: Ms = assign_worker::BUDGET.as_millis() as Ms + 1;
const OUT_OF_TIME: &str = "has no time left";

/// Runs the schedule of this seed.
pub fn run(seed: u64, options: &Options) -> Outcome {
    let (mut dice, scene) = (Dice::new(seed), Scene::of(seed));
    let mut faults = Faults::draw(&mut dice, scene);
    for (fault, chance) in &options.chances {
        faults.set(*fault, *chance);
    }
    let plan = match scene {
        Scene::Datasets => draw(&mut dice, &mut faults),
        Scene::Crew => crew::draw(&mut dice, &mut faults),
    };
    let mut world = World::new(dice, faults, &plan, Trace::if_wanted(options.trace));
    // In every fifth schedule nearly every notice that others can cause waits for a digest; in the others none does, and
    // what a digest changes is seen apart from the rest.
    world.hourly = if seed % 5 == 4 { 1 } else { NO_LIMIT };
    let Some(mut run) = Run::new(world, options.without, &plan) else {
        unreachable!("the prefix of the jobs is four letters")
    };
    run.whole_schedule(&plan);
    run.outcome()
}

struct Invocation {
    function: Function,
    process: u32,
    future: InvocationFuture,
    messages: Vec<Message>,
    sign_in: Option<SignIn>,
    sweep: bool,
    /// Begun after everything had calmed down.
    calm: bool,
}

pub(crate) struct Run {
    pub(crate) world: SharedWorld,
    pub(crate) processes: Processes,
    doing: BTreeMap<u32, Invocation>,
    invocations: u32,
    sign_ins: u64,
    /// Whether the clock asks at all.
    pub(crate) sweeps: bool,
    /// What tokio takes for time, where anything asks it.
    clock: Option<Clock>,
    woken: InvocationPoller,
}

impl Run {
    /// `None` never: the prefix of the jobs is a constant.
    pub(crate) fn new(world: World, without: Option<Safeguard>, plan: &Plan) -> Option<Self> {
        let world = SharedWorld::new(world);
        let processes = Processes::new(&world, without, plan)?;
        Some(Self {
            world,
            processes,
            doing: BTreeMap::new(),
            invocations: 0,
            sign_ins: 0,
            sweeps: !matches!(without, Some(Safeguard::Sweep | Safeguard::CrewSweep)),
            clock: plan.crew.as_ref().and_then(|_| Clock::new()),
            woken: InvocationPoller::default(),
        })
    }

    fn whole_schedule(&mut self, plan: &Plan) {
        self.schedule(plan);
        self.until(plan.span);
        self.calm_down(plan);
        self.until(Ms::MAX);
        match plan.scene() {
            Scene::Datasets => self.final_rounds(plan),
            Scene::Crew => self.crew_rounds(),
        }
    }

    fn schedule(&mut self, plan: &Plan) {
        let mut world = self.world.lock();
        for (at, act) in &plan.acts {
            world.agenda.add(*at, Event::Act(act.clone()));
        }
        for function in Function::with_sweep(plan.scene()).iter().filter(|_| self.sweeps) {
            let mut at = world.dice.between(0, plan.sweep_every);
            while at < plan.span {
                world.agenda.add(at, Event::Sweep(*function));
                at += plan.sweep_every;
            }
        }
    }

    /// Nothing goes wrong from here on. Half of the time no event arrives either, so that the clock alone
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
                world.act(dataset.fixed_spec());
            }
        }
        for team in plan.crew.iter().flat_map(|crew| &crew.teams) {
            world.fix_team(team);
        }
    }

    /// One round of each function, with everything in between: batches, jobs, their ends.
    fn final_rounds(&mut self, plan: &Plan) {
        self.wait(HOUR + MINUTE);
        self.sweep_and_settle(Function::BuildManifest);
        self.sweep_and_settle(Function::StartJob);
        self.sweep_and_settle(Function::Notify);
        self.digest(Function::BuildManifest);
        let again = {
            let mut world = self.world.lock();
            if world.wrong.is_some() {
                return;
            }
            let held = world.check_final_state(plan);
            world.check(held);
            world.dice.percent(25)
        };
        if again && self.sweeps {
            let before = self.world.lock().writes;
            Function::with_sweep(Scene::Datasets)
                .iter()
                .for_each(|function| self.sweep_and_settle(*function));
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

    /// What waits for the digest of its hour leaves with the first round after it.
    pub(crate) fn digest(&mut self, function: Function) {
        if self.world.lock().notices_wait() {
            self.wait(HOUR);
            self.sweep_and_settle(function);
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
                match &next {
                    Some((_, event)) if self.is_over(event) => continue,
                    Some((at, _)) => world.now = world.now.max(*at),
                    None => {}
                }
                next
            };
            let Some((_, event)) = next else { return };
            self.happens(event);
        }
    }

    /// What an invocation that has ended does not need any more. Where people are waited for, it takes no time either:
    /// an invitation could run out meanwhile.
    fn is_over(&self, event: &Event) -> bool {
        match event {
            Event::Timeout(invocation) | Event::Poll(invocation) => {
                self.clock.is_some() && !self.doing.contains_key(invocation)
            }
            _ => false,
        }
    }

    fn happens(&mut self, event: Event) {
        match event {
            Event::Turn(ticket) => {
                let turned = self.world.lock().turn(ticket);
                match turned {
                    TurnOutcome::Poll(invocation) => self.poll(invocation),
                    TurnOutcome::Dies(invocation) => self.dies(invocation, "crashes"),
                    TurnOutcome::Abandoned => {}
                }
            }
            Event::Late(write) => {
                let mut world = self.world.lock();
                world.building -= 1;
                write(&mut world);
            }
            Event::Poll(invocation) => self.poll(invocation),
            Event::Act(act) => {
                self.world.lock().act(act);
                self.triggers();
            }
            Event::Visible(function, message) => self.world.lock().visible(function, message),
            Event::Receive(function) => self.receive(function),
            Event::Sweep(function) => {
                if !self.world.lock().strikes(Fault::SweepMissed) {
                    self.begin(function, json!({"sweep": "all"}), Vec::new());
                }
            }
            Event::Timeout(invocation) => self.dies(invocation, OUT_OF_TIME),
            Event::JobEnds(job) => self.world.lock().end_job(job),
        }
    }

    fn receive(&mut self, function: Function) {
        let messages = self.world.lock().receive(function);
        if !messages.is_empty() {
            self.begin(function, batch(&messages), messages);
        }
    }

    /// Cognito calls the trigger and waits for its answer.
    pub(crate) fn triggers(&mut self) {
        let sign_ins = std::mem::take(&mut self.world.lock().triggers);
        for sign_in in sign_ins {
            let (number, event) = (self.invocations + 1, sign_in.event());
            self.world
                .lock()
                .current_call
                .insert(number, sign_in.who.username.clone());
            self.begin_for(Function::AssignWorker, event, Vec::new(), Some(sign_in));
        }
    }

    fn begin(&mut self, function: Function, event: Value, messages: Vec<Message>) {
        self.begin_for(function, event, messages, None);
    }

    fn begin_for(
        &mut self,
        function: Function,
        event: Value,
        messages: Vec<Message>,
        sign_in: Option<SignIn>,
    ) {
        self.invocations += 1;
        let number = self.invocations;
        let (now, calm) = {
            let mut world = self.world.lock();
            let fate = world.fate(function);
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
            if function == Function::AssignWorker {
                world.after(PATIENCE, Event::Poll(number));
            }
            (now, world.faults.is_calm())
        };
        let sweep = messages.is_empty() && sign_in.is_none();
        let (future, process) = self.processes.begin(function, event, now);
        let invocation = Invocation {
            function,
            process,
            future,
            messages,
            sign_in,
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
        let now = {
            let mut world = self.world.lock();
            world.calls.current = number;
            world.now
        };
        if let Some(clock) = &mut self.clock {
            clock.set(now);
        }
        let time = self.clock.as_ref().map(Clock::enter);
        let polled = self.woken.poll(&mut invocation.future);
        drop(time);
        match polled {
            Poll::Pending => {
                let mut world = self.world.lock();
                if self.clock.is_some() && !world.has_calls(number) {
                    world.after(SECOND, Event::Poll(number));
                }
            }
            Poll::Ready(reply) => {
                if let Some(invocation) = self.doing.remove(&number) {
                    self.record_reply(number, &invocation, &reply);
                }
            }
        }
    }

    fn record_reply(&mut self, number: u32, invocation: &Invocation, reply: &Result<Value, HandlerError>) {
        self.processes.end_invocation(invocation.process);
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
        if let Some(sign_in) = &invocation.sign_in {
            self.sign_ins += 1;
            let held = world.sign_in_answered(number, sign_in, reply);
            world.check(held);
        }
        world.end_calls(number);
        match reply {
            Ok(reply) if invocation.sweep && invocation.function == Function::BuildManifest => {
                let batches = reply.get("batches").and_then(Value::as_u64).unwrap_or(0);
                let held = world.check_batch_count(number, batches);
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
        self.processes.kill(invocation.process);
        drop(invocation.future);
        let mut world = self.world.lock();
        world.building -= u32::from(invocation.function == Function::BuildManifest);
        world.note(|| format!("#{number} {how}"));
        world.truth.crew.trouble(number);
        if how == OUT_OF_TIME && invocation.sign_in.is_some() {
            world.check(Err(Violation {
                promise: Promise::SignInPasses,
                detail: format!("#{number} does not answer in time"),
            }));
        }
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
            sign_ins,
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
        let notices = world.truth.announced.len() as u64;
        let announced: u64 = world
            .truth
            .announced
            .values()
            .map(|times| u64::from(*times))
            .sum();
        Outcome {
            counts: Counts {
                invocations: u64::from(invocations),
                calls: lists + gets + writes,
                batches,
                items,
                jobs: world.service.jobs.len() as u64,
                notices,
                repeated: announced - notices,
                mails: world.truth.crew.mails(),
                sign_ins,
            },
            tally: world.faults.tally().clone(),
            violation: world.wrong,
            trace: world.trace.into_lines(),
        }
    }
}
