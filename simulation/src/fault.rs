//! Everything that can go wrong, how often it does in a schedule, and how often it did.

use crate::dice::Dice;
use crate::scene::Scene;

macro_rules! faults {
    ($($(#[doc = $doc:literal])* $name:ident,)*) => {
        /// What can go wrong, each with the opportunity it is drawn for.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
        pub enum Fault { $($(#[doc = $doc])* $name,)* }

        impl Fault {
            pub const ALL: &'static [Self] = &[$(Self::$name),*];
        }
    };
}

faults! {
    /// An event never arrives (each event).
    EventLost,
    /// An event arrives two to five times (each event).
    EventRepeated,
    /// An event arrives up to half an hour late, behind newer ones (each event).
    EventLate,
    /// A message that is none of ours, or none at all, lies in the queue (each received batch).
    Garbage,
    /// The process ends before a call, or before its reply (each invocation).
    Crash,
    /// The call that was under way when the process ended is carried out later (each crash that cut off a write).
    WriteAfterDeath,
    /// 503 and 409: a fifth of the calls are not carried out (each invocation).
    Throttled,
    /// A write is carried out and its answer lost (each write).
    ResponseLost,
    /// The answer is lost, the SDK asks again and meets its own write: 412 (each conditional write).
    ConflictWithItself,
    /// A page of a listing fails after others came (each further page).
    PageFails,
    /// A call takes up to some minutes, while others go on (each invocation).
    SlowCalls,
    /// Another process takes over, with nothing remembered (each invocation of build-manifest).
    ColdStart,
    /// One process works on two invocations at once (each invocation of build-manifest).
    SharedProcess,
    /// The clock's round is left out (each round of each function).
    SweepMissed,
    /// The function's own clock is up to ten minutes off (each invocation).
    ClockSkewed,
    /// Throttled by the labeling service (each call).
    LabelingThrottled,
    /// The job is made and the answer is lost (each CreateLabelingJob).
    JobResponseLost,
    /// The name is taken and the job not yet described (each CreateLabelingJob).
    JobNotDescribed,
    /// The request is refused for now: a role not propagated, a team not made (each CreateLabelingJob).
    JobRefused,
    /// A job ends Failed or Stopped (each job).
    JobEndsBadly,
    /// The output manifest is missing, torn or full of errors (each finished job).
    BadOutput,
    /// A notice leaves and the answer is lost (each publish).
    PublishResponseLost,
    /// A notice does not leave (each publish).
    PublishFails,
    /// Only one or two jobs may run, and they take days (each schedule).
    QuotaFull,
    /// A file is dropped by a multipart upload (each file).
    Multipart,
    /// The upload is never finished (each multipart upload).
    NeverFinished,
    /// A file is overwritten (each file).
    Overwritten,
    /// A file is deleted (each file).
    Deleted,
    /// A file that cannot be labeled: empty, not UTF-8, bad rows (each file).
    BadFile,
    /// A key that is hard on encodings (each file).
    OddKey,
    /// The spec arrives after the files (each dataset).
    SpecLast,
    /// The spec is broken at first, or in between (each dataset).
    SpecBroken,
    /// The spec is changed while work is under way (each dataset).
    SpecChanged,
    /// `_READY` is dropped (each dataset).
    Ready,
    /// A manifest made by hand appears (each dataset).
    HandMade,
    /// A second dataset whose name differs in case or punctuation (each schedule).
    TwinName,
    /// A limit over all batches (each dataset).
    Limited,
    /// An admin deletes a batch, and restores it later (each schedule).
    BatchDeleted,
    /// A job of another stack has the name (each dataset).
    ForeignJob,
    /// The user pool refuses one call in sixteen (each invocation about people).
    PoolThrottled,
    /// The user pool does it, and its answer is lost (each write).
    PoolResponseLost,
    /// ListUsers does not show yet what was made in the last minute (each listing).
    ListLags,
    /// SageMaker and SNS refuse one call in sixteen (each invocation about people).
    WorkforceThrottled,
    /// SageMaker or SNS does it, and its answer is lost (each write).
    WorkforceResponseLost,
    /// There is no workforce yet (each schedule).
    NoWorkforce,
    /// A workforce takes up to half an hour to be made (each schedule).
    SlowWorkforce,
    /// There is room for one work team (each schedule).
    TeamsFull,
    /// Mail to the address comes back (each address).
    MailBounces,
    /// The user pool does not take the address (each address).
    AddressRefused,
    /// Others send from the same account, and the day's mail is used up early (each day).
    MailUsedUp,
    /// Without mail left the account is made all the same (each such call).
    MadeWithoutMail,
    /// The trigger is not called (each sign-in).
    TriggerLost,
    /// Another account, not verified, gives itself a listed address; an event of another pool (each schedule).
    Impostor,
    /// A person on no list signs up (each schedule).
    SignsUp,
    /// A listed person has signed up by themselves before (each person).
    SignedUpBefore,
    /// An admin has made the account before (each person).
    MadeBefore,
    /// An admin deletes the account (each person).
    AccountDeleted,
    /// An admin takes a person out of the team's group (each person).
    TakenByHand,
    /// An admin deletes the team's group (each team).
    GroupDeleted,
    /// An invited person never signs in (each person).
    NeverSignsIn,
    /// A person is on two lists (each person).
    TwoTeams,
    /// A person is taken out of the file (each person of a team).
    TakenOut,
    /// A person taken out is put back (each person taken out).
    PutBack,
    /// The file lists what is no address, and an address twice (each version of a file).
    BadAddress,
    /// An address is written in another case (each address in a file).
    OddCase,
    /// The file cannot be used (each version of a file).
    TeamBroken,
    /// A file whose name no team can have (each schedule).
    Misnamed,
    /// The user pool has a group of the team's name that others made, with people in it (each schedule).
    GroupOfOthers,
    /// The account has a work team of the team's name that others made (each schedule).
    WorkTeamOfOthers,
}

/// The first of those that only people and teams have.
const FIRST_OF_CREW: usize = Fault::PoolThrottled as usize;

/// How likely each fault is in one schedule, how often there was an opportunity and how often it was taken.
#[derive(Clone)]
pub(crate) struct Faults {
    rate: [u8; Fault::ALL.len()],
    tally: Tally,
    calm: bool,
}

/// Opportunities and strikes of each fault.
#[derive(Clone)]
pub struct Tally {
    tried: [u64; Fault::ALL.len()],
    struck: [u64; Fault::ALL.len()],
}

impl Default for Tally {
    fn default() -> Self {
        let none = [0; Fault::ALL.len()];
        Self {
            tried: none,
            struck: none,
        }
    }
}

impl Tally {
    pub fn add(&mut self, other: &Self) {
        let both = |mine: &mut [u64], theirs: &[u64]| mine.iter_mut().zip(theirs).for_each(|(a, b)| *a += b);
        both(&mut self.tried, &other.tried);
        both(&mut self.struck, &other.struck);
    }

    /// Opportunities, and how many of them the fault took.
    pub fn of(&self, fault: Fault) -> (u64, u64) {
        let at = |numbers: &[u64]| numbers.get(fault as usize).copied().unwrap_or(0);
        (at(&self.tried), at(&self.struck))
    }
}

impl Faults {
    /// A different weather for every schedule: in one of eight everything goes wrong at once, in the others each
    /// fault is there or not, since faults that are always there hide what lies behind them.
    pub(crate) fn draw(dice: &mut Dice, scene: Scene) -> Self {
        let storm = dice.below(8) == 0;
        let rate = std::array::from_fn(|place| match storm {
            _ if scene == Scene::Datasets && place >= FIRST_OF_CREW => 0,
            true => dice.pick(&[10, 20], 10),
            false if dice.percent(60) => dice.pick(&[15, 25, 40], 15),
            false => 0,
        });
        Self {
            rate,
            tally: Tally::default(),
            calm: false,
        }
    }

    pub(crate) fn none() -> Self {
        Self {
            rate: [0; Fault::ALL.len()],
            tally: Tally::default(),
            calm: true,
        }
    }

    pub(crate) fn set(&mut self, fault: Fault, rate: u8) {
        if let Some(place) = self.rate.get_mut(fault as usize) {
            *place = rate;
        }
    }

    /// From now on nothing goes wrong.
    pub(crate) fn calm_down(&mut self) {
        self.calm = true;
    }

    pub(crate) fn is_calm(&self) -> bool {
        self.calm
    }

    pub(crate) fn strikes(&mut self, fault: Fault, dice: &mut Dice) -> bool {
        if self.calm {
            return false;
        }
        let place = fault as usize;
        let strikes = dice.percent(self.rate.get(place).copied().unwrap_or(0));
        if let (Some(tried), Some(struck)) =
            (self.tally.tried.get_mut(place), self.tally.struck.get_mut(place))
        {
            *tried += 1;
            *struck += u64::from(strikes);
        }
        strikes
    }

    pub(crate) fn tally(&self) -> &Tally {
        &self.tally
    }
}
