//! The rules for who labels.

use crate::lookalike;
use crate::spec::Team;
use crate::yaml::at::At;
use crate::yaml::error::Problem;

/// API reference, HumanTaskConfig.WorkteamArn; CreateWorkteam.WorkteamName: `[a-zA-Z0-9](-*[a-zA-Z0-9]){0,62}`.
pub(super) fn team(team: &At<String>) -> Result<Team, Problem> {
    let text = team.value.as_str();
    if text.starts_with("arn:") {
        return team_arn(text)
            .map(Team::Arn)
            .map_err(|(message, hint)| Problem::new(team.at, message).hint(hint));
    }
    if is_team_name(text) {
        return Ok(Team::Name(text.to_owned()));
    }
    Err(Problem::new(
        team.at,
        format!("`{text}` cannot be the name of a work team"),
    )
    .hint(like_a_name(text).unwrap_or_else(|| {
        "1 to 63 letters A-Z, digits and hyphens, starting and ending with a letter or digit; or a work team's ARN"
            .to_owned()
    })))
}

/// What is wrong where the name looks right: a hyphen of another kind, a space of no width.
fn like_a_name(text: &str) -> Option<String> {
    let plain = lookalike::key(text);
    let difference = lookalike::difference(&plain, text)?;
    is_team_name(&plain).then(|| format!("it looks like `{plain}`, but {difference}: type it again"))
}

fn is_team_name(text: &str) -> bool {
    let edge = |byte: Option<&u8>| byte.is_some_and(u8::is_ascii_alphanumeric);
    let bytes = text.as_bytes();
    text.len() <= 63
        && edge(bytes.first())
        && edge(bytes.last())
        && bytes.iter().all(|b| b.is_ascii_alphanumeric() || *b == b'-')
}

fn team_arn(arn: &str) -> Result<String, (&'static str, &'static str)> {
    const FORM: &str = "its form is `arn:aws:sagemaker:<region>:<account>:workteam/private-crowd/<name>`";
    let parts: Vec<&str> = arn.splitn(6, ':').collect();
    let [_, partition, "sagemaker", region, account, resource] = parts[..] else {
        return Err(("this is not the ARN of a work team", FORM));
    };
    let (crowd, name) = resource
        .strip_prefix("workteam/")
        .and_then(|r| r.split_once('/'))
        .unwrap_or_default();
    if crowd == "public-crowd" {
        return Err((
            "the public workforce was Amazon Mechanical Turk, which closed on September 30, 2026",
            "use a private work team: `team: my-work-team`",
        ));
    }
    let region_ok = !region.is_empty()
        && region
            .bytes()
            .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-');
    let account_ok = account.len() == 12 && account.bytes().all(|b| b.is_ascii_digit());
    let team_ok = matches!(crowd, "private-crowd" | "vendor-crowd") && is_team_name(name);
    if partition.starts_with("aws") && region_ok && account_ok && team_ok && arn.len() <= 256 {
        return Ok(arn.to_owned());
    }
    Err(("this is not the ARN of a work team", FORM))
}
