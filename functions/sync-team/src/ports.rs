//! What the function works with, under one name: a protocol over five ports says which it uses in its body.

use aws::directory::UserPool;
use aws::s3::Buckets;
use aws::topic::SnsTopic;
use aws::{crew::PrivateWorkforce, topics::TeamTopics};
use lambda::metric::Metrics;
use shared::crew::{AllowedDomains, Networks};
use shared::port::crew::{Directory, WorkTopics, Workforce};
use shared::port::{Store, Topic};

/// What the function works with; the ports are the AWS SDK's unless a test says otherwise.
pub struct Deps<S = Buckets, D = UserPool, W = PrivateWorkforce, K = TeamTopics, T = SnsTopic> {
    pub store: S,
    pub directory: D,
    pub workforce: W,
    pub work_topics: K,
    /// Where notices to admins are published.
    pub topic: T,
    pub metrics: Metrics,
    pub settings: Settings,
}

/// The function's environment.
#[derive(Clone, Debug)]
pub struct Settings {
    pub input_bucket: String,
    pub output_bucket: String,
    pub user_pool: String,
    pub client_id: String,
    /// `None`: as many as the sender sends.
    pub invitations_per_day: Option<u32>,
    /// For one person, the first included.
    pub max_invitations: u32,
    /// Where people may have their addresses.
    pub allowed_domains: AllowedDomains,
    /// What a team file's `networks` have to be within.
    pub networks_within: Networks,
    /// The portal's address, where it is not the workforce's. Without a slash at its end.
    pub portal_url: Option<String>,
}

/// [`Deps`] with any ports.
pub trait Ports: Send + Sync {
    type Store: Store;
    type Directory: Directory;
    type Workforce: Workforce;
    type WorkTopics: WorkTopics;
    type Topic: Topic;

    fn store(&self) -> &Self::Store;
    fn directory(&self) -> &Self::Directory;
    fn workforce(&self) -> &Self::Workforce;
    fn work_topics(&self) -> &Self::WorkTopics;
    fn topic(&self) -> &Self::Topic;
    fn metrics(&self) -> &Metrics;
    fn settings(&self) -> &Settings;
}

impl<S: Store, D: Directory, W: Workforce, K: WorkTopics, T: Topic> Ports for Deps<S, D, W, K, T> {
    type Store = S;
    type Directory = D;
    type Workforce = W;
    type WorkTopics = K;
    type Topic = T;

    fn store(&self) -> &S {
        &self.store
    }

    fn directory(&self) -> &D {
        &self.directory
    }

    fn workforce(&self) -> &W {
        &self.workforce
    }

    fn work_topics(&self) -> &K {
        &self.work_topics
    }

    fn topic(&self) -> &T {
        &self.topic
    }

    fn metrics(&self) -> &Metrics {
        &self.metrics
    }

    fn settings(&self) -> &Settings {
        &self.settings
    }
}
