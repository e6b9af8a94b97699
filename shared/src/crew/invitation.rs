//! The invitation: subject and HTML, from the team's words or our own.
//!
//! AdminCreateUser's mail has a subject of at most 140 characters and a text of at most 20,000, and the text has to
//! hold the user name and the temporary password
//! (<https://docs.aws.amazon.com/cognito/latest/developerguide/user-pool-lambda-custom-message.html>).

mod lines;
mod placeholder;
mod rule;
#[cfg(test)]
mod tests;
mod values;
mod words;

pub use self::values::InvitationValues;
use self::values::{MAX_SUBJECT, MAX_TEXT};
use crate::visible::visible;

pub(super) use rule::{check_subject, check_text};

/// Own words for an invitation. `{organization}`, `{contact}`, `{team}`, `{portal}`, `{username}` and `{password}`
/// are filled in; the last two have to be in the text.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct InvitationText {
    /// At most 140 characters.
    pub subject: Option<String>,
    /// Markdown.
    pub text: Option<String>,
}

/// The mail.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InvitationMail {
    /// One line, at most 140 characters.
    pub subject: String,
    /// At most 20,000 characters. What people copy out of it is alone on its line.
    pub html: String,
}

const SUBJECT: &str = "{organization} invites you to the team {team}";
const TEXT: &str = "\
Hello,

**{organization}** invites you to label data in the team **{team}**.

1. Open this page:
   {portal}
2. Sign in with this user name:
   {username}
   and this temporary password:
   {password}
3. Choose a password of your own. The team's work is on the page that opens.

The temporary password is good for a few days. Questions? Write to:
{contact}
";

impl InvitationText {
    /// What is wrong with it, in one sentence. `contact` is the address links may lead to, beside the portal.
    pub fn check(&self, contact: &str) -> Result<(), String> {
        self.subject.as_deref().map_or(Ok(()), check_subject)?;
        self.text
            .as_deref()
            .map_or(Ok(()), |text| check_text(text, contact))
    }
}

/// The invitation. Words of one's own that do not fit are left for ours: the person is invited all the same.
pub fn render(text: Option<&InvitationText>, values: &InvitationValues<'_>) -> InvitationMail {
    let own = text.filter(|text| text.check(values.contact).is_ok());
    let subject = own.and_then(|own| own.subject.as_deref()).unwrap_or(SUBJECT);
    let text = own.and_then(|own| own.text.as_deref()).unwrap_or(TEXT);
    let mut mail = words::html(text, values);
    if mail.chars().count() > MAX_TEXT {
        mail = words::html(TEXT, values);
    }
    // What is filled in is a name: Cognito's own placeholders in it would be filled in once more.
    let name = |name: &str| Some(visible(values.value(name)?).replace('{', "(").replace('}', ")"));
    InvitationMail {
        subject: one_line(&placeholder::fill(subject, name)),
        html: mail,
    }
}

fn one_line(subject: &str) -> String {
    let words: Vec<&str> = subject.split_whitespace().collect();
    let line = words.join(" ");
    match line.char_indices().nth(MAX_SUBJECT - 3) {
        Some((end, _)) if line.chars().count() > MAX_SUBJECT => format!("{}...", &line[..end]),
        _ => line,
    }
}
