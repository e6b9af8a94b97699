//! The app client: its settings, and what they allow.
//! <https://docs.aws.amazon.com/cognito-user-identity-pools/latest/APIReference/API_UserPoolClientType.html>

use aws_lc_rs::{constant_time, hmac};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::error::PoolError;

/// The portal's client, as it is kept.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Client {
    pub(super) id: String,
    pub(super) secret: String,
    pub(super) created: Timestamp,
    pub(super) modified: Timestamp,
    pub(super) settings: ClientSettings,
}

/// Everything UpdateUserPoolClient sets, and resets where it is not repeated.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(super) struct ClientSettings {
    // Who a request is about; not kept.
    #[serde(skip_serializing)]
    pub(super) user_pool_id: Option<String>,
    #[serde(skip_serializing)]
    pub(super) client_id: Option<String>,
    pub(super) client_name: String,
    pub(super) refresh_token_validity: Option<i64>,
    access_token_validity: Option<i64>,
    id_token_validity: Option<i64>,
    token_validity_units: TokenUnits,
    read_attributes: Option<Vec<String>>,
    write_attributes: Option<Vec<String>>,
    explicit_auth_flows: Option<Vec<String>>,
    supported_identity_providers: Vec<String>,
    #[serde(rename = "CallbackURLs")]
    pub(super) callback_urls: Vec<String>,
    #[serde(rename = "LogoutURLs")]
    pub(super) logout_urls: Vec<String>,
    #[serde(rename = "DefaultRedirectURI")]
    default_redirect_uri: Option<String>,
    #[serde(rename = "AllowedOAuthFlows")]
    pub(super) allowed_oauth_flows: Vec<String>,
    #[serde(rename = "AllowedOAuthScopes")]
    pub(super) allowed_oauth_scopes: Vec<String>,
    #[serde(rename = "AllowedOAuthFlowsUserPoolClient")]
    pub(super) hosted: bool,
    prevent_user_existence_errors: Option<UserExistenceErrors>,
    pub(super) enable_token_revocation: Option<bool>,
    auth_session_validity: Option<u32>,
}

/// Whether a client may learn that there is no account with an address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
enum UserExistenceErrors {
    /// It may not: the error is the one of a wrong password.
    Enabled,
    Legacy,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct TokenUnits {
    access_token: Option<TimeUnit>,
    id_token: Option<TimeUnit>,
    refresh_token: Option<TimeUnit>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum TimeUnit {
    Seconds,
    Minutes,
    Hours,
    Days,
}

/// A way to sign in through the API.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum AuthFlow {
    Password,
    Refresh,
}

/// Cognito's, for a client that names none.
const DEFAULT_FLOWS: [&str; 3] = [
    "ALLOW_REFRESH_TOKEN_AUTH",
    "ALLOW_USER_SRP_AUTH",
    "ALLOW_CUSTOM_AUTH",
];
pub(super) const SCOPES: [&str; 3] = ["openid", "email", "profile"];
/// The scope of a sign-in through the API.
pub(super) const SELF_SERVICE: &str = "aws.cognito.signin.user.admin";

impl ClientSettings {
    /// What the portal needs: the code flow back to it, passwords through the API for trying the stack from the
    /// command line, and no attribute that a worker could write.
    pub(super) fn of_portal(origin: &str) -> Self {
        let owned = |names: &[&str]| names.iter().map(|&name| name.to_owned()).collect::<Vec<_>>();
        Self {
            client_name: "groundcrew-portal".to_owned(),
            write_attributes: Some(Vec::new()),
            explicit_auth_flows: Some(owned(&[
                "ALLOW_USER_PASSWORD_AUTH",
                "ALLOW_ADMIN_USER_PASSWORD_AUTH",
                "ALLOW_REFRESH_TOKEN_AUTH",
            ])),
            supported_identity_providers: owned(&["COGNITO"]),
            callback_urls: callback_urls(origin),
            logout_urls: logout_urls(origin),
            allowed_oauth_flows: owned(&["code"]),
            allowed_oauth_scopes: owned(&SCOPES),
            hosted: true,
            prevent_user_existence_errors: Some(UserExistenceErrors::Enabled),
            enable_token_revocation: Some(true),
            ..Self::default()
        }
    }

    /// After the portal has moved to another address: the old ones go.
    pub(super) fn move_portal(&mut self, old: &str, new: &str) {
        let of_old = |url: &String| url.strip_prefix(old).is_some_and(|rest| rest.starts_with('/'));
        self.callback_urls.retain(|url| !of_old(url));
        self.logout_urls.retain(|url| !of_old(url));
        self.callback_urls.extend(callback_urls(new));
        self.logout_urls.extend(logout_urls(new));
    }

    pub(super) fn flows(&self) -> Vec<&str> {
        match &self.explicit_auth_flows {
            Some(flows) if !flows.is_empty() => flows.iter().map(String::as_str).collect(),
            _ => DEFAULT_FLOWS.to_vec(),
        }
    }

    pub(super) fn allows(&self, flow: AuthFlow) -> bool {
        let flows = self.flows();
        match flow {
            AuthFlow::Password => flows
                .iter()
                .any(|flow| ["ALLOW_USER_PASSWORD_AUTH", "USER_PASSWORD_AUTH"].contains(flow)),
            // The older names (USER_PASSWORD_AUTH and so on) include the refresh, and have no name for it.
            AuthFlow::Refresh => flows
                .iter()
                .any(|flow| *flow == "ALLOW_REFRESH_TOKEN_AUTH" || !flow.starts_with("ALLOW_")),
        }
    }

    /// Whether a client may not learn that there is no account with an address.
    pub(super) fn hides_missing_users(&self) -> bool {
        self.prevent_user_existence_errors == Some(UserExistenceErrors::Enabled)
    }

    /// Every standard attribute where the client names none: Cognito's default, and a trap.
    pub(super) fn may_write(&self, attribute: &str) -> bool {
        match &self.write_attributes {
            Some(names) => names.iter().any(|name| name == attribute),
            None => attribute != "sub" && !attribute.ends_with("_verified"),
        }
    }

    pub(super) fn access_life(&self) -> SignedDuration {
        let unit = self.token_validity_units.access_token;
        life(self.access_token_validity, unit.unwrap_or(TimeUnit::Hours), HOUR)
    }

    pub(super) fn id_life(&self) -> SignedDuration {
        let unit = self.token_validity_units.id_token;
        life(self.id_token_validity, unit.unwrap_or(TimeUnit::Hours), HOUR)
    }

    pub(super) fn refresh_life(&self) -> SignedDuration {
        let unit = self.token_validity_units.refresh_token;
        let month = SignedDuration::from_hours(30 * 24);
        life(self.refresh_token_validity, unit.unwrap_or(TimeUnit::Days), month)
    }

    /// How long a challenge is valid.
    pub(super) fn challenge_minutes(&self) -> u64 {
        u64::from(self.auth_session_validity.unwrap_or(3))
    }

    /// Refuses what Cognito would not take, and what is not supported here.
    pub(super) fn check(&self, portal: &str) -> Result<(), PoolError> {
        self.check_urls(portal)?;
        if self.hosted && (self.allowed_oauth_flows.is_empty() || self.allowed_oauth_scopes.is_empty()) {
            return Err(PoolError::invalid(
                "AllowedOAuthFlows and AllowedOAuthScopes are required if user pool client is allowed to use OAuth flows.",
            ));
        }
        if let Some(provider) = self
            .supported_identity_providers
            .iter()
            .find(|name| *name != "COGNITO")
        {
            return Err(PoolError::not_supported(format!(
                "the identity provider {provider} is not supported by the sign-in of this stack: COGNITO is"
            )));
        }
        if self
            .auth_session_validity
            .is_some_and(|minutes| !(3..=15).contains(&minutes))
        {
            return Err(PoolError::invalid("AuthSessionValidity is from 3 to 15 minutes"));
        }
        self.check_flows()?;
        self.check_lives()
    }

    fn check_urls(&self, portal: &str) -> Result<(), PoolError> {
        let urls = self.callback_urls.iter().chain(&self.logout_urls);
        for url in urls.chain(&self.default_redirect_uri) {
            check_url(url, portal)?;
        }
        match &self.default_redirect_uri {
            Some(uri) if !self.callback_urls.contains(uri) => Err(PoolError::invalid(
                "DefaultRedirectURI is not among the CallbackURLs",
            )),
            _ => Ok(()),
        }
    }

    fn check_flows(&self) -> Result<(), PoolError> {
        const KNOWN: [&str; 9] = [
            "ALLOW_ADMIN_USER_PASSWORD_AUTH",
            "ALLOW_CUSTOM_AUTH",
            "ALLOW_USER_PASSWORD_AUTH",
            "ALLOW_USER_SRP_AUTH",
            "ALLOW_REFRESH_TOKEN_AUTH",
            "ALLOW_USER_AUTH",
            "ADMIN_NO_SRP_AUTH",
            "CUSTOM_AUTH_FLOW_ONLY",
            "USER_PASSWORD_AUTH",
        ];
        let flows = self.explicit_auth_flows.iter().flatten();
        let unknown = flows.into_iter().find(|flow| !KNOWN.contains(&flow.as_str()));
        match unknown {
            Some(flow) => Err(PoolError::invalid(format!(
                "{flow} is no value of ExplicitAuthFlows"
            ))),
            None => Ok(()),
        }
    }

    fn check_lives(&self) -> Result<(), PoolError> {
        let (shortest, day) = (SignedDuration::from_mins(5), SignedDuration::from_hours(24));
        let year = SignedDuration::from_hours(3650 * 24);
        for (name, life, shortest, longest) in [
            ("AccessTokenValidity", self.access_life(), shortest, day),
            ("IdTokenValidity", self.id_life(), shortest, day),
            (
                "RefreshTokenValidity",
                self.refresh_life(),
                SignedDuration::from_mins(60),
                year,
            ),
        ] {
            if life < shortest || life > longest {
                return Err(PoolError::invalid(format!(
                    "Invalid range for token validity: {name}"
                )));
            }
        }
        Ok(())
    }
}

fn callback_urls(origin: &str) -> Vec<String> {
    vec![format!("{origin}/oauth2/idpresponse")]
}

fn logout_urls(origin: &str) -> Vec<String> {
    vec![format!("{origin}/logout")]
}

const HOUR: SignedDuration = SignedDuration::from_hours(1);

fn life(amount: Option<i64>, unit: TimeUnit, default: SignedDuration) -> SignedDuration {
    let Some(amount) = amount.filter(|amount| (1..=315_360_000).contains(amount)) else {
        return default;
    };
    let seconds = match unit {
        TimeUnit::Seconds => 1,
        TimeUnit::Minutes => 60,
        TimeUnit::Hours => 3_600,
        TimeUnit::Days => 86_400,
    };
    SignedDuration::from_secs(amount.saturating_mul(seconds))
}

/// HTTPS, or any scheme on this machine. The portal of this stack may be served over HTTP.
fn check_url(url: &str, portal: &str) -> Result<(), PoolError> {
    let refused = |why: &str| Err(PoolError::invalid(format!("{url}: {why}")));
    if url.contains('#') || url.contains(char::is_whitespace) || url.len() > 1024 {
        return refused("a URL of at most 1024 characters, without a fragment or spaces, is expected");
    }
    let Some((scheme, rest)) = url.split_once("://") else {
        return refused("not an absolute URL");
    };
    let of_portal = url.strip_prefix(portal).is_some_and(|rest| rest.starts_with('/'));
    let host = rest.split(['/', ':', '?']).next().unwrap_or_default();
    let own_machine = ["localhost", "127.0.0.1"].contains(&host) || rest.starts_with("[::1]");
    match scheme {
        "http" if !own_machine && !of_portal => refused("HTTPS is required, except for localhost"),
        _ if rest.is_empty() => refused("names no host"),
        _ => Ok(()),
    }
}

impl Client {
    /// `SECRET_HASH`: HMAC-SHA256 over user name and client id, keyed with the secret.
    /// <https://docs.aws.amazon.com/cognito/latest/developerguide/signing-up-users-in-your-app.html#cognito-user-pools-computing-secret-hash>
    pub(super) fn check_secret_hash(&self, names: &[&str], given: Option<&str>) -> Result<(), PoolError> {
        let Some(given) = given else {
            let message = format!(
                "Client {} is configured with secret but SECRET_HASH was not received",
                self.id
            );
            return Err(PoolError::NotAuthorized(message));
        };
        let key = hmac::Key::new(hmac::HMAC_SHA256, self.secret.as_bytes());
        let fits = names.iter().any(|name| {
            let hash = hmac::sign(&key, format!("{name}{}", self.id).as_bytes());
            is_same_secret(&STANDARD.encode(hash), given)
        });
        if fits {
            Ok(())
        } else {
            let message = format!("Unable to verify secret hash for client {}", self.id);
            Err(PoolError::NotAuthorized(message))
        }
    }

    pub(super) fn has_secret(&self, given: Option<&str>) -> bool {
        given.is_some_and(|given| is_same_secret(&self.secret, given))
    }
}

/// Compares in constant time, so that the time does not show how much is right.
pub(super) fn is_same_secret(one: &str, other: &str) -> bool {
    constant_time::verify_slices_are_equal(one.as_bytes(), other.as_bytes()).is_ok()
}
