//! Listening: addresses taken with an error that says what to do, servers that stop when told.

use std::net::SocketAddr;
use std::time::Duration;

use axum::Router;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::error::StackError;

/// Pages that listen for news keep their connection open; they are cut off after this.
const LAST_WORDS: Duration = Duration::from_secs(1);

pub(crate) struct Listening {
    pub(crate) listener: TcpListener,
    pub(crate) address: SocketAddr,
}

pub(crate) async fn listen(
    address: SocketAddr,
    purpose: &'static str,
    flag: &'static str,
) -> Result<Listening, StackError> {
    let failed = |reason| StackError::Listen {
        address,
        purpose,
        flag,
        reason,
    };
    let listener = TcpListener::bind(address).await.map_err(failed)?;
    let address = listener.local_addr().map_err(failed)?;
    Ok(Listening { listener, address })
}

pub(crate) fn serve(listening: Listening, router: Router, stop: CancellationToken) -> JoinHandle<()> {
    tokio::spawn(async move {
        let service = router.into_make_service_with_connect_info::<SocketAddr>();
        let told = stop.clone();
        let server = axum::serve(listening.listener, service).with_graceful_shutdown(told.cancelled_owned());
        let cut_off = async {
            stop.cancelled().await;
            tokio::time::sleep(LAST_WORDS).await;
        };
        tokio::select! {
            served = server => {
                if let Err(error) = served {
                    tracing::error!(%error, address = %listening.address, "a server stopped");
                }
            }
            () = cut_off => {}
        }
    })
}
