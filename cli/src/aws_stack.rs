//! A stack on AWS, found by its name with ordinary credentials.

mod describe;
mod outputs;

use anyhow::{Context as _, anyhow};
use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_credential_types::Credentials;
use aws_credential_types::provider::ProvideCredentials as _;

use crate::target::Target;

/// Fails without a Region or credentials, and where there is no such stack or it is not a Groundcrew's.
pub(crate) async fn find(name: &str, region: Option<&str>) -> anyhow::Result<Target> {
    let sdk = load_sdk(region).await;
    let region = sdk
        .region()
        .cloned()
        .context("no AWS Region is set: name it with --region, AWS_REGION or the profile's `region`")?;
    let credentials = load_credentials(&sdk).await?;
    let stack = describe::describe_stack(name, &region, &credentials, sdk.endpoint_url()).await?;
    outputs::target(&stack, &region, sdk)
}

async fn load_sdk(region: Option<&str>) -> SdkConfig {
    let mut loader = aws_config::defaults(BehaviorVersion::latest());
    if let Some(region) = region {
        loader = loader.region(Region::new(region.to_owned()));
    }
    loader.load().await
}

/// Loaded here, so that missing credentials are reported as such and not as a failed request.
async fn load_credentials(sdk: &SdkConfig) -> anyhow::Result<Credentials> {
    let provider = sdk
        .credentials_provider()
        .context("no AWS credentials are set up")?;
    let loaded = provider.provide_credentials().await;
    loaded.map_err(|error| anyhow::Error::new(error).context(no_credentials()))
}

fn no_credentials() -> anyhow::Error {
    anyhow!(
        "no AWS credentials were found that this program can use. It takes AWS_ACCESS_KEY_ID and the others from the \
         environment, or a profile (AWS_PROFILE) with keys or a role_arn. For IAM Identity Center, aws login and \
         credential_process, run first:\n  eval \"$(aws configure export-credentials --format env)\""
    )
}
