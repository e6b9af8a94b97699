//! A service's client that is made with its first call.

use aws_config::SdkConfig;
use tokio::sync::OnceCell;

use crate::sdk::Sdk;

#[derive(Debug)]
pub(crate) struct LazyClient<C> {
    sdk: Sdk,
    client: OnceCell<C>,
    make: fn(&SdkConfig) -> C,
}

impl<C> LazyClient<C> {
    pub(crate) fn new(sdk: Sdk, make: fn(&SdkConfig) -> C) -> Self {
        Self {
            sdk,
            client: OnceCell::new(),
            make,
        }
    }

    pub(crate) async fn get(&self) -> &C {
        let make = async || (self.make)(self.sdk.config().await);
        self.client.get_or_init(make).await
    }
}
