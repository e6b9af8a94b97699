//! What an OpenID Connect client asks for: read, held against what the client is set to, and answered only where the
//! client may be answered.

use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Redirect, Response};
use serde::Deserialize;

use crate::cognito::SignIn;
use crate::cognito::client::Client;
use crate::page::page;

#[derive(Clone, Debug, Deserialize)]
pub(super) struct Asked {
    pub(super) client_id: String,
    pub(super) redirect_uri: String,
    response_type: String,
    /// Separated by spaces; every one the client has, where none is named.
    #[serde(default)]
    pub(super) scope: String,
    state: Option<String>,
    pub(super) nonce: Option<String>,
    pub(super) code_challenge: Option<String>,
    code_challenge_method: Option<String>,
}

/// A request that cannot be sent back to whoever made it is answered with a page; any other goes back with an error.
pub(super) enum Refused {
    Page(&'static str),
    Back(String),
}

pub(super) const FOREIGN: Refused =
    Refused::Page("This form was sent from another site. Go back to the portal and sign in from there.");

impl SignIn {
    pub(super) fn asked(&self, query: Option<&str>) -> Result<Asked, Refused> {
        let mut asked: Asked = serde_urlencoded::from_str(query.unwrap_or_default()).map_err(|_| {
            Refused::Page(
                "The link to this page is incomplete. Go back to the portal and sign in from there.",
            )
        })?;
        let client = self.client(&asked.client_id).ok();
        let Some(client) =
            client.filter(|client| client.settings.callback_urls.contains(&asked.redirect_uri))
        else {
            return Err(Refused::Page(
                "The application that sent you here is not known here, or asked to be answered at an address it does not have.",
            ));
        };
        if asked.scope.is_empty() {
            asked.scope = client.settings.allowed_oauth_scopes.join(" ");
        }
        match refusal(&asked, &client) {
            Some(error) => Err(Refused::Back(back(&asked, &[("error", error)]))),
            None => Ok(asked),
        }
    }

    /// Another site's form could sign somebody in as somebody else, and collect their work under that name.
    pub(super) fn is_foreign(&self, headers: &HeaderMap) -> bool {
        headers
            .get(header::ORIGIN)
            .is_some_and(|origin| *origin != self.pool.web_origin.as_str())
    }
}

fn refusal(asked: &Asked, client: &Client) -> Option<&'static str> {
    let settings = &client.settings;
    let unknown = |scope: &str| !settings.allowed_oauth_scopes.iter().any(|known| known == scope);
    let plain_pkce = asked.code_challenge.is_some() && asked.code_challenge_method.as_deref() != Some("S256");
    match asked.response_type.as_str() {
        _ if !settings.hosted => Some("unauthorized_client"),
        "code" if !settings.allowed_oauth_flows.iter().any(|flow| flow == "code") => {
            Some("unauthorized_client")
        }
        "code" if plain_pkce => Some("invalid_request"),
        "code"
            if asked
                .scope
                .split(' ')
                .any(|scope| !scope.is_empty() && unknown(scope)) =>
        {
            Some("invalid_scope")
        }
        "code" => None,
        _ => Some("unsupported_response_type"),
    }
}

/// The redirect URI with these fields and the client's state.
pub(super) fn back(asked: &Asked, fields: &[(&str, &str)]) -> String {
    let state = asked.state.as_deref().map(|state| ("state", state));
    let fields: Vec<_> = fields.iter().copied().chain(state).collect();
    let joint = if asked.redirect_uri.contains('?') {
        '&'
    } else {
        '?'
    };
    format!(
        "{}{joint}{}",
        asked.redirect_uri,
        serde_urlencoded::to_string(fields).unwrap_or_default()
    )
}

impl IntoResponse for Refused {
    fn into_response(self) -> Response {
        match self {
            Self::Back(uri) => Redirect::to(&uri).into_response(),
            Self::Page(text) => {
                let main = format!("<div class=\"card\"><h1>This link does not work</h1><p>{text}</p></div>");
                page(StatusCode::BAD_REQUEST, "Sign in", &main)
            }
        }
    }
}
