//! What a browser keeps of a sign-in, and the code it is sent back to the client with.

use std::net::{IpAddr, SocketAddr};

use axum::Extension;
use axum::extract::ConnectInfo;
use axum::http::{HeaderValue, header};
use axum::response::{AppendHeaders, IntoResponse, Redirect, Response};
use axum_extra::extract::cookie::CookieJar;

use super::request::AuthorizeRequest;
use crate::cognito::error::PoolError;
use crate::cognito::grants::{Authentication, CodeGrant, SESSION_SECONDS, Session};
use crate::cognito::limits::client::Caller;
use crate::cognito::pool::Cognito;
use crate::cognito::store::record::User;
use crate::cognito::triggers::TriggerSource;

/// Names the session.
pub(super) const SESSION_COOKIE: &str = "groundcrew_sign_in";
/// Stays in a browser in which a person has signed in; [`Cognito::browser_mark`] is its value.
const KNOWN_COOKIE: &str = "groundcrew_known";
const KNOWN_SECONDS: u32 = 90 * 24 * 60 * 60;

/// Where a request comes from.
pub(super) type Peer = Option<Extension<ConnectInfo<SocketAddr>>>;

pub(super) fn client_address(peer: Peer) -> Option<IpAddr> {
    peer.map(|Extension(ConnectInfo(peer))| peer.ip())
}

pub(super) fn caller(peer: Peer, cookies: &CookieJar) -> Caller {
    Caller {
        address: client_address(peer),
        browser_mark: cookies.get(KNOWN_COOKIE).map(|cookie| cookie.value().to_owned()),
    }
}

impl Cognito {
    /// A session in this browser, and the way back to the client.
    pub(super) async fn sign_in_browser(
        &self,
        request: &AuthorizeRequest,
        user: User,
    ) -> Result<Response, PoolError> {
        let known = self.cookie(KNOWN_COOKIE, &self.browser_mark(&user), KNOWN_SECONDS);
        let session = Session {
            username: user.username,
            auth_time: self.pool.time.timestamp(),
        };
        let redirect = self.redirect_with_code(request, session.clone()).await?;
        let name = self.pool.grants.start_session(session, self.pool.time.instant());
        let cookie = self.cookie(SESSION_COOKIE, &name, SESSION_SECONDS);
        let cookies = [(header::SET_COOKIE, cookie), (header::SET_COOKIE, known)];
        Ok((AppendHeaders(cookies), redirect).into_response())
    }

    /// The trigger is called now, while there is a page that can show its refusal; the tokens for the code have what it
    /// answered.
    pub(super) async fn redirect_with_code(
        &self,
        request: &AuthorizeRequest,
        session: Session,
    ) -> Result<Redirect, PoolError> {
        let user = self.pool.store.view()?.find(&session.username)?;
        let user = user
            .filter(|user| user.is_signed_in_since(session.auth_time))
            .ok_or_else(|| PoolError::not_authorized("The sign-in has ended."))?;
        // Cognito's tables contradict each other here; the one about managed login names this source.
        let identity = self
            .identify(user, TriggerSource::SignIn, &request.client_id, None)
            .await?;
        let grant = CodeGrant {
            identity,
            client_id: request.client_id.clone(),
            redirect_uri: request.redirect_uri.clone(),
            code_challenge: request.code_challenge.clone(),
            authentication: Authentication {
                auth_time: session.auth_time,
                scope: request.scope.clone(),
                nonce: request.nonce.clone(),
            },
        };
        let code = self.pool.grants.issue_code(grant, self.pool.time.instant());
        Ok(Redirect::to(&request.redirect_with(&[("code", &code)])))
    }

    pub(super) fn cookie(&self, name: &str, value: &str, seconds: u32) -> HeaderValue {
        let secure = if self.pool.web_origin.starts_with("https://") {
            "; Secure"
        } else {
            ""
        };
        let text =
            format!("{name}={value}; Path=/cognito; HttpOnly; SameSite=Lax; Max-Age={seconds}{secure}");
        HeaderValue::from_str(&text).unwrap_or(HeaderValue::from_static(""))
    }
}
