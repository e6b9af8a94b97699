//! A stack on AWS, found by its name with ordinary credentials.

mod describe;
mod outputs;

use anyhow::{Context as _, anyhow};
use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_credential_types::Credentials;
use aws_credential_types::provider::ProvideCredentials as _;

use crate::endpoint::Target;

/// Fails without Region or credentials, and where there is no such stack or it is of something else.
pub(crate) async fn find(name: &str, region: Option<&str>) -> anyhow::Result<Target> {
    let sdk = sdk(region).await;
    let region = sdk
        .region()
        .cloned()
        .context("no AWS Region is set: name it with --region, AWS_REGION or the profile's `region`")?;
    let credentials = credentials(&sdk).await?;
    let stack = describe::stack(name, &region, &credentials, sdk.endpoint_url()).await?;
    outputs::target(&stack, &region, sdk)
}

async fn sdk(region: Option<&str>) -> SdkConfig {
    let mut loader = aws_config::defaults(BehaviorVersion::latest());
    if let Some(region) = region {
        loader = loader.region(Region::new(region.to_owned()));
    }
    loader.load().await
}

/// Once here, so that their absence is told as that and not as what the first request makes of it.
async fn credentials(sdk: &SdkConfig) -> anyhow::Result<Credentials> {
    let provider = sdk
        .credentials_provider()
        .context("no AWS credentials are set up")?;
    let found = provider.provide_credentials().await;
    found.map_err(|error| anyhow::Error::new(error).context(missing()))
}

fn missing() -> anyhow::Error {
    anyhow!(
        "no AWS credentials were found that this program can use. It takes AWS_ACCESS_KEY_ID and the others from the \
         environment, or a profile (AWS_PROFILE) with keys or a role_arn. For IAM Identity Center, aws login and \
         credential_process, run first:\n  eval \"$(aws configure export-credentials --format env)\""
    )
}
