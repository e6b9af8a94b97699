//! What an ID token says about a person, and the worker the engine makes of it.
use crate::config::SignIn;
use crate::work::Worker;
use openidconnect::core::{
    CoreAuthDisplay, CoreAuthPrompt, CoreErrorResponseType, CoreGenderClaim, CoreJsonWebKey,
    CoreJweContentEncryptionAlgorithm, CoreJwsSigningAlgorithm, CoreRevocableToken,
    CoreRevocationErrorResponse, CoreTokenIntrospectionResponse, CoreTokenType,
};
use openidconnect::{
    AdditionalClaims, Client, EmptyExtraTokenFields, EndpointMaybeSet, EndpointNotSet, EndpointSet,
    IdTokenClaims, IdTokenFields, StandardErrorResponse, StandardTokenResponse,
};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use sha2::{Digest, Sha256};

/// Every claim that is not one of the standard's own, by name: the group claim's name is a setting.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
pub(super) struct OtherClaims {
    #[serde(flatten)]
    pub(super) named: Map<String, Value>,
}

impl AdditionalClaims for OtherClaims {}

pub(super) type Claims = IdTokenClaims<OtherClaims, CoreGenderClaim>;

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

pub(super) fn worker(claims: &Claims, settings: &SignIn, region: &str) -> Worker {
    let (issuer, sub) = (claims.issuer().to_string(), claims.subject().to_string());
    Worker {
        id: worker_id(region, settings.people.as_deref().unwrap_or(&issuer), &sub),
        name: display_name(claims),
        groups: groups(claims, &settings.groups_claim),
        issuer,
        sub,
    }
}

/// `private.<region>.<16 hex digits>`, the form of Ground Truth's worker ids; the same person has the same id for ever.
fn worker_id(region: &str, people: &str, sub: &str) -> String {
    let hash = hex::encode(Sha256::digest(format!("{people}|{sub}")));
    format!("private.{region}.{}", &hash[..16])
}

fn display_name(claims: &Claims) -> String {
    let full = claims
        .name()
        .and_then(|name| name.get(None))
        .map(|name| name.to_string());
    let mail = || claims.email().map(|mail| mail.to_string());
    let other = || {
        Some(
            claims
                .additional_claims()
                .named
                .get("cognito:username")?
                .as_str()?
                .to_owned(),
        )
    };
    full.or_else(mail)
        .or_else(other)
        .filter(|name| !name.trim().is_empty())
        .unwrap_or_else(|| "Worker".to_owned())
}

/// A list of names, or one name alone, as some providers send it.
fn groups(claims: &Claims, claim: &str) -> Vec<String> {
    match claims.additional_claims().named.get(claim) {
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
