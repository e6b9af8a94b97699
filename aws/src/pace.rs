//! How fast the user pool is asked: token buckets at half of Cognito's quotas, slower still after it has said "too
//! many", so that people who sign in at the same moment are not the ones who are turned away.
//!
//! The quotas are requests per second, account and Region, shared with everything else that uses user pools there:
//! <https://docs.aws.amazon.com/cognito/latest/developerguide/quotas.html>. What is decided is decided of a time that is
//! handed in; waiting is tokio's.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::{Instant, sleep_until};

/// Cognito's categories of requests, as far as they are made here.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Category {
    /// AdminCreateUser, also with RESEND
    UserCreation,
    /// AdminAddUserToGroup, AdminRemoveUserFromGroup
    UserUpdate,
    /// AdminGetUser
    UserRead,
    /// AdminListGroupsForUser
    UserResourceRead,
    /// ListUsers, ListUsersInGroup
    UserList,
    /// GetGroup
    PoolResourceRead,
    /// CreateGroup
    PoolResourceUpdate,
    /// DescribeUserPool
    PoolRead,
    /// DescribeUserPoolClient
    ClientRead,
    /// UpdateUserPoolClient
    ClientUpdate,
}

impl Category {
    pub const ALL: [Self; 10] = [
        Self::UserCreation,
        Self::UserUpdate,
        Self::UserRead,
        Self::UserResourceRead,
        Self::UserList,
        Self::PoolResourceRead,
        Self::PoolResourceUpdate,
        Self::PoolRead,
        Self::ClientRead,
        Self::ClientUpdate,
    ];

    /// Requests per second.
    pub fn quota(self) -> u32 {
        match self {
            Self::UserCreation | Self::UserResourceRead => 50,
            Self::UserUpdate => 25,
            Self::UserRead => 120,
            Self::UserList => 30,
            Self::PoolResourceRead => 20,
            // 15 in the account, 5 in one pool.
            Self::PoolResourceUpdate | Self::ClientUpdate => 5,
            Self::PoolRead | Self::ClientRead => 15,
        }
    }

    /// Half of it: with a full bucket no more than the quota goes out in any one second.
    fn rate(self) -> u32 {
        self.quota() / 2
    }
}

/// One bucket a category.
#[derive(Debug)]
pub struct Pace {
    buckets: [Mutex<Bucket>; Category::ALL.len()],
}

/// The bucket in its other form (GCRA): the time at which it is full again says how full it is.
#[derive(Debug)]
struct Bucket {
    full_at: Option<Instant>,
    interval: Duration,
    shortest: Duration,
    /// How far `full_at` may lie ahead of a request that need not wait.
    ahead: Duration,
}

/// After a refusal no slower than a sixteenth of the usual rate: what keeps being refused is given up by the caller.
const SLOWEST: u32 = 16;

impl Default for Pace {
    fn default() -> Self {
        Self {
            buckets: Category::ALL.map(|category| Mutex::new(Bucket::new(category.rate()))),
        }
    }
}

impl Pace {
    /// For people at the door, whom the other half of the quotas is for: nobody waits before Cognito has refused.
    pub fn eager() -> Self {
        const NEVER_EMPTY: Duration = Duration::from_secs(3_600);
        let bucket = |category: Category| Bucket {
            ahead: NEVER_EMPTY,
            ..Bucket::new(category.rate())
        };
        Self {
            buckets: Category::ALL.map(|category| Mutex::new(bucket(category))),
        }
    }

    /// Waits for a token. Whoever asks first goes first.
    pub async fn admit(&self, category: Category) {
        if let Some(turn) = self.turn(category, Instant::now()) {
            sleep_until(turn).await;
        }
    }

    /// Takes a token: when the request may go, where that is not now.
    pub fn turn(&self, category: Category, now: Instant) -> Option<Instant> {
        self.with(category, |bucket| bucket.take(now))
    }

    /// Cognito has said TooManyRequestsException: half as fast from now on, and not from a full bucket.
    pub fn throttled(&self, category: Category, now: Instant) {
        self.with(category, |bucket| bucket.slow_down(now));
    }

    /// It went through: a little faster again, up to the usual rate.
    pub fn went_through(&self, category: Category) {
        self.with(category, Bucket::speed_up);
    }

    fn with<T>(&self, category: Category, act: impl FnOnce(&mut Bucket) -> T) -> T {
        let bucket = &self.buckets[category as usize];
        act(&mut bucket.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Bucket {
    fn new(per_second: u32) -> Self {
        let shortest = Duration::from_secs(1) / per_second.max(1);
        Self {
            full_at: None,
            interval: shortest,
            shortest,
            ahead: shortest * per_second.saturating_sub(1),
        }
    }

    /// When this request may go, where that is not now.
    fn take(&mut self, now: Instant) -> Option<Instant> {
        let full_at = self.full_at.map_or(now, |at| at.max(now));
        self.full_at = Some(full_at + self.interval);
        let turn = full_at.checked_sub(self.ahead)?;
        (turn > now).then_some(turn)
    }

    fn slow_down(&mut self, now: Instant) {
        self.interval = (self.interval * 2).min(self.shortest * SLOWEST);
        let empty = now + self.ahead + self.interval;
        self.full_at = Some(self.full_at.map_or(empty, |at| at.max(empty)));
    }

    fn speed_up(&mut self) {
        self.interval = (self.interval - self.interval / 16).max(self.shortest);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A clock that only moves when somebody waits.
    struct Waiting<'a> {
        pace: &'a Pace,
        now: Instant,
    }

    impl<'a> Waiting<'a> {
        fn new(pace: &'a Pace) -> Self {
            let now = Instant::now();
            Self { pace, now }
        }

        /// Seconds so many requests, one after the other, wait.
        fn seconds_for(&mut self, category: Category, requests: u32) -> f64 {
            let from = self.now;
            for _ in 0..requests {
                self.now = self.pace.turn(category, self.now).unwrap_or(self.now);
            }
            (self.now - from).as_secs_f64()
        }
    }

    #[test]
    fn a_few_requests_do_not_wait_and_many_go_at_half_the_quota() {
        let pace = Pace::default();
        let mut clock = Waiting::new(&pace);
        assert!(clock.seconds_for(Category::UserUpdate, 12) < 0.001);
        let seconds = clock.seconds_for(Category::UserUpdate, 120);
        assert!((9.9..10.1).contains(&seconds), "{seconds}");
    }

    #[test]
    fn no_second_sees_more_than_the_quota() {
        for category in Category::ALL {
            let pace = Pace::default();
            let mut clock = Waiting::new(&pace);
            let mut times = Vec::new();
            for _ in 0..category.quota() * 3 {
                clock.seconds_for(category, 1);
                times.push(clock.now);
            }
            let quota = category.quota() as usize;
            for (first, after) in times.iter().zip(&times[quota..]) {
                let apart = *after - *first;
                assert!(apart >= Duration::from_millis(990), "{category:?}: {apart:?}");
            }
        }
    }

    #[test]
    fn a_refusal_slows_down_at_once_and_success_speeds_up_slowly() {
        let pace = Pace::default();
        let mut clock = Waiting::new(&pace);
        pace.throttled(Category::UserCreation, clock.now);
        let slowed = clock.seconds_for(Category::UserCreation, 50);
        assert!((3.9..4.2).contains(&slowed), "{slowed}");
        for _ in 0..100 {
            pace.went_through(Category::UserCreation);
        }
        let usual = clock.seconds_for(Category::UserCreation, 50);
        assert!((1.9..2.2).contains(&usual), "{usual}");
    }

    #[test]
    fn one_category_does_not_wait_for_another() {
        let pace = Pace::default();
        let mut clock = Waiting::new(&pace);
        pace.throttled(Category::UserCreation, clock.now);
        assert!(clock.seconds_for(Category::UserRead, 60) < 0.001);
    }

    #[test]
    fn requests_that_are_refused_without_end_are_not_slowed_without_end() {
        let pace = Pace::default();
        let mut clock = Waiting::new(&pace);
        for _ in 0..100 {
            pace.throttled(Category::ClientUpdate, clock.now);
        }
        let seconds = clock.seconds_for(Category::ClientUpdate, 1);
        assert!(seconds <= 8.1, "{seconds}");
    }

    #[test]
    fn people_at_the_door_wait_only_after_a_refusal() {
        let pace = Pace::eager();
        let mut clock = Waiting::new(&pace);
        assert!(clock.seconds_for(Category::UserUpdate, 1_000) < 0.001);
        pace.throttled(Category::UserUpdate, clock.now);
        let seconds = clock.seconds_for(Category::UserUpdate, 1);
        assert!((0.1..0.2).contains(&seconds), "{seconds}");
    }

    #[tokio::test]
    async fn a_request_waits_for_its_turn() {
        let pace = Pace::default();
        let from = Instant::now();
        for _ in 0..62 {
            pace.admit(Category::UserRead).await;
        }
        let waited = from.elapsed();
        assert!(waited >= Duration::from_millis(30), "{waited:?}");
    }
}
