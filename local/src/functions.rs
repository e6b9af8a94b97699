//! The functions, called in the process as Lambda calls them: environment in, event in, answer out.

use std::collections::HashMap;
use std::sync::Arc;

use aws_config::{AppName, SdkConfig};

use crate::cognito::TriggerFn;
use crate::error::StackError;
use crate::event_source::Invoke;
use crate::function_threads::FunctionThreads;
use crate::wiring::{
    ASSIGN_WORKER, BUILD_MANIFEST, FUNCTIONS, FunctionWiring, INVITE_MESSAGE, NOTIFY, START_JOB, SYNC_TEAM,
    Source,
};

/// Values of environment variables; a function sees only those the wiring gives it.
pub(crate) type Environment = HashMap<&'static str, String>;

/// Threads that run nothing but functions: a manifest of a hundred thousand lines keeps no portal waiting, and, as on
/// Lambda, an invocation never moves to another thread.
const THREADS: usize = 2;
/// Those the sign-in waits for have a thread of their own: nobody at a password waits behind a manifest.
const TRIGGER_THREADS: usize = 1;

macro_rules! function {
    ($crate_name:ident, $wiring:expr, $environment:expr, $sdk:expr, $threads:expr) => {{
        let deps = $crate_name::deps(
            &|name| value($wiring, $environment, name),
            &called_by($wiring.name, $sdk),
        )
        .map_err(|error| StackError::Part {
            what: $wiring.name,
            reason: error.to_string(),
        })?;
        let (deps, threads) = (Arc::new(deps), $threads.clone());
        let invoke: Invoke = Arc::new(move |event| {
            let deps = deps.clone();
            let threads = threads.clone();
            let invoked = move || async move {
                $crate_name::handle(&*deps, event)
                    .await
                    .map_err(|error| error.to_string())
            };
            Box::pin(async move { threads.run(invoked).await.flatten() })
        });
        ($wiring.name, invoke)
    }};
}

pub(crate) fn all(
    environment: &Environment,
    sdk: &SdkConfig,
) -> Result<HashMap<&'static str, Invoke>, StackError> {
    let start = |count| {
        FunctionThreads::start(count).map_err(|error| StackError::Part {
            what: "the functions' threads",
            reason: error.to_string(),
        })
    };
    let (threads, awaited) = (start(THREADS)?, start(TRIGGER_THREADS)?);
    Ok(HashMap::from([
        function!(build_manifest, &BUILD_MANIFEST, environment, sdk, threads),
        function!(start_job, &START_JOB, environment, sdk, threads),
        function!(notify, &NOTIFY, environment, sdk, threads),
        function!(sync_team, &SYNC_TEAM, environment, sdk, threads),
        function!(assign_worker, &ASSIGN_WORKER, environment, sdk, awaited),
        function!(invite_message, &INVITE_MESSAGE, environment, sdk, awaited),
    ]))
}

/// The user pool's way to the functions that are its triggers.
pub(crate) fn triggers(functions: &HashMap<&'static str, Invoke>) -> TriggerFn {
    let functions = functions.clone();
    Arc::new(move |trigger, event| {
        let hears = |wiring: &&FunctionWiring| wiring.sources.contains(&Source::UserPool(trigger));
        let function = FUNCTIONS
            .iter()
            .find(hears)
            .and_then(|wiring| functions.get(wiring.name));
        match function {
            Some(invoke) => invoke(event),
            None => Box::pin(async move { Err(format!("{trigger:?} has no function")) }),
        }
    })
}

fn value(wiring: &FunctionWiring, environment: &Environment, name: &str) -> Option<String> {
    wiring
        .environment
        .contains(&name)
        .then(|| environment.get(name).cloned())
        .flatten()
}

/// The SDK as this function has it: each of its requests names the function (`app/…` in the user agent).
fn called_by(function: &str, sdk: &SdkConfig) -> SdkConfig {
    let mut sdk = sdk.to_builder();
    sdk.set_app_name(AppName::new(function.to_owned()).ok());
    sdk.build()
}
