//! The pool's mail: an invitation or a code, in the pool's words or the CustomMessage trigger's, put into the outbox as
//! HTML, which is what Cognito sends, and as the plain text of it.
//! <https://docs.aws.amazon.com/cognito/latest/developerguide/user-pool-lambda-custom-message.html>

use jiff::SignedDuration;
use serde_json::{Map, Value, json};

use super::SignIn;
use super::error::PoolError;
use super::store::record::User;
use super::triggers::Occasion;
use crate::outbox::{Delivery, Entry};
use crate::page::escape;
use crate::wiring::Trigger;

const FROM: &str = "no-reply@verificationemail.com";
const USERNAME: &str = "{username}";
const CODE: &str = "{####}";
/// Cognito's limits, in characters.
const LONGEST_SUBJECT: usize = 140;
const LONGEST_MESSAGE: usize = 20_000;
/// No code is good for longer.
const LONGEST_CODE: SignedDuration = SignedDuration::from_hours(24);

/// What is mailed, and why.
pub(super) struct Letter<'a> {
    /// `CustomMessage_AdminCreateUser` and its like.
    pub(super) source: &'static str,
    pub(super) client_id: Option<&'a str>,
    pub(super) metadata: Option<&'a Map<String, Value>>,
    /// The password or the code.
    pub(super) secret: &'a str,
}

struct Words {
    subject: String,
    message: String,
}

impl Letter<'_> {
    fn invites(&self) -> bool {
        self.source == "CustomMessage_AdminCreateUser"
    }
}

impl SignIn {
    /// In the outbox when this returns.
    pub(super) async fn mail(&self, user: &User, letter: &Letter<'_>) -> Result<(), PoolError> {
        let words = match self.own_words(user, letter).await? {
            Some(words) => words,
            None => self.pools_words(letter)?,
        };
        let html = fill(&words.message, &escape(&user.email), &escape(letter.secret));
        let life = if letter.invites() {
            self.settings()?.temporary_life()
        } else {
            LONGEST_CODE
        };
        let secret_until = self.pool.time.now() + life;
        let entry = Entry {
            id: uuid::Uuid::new_v4().to_string(),
            at: self.pool.time.now(),
            protocol: "email".to_owned(),
            to: user.email.clone(),
            from: FROM.to_owned(),
            subject: Some(fill(&words.subject, &user.email, letter.secret)),
            text: plain_text(&html),
            html: Some(html),
            state: Delivery::Delivered,
            secret_until: Some(secret_until),
        };
        let outbox = self.pool.outbox.clone();
        let put = move || {
            // A newer password or code makes those mailed before void.
            outbox.forget_secrets_of(&entry.to)?;
            outbox.put(entry)
        };
        let put = tokio::task::spawn_blocking(put).await;
        match put {
            Ok(Ok(())) => Ok(()),
            Ok(Err(error)) => Err(PoolError::NoDelivery(format!(
                "The mail could not be kept: {error}"
            ))),
            Err(panic) => Err(PoolError::internal(panic)),
        }
    }

    /// What the CustomMessage trigger wants said, where it wants anything said.
    async fn own_words(&self, user: &User, letter: &Letter<'_>) -> Result<Option<Words>, PoolError> {
        let username = letter.invites().then_some(USERNAME);
        let request = json!({
            "codeParameter": CODE, "linkParameter": "{##Click Here##}", "usernameParameter": username,
        });
        let Value::Object(request) = request else {
            return Ok(None);
        };
        let none = Map::new();
        let occasion = Occasion {
            source: letter.source,
            client_id: letter.client_id,
            // There for the trigger also when the caller gave none.
            metadata: Some(letter.metadata.unwrap_or(&none)),
            request,
            response: json!({"smsMessage": null, "emailMessage": null, "emailSubject": null}),
        };
        let Some(response) = self.fire(Trigger::CustomMessage, user, occasion).await? else {
            return Ok(None);
        };
        let said = |name: &str| match response.get(name) {
            None | Some(Value::Null) => Ok(None),
            Some(Value::String(text)) => Ok(Some(text.clone())),
            Some(_) => Err(PoolError::TriggerAnswer),
        };
        let (subject, message) = (said("emailSubject")?, said("emailMessage")?);
        if too_long(subject.as_deref(), LONGEST_SUBJECT) || too_long(message.as_deref(), LONGEST_MESSAGE) {
            return Err(PoolError::TriggerAnswer);
        }
        let Some(message) = message else {
            return Ok(None);
        };
        if !message.contains(CODE) || (letter.invites() && !message.contains(USERNAME)) {
            tracing::warn!("a message without its placeholders was left unsent; the pool's own goes out");
            return Ok(None);
        }
        let subject = subject.map_or_else(|| self.pools_words(letter).map(|words| words.subject), Ok)?;
        Ok(Some(Words { subject, message }))
    }

    fn pools_words(&self, letter: &Letter<'_>) -> Result<Words, PoolError> {
        let settings = self.settings()?;
        let invite = settings.admin_create_user_config.invite_message_template.as_ref();
        let (subject, message, default_subject, default_message) = if letter.invites() {
            (
                invite.and_then(|invite| invite.email_subject.as_deref()),
                invite.and_then(|invite| invite.email_message.as_deref()),
                "Your temporary password",
                "<p>Your username is:</p><p>{username}</p><p>Your temporary password is:</p><p>{####}</p>",
            )
        } else {
            let (subject, message) = settings.code_texts();
            let default = if letter.source == "CustomMessage_ForgotPassword" {
                "<p>Your password reset code is:</p><p>{####}</p>"
            } else {
                "<p>Your confirmation code is:</p><p>{####}</p>"
            };
            (subject, message, "Your verification code", default)
        };
        Ok(Words {
            subject: subject.unwrap_or(default_subject).to_owned(),
            message: message.unwrap_or(default_message).to_owned(),
        })
    }
}

fn too_long(text: Option<&str>, most: usize) -> bool {
    text.is_some_and(|text| text.chars().count() > most)
}

/// One pass, so that a password that happens to contain a placeholder stays what it is.
fn fill(text: &str, username: &str, secret: &str) -> String {
    let mut parts = text.split(CODE).map(|part| part.replace(USERNAME, username));
    let first = parts.next().unwrap_or_default();
    parts.fold(first, |filled, part| filled + secret + &part)
}

/// HTML as a mail program without it shows it: blocks on lines of their own, links with their address.
fn plain_text(html: &str) -> String {
    let mut text = String::with_capacity(html.len());
    let mut rest = html;
    let mut link: Option<String> = None;
    // Of the entry before, in a numbered list.
    let mut number: Option<u32> = None;
    while let Some((before, tag_on)) = rest.split_once('<') {
        push_words(&mut text, before);
        let Some((tag, after)) = tag_on.split_once('>') else {
            push_words(&mut text, tag_on);
            rest = "";
            break;
        };
        rest = after;
        let closes = tag.starts_with('/');
        let name = tag
            .trim_start_matches('/')
            .split([' ', '/', '\n'])
            .next()
            .unwrap_or_default();
        match name.to_ascii_lowercase().as_str() {
            "style" | "script" | "title" if !closes => {
                let end = format!("</{name}");
                rest = rest.find(&end).map_or("", |at| &rest[at..]);
            }
            "a" if !closes => link = href(tag),
            "a" => {
                let address = link.take().filter(|address| {
                    let shown = address.strip_prefix("mailto:").unwrap_or(address);
                    !text.ends_with(shown)
                });
                // On a line of its own: whatever stands behind it would be copied with it.
                if let Some(address) = address {
                    text.push_str(&format!(":\n{address}\n"));
                    rest = rest.trim_start_matches(['.', ',', ';', ':', '!', '?', ')']);
                }
            }
            "br" => text.push('\n'),
            "li" if !closes => {
                number = number.map(|before| before + 1);
                text.push_str(&number.map_or("\n- ".to_owned(), |number| format!("\n{number}. ")));
            }
            "ol" => {
                number = (!closes).then_some(0);
                text.push_str("\n\n");
            }
            "td" | "th" | "pre" => text.push('\n'),
            "p" | "div" | "h1" | "h2" | "h3" | "ul" | "tr" | "table" | "blockquote" => {
                text.push_str("\n\n");
            }
            _ => {}
        }
    }
    push_words(&mut text, rest);
    tidy(&text)
}

fn href(tag: &str) -> Option<String> {
    let (_, rest) = tag.split_once("href=")?;
    let quote = rest.chars().next().filter(|c| ['"', '\''].contains(c))?;
    rest[1..].split(quote).next().map(unescape)
}

/// Text between tags: white space counts once.
fn push_words(text: &mut String, words: &str) {
    let words = unescape(words);
    if words.starts_with(char::is_whitespace) && !text.ends_with(char::is_whitespace) {
        text.push(' ');
    }
    text.push_str(&words.split_whitespace().collect::<Vec<_>>().join(" "));
    if words.trim().len() < words.trim_start().len() {
        text.push(' ');
    }
}

fn unescape(text: &str) -> String {
    let pairs = [
        ("&lt;", "<"),
        ("&gt;", ">"),
        ("&quot;", "\""),
        ("&#39;", "'"),
        ("&apos;", "'"),
        ("&#123;", "{"),
        ("&#125;", "}"),
        ("&nbsp;", " "),
        ("&amp;", "&"),
    ];
    pairs
        .iter()
        .fold(text.to_owned(), |text, (from, to)| text.replace(from, to))
}

fn tidy(text: &str) -> String {
    let mut tidied = String::with_capacity(text.len());
    let mut blank = 0;
    for line in text.lines().map(str::trim) {
        blank = if line.is_empty() { blank + 1 } else { 0 };
        if blank < 2 && !(line.is_empty() && tidied.is_empty()) {
            tidied.push_str(line);
            tidied.push('\n');
        }
    }
    tidied.trim_end().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn placeholders_are_filled_once_even_where_a_password_looks_like_one() {
        let filled = fill("{username}: {####} {####}", "a@b.c", "x{username}y");
        assert_eq!(filled, "a@b.c: x{username}y x{username}y");
    }

    #[test]
    fn what_people_copy_is_alone_on_its_line_in_plain_text_too() {
        let html = "<p>Sign in <a href=\"https://x.org\">here</a>, as:<br><code>a@b.c</code></p><table><tr><td>with</td>\
                    <td>p&#123;w.</td></tr></table><pre>x<br>y</pre>";
        let text = "Sign in here:\nhttps://x.org\nas:\na@b.c\n\nwith\n\np{w.\n\nx\ny";
        assert_eq!(plain_text(html), text);
    }

    #[test]
    fn the_plain_text_of_a_message_keeps_its_lines_and_links() {
        let html = "<style>p{}</style><p>Hello &amp; <b>welcome</b> to\n the team.</p><ul><li>one</li><li>two</li></ul><ol><li>three</li><li>four</li></ol>\
                    <p>Go to <a href=\"https://x.org/?a=1&amp;b=2\">the portal</a>.<br>Bye</p>";
        let text = "Hello & welcome to the team.\n\n- one\n- two\n\n1. three\n2. four\n\nGo to the portal:\nhttps://x.org/?a=1&b=2\n\nBye";
        assert_eq!(plain_text(html), text);
        assert_eq!(plain_text("no tags, 1 < 2"), "no tags, 1 2");
    }
}
