//! Step 4: the one private workforce an account can have in a Region.

use std::time::Duration;

use shared::crew::SignIn;
use shared::port::crew::{Identity, TeamChangeOutcome, Workforce, WorkforceDescription};

use crate::error::SyncError;
use crate::ports::Ports;
use crate::run::Run;

/// The name that AWS's console gives the workforce it creates.
const NAME: &str = "default";
/// Between looks at one that is being created.
const PAUSE: Duration = Duration::from_secs(3);
const MAX_LOOKS: usize = 100;

pub(crate) enum WorkforceChoice {
    Usable(WorkforceDescription),
    /// An admin has to change something; what, in a sentence.
    Refused(String),
}

/// The workforce there is, or a new one; active.
pub(crate) async fn find_or_create<P: Ports>(
    run: &Run<'_, P>,
    sign_in: &SignIn,
) -> Result<WorkforceChoice, SyncError> {
    let (port, settings) = (run.ports.workforce(), run.ports.settings());
    let there = match (port.workforce().await?, sign_in) {
        (Some(there), _) => there,
        (None, SignIn::Oidc { issuer, .. }) => return Ok(WorkforceChoice::Refused(advice_to_create(issuer))),
        (None, SignIn::Cognito(_)) => {
            tracing::info!(name = NAME, "creating workforce");
            match port
                .create_workforce(NAME, &settings.user_pool, &settings.client_id)
                .await?
            {
                TeamChangeOutcome::Done | TeamChangeOutcome::Taken => {}
                TeamChangeOutcome::LimitReached { reason } | TeamChangeOutcome::Invalid { reason } => {
                    return Ok(WorkforceChoice::Refused(format!(
                        "the workforce was refused: {reason}"
                    )));
                }
            }
            let created = port.workforce().await?;
            created.ok_or_else(|| SyncError::WorkforceNotReady("being created".to_owned()))?
        }
    };
    if let Some(why) = mismatch(&there.identity, sign_in, &settings.user_pool) {
        return Ok(WorkforceChoice::Refused(why));
    }
    wait_until_active(run, there).await
}

/// Creating it takes a client secret, which does not belong in a bucket.
fn advice_to_create(issuer: &str) -> String {
    format!(
        "there is no workforce that signs in through {issuer}. Make it once: aws sagemaker create-workforce \
         --workforce-name default --oidc-config ClientId=…,ClientSecret=…,Issuer={issuer},AuthorizationEndpoint=…,\
         TokenEndpoint=…,UserInfoEndpoint=…,LogoutEndpoint=…,JwksUri=…"
    )
}

fn mismatch(there: &Identity, sign_in: &SignIn, user_pool: &str) -> Option<String> {
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
            advice_to_create(issuer)
        )),
    }
}

async fn wait_until_active<P: Ports>(
    run: &Run<'_, P>,
    mut there: WorkforceDescription,
) -> Result<WorkforceChoice, SyncError> {
    for _ in 0..MAX_LOOKS {
        match there.status.as_str() {
            "Active" => return Ok(WorkforceChoice::Usable(there)),
            "Failed" => {
                let why = there.failure_reason.as_deref().unwrap_or("without a reason");
                return Ok(WorkforceChoice::Refused(format!(
                    "the workforce `{}` has failed: {why}. Delete it (aws sagemaker delete-workforce --workforce-name \
                     {}); a new one is made at the next sweep",
                    there.name, there.name
                )));
            }
            _ if run.is_out_of_time() => break,
            _ => tokio::time::sleep(PAUSE).await,
        }
        match run.ports.workforce().workforce().await? {
            Some(again) => there = again,
            None => break,
        }
    }
    Err(SyncError::WorkforceNotReady(there.status))
}
