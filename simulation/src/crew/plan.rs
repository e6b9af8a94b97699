//! Draws a schedule's people: files dropped and changed, people who come, go and sign in, and admins' own hands.

use super::Version;
use super::act::CrewAct;
use crate::dice::Dice;
use crate::fault::{Fault, Faults};
use crate::people::{Act, Plan};
use crate::time::{DAY, HOUR, MINUTE, Ms, SECOND};

/// What a schedule about people has from its beginning.
#[derive(Clone, Debug)]
pub(crate) struct CrewPlan {
    pub(crate) teams: Vec<&'static str>,
    /// INVITATIONS_PER_DAY.
    pub(crate) mails_a_day: Option<u32>,
    /// MAX_INVITATIONS.
    pub(crate) invitations: u32,
    /// TemporaryPasswordValidityDays.
    pub(crate) days: u16,
    pub(crate) has_workforce: bool,
    pub(crate) slow_workforce: bool,
    /// Work teams there may be.
    pub(crate) room: usize,
    pub(crate) bouncing: Vec<&'static str>,
    pub(crate) refused: Vec<&'static str>,
    /// Teams whose names a group, or a work team, of others has.
    pub(crate) groups_of_others: Vec<&'static str>,
    pub(crate) teams_of_others: Vec<&'static str>,
}

/// In every group of others.
pub(crate) const ADMINISTRATOR: &str = "admin@example.org";
pub(crate) const STRANGER: &str = "stranger@example.org";
/// A team whose name a group or a work team of others has.
const OF_OTHERS: &str = "staff-team";
const TEAMS: [&str; 2] = ["numbers-team", "letters-team"];
const PEOPLE: [&str; 5] = [
    "ana@example.org",
    "ben@example.org",
    "cho@example.org",
    "dee@example.org",
    "eve@example.org",
];

struct PlanBuilder<'a> {
    dice: &'a mut Dice,
    faults: &'a mut Faults,
    acts: Vec<(Ms, Act)>,
    span: Ms,
}

pub(crate) fn draw(dice: &mut Dice, faults: &mut Faults) -> Plan {
    let span = dice.pick(&[3 * HOUR, DAY, 4 * DAY, 9 * DAY], DAY);
    let mut drawing = PlanBuilder {
        dice,
        faults,
        acts: Vec::new(),
        span,
    };
    let people = PEOPLE.get(..2 + drawing.dice.index(4)).unwrap_or(&PEOPLE);
    let crew = drawing.world(people);
    let of_others = |fault, drawing: &mut PlanBuilder<'_>| drawing.strikes(fault).then_some(OF_OTHERS);
    let group_of_others = of_others(Fault::GroupOfOthers, &mut drawing);
    let team_of_others = of_others(Fault::WorkTeamOfOthers, &mut drawing);
    let teams = drawing.lists(people, group_of_others.or(team_of_others));
    drawing.people(people);
    drawing.strangers(people);
    let acts = drawing.acts;
    Plan {
        datasets: Vec::new(),
        acts,
        span,
        sweep_every: (span / 10).max(15 * MINUTE),
        delay: 0,
        quota: 0,
        job_time: 0,
        pages: 0,
        remember_every: None,
        crew: Some(CrewPlan {
            teams,
            groups_of_others: group_of_others.into_iter().collect(),
            teams_of_others: team_of_others.into_iter().collect(),
            ..crew
        }),
    }
}

impl PlanBuilder<'_> {
    fn strikes(&mut self, fault: Fault) -> bool {
        self.faults.strikes(fault, self.dice)
    }

    fn sometime(&mut self) -> Ms {
        self.dice.between(0, self.span)
    }

    fn act(&mut self, at: Ms, act: CrewAct) {
        self.acts.push((at, Act::Crew(act)));
    }

    fn world(&mut self, people: &[&'static str]) -> CrewPlan {
        let mut of = |fault| -> Vec<&'static str> {
            let struck = people.iter().copied();
            struck.filter(|_| self.faults.strikes(fault, self.dice)).collect()
        };
        let (bouncing, refused) = (of(Fault::MailBounces), of(Fault::AddressRefused));
        CrewPlan {
            teams: Vec::new(),
            mails_a_day: match self.dice.below(6) {
                0 => None,
                _ => Some(self.dice.pick(&[1, 2, 3, 5, 12, 40], 3)),
            },
            invitations: self.dice.pick(&[1, 2, 3], 3),
            days: self.dice.pick(&[1, 2, 3, 7], 7),
            has_workforce: !self.strikes(Fault::NoWorkforce),
            slow_workforce: self.strikes(Fault::SlowWorkforce),
            room: if self.strikes(Fault::TeamsFull) { 1 } else { 25 },
            bouncing,
            refused,
            groups_of_others: Vec::new(),
            teams_of_others: Vec::new(),
        }
    }

    /// `of_others` is a team whose name others have.
    fn lists(&mut self, people: &[&'static str], of_others: Option<&'static str>) -> Vec<&'static str> {
        let second = self.strikes(Fault::TwoTeams);
        let teams = if second { &TEAMS[..] } else { &TEAMS[..1] };
        let teams: Vec<&'static str> = teams.iter().copied().chain(of_others).collect();
        let (mut number, mut times) = (0, Vec::new());
        for team in teams.iter().copied() {
            // Admins who keep two files often drop both.
            if !self.dice.percent(60) {
                times.clear();
            }
            times = self.list(team, people, &mut number, &times);
            if self.strikes(Fault::GroupDeleted) {
                let at = self.sometime();
                self.act(
                    at,
                    CrewAct::DeleteGroup {
                        group: team.to_owned(),
                    },
                );
            }
        }
        teams
    }

    /// A file and its versions; each person of it comes with one of them, and may go and come back.
    fn list(
        &mut self,
        team: &'static str,
        people: &[&'static str],
        number: &mut u32,
        together_with: &[Ms],
    ) -> Vec<Ms> {
        let mut times = Vec::new();
        let versions = 1 + self.dice.index(4);
        let mut listed: Vec<Vec<&str>> = vec![Vec::new(); versions];
        for person in people {
            let mut from = match self.dice.percent(70) {
                true => 0,
                false => self.dice.index(versions + 1),
            };
            while from < versions {
                let out = match self.strikes(Fault::TakenOut) {
                    true => from + 1 + self.dice.index(versions),
                    false => versions,
                };
                for version in listed.iter_mut().take(out).skip(from) {
                    version.push(person);
                }
                from = match out < versions && self.strikes(Fault::PutBack) {
                    true => out + 1,
                    false => versions,
                };
            }
        }
        let mut at = self.dice.between(0, self.span / 4);
        for (place, people) in listed.into_iter().enumerate() {
            *number += 1;
            if let Some(other) = together_with.get(place) {
                at = *other + self.dice.between(0, 10 * SECOND);
            }
            let people = people
                .into_iter()
                .map(|person| self.address_as_written(person))
                .collect();
            let version = Version {
                team,
                people,
                bad_entries: self.strikes(Fault::BadAddress),
                notify: self.dice.percent(30),
                broken: self.strikes(Fault::TeamBroken),
                number: *number,
            };
            self.act(at, CrewAct::File(version));
            times.push(at);
            at = match self.dice.percent(30) {
                true => at + self.dice.between(0, 3 * MINUTE),
                false => self.dice.between(at.min(self.span), self.span),
            };
        }
        times
    }

    fn address_as_written(&mut self, person: &str) -> String {
        match self.strikes(Fault::OddCase) {
            true => person.replace('e', "E").replacen('a', "A", 1),
            false => person.to_owned(),
        }
    }

    fn people(&mut self, people: &[&'static str]) {
        for person in people {
            let email = || (*person).to_owned();
            if self.strikes(Fault::MadeBefore) {
                let confirmed = self.dice.percent(50);
                let at = self.dice.between(0, self.span / 2);
                self.act(
                    at,
                    CrewAct::Make {
                        email: email(),
                        confirmed,
                    },
                );
            }
            if self.strikes(Fault::SignedUpBefore) {
                let at = self.dice.between(0, self.span / 2);
                self.act(at, CrewAct::SignUp { email: email() });
                if self.dice.percent(60) {
                    let at = self.dice.between(at, self.span);
                    self.act(at, CrewAct::Confirm { email: email() });
                }
            }
            if self.strikes(Fault::AccountDeleted) {
                let at = self.sometime();
                self.act(at, CrewAct::DeleteAccount { email: email() });
            }
            if self.strikes(Fault::TakenByHand) {
                let (at, team) = (self.sometime(), self.dice.pick(&TEAMS, TEAMS[0]));
                let group = team.to_owned();
                self.act(
                    at,
                    CrewAct::TakeOut {
                        email: email(),
                        group,
                    },
                );
            }
            if !self.strikes(Fault::NeverSignsIn) {
                for _ in 0..1 + self.dice.below(4) {
                    let at = self.sometime();
                    self.act(at, CrewAct::SignIn { email: email() });
                }
            }
        }
    }

    fn strangers(&mut self, people: &[&'static str]) {
        if self.strikes(Fault::SignsUp) {
            let email = || STRANGER.to_owned();
            let at = self.sometime();
            self.act(at, CrewAct::SignUp { email: email() });
            self.act(at + MINUTE, CrewAct::Confirm { email: email() });
            let later = self.dice.between(at, self.span.max(at)) + 2 * MINUTE;
            self.act(later, CrewAct::SignIn { email: email() });
        }
        if self.strikes(Fault::Impostor) {
            let email = self.dice.pick(people, PEOPLE[0]).to_owned();
            let at = self.sometime();
            self.act(at, CrewAct::Pretend { email: email.clone() });
            let again = self.dice.between(at, self.span);
            self.act(again, CrewAct::Pretend { email: email.clone() });
            self.act(again, CrewAct::OtherPool { email });
        }
        if self.strikes(Fault::Misnamed) {
            let at = self.sometime();
            self.act(at, CrewAct::Misnamed);
        }
    }
}
