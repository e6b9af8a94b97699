//! Each safeguard is removed in turn, and the simulation has to notice: a safeguard whose removal nothing notices is
//! either not needed or not tested.

use simulation::{Options, Promise, Safeguard, many};

/// Schedules to try before a safeguard counts as idle.
const SEEDS: u64 = 3_000;

#[expect(
    clippy::print_stdout,
    reason = "which schedule it was, for whoever asks with --nocapture"
)]
fn broken_without(safeguard: Safeguard) -> (u64, Promise) {
    let options = Options {
        without: Some(safeguard),
        ..Options::default()
    };
    let all = many(0, SEEDS, &options, &|_| {});
    let (seed, violation) = all
        .wrong
        .unwrap_or_else(|| panic!("{SEEDS} schedules without {safeguard:?} kept every promise"));
    println!("without {safeguard:?}: seed {seed}: {violation}");
    (seed, violation.promise)
}

/// What a missing safeguard breaks, in one of these ways first.
fn expected(safeguard: Safeguard) -> &'static [Promise] {
    match safeguard {
        Safeguard::CreateIfAbsent => &[Promise::BatchFixed, Promise::SpecPinned],
        Safeguard::ReadAgainOn412 => &[Promise::ItemOnce],
        Safeguard::OwnerToken => &[Promise::CountsTrue],
        Safeguard::ForeignOn412 => &[Promise::NothingLost, Promise::CountsTrue],
        Safeguard::UploadCheck | Safeguard::QuietPeriod | Safeguard::ClockOfS3 => &[Promise::CutInTime],
        Safeguard::WholeListing => &[Promise::CutInTime, Promise::ItemTrue, Promise::BatchFixed],
        Safeguard::Contiguity => &[Promise::ItemOnce, Promise::BatchFixed],
        Safeguard::BatchCount => &[Promise::BatchFixed],
        Safeguard::Sweep => &[
            Promise::NothingLost,
            Promise::StatusTrue,
            Promise::BatchHasJob,
            Promise::EndTold,
        ],
        Safeguard::HashInName => &[Promise::BatchHasJob],
        Safeguard::DescribeTaken => &[Promise::StartedTrue],
        Safeguard::PinnedSpec => &[Promise::JobTrue],
        Safeguard::MarkerLast => &[Promise::NoticeTrue],
        Safeguard::MarkerFirstRead => &[Promise::NoticeOnce],
    }
}

#[test]
fn every_safeguard_is_missed_when_it_is_gone() {
    for safeguard in Safeguard::ALL {
        let (seed, promise) = broken_without(safeguard);
        assert!(
            expected(safeguard).contains(&promise),
            "seed {seed} without {safeguard:?} broke {promise:?}"
        );
    }
}
