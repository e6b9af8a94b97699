//! Finds the Groundcrew that the command line names.

use crate::args::Location;
use crate::target::Target;
use crate::{aws_stack, one_machine};

/// Fails where there is none, or where nothing of it answers.
pub(crate) async fn find(location: &Location) -> anyhow::Result<Target> {
    match &location.stack {
        Some(name) => aws_stack::find(name, location.region.as_deref()).await,
        None => one_machine::find(&location.data.folder()).await,
    }
}
