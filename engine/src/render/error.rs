//! Why a template cannot be rendered.

/// A code and a sentence, as `RenderUiTemplate` returns them.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[error("{message}")]
pub(crate) struct RenderError {
    pub(crate) code: &'static str,
    pub(crate) message: String,
}

impl RenderError {
    /// The template itself is wrong.
    pub(super) fn invalid_template(message: String) -> RenderError {
        RenderError {
            code: "InvalidTemplate",
            message,
        }
    }

    /// The template does not fit the item, or uses too much.
    pub(super) fn rendering_failed(message: String) -> RenderError {
        RenderError {
            code: "RenderingFailed",
            message,
        }
    }
}
