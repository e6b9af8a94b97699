//! Who works: a signed-in person, and the kind of identity provider that vouches for them.

use serde::{Deserialize, Serialize};

/// A signed-in person.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Worker {
    /// `private.<region>.<hash>`: the id in the output.
    pub(crate) id: String,
    /// The identity provider's id of the person.
    pub(crate) sub: String,
    /// The identity provider.
    pub(crate) issuer: String,
    pub(crate) provider: IdentityProvider,
    /// Shown to the person. Never logged; stored only in the person's own sealed session.
    pub(crate) name: String,
    /// The user groups the identity provider vouches for. A work team names the groups of its members.
    pub(crate) groups: Vec<String>,
}

/// The two kinds of private workforce. Groups of one kind are never groups of the other, even if they have the same name.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum IdentityProvider {
    #[default]
    Cognito,
    /// Any OpenID Connect provider, named by the workforce itself.
    Oidc,
}

impl IdentityProvider {
    /// `identityProviderType` in worker responses.
    pub(crate) fn name(self) -> &'static str {
        match self {
            IdentityProvider::Cognito => "Cognito",
            IdentityProvider::Oidc => "Oidc",
        }
    }
}
