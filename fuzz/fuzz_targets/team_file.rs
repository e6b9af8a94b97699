//! `teams/<team>.yaml`: any bytes are a team or an error; no one is in it twice, and every entry is served or message of.
#![no_main]

use std::collections::HashSet;

use libfuzzer_sys::fuzz_target;
use shared::crew::{MAX_WORKERS, TeamFile};
use shared::name::TeamName;

fuzz_target!(|text: &[u8]| {
    let team = TeamName::new("numbers-team").unwrap();
    match TeamFile::parse(&team, text) {
        Ok(file) => check(&file),
        Err(error) => {
            let message = error.to_string();
            assert!(message.len() < 16 * 1024, "an error of {} bytes", message.len());
        }
    }
});

fn check(file: &TeamFile) {
    assert!((1..=200).contains(&file.description.chars().count()));
    let Some(team) = file.cognito() else { return };
    assert!(team.workers.len() + team.unusable.len() <= MAX_WORKERS);
    let people: HashSet<_> = team.workers.iter().map(|worker| &worker.person).collect();
    assert_eq!(people.len(), team.workers.len(), "a person is in the team twice");
    if let Some(words) = &team.invitation {
        assert_eq!(words.check(), Ok(()));
    }
    for problem in &team.unusable {
        assert!(
            problem.message.len() < 4096 && !problem.message.contains('\n'),
            "{}",
            problem.message
        );
    }
}
