//! What fills the placeholders of an invitation, and how long it may be.

/// What is filled in.
#[derive(Clone, Copy, Debug)]
pub struct InvitationValues<'a> {
    pub organization: &'a str,
    pub contact: &'a str,
    pub team: &'a str,
    pub portal: &'a str,
    /// Where Cognito is to put the user name and the temporary password; or what they are.
    pub username: &'a str,
    pub password: &'a str,
}

/// Characters of the subject.
pub(super) const MAX_SUBJECT: usize = 140;
/// Characters of the HTML.
pub(super) const MAX_TEXT: usize = 20_000;
