//! The authorization request of an OpenID Connect client, which every page carries in its address: read, checked against
//! the client's settings, and answered only at an address the client has.

use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Redirect, Response};
use serde::Deserialize;

use crate::cognito::client::Client;
use crate::cognito::pool::{Cognito, POOL_ID};
use crate::page::page;

#[derive(Clone, Debug, Deserialize)]
pub(super) struct AuthorizeRequest {
    pub(super) client_id: String,
    pub(super) redirect_uri: String,
    response_type: String,
    /// Separated by spaces; all the client has, where it names none.
    #[serde(default)]
    pub(super) scope: String,
    state: Option<String>,
    pub(super) nonce: Option<String>,
    pub(super) code_challenge: Option<String>,
    code_challenge_method: Option<String>,
}

/// A request that cannot be answered to the client gets a page; any other goes back to it with an error.
pub(super) enum RequestError {
    Page(&'static str),
    Redirect(String),
}

const INCOMPLETE: &str = "The link to this page is incomplete. Go back to the portal and sign in from there.";
const UNKNOWN_CLIENT: &str = "The application that sent you here is unknown, or the address it wants you sent back to is not one of its own.";
const CROSS_SITE: &str =
    "This form was sent from another site. Go back to the portal and sign in from there.";

impl Cognito {
    pub(super) fn authorize_request(&self, query: Option<&str>) -> Result<AuthorizeRequest, RequestError> {
        let mut request: AuthorizeRequest = serde_urlencoded::from_str(query.unwrap_or_default())
            .map_err(|_| RequestError::Page(INCOMPLETE))?;
        let client = self
            .client(&request.client_id)
            .ok()
            .filter(|client| client.settings.callback_urls.contains(&request.redirect_uri))
            .ok_or(RequestError::Page(UNKNOWN_CLIENT))?;
        if request.scope.is_empty() {
            request.scope = client.settings.allowed_oauth_scopes.join(" ");
        }
        match request.error(&client) {
            Some(error) => Err(RequestError::Redirect(request.redirect_with(&[("error", error)]))),
            None => Ok(request),
        }
    }

    /// The same for a form that was sent. One from another site is refused: it could sign a person in as another, and
    /// collect their work under that name.
    pub(super) fn form_request(
        &self,
        query: Option<&str>,
        headers: &HeaderMap,
    ) -> Result<AuthorizeRequest, RequestError> {
        let request = self.authorize_request(query)?;
        let origin = headers.get(header::ORIGIN);
        match origin {
            Some(origin) if *origin != self.pool.web_origin.as_str() => Err(RequestError::Page(CROSS_SITE)),
            _ => Ok(request),
        }
    }
}

impl AuthorizeRequest {
    /// OAuth's name for what is wrong.
    fn error(&self, client: &Client) -> Option<&'static str> {
        let settings = &client.settings;
        let has_code_flow = settings.allowed_oauth_flows.iter().any(|flow| flow == "code");
        let is_plain_pkce =
            self.code_challenge.is_some() && self.code_challenge_method.as_deref() != Some("S256");
        let mut scopes = self.scope.split(' ').filter(|scope| !scope.is_empty());
        let allowed = |scope: &str| {
            settings
                .allowed_oauth_scopes
                .iter()
                .any(|allowed| allowed == scope)
        };
        if !settings.hosted {
            Some("unauthorized_client")
        } else if self.response_type != "code" {
            Some("unsupported_response_type")
        } else if !has_code_flow {
            Some("unauthorized_client")
        } else if is_plain_pkce {
            Some("invalid_request")
        } else if !scopes.all(allowed) {
            Some("invalid_scope")
        } else {
            None
        }
    }

    /// The redirect URI with these fields and the client's state.
    pub(super) fn redirect_with(&self, fields: &[(&str, &str)]) -> String {
        let state = self.state.as_deref().map(|state| ("state", state));
        let fields: Vec<_> = fields.iter().copied().chain(state).collect();
        let joint = if self.redirect_uri.contains('?') { '&' } else { '?' };
        let fields = serde_urlencoded::to_string(fields).unwrap_or_default();
        format!("{}{joint}{fields}", self.redirect_uri)
    }
}

/// The address of one of the hosted pages, with the client's request.
pub(super) fn page_path(page: &str, query: Option<&str>) -> String {
    format!("/cognito/{POOL_ID}/{page}?{}", query.unwrap_or_default())
}

impl IntoResponse for RequestError {
    fn into_response(self) -> Response {
        match self {
            Self::Redirect(uri) => Redirect::to(&uri).into_response(),
            Self::Page(text) => {
                let main = format!("<div class=\"card\"><h1>This link does not work</h1><p>{text}</p></div>");
                page(StatusCode::BAD_REQUEST, "Sign in", &main)
            }
        }
    }
}
