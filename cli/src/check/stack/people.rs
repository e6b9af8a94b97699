//! How people sign in: the user pool's triggers, the portal's app client, the workforce.

use aws_sdk_cognitoidentityprovider::Client;
use aws_sdk_cognitoidentityprovider::types::{LambdaConfigType, PreventUserExistenceErrorTypes};
use shared::port::crew::{Identity, Workforce as _, WorkforceDescription};

use crate::check::finding::{Finding, judge};
use crate::target::{Deployment, Target};

const POOL: &str = "user pool";
const CLIENT: &str = "app client";
const WORKFORCE: &str = "workforce";
const ASSIGN: &str = "assign-worker";
/// The status of a workforce that can be used.
const ACTIVE: &str = "Active";

pub(super) async fn pool(target: &Target) -> Vec<Finding> {
    let Some(id) = &target.deployment.user_pool else {
        return Vec::new();
    };
    let call = Client::new(&target.sdk).describe_user_pool().user_pool_id(id);
    let pool = match call.send().await {
        Ok(output) => output.user_pool,
        Err(error) => return vec![Finding::of_failure(POOL, "cognito-idp:DescribeUserPool", error)],
    };
    let Some(pool) = pool else {
        return vec![Finding::unknown(POOL, "Cognito answered without a user pool")];
    };
    let by_admin = pool
        .admin_create_user_config()
        .is_some_and(|config| config.allow_admin_create_user_only());
    let open_sign_up = "people can sign up without an invitation: set AllowAdminCreateUserOnly (docs/DEPLOY.md has the commands)";
    let invitation_problem = invitation_trigger_problem(pool.lambda_config(), &target.deployment);
    let mut all = vec![
        judge(
            POOL,
            sign_in_trigger_problem(pool.lambda_config(), &target.deployment),
            "sign-in calls assign-worker",
        ),
        judge(
            POOL,
            (!by_admin).then(|| open_sign_up.to_owned()),
            "only invited people can sign up",
        ),
    ];
    all.extend(invitation_problem.map(|wrong| Finding::fix(POOL, wrong)));
    all
}

/// Where invitations should have the team file's words, and another function writes them, or none.
fn invitation_trigger_problem(
    triggers: Option<&LambdaConfigType>,
    deployment: &Deployment,
) -> Option<String> {
    let needs_trigger = deployment.parameter("SesIdentityArn").is_some()
        || deployment.parameter("InvitationWords") == Some("team");
    let expected = deployment.invite_message.as_deref().filter(|_| needs_trigger)?;
    let set = triggers.and_then(|all| all.custom_message());
    (set != Some(expected)).then(|| {
        "CustomMessage is not invite-message, so invitations lack the team file's words: set the trigger as docs/DEPLOY.md says \
         (What is there already)"
            .to_owned()
    })
}

/// A trigger of the sign-in does not call assign-worker.
fn sign_in_trigger_problem(triggers: Option<&LambdaConfigType>, deployment: &Deployment) -> Option<String> {
    if deployment.parameter("SignInTriggers") == Some("off") {
        return Some(
            "sign-in calls no function (SignInTriggers=off), so only the sweep puts people into their teams: deploy with \
             SignInTriggers=on"
                .to_owned(),
        );
    }
    let expected = deployment.assign_worker.as_deref();
    let is_ours = |arn: Option<&str>| match expected {
        Some(expected) => arn == Some(expected),
        None => arn.is_some_and(|arn| arn.rsplit(':').next() == Some(ASSIGN)),
    };
    let versioned = triggers.and_then(|all| all.pre_token_generation_config());
    let token = triggers.and_then(|all| all.pre_token_generation());
    let token = is_ours(token) || is_ours(versioned.map(|one| one.lambda_arn()));
    let confirmed = is_ours(triggers.and_then(|all| all.post_confirmation()));
    let missing: Vec<&str> = [("PreTokenGeneration", token), ("PostConfirmation", confirmed)]
        .iter()
        .filter(|(_, there)| !there)
        .map(|(name, _)| *name)
        .collect();
    (!missing.is_empty()).then(|| {
        format!(
            "{} is not assign-worker, so only the sweep puts people into their teams, up to 15 minutes after they sign in: set \
             the triggers as docs/DEPLOY.md says (What is there already)",
            missing.join(" and ")
        )
    })
}

pub(super) async fn client(target: &Target) -> Vec<Finding> {
    let Some((pool, id)) = target
        .deployment
        .user_pool
        .as_ref()
        .zip(target.deployment.client.as_ref())
    else {
        return Vec::new();
    };
    let call = Client::new(&target.sdk)
        .describe_user_pool_client()
        .user_pool_id(pool)
        .client_id(id);
    let client = match call.send().await {
        Ok(output) => output.user_pool_client,
        Err(error) => {
            return vec![Finding::of_failure(
                CLIENT,
                "cognito-idp:DescribeUserPoolClient",
                error,
            )];
        }
    };
    let Some(client) = client else {
        return vec![Finding::unknown(CLIENT, "Cognito answered without an app client")];
    };
    let hides_accounts =
        client.prevent_user_existence_errors() == Some(&PreventUserExistenceErrorTypes::Enabled);
    let reveals = "reveals whether an address has an account: set PreventUserExistenceErrors to ENABLED";
    let mut all = vec![judge(
        CLIENT,
        (!hides_accounts).then(|| reveals.to_owned()),
        "does not reveal who has an account",
    )];
    // The stand-in on one machine has no attributes a client could write.
    if !target.deployment.is_local() {
        all.push(judge(
            CLIENT,
            address_problem(client.write_attributes()),
            "does not let people change their address",
        ));
    }
    all
}

fn address_problem(attributes: &[String]) -> Option<String> {
    let all = attributes.is_empty();
    let writes_address = all || attributes.iter().any(|name| name == "email");
    writes_address.then(|| {
        "lets people change their address, by which teams identify them: give it WriteAttributes without `email`".to_owned()
    })
}

pub(super) async fn workforce(target: &Target) -> Vec<Finding> {
    vec![match target.config.workforce().workforce().await {
        Ok(Some(workforce)) => workforce_finding(&workforce, target),
        Ok(None) => Finding::fix(
            WORKFORCE,
            "there is none yet: drop a teams/<team>.yaml into the input bucket, and sync-team makes it",
        ),
        Err(error) => Finding::unknown(WORKFORCE, error.to_string()),
    }]
}

fn workforce_finding(workforce: &WorkforceDescription, target: &Target) -> Finding {
    let WorkforceDescription { name, status, .. } = workforce;
    if status != ACTIVE {
        let reason = workforce.failure_reason.as_deref().unwrap_or("no reason given");
        return Finding::fix(WORKFORCE, format!("{name} is {status}: {reason}"));
    }
    let (pool, client) = match &workforce.identity {
        Identity::Oidc { issuer } => {
            let text = format!("{name}, whose people sign in with {issuer}");
            return Finding::fine(WORKFORCE, text);
        }
        Identity::Cognito { user_pool, client_id } => (user_pool.as_str(), client_id.as_str()),
    };
    let own_pool = target.deployment.user_pool.as_deref() == Some(pool);
    if !own_pool || target.deployment.client.as_deref() != Some(client) {
        return Finding::fix(
            WORKFORCE,
            format!(
                "{name} belongs to the user pool {pool} and its client {client}, not to this stack's, and an account has one \
                 workforce in a Region: deploy with ExistingUserPoolId and ExistingUserPoolClientId"
            ),
        );
    }
    judge(
        WORKFORCE,
        portal_problem(workforce, target),
        format!("{name}, of this user pool"),
    )
}

/// Invitations and notices name the portal that the stack's parameter names.
fn portal_problem(workforce: &WorkforceDescription, target: &Target) -> Option<String> {
    let host = Some(workforce.sub_domain.as_str()).filter(|host| !host.is_empty())?;
    let set = target.portal.as_deref().and_then(|url| url.split_once("://"));
    let set = set.map(|(_, host)| host);
    if target.is_engine || set == Some(host) {
        return None;
    }
    let current = set.map_or_else(|| "no address".to_owned(), |host| format!("https://{host}"));
    Some(format!(
        "invitations name {current}; the portal is https://{host}: deploy once more with PortalUrl=https://{host}"
    ))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    fn deployment(assign: Option<&str>, parameters: &[(&str, &str)]) -> Deployment {
        Deployment {
            status: None,
            parameters: parameters
                .iter()
                .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
                .collect(),
            queue_urls: BTreeMap::new(),
            notice_topic: None,
            alarm_topic: None,
            user_pool: None,
            client: None,
            assign_worker: assign.map(str::to_owned),
            invite_message: None,
        }
    }

    #[test]
    fn triggers_have_to_call_the_function_of_this_stack() {
        let arn = "arn:aws:lambda:eu-west-1:1:function:crew-assign-worker";
        let (ours, here) = (deployment(Some(arn), &[]), deployment(None, &[]));
        let both = |arn: &str| {
            LambdaConfigType::builder()
                .pre_token_generation(arn)
                .post_confirmation(arn)
                .build()
        };
        assert_eq!(sign_in_trigger_problem(Some(&both(arn)), &ours), None);
        assert_eq!(
            sign_in_trigger_problem(Some(&both("arn:x:function:assign-worker")), &here),
            None
        );
        let other = sign_in_trigger_problem(Some(&both("arn:x:function:other")), &ours).unwrap();
        assert!(
            other.starts_with("PreTokenGeneration and PostConfirmation is not"),
            "{other}"
        );
        let half = LambdaConfigType::builder().pre_token_generation(arn).build();
        let half = sign_in_trigger_problem(Some(&half), &ours).unwrap();
        assert!(
            half.starts_with("PostConfirmation is not assign-worker"),
            "{half}"
        );
        assert!(sign_in_trigger_problem(None, &ours).is_some());
        let off = deployment(Some(arn), &[("SignInTriggers", "off")]);
        assert!(
            sign_in_trigger_problem(Some(&both(arn)), &off)
                .unwrap()
                .contains("SignInTriggers=on")
        );
    }

    #[test]
    fn the_trigger_for_invitations_is_needed_where_they_have_the_teams_words() {
        let arn = "arn:aws:lambda:eu-west-1:1:function:crew-invite-message";
        let with = |parameters: &[(&str, &str)]| Deployment {
            invite_message: Some(arn.to_owned()),
            ..deployment(None, parameters)
        };
        let set = LambdaConfigType::builder().custom_message(arn).build();
        let ses = with(&[("SesIdentityArn", "arn:x")]);
        assert!(invitation_trigger_problem(None, &with(&[("SesIdentityArn", "")])).is_none());
        assert!(
            invitation_trigger_problem(None, &ses).is_some()
                && invitation_trigger_problem(Some(&set), &ses).is_none()
        );
        assert!(invitation_trigger_problem(None, &with(&[("InvitationWords", "team")])).is_some());
    }

    #[test]
    fn a_client_without_write_attributes_writes_every_one() {
        let named = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
        assert!(address_problem(&[]).is_some());
        assert!(address_problem(&named(&["name", "email"])).is_some());
        assert!(address_problem(&named(&["name"])).is_none());
    }
}
