//! Team files made from forms and rosters, and who leaves by a change.

use shared::crew::Member;

use super::*;

fn team() -> TeamName {
    TeamName::new("numbers-team").unwrap()
}

fn form(workers: &str) -> Form {
    Form {
        organization: "Example Lab".into(),
        contact: "labels@example.org".into(),
        description: "People who label numbers".into(),
        workers: workers.into(),
        notify_workers: true,
    }
}

fn parsed(text: &str) -> TeamFile {
    TeamFile::parse(&team(), text.as_bytes()).unwrap_or_else(|error| panic!("{error}\n{text}"))
}

fn emails(file: &TeamFile) -> Vec<String> {
    let crew = file.cognito().unwrap();
    crew.workers.iter().map(|worker| worker.email.clone()).collect()
}

#[test]
fn a_pasted_list_is_taken_however_it_is_written() {
    for pasted in [
        "ana@example.org\nbo@example.org",
        "ana@example.org, bo@example.org",
        " ana@example.org;bo@example.org;\n\n",
        "ana@example.org bo@example.org",
        "Ana Example <ana@example.org>\r\n\"Doe, Bo\" <bo@example.org>",
        "Ana <ana@example.org>, Bo <bo@example.org>",
        "'ana@example.org'\n\"bo@example.org\"",
        "ana@example.org\nbo@example.org\nANA@example.org",
    ] {
        let file = parsed(&compose(&form(pasted)));
        assert_eq!(emails(&file), ["ana@example.org", "bo@example.org"], "{pasted:?}");
        assert!(file.cognito().unwrap().unusable.is_empty(), "{pasted:?}");
    }
}

#[test]
fn what_is_no_address_stays_in_the_file_and_is_said() {
    let text = compose(&form("ana@example.org\nAna Example\n- x: y"));
    assert_eq!(emails(&parsed(&text)), ["ana@example.org"]);
    let verdict = check(&team(), text.as_bytes());
    assert_eq!(
        (verdict.ok, verdict.people, verdict.unusable.len()),
        (true, 1, 2),
        "{verdict:?}"
    );
}

#[test]
fn nothing_that_is_typed_into_the_form_is_yaml() {
    for odd in [
        "Lab: #1 & co",
        "no",
        "12",
        "- a",
        "{x}",
        "[x]",
        "*x",
        "Ä \"b\" \\ c",
        "a\nworkers: [x@y.org]",
        "%a",
        "null",
        "'a'",
        "@a",
        "|",
        "> a",
        "? a",
        "a #b",
        "a: b",
        "!x",
        "\u{7f}a\u{85}b",
    ] {
        let file = parsed(&compose(&Form {
            organization: odd.into(),
            description: odd.into(),
            ..form("")
        }));
        let said = odd.replace(char::is_control, " ");
        assert_eq!(
            (file.organization.as_str(), file.description.as_str()),
            (said.trim(), said.trim())
        );
        assert!(emails(&file).is_empty(), "{odd:?}");
    }
}

#[test]
fn a_missing_field_is_said_with_its_name() {
    let verdict = check(
        &team(),
        compose(&Form {
            contact: String::new(),
            ..form("")
        })
        .as_bytes(),
    );
    assert!(
        !verdict.is_ok() && verdict.message().contains("contact"),
        "{verdict:?}"
    );
}

fn member(email: &str, state: MemberState) -> Member {
    Member {
        person: layout::person_id(email),
        email: email.into(),
        state,
        since: jiff::Timestamp::UNIX_EPOCH,
        sub: None,
        invitations: 1,
        problem: None,
    }
}

fn roster(members: Vec<Member>) -> Roster {
    Roster {
        team: "numbers-team".into(),
        file_etag: "e".into(),
        at: jiff::Timestamp::UNIX_EPOCH,
        organization: "Example Lab".into(),
        contact: "labels@example.org".into(),
        description: "People".into(),
        portal_url: String::new(),
        workteam_arn: String::new(),
        topic_arn: None,
        owned: None,
        invitation: None,
        members,
        problems: Vec::new(),
        settled: true,
    }
}

#[test]
fn whoever_is_in_the_team_or_the_file_and_not_in_the_text_leaves() {
    let now = compose(&form("ana@example.org\nbo@example.org"));
    let roster = roster(vec![
        member("ana@example.org", MemberState::Joined),
        member("cy@example.org", MemberState::Invited),
        member("di@example.org", MemberState::Left),
    ]);
    let after = compose(&form("ANA@example.org\neve@example.org"));
    let gone = leaving(&team(), Some(now.as_bytes()), Some(&roster), after.as_bytes());
    assert_eq!(gone.first, ["cy@example.org", "bo@example.org"]);
    assert_eq!(leaving(&team(), None, None, after.as_bytes()).count, 0);
}

#[test]
fn of_thousands_who_leave_the_first_are_named() {
    let many: String = (0..5_000).map(|n| format!("p{n}@example.org\n")).collect();
    let gone = leaving(
        &team(),
        Some(compose(&form(&many)).as_bytes()),
        None,
        compose(&form("")).as_bytes(),
    );
    assert_eq!((gone.count, gone.first.len()), (5_000, NAMED));
}

#[test]
fn a_file_that_is_gone_is_suggested_as_it_may_have_been() {
    let text = from_roster(&roster(vec![
        member("ana@example.org", MemberState::Joined),
        member("di@example.org", MemberState::Leaving),
    ]));
    assert_eq!(emails(&parsed(&text)), ["ana@example.org"]);
}
