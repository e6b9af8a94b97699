//! Each safeguard is removed in turn, and the simulation has to notice: a safeguard whose removal nothing notices is
//! either not needed or not tested.

use simulation::{Fault, Options, Promise, Safeguard, Scene, many};

/// Schedules to try before a safeguard counts as idle.
const SEEDS: u64 = 8_000;

#[expect(
    clippy::print_stdout,
    reason = "which schedule it was, shown with --nocapture"
)]
fn broken_without(safeguard: Safeguard) -> Option<(u64, Promise)> {
    let options = Options {
        without: Some(safeguard),
        only: Some(safeguard.scene()),
        chances: chances(safeguard),
        ..Options::default()
    };
    let all = many(0, SEEDS, &options, &|_| {});
    let (seed, violation) = all.wrong.into_iter().next()?;
    println!("without {safeguard:?}: seed {seed}: {violation}");
    Some((seed, violation.promise))
}

/// Where its fault has to strike more often than it does by itself, to be met within so many schedules.
fn chances(safeguard: Safeguard) -> Vec<(Fault, u8)> {
    match safeguard {
        Safeguard::WholeListing => vec![(Fault::PageFails, 60)],
        // Two teams have to change one person's document in the same moment.
        Safeguard::PersonUnchanged => vec![(Fault::TwoTeams, 100)],
        _ => Vec::new(),
    }
}

/// What a missing safeguard breaks, in one of these ways first.
fn promises_without(safeguard: Safeguard) -> &'static [Promise] {
    match safeguard {
        Safeguard::CreateIfAbsent => &[Promise::BatchFixed, Promise::SpecPinned],
        Safeguard::ReadAgainOn412 => &[Promise::ItemOnce],
        Safeguard::OwnerToken => &[Promise::CountsTrue],
        Safeguard::ForeignOn412 => &[Promise::NothingLost, Promise::CountsTrue],
        Safeguard::UploadCheck | Safeguard::QuietPeriod | Safeguard::ClockOfS3 => &[Promise::CutInTime],
        Safeguard::WholeListing => &[
            Promise::CutInTime,
            Promise::ItemTrue,
            Promise::BatchFixed,
            Promise::RejectsListed,
            Promise::NothingLost,
        ],
        Safeguard::Contiguity => &[Promise::ItemOnce, Promise::BatchFixed, Promise::StatusTrue],
        Safeguard::BatchCount => &[Promise::BatchFixed],
        Safeguard::SeenAsListed => &[Promise::ItemOnce],
        Safeguard::Sweep => &[
            Promise::NothingLost,
            Promise::StatusTrue,
            Promise::BatchHasJob,
            Promise::EndAnnounced,
        ],
        Safeguard::HashInName => &[Promise::BatchHasJob],
        Safeguard::DescribeTaken => &[Promise::StartedTrue],
        Safeguard::PinnedSpec => &[Promise::JobTrue],
        Safeguard::MarkerLast => &[Promise::NoticeTrue],
        Safeguard::MarkerFirstRead => &[Promise::NoticeOnce],
        Safeguard::AccountIsLock | Safeguard::MailClaim | Safeguard::MailCount => &[Promise::InvitedOnce],
        Safeguard::MailLedger => &[Promise::MailWithinBudget],
        Safeguard::ListedFirst | Safeguard::WriteAhead | Safeguard::LeavesListFirst => {
            &[Promise::ListedFirst]
        }
        Safeguard::TrustCheck => &[Promise::MemberTrue],
        Safeguard::Budget => &[Promise::SignInPasses],
        Safeguard::JoinedLast => &[Promise::JoinedTrue],
        // The document also counts the mails.
        Safeguard::PersonUnchanged => &[Promise::ListTrue, Promise::InvitedOnce],
        Safeguard::RosterUnchanged => &[Promise::RosterTrue],
        Safeguard::GroupMark | Safeguard::WorkTeamMark => &[Promise::OthersUntouched],
        Safeguard::Repair | Safeguard::CrewSweep => &[Promise::RosterTrue, Promise::EveryoneServed],
    }
}

fn each_is_missed(scene: Scene) {
    let (all, mut unnoticed) = (Safeguard::ALL.into_iter(), Vec::new());
    for safeguard in all.filter(|safeguard| safeguard.scene() == scene) {
        match broken_without(safeguard) {
            Some((_, promise)) if promises_without(safeguard).contains(&promise) => {}
            other => unnoticed.push((safeguard, other)),
        }
    }
    assert!(unnoticed.is_empty(), "in {SEEDS} seeds: {unnoticed:?}");
}

#[test]
fn every_safeguard_is_missed_when_it_is_gone() {
    each_is_missed(Scene::Datasets);
}

#[test]
fn every_safeguard_of_people_and_teams_is_missed_when_it_is_gone() {
    each_is_missed(Scene::Crew);
}
