//! A refusal because a work team is missing, explained to people who drop files: for them a team is a file.

use shared::documents;
use shared::job::Stack;
use shared::layout;
use shared::port::{Bucket, JobRequest, Store, StoreError};
use shared::yaml::nearest_name;

/// The service's reason, or what to do where the reason is a missing team that a team file makes. A team of another
/// account or of a vendor has no team file, and its refusal stays as it is.
///
/// The text stays the same as long as the team is missing: a text that changes is announced again.
pub(crate) async fn explain_missing_team(
    store: &impl Store,
    stack: &Stack,
    request: &JobRequest,
    reason: String,
) -> Result<String, StoreError> {
    let Stack {
        partition,
        region,
        account,
        ..
    } = stack;
    let our_teams = format!("arn:{partition}:sagemaker:{region}:{account}:workteam/private-crowd/");
    let Some(team) = request.workteam_arn.strip_prefix(&our_teams) else {
        return Ok(reason);
    };
    if !is_missing_team(&reason) {
        return Ok(reason);
    }
    let known = documents::list_all(store, Bucket::Output, layout::CREW).await?;
    let known: Vec<&str> = known
        .iter()
        .filter_map(|object| object.key.strip_prefix(layout::CREW)?.strip_suffix(".json"))
        .filter(|known| *known != team)
        .collect();
    Ok(advice(team, nearest_name(team, &known)))
}

/// SageMaker: "The specified Workteam '…' does not exist or you do not have access to it."
fn is_missing_team(reason: &str) -> bool {
    let reason = reason.to_lowercase();
    let says = |part: &&str| reason.contains(part);
    ["workteam", "work team"].iter().any(says)
        && ["does not exist", "not found", "could not find"].iter().any(says)
}

fn advice(team: &str, near: Option<&str>) -> String {
    let file = |team: &str| format!("`{}/{team}.yaml`", layout::TEAMS);
    let starts = "and the job starts by itself within 15 minutes of the team being there";
    match near {
        None => format!(
            "there is no team `{team}`: drop a file {} with the addresses of its people, {starts}",
            file(team)
        ),
        // The batch is pinned to its spec: a fixed one does not reach it.
        Some(near) => format!(
            "there is no team `{team}`; did you mean `{near}`? This batch keeps the team it was cut with: drop a file {}, \
             a copy of {} will do, {starts}. Fix `team` in `{}` for the batches after it",
            file(team),
            file(near),
            layout::SPEC_FILE
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn other_reasons_are_not_a_missing_team() {
        for (reason, missing) in [
            (
                "ValidationException: The specified Workteam 'arn:aws:sagemaker:x' does not exist or you do not have access to it.",
                true,
            ),
            ("The work team arn:aws:sagemaker:x does not exist.", true),
            ("Workteam could not be found: not found", true),
            ("The role does not exist.", false),
            ("The workteam belongs to another workforce.", false),
        ] {
            assert_eq!(is_missing_team(reason), missing, "{reason}");
        }
    }
}
