//! How fast the user pool is called: token buckets at half of Cognito's quotas, slower after Cognito has throttled a
//! call, so that people who sign in at the same moment are not the ones who are turned away.
//!
//! The quotas are requests per second, account and Region, shared with everything else that uses user pools there:
//! <https://docs.aws.amazon.com/cognito/latest/developerguide/quotas.html>. Decisions are pure functions of a
//! time that is handed in; only [`Pace::wait_for_token`] waits.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::{Instant, sleep_until};

/// Cognito's categories of the requests made here.
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
    /// How far `full_at` may be ahead of a request that need not wait.
    ahead: Duration,
}

/// After a refusal no slower than a sixteenth of the usual rate: the caller stops repeating what keeps being refused.
const SLOWEST: u32 = 16;

impl Default for Pace {
    fn default() -> Self {
        Self {
            buckets: Category::ALL.map(|category| Mutex::new(Bucket::new(category.rate()))),
        }
    }
}

impl Pace {
    /// For people who wait for their sign-in, whom the other half of the quotas is for: no call waits before Cognito has
    /// throttled one.
    pub fn for_sign_ins() -> Self {
        const NEVER_EMPTY: Duration = Duration::from_secs(3_600);
        let bucket = |category: Category| Bucket {
            ahead: NEVER_EMPTY,
            ..Bucket::new(category.rate())
        };
        Self {
            buckets: Category::ALL.map(|category| Mutex::new(bucket(category))),
        }
    }

    /// Waits for a token, in the order of the calls.
    pub async fn wait_for_token(&self, category: Category) {
        if let Some(turn) = self.take_token(category, Instant::now()) {
            sleep_until(turn).await;
        }
    }

    /// Takes a token; gives the time at which the request may go, where that is not now.
    pub fn take_token(&self, category: Category, now: Instant) -> Option<Instant> {
        self.with_bucket(category, |bucket| bucket.take(now))
    }

    /// After a TooManyRequestsException: half as fast from now on, and not from a full bucket.
    pub fn slow_down(&self, category: Category, now: Instant) {
        self.with_bucket(category, |bucket| bucket.slow_down(now));
    }

    /// After a call that succeeded: a little faster again, up to the usual rate.
    pub fn speed_up(&self, category: Category) {
        self.with_bucket(category, Bucket::speed_up);
    }

    fn with_bucket<T>(&self, category: Category, act: impl FnOnce(&mut Bucket) -> T) -> T {
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

    /// A clock that only moves when a request waits.
    struct WaitingClock<'a> {
        pace: &'a Pace,
        now: Instant,
    }

    impl<'a> WaitingClock<'a> {
        fn new(pace: &'a Pace) -> Self {
            let now = Instant::now();
            Self { pace, now }
        }

        /// Seconds so many requests, one after the other, wait.
        fn seconds_for(&mut self, category: Category, requests: u32) -> f64 {
            let from = self.now;
            for _ in 0..requests {
                self.now = self.pace.take_token(category, self.now).unwrap_or(self.now);
            }
            (self.now - from).as_secs_f64()
        }
    }

    #[test]
    fn a_few_requests_do_not_wait_and_many_go_at_half_the_quota() {
        let pace = Pace::default();
        let mut clock = WaitingClock::new(&pace);
        assert!(clock.seconds_for(Category::UserUpdate, 12) < 0.001);
        let seconds = clock.seconds_for(Category::UserUpdate, 120);
        assert!((9.9..10.1).contains(&seconds), "{seconds}");
    }

    #[test]
    fn no_second_sees_more_than_the_quota() {
        for category in Category::ALL {
            let pace = Pace::default();
            let mut clock = WaitingClock::new(&pace);
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
        let mut clock = WaitingClock::new(&pace);
        pace.slow_down(Category::UserCreation, clock.now);
        let slowed = clock.seconds_for(Category::UserCreation, 50);
        assert!((3.9..4.2).contains(&slowed), "{slowed}");
        for _ in 0..100 {
            pace.speed_up(Category::UserCreation);
        }
        let usual = clock.seconds_for(Category::UserCreation, 50);
        assert!((1.9..2.2).contains(&usual), "{usual}");
    }

    #[test]
    fn one_category_does_not_wait_for_another() {
        let pace = Pace::default();
        let mut clock = WaitingClock::new(&pace);
        pace.slow_down(Category::UserCreation, clock.now);
        assert!(clock.seconds_for(Category::UserRead, 60) < 0.001);
    }

    #[test]
    fn requests_that_are_refused_without_end_are_not_slowed_without_end() {
        let pace = Pace::default();
        let mut clock = WaitingClock::new(&pace);
        for _ in 0..100 {
            pace.slow_down(Category::ClientUpdate, clock.now);
        }
        let seconds = clock.seconds_for(Category::ClientUpdate, 1);
        assert!(seconds <= 8.1, "{seconds}");
    }

    #[test]
    fn sign_ins_wait_only_after_a_refusal() {
        let pace = Pace::for_sign_ins();
        let mut clock = WaitingClock::new(&pace);
        assert!(clock.seconds_for(Category::UserUpdate, 1_000) < 0.001);
        pace.slow_down(Category::UserUpdate, clock.now);
        let seconds = clock.seconds_for(Category::UserUpdate, 1);
        assert!((0.1..0.2).contains(&seconds), "{seconds}");
    }

    #[tokio::test]
    async fn a_request_waits_for_its_turn() {
        let pace = Pace::default();
        let from = Instant::now();
        for _ in 0..62 {
            pace.wait_for_token(Category::UserRead).await;
        }
        let waited = from.elapsed();
        assert!(waited >= Duration::from_millis(30), "{waited:?}");
    }
}
