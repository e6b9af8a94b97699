//! What the path of a request names.

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Target {
    Root,
    Bucket,
    Object,
}
