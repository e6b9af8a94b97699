//! Step 4: the one private workforce an account can have in a Region.

use std::time::Duration;

use shared::crew::SignIn;
use shared::port::crew::{Identity, TeamChangeOutcome, Workforce, WorkforceDescription};

use crate::run::Run;
use crate::{Ports, SyncError};

/// What the console calls the one it makes.
const NAME: &str = "default";
/// Between looks at one that is being made.
const PAUSE: Duration = Duration::from_secs(3);
const LOOKS: usize = 100;

pub(crate) enum Found {
    Usable(WorkforceDescription),
    /// Somebody has to change something.
    Refused(String),
}

/// The workforce there is, or a new one; active.
pub(crate) async fn find_or_make<P: Ports>(run: &Run<'_, P>, sign_in: &SignIn) -> Result<Found, SyncError> {
    let (port, settings) = (run.ports.workforce(), run.ports.settings());
    let there = match (port.workforce().await?, sign_in) {
        (Some(there), _) => there,
        (None, SignIn::Oidc { issuer, .. }) => return Ok(Found::Refused(make_it_by_hand(issuer))),
        (None, SignIn::Cognito(_)) => {
            tracing::info!(name = NAME, "makes the workforce");
            match port
                .create_workforce(NAME, &settings.user_pool, &settings.client_id)
                .await?
            {
                TeamChangeOutcome::Done | TeamChangeOutcome::Taken => {}
                TeamChangeOutcome::LimitReached { reason } | TeamChangeOutcome::Invalid { reason } => {
                    return Ok(Found::Refused(format!("the workforce was not taken: {reason}")));
                }
            }
            let made = port.workforce().await?;
            made.ok_or_else(|| SyncError::WorkforceNotReady("being made".to_owned()))?
        }
    };
    if let Some(why) = unfit(&there.identity, sign_in, &settings.user_pool) {
        return Ok(Found::Refused(why));
    }
    active(run, there).await
}

/// Its making takes a client secret, and none belongs into a bucket.
fn make_it_by_hand(issuer: &str) -> String {
    format!(
        "there is no workforce that signs in through {issuer}. Make it once: aws sagemaker create-workforce \
         --workforce-name default --oidc-config ClientId=…,ClientSecret=…,Issuer={issuer},AuthorizationEndpoint=…,\
         TokenEndpoint=…,UserInfoEndpoint=…,LogoutEndpoint=…,JwksUri=…"
    )
}

fn unfit(there: &Identity, sign_in: &SignIn, user_pool: &str) -> Option<String> {
    const ONE: &str = "an account has one private workforce in a Region";
    let same = |a: &str, b: &str| a.trim_end_matches('/') == b.trim_end_matches('/');
    match (there, sign_in) {
        (Identity::Cognito { user_pool: theirs, .. }, SignIn::Cognito(_)) => (theirs != user_pool).then(|| {
            format!(
                "the workforce signs in with the user pool {theirs}, and this stack invites into {user_pool}; {ONE}. \
                 Give the stack the pool {theirs} and its client as parameters, or delete the workforce and its teams"
            )
        }),
        (Identity::Oidc { issuer }, SignIn::Cognito(_)) => Some(format!(
            "the workforce signs in through {issuer}, and this file asks for a user pool; {ONE}. Put `sign_in: \
             {{issuer: \"{issuer}\", groups: [...]}}` into the file instead of `workers`"
        )),
        (Identity::Oidc { issuer: theirs }, SignIn::Oidc { issuer, .. }) => (!same(theirs, issuer)).then(|| {
            format!(
                "the workforce signs in through {theirs}, and this file asks for {issuer}; {ONE}. Put the issuer \
                 {theirs} into the file"
            )
        }),
        (Identity::Cognito { user_pool, .. }, SignIn::Oidc { issuer, .. }) => Some(format!(
            "the workforce signs in with the user pool {user_pool}, and this file asks for {issuer}; {ONE}. List the \
             people under `workers` instead of `sign_in`, or delete the workforce and its teams, and then: {}",
            make_it_by_hand(issuer)
        )),
    }
}

async fn active<P: Ports>(run: &Run<'_, P>, mut there: WorkforceDescription) -> Result<Found, SyncError> {
    for _ in 0..LOOKS {
        match there.status.as_str() {
            "Active" => return Ok(Found::Usable(there)),
            "Failed" => {
                let why = there.failure_reason.as_deref().unwrap_or("without a reason");
                return Ok(Found::Refused(format!(
                    "the workforce `{}` has failed: {why}. Delete it (aws sagemaker delete-workforce --workforce-name \
                     {}); a new one is made at the next sweep",
                    there.name, there.name
                )));
            }
            _ if run.out_of_time() => break,
            _ => tokio::time::sleep(PAUSE).await,
        }
        match run.ports.workforce().workforce().await? {
            Some(again) => there = again,
            None => break,
        }
    }
    Err(SyncError::WorkforceNotReady(there.status))
}
