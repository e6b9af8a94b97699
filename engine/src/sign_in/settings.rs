//! The provider people sign in with: the workforce's own (OidcConfig), else the one in the engine's configuration.
//! <https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_OidcConfig.html>

use serde::Deserialize;
use serde_json::{Map, Value};
use sha2::{Digest, Sha256};

use super::error::SignInError;
use crate::config::SignInConfig;
use crate::state::{StoredSecret, WorkforceRecord};
use crate::worker::IdentityProvider;

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Settings {
    pub(super) issuer: String,
    /// What workers' ids are made of; see [`SignInConfig::people`].
    pub(super) people: String,
    pub(super) client_id: String,
    pub(super) client_secret: StoredSecret,
    pub(super) groups_claim: String,
    /// Set for a workforce with its own provider: nothing is discovered then.
    pub(super) endpoints: Option<Endpoints>,
}

#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Endpoints {
    pub(super) authorization_endpoint: String,
    pub(super) token_endpoint: String,
    pub(super) user_info_endpoint: String,
    pub(super) logout_endpoint: String,
    pub(super) jwks_uri: String,
    #[serde(default)]
    scope: String,
    #[serde(default)]
    authentication_request_extra_params: Map<String, Value>,
}

impl Endpoints {
    /// The scopes to request besides `openid`, which is always requested. A provider that gives refresh tokens only for
    /// `offline_access` needs it here.
    pub(super) fn scopes(&self) -> impl Iterator<Item = &str> {
        self.scope
            .split(' ')
            .filter(|scope| !scope.is_empty() && *scope != "openid")
    }

    pub(super) fn extra_parameters(&self) -> impl Iterator<Item = (&str, &str)> {
        let all = &self.authentication_request_extra_params;
        all.iter()
            .filter_map(|(name, value)| Some((name.as_str(), value.as_str()?)))
    }
}

impl Settings {
    pub(super) fn current(
        configured: &SignInConfig,
        workforce: Option<&WorkforceRecord>,
    ) -> Result<Settings, SignInError> {
        match workforce.filter(|workforce| workforce.provider() == IdentityProvider::Oidc) {
            Some(workforce) => Settings::of_workforce(configured, workforce),
            None => Ok(Settings {
                issuer: configured.issuer.clone(),
                people: configured.people.clone().unwrap_or(configured.issuer.clone()),
                client_id: configured.client_id.clone(),
                client_secret: StoredSecret(configured.client_secret.clone()),
                groups_claim: configured.groups_claim.clone(),
                endpoints: None,
            }),
        }
    }

    fn of_workforce(configured: &SignInConfig, workforce: &WorkforceRecord) -> Result<Settings, SignInError> {
        let config = &workforce.config["OidcConfig"];
        let text = |member: &str| config[member].as_str().unwrap_or_default().to_owned();
        let endpoints = Endpoints::deserialize(config)
            .map_err(|error| SignInError::Unreachable(format!("the workforce's OidcConfig: {error}")))?;
        Ok(Settings {
            issuer: text("Issuer"),
            people: text("Issuer"),
            client_id: text("ClientId"),
            client_secret: workforce.secret.clone(),
            groups_claim: configured.groups_claim.clone(),
            endpoints: Some(endpoints),
        })
    }

    pub(super) fn provider(&self) -> IdentityProvider {
        match self.endpoints {
            Some(_) => IdentityProvider::Oidc,
            None => IdentityProvider::Cognito,
        }
    }

    /// Distinguishes providers: a session with another provider is not valid.
    pub(super) fn name(&self) -> String {
        let all = format!("{}|{}|{}", self.provider().name(), self.people, self.client_id);
        hex::encode(&Sha256::digest(all)[..8])
    }
}
