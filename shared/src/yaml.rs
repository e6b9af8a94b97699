//! Files people write in YAML: read strictly, and answered in people's words where they are wrong.

pub(crate) mod at;
pub(crate) mod error;
pub(crate) mod nearest;
pub(crate) mod read;
pub(crate) mod schema;

pub use self::error::FileError;
pub use self::nearest::name as nearest_name;
