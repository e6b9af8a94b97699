//! One port for everything with a page: sign-in, outbox, console, and the portal at the root.

use std::sync::{Arc, OnceLock};

use axum::Router;
use axum::extract::{Request, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::middleware;
use axum::response::{IntoResponse, Response};
use tower::ServiceExt;

use crate::client_address::find_client;
use crate::cognito::Cognito;
use crate::page;
use crate::web_guard::{WebGuard, check_host};

/// Serves sign-in from the beginning, since the engine may ask it for its keys; the pages once they are there.
#[derive(Clone, Default)]
pub(crate) struct WebPort {
    pages: Arc<OnceLock<Router>>,
}

impl WebPort {
    /// The portal answers all addresses that no other page has.
    pub(crate) fn open(&self, portal: Router, extra: Router) {
        let _set_once = self.pages.set(extra.fallback_service(portal));
    }

    pub(crate) fn router(&self, sign_in: &Cognito, guard: WebGuard) -> Router {
        let router = Router::new()
            .merge(page::assets())
            .merge(sign_in.hosted_ui())
            .fallback_service(Router::new().fallback(pages).with_state(self.clone()));
        with_guard(router, guard)
    }
}

/// A request passes the layers from the last to the first: the https header, the client's address, the host name.
fn with_guard(router: Router, guard: WebGuard) -> Router {
    router
        .layer(middleware::from_fn_with_state(guard.clone(), check_host))
        .layer(middleware::from_fn_with_state(guard.proxies(), find_client))
        .layer(middleware::map_response_with_state(guard, require_https))
}

/// A year: what browsers' lists of such sites ask for. <https://hstspreload.org/>
const A_YEAR: HeaderValue = HeaderValue::from_static("max-age=31536000");

/// Where the public address is https, a browser that was there once never asks for it over http again.
async fn require_https(State(guard): State<WebGuard>, mut response: Response) -> Response {
    if guard.is_https() {
        response
            .headers_mut()
            .insert(header::STRICT_TRANSPORT_SECURITY, A_YEAR);
    }
    response
}

async fn pages(State(port): State<WebPort>, request: Request) -> Response {
    let Some(pages) = port.pages.get() else {
        return (
            StatusCode::SERVICE_UNAVAILABLE,
            [(header::RETRY_AFTER, "1")],
            "Groundcrew is starting. Try again in a moment.\n",
        )
            .into_response();
    };
    match pages.clone().oneshot(request).await {
        Ok(response) => response,
        Err(never) => match never {},
    }
}

#[cfg(test)]
mod tests {
    use std::net::SocketAddr;

    use axum::body::Body;
    use axum::extract::ConnectInfo;
    use axum::routing;

    use super::*;
    use crate::web_guard::LocalAddress;

    async fn ask(public_url: &str, host: &str) -> (StatusCode, Option<HeaderValue>, String) {
        let here = LocalAddress::of(SocketAddr::from(([127, 0, 0, 1], 8080)));
        let guard = WebGuard::new(public_url, here).behind(&"127.0.0.1/32".parse().unwrap());
        let peer = |ConnectInfo(peer): ConnectInfo<SocketAddr>| async move { peer.ip().to_string() };
        let router = with_guard(Router::new().route("/", routing::get(peer)), guard);
        let mut request = Request::get("/")
            .header("host", host)
            .header("x-forwarded-for", "198.51.100.1, 203.0.113.5")
            .body(Body::empty())
            .unwrap();
        let proxy = SocketAddr::from(([127, 0, 0, 1], 50_000));
        request.extensions_mut().insert(ConnectInfo(proxy));
        let response = router.oneshot(request).await.unwrap();
        let (head, body) = response.into_parts();
        let body = axum::body::to_bytes(body, 1000).await.unwrap();
        let stays = head.headers.get(header::STRICT_TRANSPORT_SECURITY).cloned();
        (head.status, stays, String::from_utf8(body.to_vec()).unwrap())
    }

    #[tokio::test]
    async fn every_answer_of_an_https_address_requires_https() {
        for (public_url, host, status, stays) in [
            (
                "https://crew.example.com",
                "crew.example.com",
                StatusCode::OK,
                true,
            ),
            (
                "https://crew.example.com",
                "other.example.com",
                StatusCode::MISDIRECTED_REQUEST,
                true,
            ),
            (
                "http://crew.example.com",
                "crew.example.com",
                StatusCode::OK,
                false,
            ),
        ] {
            let (got, header, body) = ask(public_url, host).await;
            assert_eq!(
                (got, header),
                (status, stays.then_some(A_YEAR)),
                "{public_url} {host}"
            );
            assert_eq!(body == "203.0.113.5", status == StatusCode::OK, "{body}");
        }
    }
}
