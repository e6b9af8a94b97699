//! Which events a function is for, and how its queue is set: one table, with the values deployed on AWS. `template.yaml`
//! says the same, and a test compares the two.

mod function;
mod table;
mod timing;

pub use function::{
    BucketRole, FunctionWiring, JOB_STATE_CHANGE, OBJECT_CREATED, QueueSettings, Source, Trigger,
};
pub(crate) use table::SCHEDULE_MINUTES;
pub use table::{ASSIGN_WORKER, BUILD_MANIFEST, FUNCTIONS, INVITE_MESSAGE, NOTIFY, START_JOB, SYNC_TEAM};
pub use timing::{LOCAL_TIMING, LocalTiming};
