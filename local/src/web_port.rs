//! One port for everything with a page: sign-in, outbox, console, and the portal at the root.

use std::sync::{Arc, OnceLock};

use axum::Router;
use axum::extract::{Request, State};
use axum::http::{StatusCode, header};
use axum::middleware;
use axum::response::{IntoResponse, Response};
use tower::ServiceExt;

use crate::cognito::SignIn;
use crate::page;
use crate::web_guard::{WebGuard, check_host};

/// Serves sign-in from the beginning, since the engine may ask it for its keys; the pages once they are there.
#[derive(Clone, Default)]
pub(crate) struct WebPort {
    pages: Arc<OnceLock<Router>>,
}

impl WebPort {
    /// The portal answers whatever nobody else does.
    pub(crate) fn open(&self, portal: Router, extra: Router) {
        let _set_once = self.pages.set(extra.fallback_service(portal));
    }

    pub(crate) fn router(&self, sign_in: &SignIn, outbox: Router, guard: WebGuard) -> Router {
        Router::new()
            .merge(page::style())
            .merge(sign_in.hosted())
            .merge(outbox)
            .fallback_service(Router::new().fallback(pages).with_state(self.clone()))
            .layer(middleware::from_fn_with_state(guard, check_host))
    }
}

async fn pages(State(port): State<WebPort>, request: Request) -> Response {
    let Some(pages) = port.pages.get() else {
        return (
            StatusCode::SERVICE_UNAVAILABLE,
            [(header::RETRY_AFTER, "1")],
            "Starting; try again in a moment.\n",
        )
            .into_response();
    };
    match pages.clone().oneshot(request).await {
        Ok(response) => response,
        Err(never) => match never {},
    }
}
