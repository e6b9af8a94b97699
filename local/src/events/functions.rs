//! The functions, called in the process as Lambda calls them: environment in, event in, answer out.

use std::collections::HashMap;
use std::sync::Arc;

use aws_config::{AppName, SdkConfig};
use futures::future::BoxFuture;
use serde_json::Value;

use super::function_threads::FunctionThreads;
use crate::cognito::TriggerFn;
use crate::error::StackError;
use crate::wiring::{
    ASSIGN_WORKER, BUILD_MANIFEST, FUNCTIONS, FunctionWiring, INVITE_MESSAGE, NOTIFY, START_JOB, SYNC_TEAM,
    Source,
};

/// A function as its callers see it: an event in; its answer, or why it failed, out.
pub(crate) type Function = Arc<dyn Fn(Value) -> BoxFuture<'static, Result<Value, String>> + Send + Sync>;
/// By their names.
pub(crate) type Functions = HashMap<&'static str, Function>;
/// Values of environment variables; a function sees only those the wiring gives it.
pub(crate) type Environment = HashMap<&'static str, String>;

/// Functions share threads with nothing else, so that a manifest of a hundred thousand lines delays no page of the portal.
const THREADS: usize = 2;
/// The user pool's triggers have a thread of their own, so that no sign-in waits for a manifest.
const TRIGGER_THREADS: usize = 1;

macro_rules! function {
    ($crate_name:ident, $wiring:expr, $environment:expr, $sdk:expr, $threads:expr) => {{
        let deps = $crate_name::deps(
            &|name| variable($wiring, $environment, name),
            &sdk_of($wiring.name, $sdk),
        )
        .map_err(|error| failed_to_start($wiring.name, &error))?;
        let (deps, threads) = (Arc::new(deps), $threads.clone());
        let function: Function = Arc::new(move |event| {
            let (deps, threads) = (deps.clone(), threads.clone());
            let call = move || async move {
                $crate_name::handle(&*deps, event)
                    .await
                    .map_err(|error| error.to_string())
            };
            Box::pin(async move { threads.run(call).await.flatten() })
        });
        ($wiring.name, function)
    }};
}

pub(crate) fn load(environment: &Environment, sdk: &SdkConfig) -> Result<Functions, StackError> {
    let start = |threads| {
        FunctionThreads::start(threads).map_err(|error| failed_to_start("the functions' threads", &error))
    };
    let (queued, triggers) = (start(THREADS)?, start(TRIGGER_THREADS)?);
    Ok(HashMap::from([
        function!(build_manifest, &BUILD_MANIFEST, environment, sdk, queued),
        function!(start_job, &START_JOB, environment, sdk, queued),
        function!(notify, &NOTIFY, environment, sdk, queued),
        function!(sync_team, &SYNC_TEAM, environment, sdk, queued),
        function!(assign_worker, &ASSIGN_WORKER, environment, sdk, triggers),
        function!(invite_message, &INVITE_MESSAGE, environment, sdk, triggers),
    ]))
}

fn failed_to_start(what: &'static str, error: &dyn std::error::Error) -> StackError {
    StackError::Part {
        what,
        reason: error.to_string(),
    }
}

/// How the user pool calls the functions that are its triggers.
pub(crate) fn triggers(functions: &Functions) -> TriggerFn {
    let functions = functions.clone();
    Arc::new(move |trigger, event| {
        let is_called = |wiring: &&FunctionWiring| wiring.sources.contains(&Source::UserPool(trigger));
        let function = FUNCTIONS
            .iter()
            .find(is_called)
            .and_then(|wiring| functions.get(wiring.name));
        match function {
            Some(function) => function(event),
            None => Box::pin(async move { Err(format!("{trigger:?} has no function")) }),
        }
    })
}

fn variable(wiring: &FunctionWiring, environment: &Environment, name: &str) -> Option<String> {
    wiring
        .environment
        .contains(&name)
        .then(|| environment.get(name).cloned())
        .flatten()
}

/// The SDK as this function has it: each of its requests names the function (`app/…` in the user agent).
fn sdk_of(function: &str, sdk: &SdkConfig) -> SdkConfig {
    let mut sdk = sdk.to_builder();
    sdk.set_app_name(AppName::new(function.to_owned()).ok());
    sdk.build()
}
