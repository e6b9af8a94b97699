//! Why the user pool refuses, in Cognito's own types and texts.
//! <https://docs.aws.amazon.com/cognito-user-identity-pools/latest/APIReference/CommonErrors.html>

use axum::http::StatusCode;

use crate::aws_json::AwsError;

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum PoolError {
    #[error("User does not exist.")]
    NoSuchUser,
    #[error("An account with the given email already exists.")]
    UserExists,
    #[error("Group not found.")]
    NoSuchGroup,
    #[error("A group with the name already exists.")]
    GroupExists,
    #[error("{0}")]
    NotFound(String),
    #[error("Password did not conform with policy: {0}")]
    BadPassword(&'static str),
    #[error("{0}")]
    NotAuthorized(String),
    #[error("{0}")]
    WrongState(String),
    #[error("Invalid verification code provided, please try again.")]
    WrongCode,
    #[error("Invalid code provided, please request a code again.")]
    CodeExpired,
    #[error("Attempt limit exceeded, please try after some time.")]
    TooManyAttempts,
    #[error("Password attempts exceeded")]
    Locked { seconds: u64 },
    #[error("{0}")]
    NotDelivered(String),
    /// The function of a trigger answered with an error.
    #[error("{0}")]
    TriggerFailed(String),
    /// The function of a trigger could not be called, or took too long.
    #[error("{0}")]
    TriggerUnreachable(String),
    #[error("Unrecognizable lambda output")]
    BadTriggerResponse,
    #[error("{0}")]
    Invalid(String),
    #[error("{0}")]
    Unsupported(String),
    #[error("{0}")]
    Internal(String),
}

impl PoolError {
    pub(super) fn invalid(message: impl Into<String>) -> Self {
        Self::Invalid(message.into())
    }

    pub(super) fn not_authorized(message: impl Into<String>) -> Self {
        Self::NotAuthorized(message.into())
    }

    pub(super) fn not_supported(message: impl Into<String>) -> Self {
        Self::Unsupported(message.into())
    }

    #[expect(
        clippy::needless_pass_by_value,
        reason = "it is handed over as it is by `map_err`"
    )]
    pub(super) fn internal(reason: impl ToString) -> Self {
        Self::Internal(reason.to_string())
    }

    pub(super) fn is_from_trigger(&self) -> bool {
        matches!(
            self,
            Self::TriggerFailed(_) | Self::TriggerUnreachable(_) | Self::BadTriggerResponse
        )
    }

    fn kind(&self) -> &'static str {
        match self {
            Self::NoSuchUser => "UserNotFoundException",
            Self::UserExists => "UsernameExistsException",
            Self::NoSuchGroup | Self::NotFound(_) => "ResourceNotFoundException",
            Self::GroupExists => "GroupExistsException",
            Self::BadPassword(_) => "InvalidPasswordException",
            Self::NotAuthorized(_) | Self::Locked { .. } => "NotAuthorizedException",
            Self::WrongState(_) => "UnsupportedUserStateException",
            Self::WrongCode => "CodeMismatchException",
            Self::CodeExpired => "ExpiredCodeException",
            Self::TooManyAttempts => "LimitExceededException",
            Self::NotDelivered(_) => "CodeDeliveryFailureException",
            Self::TriggerFailed(_) => "UserLambdaValidationException",
            Self::TriggerUnreachable(_) => "UnexpectedLambdaException",
            Self::BadTriggerResponse => "InvalidLambdaResponseException",
            Self::Invalid(_) => "InvalidParameterException",
            Self::Unsupported(_) => "UnsupportedOperationException",
            Self::Internal(_) => "InternalErrorException",
        }
    }
}

impl From<PoolError> for AwsError {
    fn from(error: PoolError) -> Self {
        let mut answer = AwsError::new(error.kind(), error.to_string());
        if matches!(error, PoolError::Internal(_)) {
            answer.status = StatusCode::INTERNAL_SERVER_ERROR;
        }
        answer
    }
}
