//! What every page and call of the portal needs.

use std::sync::Arc;

use axum::extract::FromRef;
use axum_extra::extract::cookie::Key;
use tokio_util::sync::CancellationToken;

use super::headers;
use super::sessions::Sessions;
use crate::config::Config;
use crate::core::Core;
use crate::desk::Desk;
use crate::sign_in::SignInClient;
use crate::workforce::CurrentWorkforce;

/// Cheap to clone.
#[derive(Clone)]
pub(crate) struct PortalState(Arc<Parts>);

pub(crate) struct Parts {
    pub(super) desk: Arc<dyn Desk>,
    pub(super) sign_in: Arc<SignInClient>,
    pub(super) sessions: Sessions,
    pub(super) workforce: CurrentWorkforce,
    pub(super) trusted_proxies: usize,
    pub(super) portal_url: String,
    /// The content security policy of a task's page.
    pub(super) frame_policy: String,
    key: Key,
}

impl PortalState {
    /// Cookies are encrypted with `session_key`: random bytes, the same at every start.
    pub(crate) fn new(
        config: &Config,
        core: &Core,
        desk: Arc<dyn Desk>,
        session_key: &[u8; 64],
    ) -> PortalState {
        let sign_in = Arc::new(SignInClient::new(config, core.workforce.clone()));
        PortalState(Arc::new(Parts {
            desk,
            sessions: Sessions::new(core.documents.clone(), core.clock.clone(), sign_in.clone()),
            sign_in,
            key: Key::from(session_key),
            workforce: core.workforce.clone(),
            trusted_proxies: config.trusted_proxies,
            portal_url: config.portal_url.clone(),
            frame_policy: headers::frame_policy(&config.portal_url, &config.s3_public_origin),
        }))
    }

    /// Deletes expired sessions until the engine stops.
    pub(crate) fn run_session_sweep(&self, stop: CancellationToken) -> impl Future<Output = ()> + use<> {
        // Not the portal itself: it would keep the engine alive.
        self.sessions.clone().run_sweep(stop)
    }

    pub(super) fn is_https(&self) -> bool {
        self.portal_url.starts_with("https://")
    }
}

impl std::ops::Deref for PortalState {
    type Target = Parts;

    fn deref(&self) -> &Parts {
        &self.0
    }
}

impl FromRef<PortalState> for Key {
    fn from_ref(state: &PortalState) -> Key {
        state.key.clone()
    }
}
