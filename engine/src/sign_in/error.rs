//! Why a sign-in did not succeed: a sentence for the person, a cause for the log.

/// The text is shown to the person; the field, where there is one, is for the log alone.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SignInError {
    #[error(
        "The sign-in service cannot be reached. Try again in a minute; if it stays so, tell the person who invited you."
    )]
    Unreachable(String),
    #[error("This sign-in was started in another window, or too long ago. Please start again.")]
    StateMismatch,
    #[error(
        "The sign-in service did not let you in. Please start again, or tell the person who invited you."
    )]
    Refused(String),
    #[error("The sign-in service sent an answer that cannot be trusted. Please start again.")]
    Untrusted(String),
    #[error(
        "The sign-in service did not say who you are: its answer lacks the claim {0}. Please tell the person who invited you."
    )]
    Lacking(&'static str),
    #[error(
        "Your account belongs to more groups than a workforce may have for one person, which is ten. Ask for it to be taken out of some."
    )]
    TooManyGroups,
    #[error("Your sign-in could not be remembered just now. Please start again in a minute.")]
    NotKept(String),
}

impl SignInError {
    /// What the log gets; never a token, a code or a name.
    pub(crate) fn cause(&self) -> &str {
        match self {
            Self::Unreachable(cause)
            | Self::Refused(cause)
            | Self::Untrusted(cause)
            | Self::NotKept(cause) => cause,
            Self::StateMismatch => "state mismatch",
            Self::Lacking(claim) => claim,
            Self::TooManyGroups => "too many groups",
        }
    }

    /// The provider was asked and said no; anything else may be better at the next attempt.
    pub(crate) fn is_final(&self) -> bool {
        matches!(
            self,
            Self::Refused(_) | Self::Lacking(_) | Self::TooManyGroups | Self::StateMismatch
        )
    }
}
