//! The topic's limits, whatever people wrote.

use proptest::prelude::*;

use super::*;
use crate::daily::{DailyBudget, DailyUnit};

#[test]
fn the_worst_keys_and_reasons_fit_into_a_message() {
    let key = format!("d/{}", "\u{1}\u{fffe}\"\\".repeat(146));
    let worst: Vec<_> = (0..30)
        .map(|row| Reject {
            reason: key.repeat(50),
            ..sample_reject(&key, Some(row))
        })
        .collect();
    sendable(&Notice::files_rejected(&dataset("d"), &worst));
    let mut labels = summary(JobState::Completed);
    labels.labels.changed_first = vec![key; 20];
    labels.labels.per_label = vec![
        LabelCount {
            label: "\"".repeat(256),
            count: 1
        };
        2000
    ];
    sendable(&Notice::job_finished(&labels, &Links::default()));
}

/// SNS's limits, as its API reference gives them.
#[track_caller]
pub(super) fn sendable(notice: &Notice) {
    let message = notice.message();
    let attributes: usize = message
        .attributes
        .iter()
        .map(|(name, value)| name.len() + value.len())
        .sum();
    assert!(
        message.body.len() + attributes + message.subject.len() < 256 * 1024,
        "{}",
        message.body.len()
    );
    assert!((1..=100).contains(&message.subject.len()), "{}", message.subject);
    assert!(
        message.subject.bytes().all(|b| (b' '..=b'~').contains(&b)),
        "{}",
        message.subject
    );
    assert!(message.attributes.values().all(|value| !value.is_empty()));
    let forms: BTreeMap<String, String> = serde_json::from_str(&message.body).unwrap();
    serde_json::from_str::<Value>(&forms["default"]).unwrap();
    let refused = |c: char| (c.is_control() && c != '\n') || matches!(c, '\u{fffe}' | '\u{ffff}');
    for text in forms
        .values()
        .chain([&message.body])
        .chain(message.attributes.values())
    {
        assert!(!text.contains(refused), "{text:?}");
    }
    assert!(notice.id.len() <= 512, "{}", notice.id);
    let ok = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b"./-".contains(&b);
    assert!(notice.id.bytes().all(ok), "{}", notice.id);
}

proptest! {
    #[test]
    fn any_dataset_key_and_reason_make_a_notice_sns_takes(
        name in "[^\u{0}-\u{1f}\u{7f}-\u{9f}/]{1,60}",
        key in any::<String>(),
        reason in any::<String>(),
        row in any::<Option<u64>>(),
    ) {
        let Ok(name) = DatasetName::new(&name) else { return Ok(()) };
        let reject = Reject { key: key.clone(), etag: "e".into(), row, reason: reason.clone() };
        sendable(&Notice::files_rejected(&name, &[reject]));
        sendable(&Notice::dataset_halted(&name, &reason));
        let (batch, job) = (BatchNumber::FIRST, key.as_str());
        for unit in [DailyUnit::Items, DailyUnit::Jobs] {
            let budget = DailyBudget::new(unit, Some(u64::MAX), Timestamp::MAX).unwrap();
            sendable(&Notice::daily_bound(&budget, &name));
        }
        for why in [WaitingReason::Quota, WaitingReason::Refused, WaitingReason::NameTaken] {
            sendable(&Notice::job_refused(JobRefusal { dataset: &name, batch, job, reason: why, message: &reason }));
        }
        let error = SpecError { file: "labeling.yaml".into(), line: None, column: None, message: reason, hint: Some(key), excerpt: None };
        sendable(&Notice::spec_rejected(&name, &error, "ab"));
    }
}

#[test]
fn what_is_told_of_teams_fits_whatever_people_wrote() {
    let team = crate::name::TeamName::new(&"t".repeat(63)).unwrap();
    let ugly = "x\u{0}\u{fffe}\n\u{1f600}".repeat(20_000);
    let problem = |n: usize| crate::crew::TeamProblem {
        message: format!("{n} {ugly}"),
        line: Some(1),
    };
    let problems: Vec<_> = (0..100).map(problem).collect();
    let joined = crate::crew::JoinMarker {
        at: Timestamp::UNIX_EPOCH,
        username: ugly.clone(),
        sub: ugly.clone(),
    };
    let error = SpecError {
        file: "teams/t.yaml".into(),
        line: None,
        column: None,
        message: ugly.clone(),
        hint: None,
        excerpt: None,
    };
    let named = crate::name::TeamFileNameError::Extension { file: ugly.clone() };
    for notice in [
        Notice::team_rejected(&team, &error, "sha"),
        Notice::team_misnamed(&ugly, &named),
        Notice::team_problems(&team, TeamCause::Addresses, &problems),
        Notice::team_refused(&team, &ugly),
        Notice::worker_joined(&team, "person", &ugly),
        Notice::worker_unlisted("hash", &joined, None),
        Notice::workers_unlisted(&vec![ugly.as_str(); 30]),
    ] {
        let id_ok = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "./-".contains(c);
        assert!(
            notice.id.len() <= 512 && notice.id.chars().all(id_ok),
            "{}",
            notice.id
        );
        let message = notice.message();
        assert!(
            message.body.len() <= 256_000 && message.subject.len() <= 100,
            "{}",
            notice.id
        );
        assert!(!message.body.contains(['\u{0}', '\u{fffe}']), "{}", notice.id);
        assert_eq!(message.attributes.contains_key("team"), notice.team.is_some());
    }
}
