//! Which jobs are counted as overdue.

use jiff::{SignedDuration, Timestamp};
use lambda::metric::Metric;
use shared::port::Offer;

use super::*;
use crate::handle_at;

const DAY: u32 = 86_400;

fn at_work(world: &World, offer: Option<Offer>, items: u64) {
    let mut job = FakeLabeling::job(JOB, "s3://out/manifests/d/000001.manifest", JobState::InProgress);
    job.created = world.store.now();
    job.offer = offer;
    job.counters.unlabeled = items;
    world.labeling.put(job);
}

/// What a sweep so many hours later counts.
async fn counted_after(world: &World, hours: i64) -> Vec<u64> {
    let before = world.metrics.values(Metric::JobsOverdue).len();
    let now: Timestamp = world.store.now() + SignedDuration::from_hours(hours);
    handle_at(&world.deps, json!({"sweep": "all"}), now)
        .await
        .unwrap();
    world.metrics.values(Metric::JobsOverdue).split_off(before)
}

#[tokio::test]
async fn a_job_is_overdue_a_day_after_its_items_are_no_longer_offered() {
    let day = |seconds| {
        Some(Offer {
            seconds,
            at_once: 1_000,
        })
    };
    let table = [
        (day(DAY), 10, 48),
        (day(60), 10, 24),
        // Three groups, one after the other.
        (day(DAY), 2_001, 4 * 24),
        // No job lives for longer than 30 days.
        (day(20 * DAY), 2_001, 31 * 24),
        // The service does not say.
        (None, 10, 11 * 24),
    ];
    for (offer, items, hours) in table {
        let world = World::new(JobState::Completed);
        at_work(&world, offer, items);
        assert_eq!(counted_after(&world, hours).await, [0], "{offer:?} {items}");
        assert_eq!(counted_after(&world, hours + 1).await, [1], "{offer:?} {items}");
        world.labeling.finish(JOB, JobState::Completed);
        assert_eq!(counted_after(&world, hours + 1).await, [0], "{offer:?} {items}");
    }
}

#[tokio::test]
async fn jobs_of_other_stacks_are_not_overdue() {
    let world = World::new(JobState::Completed);
    for (name, manifest) in [
        ("gc00x-d-000001", "s3://out/manifests/d/000001.manifest"),
        ("gc00-d-000009", "s3://elsewhere/manifests/d/000009.manifest"),
    ] {
        let mut job = FakeLabeling::job(name, manifest, JobState::InProgress);
        job.created = world.store.now();
        world.labeling.put(job);
    }
    assert_eq!(counted_after(&world, 40 * 24).await, [0]);
}

#[tokio::test]
async fn events_about_jobs_of_others_are_counted() {
    let world = World::new(JobState::Completed);
    let records = [
        event("a", "another-job"),
        event("b", JOB),
        event("c", "gc01-d-000001"),
    ];
    handle(&world.deps, json!({"Records": records})).await.unwrap();
    assert_eq!(world.metrics.values(Metric::DroppedForeignEvents), [2]);
}
