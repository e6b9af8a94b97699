//! The end of a schedule about people: nothing goes wrong any more, and the clock alone does what is left.

use crate::crew::Version;
use crate::function::Function;
use crate::run::Run;
use crate::time::{DAY, HOUR, MINUTE};
use crate::truth::{Promise, Violation};
use crate::world::World;
use crate::world::pool::day;

/// With a mail a day, for everyone who waits and every invitation that expires meanwhile.
const DAYS: usize = 60;

impl Run {
    /// One round finishes everything the day's mail is enough for; with the days, everyone is served. Then the
    /// invited people sign in, and are in their teams at once.
    pub(crate) fn crew_rounds(&mut self) {
        {
            let mut world = self.world.lock();
            let tomorrow = (day(world.now) + 1) * DAY;
            world.now = tomorrow + HOUR + MINUTE;
        }
        for _ in 0..DAYS {
            self.round();
            if !self.holds() || !self.world.lock().has_people_waiting() {
                break;
            }
            self.wait(DAY);
        }
        self.again_changes_nothing();
        self.everybody_signs_in();
        self.round();
        self.holds();
        self.again_changes_nothing();
    }

    /// Where mail is limited, what was set aside and not needed is there for the next round.
    fn round(&mut self) {
        self.sweep_and_settle(Function::SyncTeam);
        if self.world.lock().truth.crew.has_limit() {
            self.sweep_and_settle(Function::SyncTeam);
        }
        self.digest(Function::SyncTeam);
    }

    fn holds(&mut self) -> bool {
        let mut world = self.world.lock();
        if world.wrong.is_none() {
            let held = world.check_final_crew_state();
            world.check(held);
        }
        world.wrong.is_none()
    }

    fn again_changes_nothing(&mut self) {
        let before = {
            let world = self.world.lock();
            if world.wrong.is_some() || !self.sweeps {
                return;
            }
            world.writes
        };
        self.sweep_and_settle(Function::SyncTeam);
        let mut world = self.world.lock();
        let more = world.writes - before;
        if more > 0 {
            world.check(Err(Violation {
                promise: Promise::Settles,
                detail: format!("another round wrote {more} times"),
            }));
        }
    }

    fn everybody_signs_in(&mut self) {
        let invited = {
            let world = self.world.lock();
            world.invited_people(world.now)
        };
        for email in invited {
            self.world.lock().sign_in(&email);
            self.triggers();
            self.until(crate::time::Ms::MAX);
        }
    }
}

impl World {
    /// Most admins fix a file that cannot be used.
    pub(crate) fn fix_team(&mut self, team: &'static str) {
        if self.truth.crew.is_usable(team) || !self.dice.percent(85) {
            return;
        }
        let people = self.truth.crew.last_people(team);
        self.drop_team(&Version {
            team,
            people,
            bad_entries: false,
            notify: false,
            broken: false,
            number: 1_000,
        });
    }
}
