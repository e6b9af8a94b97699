//! Who signs in and how: the user pool's triggers, the portal's app client, the workforce.

use aws_sdk_cognitoidentityprovider::Client;
use aws_sdk_cognitoidentityprovider::types::{LambdaConfigType, PreventUserExistenceErrorTypes};
use aws_sdk_sagemaker::types::{Workforce, WorkforceStatus};

use crate::check::finding::{Finding, judged};
use crate::endpoint::{Deployment, Target};

const POOL: &str = "user pool";
const CLIENT: &str = "app client";
const WORKFORCE: &str = "workforce";
const ASSIGN: &str = "assign-worker";

pub(super) async fn pool(target: &Target) -> Vec<Finding> {
    let Some(id) = &target.deployment.user_pool else {
        return Vec::new();
    };
    let asked = Client::new(&target.config.sdk)
        .describe_user_pool()
        .user_pool_id(id);
    let told = match asked.send().await {
        Ok(told) => told.user_pool,
        Err(error) => return vec![Finding::of_failure(POOL, "cognito-idp:DescribeUserPool", error)],
    };
    let Some(pool) = told else {
        return vec![Finding::unseen(POOL, "Cognito answered without a user pool")];
    };
    let by_admin = pool
        .admin_create_user_config()
        .is_some_and(|config| config.allow_admin_create_user_only());
    let open =
        "people can sign up by themselves: set AllowAdminCreateUserOnly (docs/DEPLOY.md has the commands)";
    let mute = mute(pool.lambda_config(), &target.deployment);
    let mut all = vec![
        judged(
            POOL,
            deaf(pool.lambda_config(), &target.deployment),
            "sign-in calls assign-worker",
        ),
        judged(
            POOL,
            (!by_admin).then(|| open.to_owned()),
            "nobody signs up uninvited",
        ),
    ];
    all.extend(mute.map(|wrong| Finding::mend(POOL, wrong)));
    all
}

/// Where the team file's words are to stand in invitations, and a function of somebody else's writes them, or none.
fn mute(triggers: Option<&LambdaConfigType>, deployment: &Deployment) -> Option<String> {
    let asked = deployment.parameter("SesIdentityArn").is_some()
        || deployment.parameter("InvitationWords") == Some("team");
    let expected = deployment.invite_message.as_deref().filter(|_| asked)?;
    let set = triggers.and_then(|all| all.custom_message());
    (set != Some(expected)).then(|| {
        "CustomMessage is not invite-message, so invitations lack the team file's words: set the trigger as docs/DEPLOY.md says \
         (What is there already)"
            .to_owned()
    })
}

/// What sign-in does not call that it should.
fn deaf(triggers: Option<&LambdaConfigType>, deployment: &Deployment) -> Option<String> {
    if deployment.parameter("SignInTriggers") == Some("off") {
        return Some(
            "sign-in calls nothing (SignInTriggers=off), so people get into their teams by the sweep alone: deploy with \
             SignInTriggers=on"
                .to_owned(),
        );
    }
    let expected = deployment.assign_worker.as_deref();
    let right = |arn: Option<&str>| match expected {
        Some(expected) => arn == Some(expected),
        None => arn.is_some_and(|arn| arn.rsplit(':').next() == Some(ASSIGN)),
    };
    let versioned = triggers.and_then(|all| all.pre_token_generation_config());
    let token = triggers.and_then(|all| all.pre_token_generation());
    let token = right(token) || right(versioned.map(|one| one.lambda_arn()));
    let confirmed = right(triggers.and_then(|all| all.post_confirmation()));
    let missing: Vec<&str> = [("PreTokenGeneration", token), ("PostConfirmation", confirmed)]
        .iter()
        .filter(|(_, there)| !there)
        .map(|(name, _)| *name)
        .collect();
    (!missing.is_empty()).then(|| {
        format!(
            "{} is not assign-worker, so people get into their teams by the sweep alone, up to 15 minutes after they sign \
             in: set the triggers as docs/DEPLOY.md says (What is there already)",
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
    let asked = Client::new(&target.config.sdk)
        .describe_user_pool_client()
        .user_pool_id(pool)
        .client_id(id);
    let told = match asked.send().await {
        Ok(told) => told.user_pool_client,
        Err(error) => {
            return vec![Finding::of_failure(
                CLIENT,
                "cognito-idp:DescribeUserPoolClient",
                error,
            )];
        }
    };
    let Some(client) = told else {
        return vec![Finding::unseen(CLIENT, "Cognito answered without an app client")];
    };
    let quiet = client.prevent_user_existence_errors() == Some(&PreventUserExistenceErrorTypes::Enabled);
    let telling = "tells whether an address has an account: set PreventUserExistenceErrors to ENABLED";
    let mut all = vec![judged(
        CLIENT,
        (!quiet).then(|| telling.to_owned()),
        "does not tell who has an account",
    )];
    // The stand-in on one machine has no attributes a client could write.
    if !target.deployment.is_here() {
        all.push(judged(
            CLIENT,
            writes_addresses(client.write_attributes()),
            "cannot change anybody's address",
        ));
    }
    all
}

fn writes_addresses(attributes: &[String]) -> Option<String> {
    let every_one = attributes.is_empty();
    let writes = every_one || attributes.iter().any(|name| name == "email");
    writes.then(|| {
        "lets people change their address, by which teams know them: give it WriteAttributes without `email`".to_owned()
    })
}

pub(super) async fn workforce(target: &Target) -> Vec<Finding> {
    let asked = target.config.labeling().list_workforces().send().await;
    vec![match asked {
        Ok(told) => match told.workforces() {
            [] => Finding::mend(
                WORKFORCE,
                "there is none yet: drop a teams/<team>.yaml into the input bucket, and sync-team makes it",
            ),
            [workforce, ..] => of(workforce, target),
        },
        Err(error) => Finding::of_failure(WORKFORCE, "sagemaker:ListWorkforces", error),
    }]
}

fn of(workforce: &Workforce, target: &Target) -> Finding {
    let name = workforce.workforce_name().unwrap_or_default();
    if workforce
        .status()
        .is_some_and(|status| *status != WorkforceStatus::Active)
    {
        let reason = workforce.failure_reason().unwrap_or("no reason given");
        let status = workforce.status().map_or("", WorkforceStatus::as_str);
        return Finding::mend(WORKFORCE, format!("{name} is {status}: {reason}"));
    }
    if let Some(oidc) = workforce.oidc_config() {
        let issuer = oidc.issuer().unwrap_or_default();
        return Finding::fine(WORKFORCE, format!("{name}, whose people sign in with {issuer}"));
    }
    let pool = workforce.cognito_config().and_then(|config| config.user_pool());
    let client = workforce.cognito_config().and_then(|config| config.client_id());
    let of_this_pool = pool.is_some() && pool == target.deployment.user_pool.as_deref();
    if !of_this_pool || client != target.deployment.client.as_deref() {
        return Finding::mend(
            WORKFORCE,
            format!(
                "{name} is of the user pool {} and its client {}, not of this stack's, and an account has one workforce in a \
                 Region: deploy with ExistingUserPoolId and ExistingUserPoolClientId",
                pool.unwrap_or("of nobody"),
                client.unwrap_or("of nobody")
            ),
        );
    }
    judged(
        WORKFORCE,
        portal(workforce, target),
        format!("{name}, of this user pool"),
    )
}

/// Invitations and notices name the portal as the stack was told.
fn portal(workforce: &Workforce, target: &Target) -> Option<String> {
    let host = workforce.sub_domain().filter(|host| !host.is_empty())?;
    let told = target.portal.as_deref().and_then(|url| url.split_once("://"));
    let told = told.map(|(_, told)| told);
    if target.engine || told == Some(host) {
        return None;
    }
    let so_far = told.map_or_else(|| "no address".to_owned(), |told| format!("https://{told}"));
    Some(format!(
        "invitations name {so_far}; the portal is https://{host}: deploy once more with PortalUrl=https://{host}"
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
        assert_eq!(deaf(Some(&both(arn)), &ours), None);
        assert_eq!(deaf(Some(&both("arn:x:function:assign-worker")), &here), None);
        let other = deaf(Some(&both("arn:x:function:other")), &ours).unwrap();
        assert!(
            other.starts_with("PreTokenGeneration and PostConfirmation is not"),
            "{other}"
        );
        let half = LambdaConfigType::builder().pre_token_generation(arn).build();
        let half = deaf(Some(&half), &ours).unwrap();
        assert!(
            half.starts_with("PostConfirmation is not assign-worker"),
            "{half}"
        );
        assert!(deaf(None, &ours).is_some());
        let off = deployment(Some(arn), &[("SignInTriggers", "off")]);
        assert!(
            deaf(Some(&both(arn)), &off)
                .unwrap()
                .contains("SignInTriggers=on")
        );
    }

    #[test]
    fn the_words_of_invitations_are_asked_for_where_they_are_the_teams() {
        let arn = "arn:aws:lambda:eu-west-1:1:function:crew-invite-message";
        let with = |parameters: &[(&str, &str)]| Deployment {
            invite_message: Some(arn.to_owned()),
            ..deployment(None, parameters)
        };
        let set = LambdaConfigType::builder().custom_message(arn).build();
        let ses = with(&[("SesIdentityArn", "arn:x")]);
        assert!(mute(None, &with(&[("SesIdentityArn", "")])).is_none());
        assert!(mute(None, &ses).is_some() && mute(Some(&set), &ses).is_none());
        assert!(mute(None, &with(&[("InvitationWords", "team")])).is_some());
    }

    #[test]
    fn a_client_without_write_attributes_writes_every_one() {
        let named = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
        assert!(writes_addresses(&[]).is_some());
        assert!(writes_addresses(&named(&["name", "email"])).is_some());
        assert!(writes_addresses(&named(&["name"])).is_none());
    }
}
