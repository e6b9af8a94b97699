//! What a round costs after a long time: calls and bytes, as a function of the batches and files there are.

use crate::content::Content;
use crate::dice::Dice;
use crate::fault::Faults;
use crate::function::Function;
use crate::people::{Act, Dataset, Plan};
use crate::run::Run;
use crate::time::{DAY, HOUR, Ms};
use crate::trace::Trace;
use crate::world::{Cost, World};

/// One round of each function in which there is nothing to do.
#[derive(Clone, Copy, Debug)]
pub struct Bill {
    /// build-manifest in a process that has just begun.
    pub cold: Cost,
    /// The same in one that has seen the dataset before.
    pub warm: Cost,
    pub start_job: Cost,
    pub notify: Cost,
}

impl Bill {
    pub fn rows(&self) -> [(&'static str, Cost); 4] {
        [
            ("build-manifest, a new process", self.cold),
            ("build-manifest, a process that knows it", self.warm),
            ("start-job", self.start_job),
            ("notify", self.notify),
        ]
    }
}

/// After so many days on which so many files were dropped, batched, labeled and announced.
pub fn bill(days: u32, files: u32) -> Bill {
    let dataset = Dataset::plain("daily");
    let plan = Plan {
        datasets: vec![dataset.clone()],
        acts: Vec::new(),
        span: 0,
        sweep_every: DAY,
        delay: 0,
        quota: usize::MAX,
        job_time: 2 * HOUR,
        pages: 1_000,
        remember_every: None,
        crew: None,
    };
    let world = World::new(Dice::new(0), Faults::none(), &plan, Trace::if_wanted(false));
    let Some(mut run) = Run::new(world, None, &plan) else {
        unreachable!("the prefix of the jobs is four letters")
    };
    run.world.lock().act(dataset.spec_for(100_000));
    for day in 0..days {
        drop_files(&run, day, files);
        run.until(Ms::MAX);
        run.wait(HOUR);
        run.sweep_and_settle(Function::BuildManifest);
        run.wait(DAY - HOUR);
    }
    run.processes.all_end();
    Bill {
        cold: round(&mut run, Function::BuildManifest),
        warm: round(&mut run, Function::BuildManifest),
        start_job: round(&mut run, Function::StartJob),
        notify: round(&mut run, Function::Notify),
    }
}

fn drop_files(run: &Run, day: u32, files: u32) {
    let mut world = run.world.lock();
    for file in 0..files {
        world.act(Act::Put {
            key: format!("daily/{day:05}/{file:06}.txt"),
            content: Content::Text(format!("{day} {file}")),
        });
    }
}

fn round(run: &mut Run, function: Function) -> Cost {
    let before = run.world.lock().cost;
    run.sweep_and_settle(function);
    run.world.lock().cost.since(&before)
}
