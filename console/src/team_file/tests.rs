//! Team files made from forms and rosters, and who leaves by a change.

use shared::crew::Member;

use super::*;

fn team() -> TeamName {
    TeamName::new("numbers-team").unwrap()
}

fn form(workers: &str) -> TeamForm {
    TeamForm {
        organization: "Example Lab".into(),
        contact: "labels@example.org".into(),
        description: "People who label numbers".into(),
        workers: workers.into(),
        notify_workers: true,
    }
}

fn parse(text: &str) -> TeamFile {
    TeamFile::parse(&team(), text.as_bytes()).unwrap_or_else(|error| panic!("{error}\n{text}"))
}

fn emails(file: &TeamFile) -> Vec<String> {
    let crew = file.cognito().unwrap();
    crew.workers.iter().map(|worker| worker.email.clone()).collect()
}

#[test]
fn a_pasted_list_of_addresses_is_read_however_it_is_written() {
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
        let file = parse(&compose(&form(pasted)));
        assert_eq!(emails(&file), ["ana@example.org", "bo@example.org"], "{pasted:?}");
        assert!(file.cognito().unwrap().unusable.is_empty(), "{pasted:?}");
    }
}

#[test]
fn what_is_no_address_stays_in_the_file_and_is_reported() {
    let text = compose(&form("ana@example.org\nAna Example\n- x: y"));
    assert_eq!(emails(&parse(&text)), ["ana@example.org"]);
    let checked = check(&team(), text.as_bytes());
    assert_eq!(
        (checked.ok, checked.people, checked.unusable.len()),
        (true, 1, 2),
        "{checked:?}"
    );
}

#[test]
fn text_of_the_form_is_never_read_as_yaml() {
    for text in [
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
        let file = parse(&compose(&TeamForm {
            organization: text.into(),
            description: text.into(),
            ..form("")
        }));
        let shown = text.replace(char::is_control, " ");
        assert_eq!(
            (file.organization.as_str(), file.description.as_str()),
            (shown.trim(), shown.trim())
        );
        assert!(emails(&file).is_empty(), "{text:?}");
    }
}

#[test]
fn a_missing_field_is_reported_by_its_name() {
    let checked = check(
        &team(),
        compose(&TeamForm {
            contact: String::new(),
            ..form("")
        })
        .as_bytes(),
    );
    assert!(
        !checked.is_ok() && checked.message().contains("contact"),
        "{checked:?}"
    );
}

fn member(email: &str, state: MemberState) -> Member {
    Member {
        person: shared::layout::person_id(email),
        email: email.into(),
        state,
        since: jiff::Timestamp::UNIX_EPOCH,
        sub: None,
        invitations: 1,
        problem: None,
        account_deleted: false,
    }
}

fn roster(members: Vec<Member>) -> Roster {
    Roster {
        file_etag: "e".into(),
        organization: "Example Lab".into(),
        contact: "labels@example.org".into(),
        description: "People".into(),
        members,
        settled: true,
        ..Roster::empty(&team(), jiff::Timestamp::UNIX_EPOCH)
    }
}

#[test]
fn people_of_the_team_or_the_file_who_are_not_in_the_new_text_leave() {
    let current = compose(&form("ana@example.org\nbo@example.org"));
    let roster = roster(vec![
        member("ana@example.org", MemberState::Joined),
        member("cy@example.org", MemberState::Invited),
        member("di@example.org", MemberState::Left),
    ]);
    let after = compose(&form("ANA@example.org\neve@example.org"));
    let leaving = leaving_people(&team(), Some(current.as_bytes()), Some(&roster), after.as_bytes());
    assert_eq!(leaving.first, ["cy@example.org", "bo@example.org"]);
    assert_eq!(leaving_people(&team(), None, None, after.as_bytes()).count, 0);
}

#[test]
fn of_thousands_who_leave_only_the_first_are_named() {
    let many: String = (0..5_000).map(|n| format!("p{n}@example.org\n")).collect();
    let leaving = leaving_people(
        &team(),
        Some(compose(&form(&many)).as_bytes()),
        None,
        compose(&form("")).as_bytes(),
    );
    assert_eq!((leaving.count, leaving.first.len()), (5_000, MAX_NAMED));
}

#[test]
fn a_deleted_file_is_suggested_from_the_roster() {
    let text = from_roster(&roster(vec![
        member("ana@example.org", MemberState::Joined),
        member("di@example.org", MemberState::Leaving),
    ]));
    assert_eq!(emails(&parse(&text)), ["ana@example.org"]);
}
