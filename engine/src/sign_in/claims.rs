//! What the provider says about a person, and the worker made of it.

use openidconnect::core::{
    CoreAuthDisplay, CoreAuthPrompt, CoreErrorResponseType, CoreGenderClaim, CoreJsonWebKey,
    CoreJweContentEncryptionAlgorithm, CoreJwsSigningAlgorithm, CoreRevocableToken,
    CoreRevocationErrorResponse, CoreTokenIntrospectionResponse, CoreTokenType,
};
use openidconnect::{
    AdditionalClaims, Client, EmptyExtraTokenFields, EndpointMaybeSet, EndpointNotSet, EndpointSet,
    IdTokenFields, StandardErrorResponse, StandardTokenResponse,
};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use sha2::{Digest, Sha256};

use super::error::SignInError;
use super::settings::Settings;
use crate::worker::Worker;

/// "10 groups per worker" (developer guide, "Send Required and Optional Claims to Ground Truth").
const MAX_GROUPS: usize = 10;

/// Every claim beyond the standard's own, by name: the name of the group claim is a setting.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
pub(super) struct OtherClaims {
    #[serde(flatten)]
    named: Map<String, Value>,
}

impl AdditionalClaims for OtherClaims {}

pub(super) type TokenFields = IdTokenFields<
    OtherClaims,
    EmptyExtraTokenFields,
    CoreGenderClaim,
    CoreJweContentEncryptionAlgorithm,
    CoreJwsSigningAlgorithm,
>;

pub(super) type PortalClient = Client<
    OtherClaims,
    CoreAuthDisplay,
    CoreGenderClaim,
    CoreJweContentEncryptionAlgorithm,
    CoreJsonWebKey,
    CoreAuthPrompt,
    StandardErrorResponse<CoreErrorResponseType>,
    StandardTokenResponse<TokenFields, CoreTokenType>,
    CoreTokenIntrospectionResponse,
    CoreRevocableToken,
    CoreRevocationErrorResponse,
    EndpointSet,
    EndpointNotSet,
    EndpointNotSet,
    EndpointNotSet,
    EndpointMaybeSet,
    EndpointMaybeSet,
>;

/// Claims by name: the ID token's and the user-info endpoint's together.
pub(super) type Claims = Map<String, Value>;

/// A workforce with a provider of its own is read by the claims AWS documents for it, each with a colon or a hyphen:
/// `sagemaker:groups`, `sagemaker:sub`, `sagemaker:client_id`, `sagemaker:name`.
/// <https://docs.aws.amazon.com/sagemaker/latest/dg/sms-workforce-create-private-oidc.html>
pub(super) fn worker(claims: &Claims, settings: &Settings, region: &str) -> Result<Worker, SignInError> {
    let (sub, groups, name) = match settings.endpoints {
        None => (
            text(claims, "sub"),
            groups(claims.get(&settings.groups_claim)),
            None,
        ),
        Some(_) => {
            check_client(claims, &settings.client_id)?;
            let groups = groups(sagemaker(claims, "groups").or(claims.get(&settings.groups_claim)));
            if groups.len() > MAX_GROUPS {
                return Err(SignInError::TooManyGroups);
            }
            let claim = |name| sagemaker(claims, name).and_then(Value::as_str);
            (claim("sub"), groups, claim("name"))
        }
    };
    let sub = sub
        .filter(|sub| !sub.is_empty())
        .ok_or(SignInError::MissingClaim("sagemaker:sub"))?;
    Ok(Worker {
        id: worker_id(region, &settings.people, sub),
        sub: sub.to_owned(),
        issuer: settings.issuer.clone(),
        provider: settings.provider(),
        name: display_name(name, claims),
        groups,
    })
}

/// "All tokens must be issued for this client ID."
fn check_client(claims: &Claims, expected: &str) -> Result<(), SignInError> {
    match sagemaker(claims, "client_id").and_then(Value::as_str) {
        Some(given) if given == expected => Ok(()),
        Some(_) => Err(SignInError::Untrusted(
            "sagemaker:client_id names another client".to_owned(),
        )),
        None => Err(SignInError::MissingClaim("sagemaker:client_id")),
    }
}

fn sagemaker<'a>(claims: &'a Claims, name: &str) -> Option<&'a Value> {
    let separated_by = |mark: char| claims.get(&format!("sagemaker{mark}{name}"));
    separated_by(':').or_else(|| separated_by('-'))
}

/// `private.<region>.<16 hex digits>`, the form of Ground Truth's worker ids; the same person always has the same id.
fn worker_id(region: &str, people: &str, sub: &str) -> String {
    let hash = hex::encode(Sha256::digest(format!("{people}|{sub}")));
    format!("private.{region}.{}", &hash[..16])
}

fn display_name(given: Option<&str>, claims: &Claims) -> String {
    let names = [
        given,
        text(claims, "name"),
        text(claims, "email"),
        text(claims, "cognito:username"),
    ];
    let name = names.into_iter().flatten().find(|name| !name.trim().is_empty());
    name.unwrap_or("Worker").chars().take(80).collect()
}

fn text<'a>(claims: &'a Claims, name: &str) -> Option<&'a str> {
    claims.get(name).and_then(Value::as_str)
}

/// A list of names, or a single name, as some providers send it. Without any, the person is in no team yet.
fn groups(claim: Option<&Value>) -> Vec<String> {
    match claim {
        Some(Value::Array(names)) => names
            .iter()
            .filter_map(Value::as_str)
            .map(str::to_owned)
            .collect(),
        Some(Value::String(name)) => vec![name.clone()],
        _ => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::worker_id;

    #[test]
    fn a_worker_keeps_one_id_and_differs_by_provider() {
        let id = worker_id("us-east-1", "https://issuer", "sub");
        assert_eq!(id, worker_id("us-east-1", "https://issuer", "sub"));
        assert!(
            id.starts_with("private.us-east-1.") && id.len() == "private.us-east-1.".len() + 16,
            "{id}"
        );
        assert_ne!(id, worker_id("us-east-1", "https://other", "sub"));
    }
}
