//! Why a sign-in failed: a sentence for the person, and a cause for the log.

/// The text is shown to the person. The field, if there is one, is only for the log.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SignInError {
    #[error(
        "The sign-in service cannot be reached. Try again in a minute. If that does not help, contact the person who invited you."
    )]
    Unreachable(String),
    #[error("This sign-in was started in another window, or too long ago. Please start again.")]
    StateMismatch,
    #[error(
        "The sign-in service did not let you in. Please start again, or contact the person who invited you."
    )]
    Refused(String),
    #[error("The sign-in service sent a reply that cannot be trusted. Please start again.")]
    Untrusted(String),
    #[error(
        "The sign-in service did not say who you are: its reply lacks the claim {0}. Please contact the person who invited you."
    )]
    MissingClaim(&'static str),
    #[error(
        "Your account is in more than ten groups, which is the most a workforce may have for one person. Ask the person who invited you to remove it from some."
    )]
    TooManyGroups,
    #[error("Your sign-in could not be saved. Please start again in a minute.")]
    NotStored(String),
}

impl SignInError {
    /// The cause, for the log; never a token, a code or a name.
    pub(crate) fn cause(&self) -> &str {
        match self {
            Self::Unreachable(cause)
            | Self::Refused(cause)
            | Self::Untrusted(cause)
            | Self::NotStored(cause) => cause,
            Self::StateMismatch => "state mismatch",
            Self::MissingClaim(claim) => claim,
            Self::TooManyGroups => "too many groups",
        }
    }

    /// Whether the provider refused the person. Any other error may pass at the next attempt.
    pub(crate) fn is_final(&self) -> bool {
        matches!(
            self,
            Self::Refused(_) | Self::MissingClaim(_) | Self::TooManyGroups | Self::StateMismatch
        )
    }
}
