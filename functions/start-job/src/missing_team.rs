//! A refusal because there is no such work team, said to people who drop files: to them a team is a file too.

use shared::job::Stack;
use shared::layout;
use shared::port::JobRequest;
use shared::port::{Store, StoreError};
use shared::yaml::nearest_name;

use crate::all::list_all;

/// The service's reason, or what to do where the reason is a missing team that a team file makes. A team of another
/// account or of a vendor is no file's, and its refusal stays as it is.
///
/// The same for as long as the team is missing, whatever else is there: what is said is told again when it changes.
pub(crate) async fn in_peoples_words(
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
    let own = format!("arn:{partition}:sagemaker:{region}:{account}:workteam/private-crowd/");
    let Some(team) = request.workteam_arn.strip_prefix(&own) else {
        return Ok(reason);
    };
    if !says_that_a_team_is_missing(&reason) {
        return Ok(reason);
    }
    let known = list_all(store, layout::CREW).await?;
    let known: Vec<&str> = known
        .iter()
        .filter_map(|object| object.key.strip_prefix(layout::CREW)?.strip_suffix(".json"))
        .filter(|known| *known != team)
        .collect();
    Ok(what_to_do(team, nearest_name(team, &known)))
}

/// SageMaker: "The specified Workteam '…' does not exist or you do not have access to it."
fn says_that_a_team_is_missing(reason: &str) -> bool {
    let reason = reason.to_lowercase();
    let says = |part: &&str| reason.contains(part);
    ["workteam", "work team"].iter().any(says)
        && ["does not exist", "not found", "could not find"].iter().any(says)
}

fn what_to_do(team: &str, near: Option<&str>) -> String {
    let file = |team: &str| format!("`{}/{team}.yaml`", layout::TEAMS);
    let starts = "and the job starts by itself within 15 minutes of the team being there";
    match near {
        None => format!(
            "there is no team `{team}`: drop a file {} with the addresses of its people, {starts}",
            file(team)
        ),
        // The batch is pinned to its spec: a mended one does not reach it.
        Some(near) => format!(
            "there is no team `{team}`; did you mean `{near}`? This batch keeps the team it was cut with: drop a file {}, \
             a copy of {} will do, {starts}. Mend `team` in `{}` for the batches after it",
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
    fn only_a_missing_team_is_taken_for_one() {
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
            assert_eq!(says_that_a_team_is_missing(reason), missing, "{reason}");
        }
    }
}
