//! Sign-in on one machine, standing in for a Cognito user pool: people and groups, the hosted sign-in as an OpenID
//! Connect provider, and the part of Cognito's API that manages people. Invitations, temporary passwords and forgotten
//! ones are not here yet; the operations around them are refused by name.

mod api;
mod grants;
mod guessing;
mod hosted;
mod keys;
mod passwords;
#[cfg(test)]
mod tests;
mod token;
mod users;

use std::path::Path;
use std::sync::Arc;

use axum::Router;

use crate::data_dir::DataDir;
use crate::error::StackError;
use grants::Grants;
use guessing::Guessing;
use keys::SigningKey;
pub(crate) use passwords::random_secret;
pub(crate) use users::UserError;
use users::Users;

/// The one pool. Its id has the shape of Cognito's: region, underscore, letters and digits.
pub(crate) const POOL_ID: &str = "us-east-1_Groundcrew";
pub(crate) const CLIENT_ID: &str = "groundcrewportal";

/// How long a sign-in is remembered, and how long tokens are good: Cognito's hour.
const SESSION_SECONDS: i64 = 3600;

/// The pool, its one app client, and what is under way. Cheap to clone.
#[derive(Clone)]
pub(crate) struct SignIn {
    pool: Arc<Pool>,
}

struct Pool {
    /// `<web origin>/cognito/<pool id>`
    issuer: String,
    web_origin: String,
    client_secret: String,
    users: Users,
    key: SigningKey,
    grants: Grants,
    guessing: Guessing,
}

impl SignIn {
    pub(crate) fn open(data: &DataDir, web_origin: &str) -> Result<Self, StackError> {
        let pool = Pool {
            issuer: format!("{web_origin}/cognito/{POOL_ID}"),
            web_origin: web_origin.to_owned(),
            client_secret: data.kept("sign-in-client.json", random_secret)?,
            users: Users::open(&data.path("users.json"))?,
            key: SigningKey::open(data)?,
            grants: Grants::default(),
            guessing: Guessing::default(),
        };
        Ok(Self { pool: Arc::new(pool) })
    }

    pub(crate) fn issuer(&self) -> &str {
        &self.pool.issuer
    }

    pub(crate) fn client_secret(&self) -> &str {
        &self.pool.client_secret
    }

    /// The hosted sign-in, on the web port.
    pub(crate) fn hosted(&self) -> Router {
        hosted::router(self.clone())
    }

    /// `AWSCognitoIdentityProviderService.*`, without authentication: the caller wraps it.
    pub(crate) fn api(&self) -> Router {
        api::router(self.clone())
    }

    /// A person with a password of their own, in these groups; what is there already is brought in line.
    pub(crate) async fn ensure_worker(
        &self,
        email: &str,
        password: &str,
        groups: &[&str],
    ) -> Result<(), UserError> {
        let hash = passwords::hash(password).await?;
        for group in groups {
            self.ensure_group(group)?;
        }
        let user = match self.pool.users.create(email) {
            Ok(user) => user,
            Err(UserError::UserExists) => self.pool.users.find(email).ok_or(UserError::NoSuchUser)?,
            Err(error) => return Err(error),
        };
        self.pool.users.set_password(&user.username, hash)?;
        for group in groups {
            self.pool.users.add_to_group(&user.username, group)?;
        }
        Ok(())
    }
}

impl SignIn {
    pub(crate) fn knows(&self, email: &str) -> bool {
        self.pool.users.find(email).is_some()
    }

    pub(crate) fn ensure_group(&self, name: &str) -> Result<(), UserError> {
        match self.pool.users.create_group(name, None) {
            Ok(_) | Err(UserError::GroupExists) => Ok(()),
            Err(error) => Err(error),
        }
    }
}

/// A password that can be read aloud: four words and a number, about fifty bits.
pub(crate) fn readable_password() -> String {
    passwords::readable()
}

fn read_users(path: &Path) -> Result<Option<users::People>, StackError> {
    crate::data_dir::read_json(path)
}
