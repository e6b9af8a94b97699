//! What a dataset or a team shows at a glance.

use serde::{Deserialize, Serialize};

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Tone {
    /// Continues without anyone doing anything.
    Waiting,
    /// Waits for workers.
    Working,
    Done,
    /// The admin has to do something first.
    Attention,
}
