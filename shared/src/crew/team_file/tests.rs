//! What a team file may say, and what is answered when it says something else.

use super::*;

const LEAST: &str =
    "organization: Example Lab\ncontact: labels@example.org\ndescription: People who label numbers\n";

fn name() -> TeamName {
    TeamName::new("numbers-team").unwrap()
}

fn parse(more: &str) -> TeamFile {
    let text = format!("{LEAST}{more}\n");
    TeamFile::parse(&name(), text.as_bytes()).unwrap_or_else(|error| panic!("{error}\n\n{text}"))
}

fn team_file_error(more: &str) -> String {
    let text = format!("{LEAST}{more}\n");
    TeamFile::parse(&name(), text.as_bytes())
        .expect_err(&text)
        .to_string()
}

#[test]
fn every_key_is_read() {
    let team = parse(
        "workers: [ana@example.org, ' Bo@Example.org ']\ngroups: [labelers-of-2024]\nnotify_workers: true\n\
         networks: [203.0.113.0/24, '2001:db8::/32']\ninvitation: {subject: Hi, text: '{username} {password}'}",
    );
    assert_eq!(team.networks.len(), 2);
    let cognito = team.cognito().unwrap();
    let emails: Vec<&str> = cognito
        .workers
        .iter()
        .map(|worker| worker.email.as_str())
        .collect();
    assert_eq!(emails, ["ana@example.org", "Bo@Example.org"]);
    assert_eq!(cognito.workers[1].person, layout::person_id("bo@example.org"));
    assert_eq!((cognito.workers[0].line, cognito.groups[0].line), (4, 5));
    assert!(cognito.notify_workers && cognito.unusable.is_empty());
    assert_eq!(
        cognito.invitation.as_ref().unwrap().subject.as_deref(),
        Some("Hi")
    );
}

#[test]
fn three_lines_make_a_team_of_nobody() {
    for more in ["", "workers:", "workers: []", "workers: ~"] {
        let team = parse(more);
        assert_eq!(team.sign_in, SignIn::Cognito(CognitoTeam::default()), "{more}");
    }
}

#[test]
fn a_team_may_sign_in_elsewhere() {
    let team = parse("sign_in: {issuer: 'https://idp.example.org', groups: [labelers]}");
    let SignIn::Oidc { issuer, groups } = team.sign_in else {
        panic!()
    };
    assert_eq!(
        (issuer.as_str(), groups),
        ("https://idp.example.org", vec!["labelers".to_owned()])
    );
}

#[test]
fn what_is_not_an_address_does_not_stop_the_others() {
    let team =
        parse("workers:\n  - ana@example.org\n  - not an address\n  - ANA@example.org\n  - bo@example.org");
    let cognito = team.cognito().unwrap();
    assert_eq!(cognito.workers.len(), 2);
    let lines: Vec<_> = cognito.unusable.iter().map(|problem| problem.line).collect();
    assert_eq!(lines, [Some(6), Some(7)]);
    assert!(cognito.unusable[0].message.contains("has no `@`"));
    assert!(cognito.unusable[1].message.contains("first on line 5"));
}

#[test]
fn ten_thousand_addresses_are_read_and_one_more_is_refused() {
    let list = |count: usize| {
        (0..count).fold("workers:\n".to_owned(), |list, n| {
            list + &format!("- worker-{n}@example.org\n")
        })
    };
    assert_eq!(parse(&list(10_000)).cognito().unwrap().workers.len(), 10_000);
    let error = team_file_error(&list(10_001));
    assert!(
        error.contains("has 10001 addresses, 10000 are the most"),
        "{error}"
    );
}

#[test]
fn a_file_that_cannot_be_used_says_where_and_what_to_do() {
    for (more, parts) in [
        (
            "werkers: []",
            vec![
                "teams/numbers-team.yaml:4:1",
                "there is no key `werkers`",
                "did you mean `workers`?",
                "^",
            ],
        ),
        ("workers: ana@example.org", vec![":4:", "must be a list"]),
        ("organization: again", vec!["here twice"]),
        ("networks: [203.0.113.0]", vec!["is no network", "203.0.113.0/24"]),
        ("networks: ['203.0.113.0/33']", vec!["is no network"]),
        ("networks: ['0.0.0.0/0']", vec![":4:", "as good as every network"]),
        (
            "networks: ['0.0.0.0/1', '128.0.0.0/1']",
            vec!["as good as every network", "leave `networks` out"],
        ),
        ("networks: ['::/0']", vec!["as good as every network"]),
        (
            "invitation: {text: '{username} {password} [x](https://evil.test/{password})'}",
            vec![":4:", "cannot be linked to"],
        ),
        ("groups: [a b]", vec!["no spaces"]),
        ("groups: [a, a]", vec!["twice"]),
        ("groups: [numbers-team]", vec!["own group"]),
        ("groups: [a, b, c, d, e, f, g, h, i, j]", vec!["9 are the most"]),
        ("notify_workers: perhaps", vec!["true or false"]),
        ("invitation: {text: 'Hello {username}'}", vec!["{password}"]),
        ("sign_in: {issuer: 'http://x', groups: [a]}", vec!["no issuer"]),
        ("sign_in: {issuer: 'https://x'}", vec!["`groups` is missing"]),
        ("sign_in: {issuer: 'https://x', groups: []}", vec!["1 to 10"]),
        (
            "workers: []\nsign_in: {issuer: 'https://x', groups: [a]}",
            vec!["`workers` has no place", ":4:"],
        ),
        ("workers: [\tx", vec!["not valid YAML"]),
        ("---\na: b", vec!["second document"]),
    ] {
        let error = team_file_error(more);
        for part in parts {
            assert!(error.contains(part), "{more}: {part}:\n{error}");
        }
    }
}

#[test]
fn a_name_that_hides_something_or_is_an_address_is_refused() {
    for (name, part) in [
        ("Lab\u{202E}baL", "cannot be seen: `Lab\\u{202E}baL`"),
        ("La\u{200B}b", "cannot be seen"),
        ("https://evil.test", "is an address"),
        ("see www.evil.test", "is an address"),
    ] {
        let text = LEAST.replace("Example Lab", name);
        let error = TeamFile::parse(&self::name(), text.as_bytes())
            .unwrap_err()
            .to_string();
        assert!(error.contains(part) && error.contains(":1:"), "{error}");
    }
    let text = LEAST.replace("People who", "People\u{2066} who");
    assert!(TeamFile::parse(&name(), text.as_bytes()).is_err());
}

#[test]
fn a_missing_key_is_named() {
    for key in ["organization", "contact", "description"] {
        let text: String = LEAST
            .lines()
            .filter(|line| !line.starts_with(key))
            .map(|line| format!("{line}\n"))
            .collect();
        let error = TeamFile::parse(&name(), text.as_bytes()).unwrap_err().to_string();
        assert!(error.contains(&format!("`{key}` is missing")), "{error}");
    }
    for (text, part) in [
        ("", "`organization` is missing"),
        ("\u{0}", "YAML"),
        ("[]", "mapping"),
    ] {
        let error = TeamFile::parse(&name(), text.as_bytes()).unwrap_err().to_string();
        assert!(error.contains(part), "{text:?}: {error}");
    }
    let description = LEAST.replace("People who label numbers", &"x".repeat(201));
    let error = TeamFile::parse(&name(), description.as_bytes())
        .unwrap_err()
        .to_string();
    assert!(error.contains("201 characters, 200 are the most"), "{error}");
    let contact = LEAST.replace("labels@example.org", "the office");
    let error = TeamFile::parse(&name(), contact.as_bytes())
        .unwrap_err()
        .to_string();
    assert!(
        error.contains(":2:10: `contact` is not an e-mail address"),
        "{error}"
    );
    assert!(
        TeamFile::parse(&name(), b"\xff")
            .unwrap_err()
            .to_string()
            .contains("UTF-8")
    );
    let large = vec![b'#'; MAX_BYTES + 1];
    assert!(
        TeamFile::parse(&name(), &large)
            .unwrap_err()
            .to_string()
            .contains("at most 1024 KiB")
    );
}

#[test]
fn the_committed_schema_is_the_one_the_types_give() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/team.schema.json");
    let made = serde_json::to_string_pretty(&TeamFile::json_schema()).unwrap() + "\n";
    if std::env::var_os("UPDATE_SCHEMA").is_some() {
        std::fs::write(path, &made).unwrap();
    }
    let committed = std::fs::read_to_string(path).unwrap_or_default();
    assert!(
        committed == made,
        "run the tests once with UPDATE_SCHEMA=1 and commit {path}"
    );
}
