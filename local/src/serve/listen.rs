//! Taking the addresses the ports listen on, with an error that names the flag to change where one is taken.

use std::net::SocketAddr;

use tokio::net::TcpListener;

use super::long_head::LongHeadBody;
use crate::client_address::TrustedProxies;
use crate::error::StackError;

pub(crate) struct BoundListener {
    pub(super) listener: TcpListener,
    pub(crate) address: SocketAddr,
    /// Their connections are not counted as those of one client.
    pub(super) proxies: TrustedProxies,
    pub(super) long_head: LongHeadBody,
}

pub(crate) async fn listen(
    address: SocketAddr,
    purpose: &'static str,
    flag: &'static str,
) -> Result<BoundListener, StackError> {
    let failed = |reason| StackError::Listen {
        address,
        purpose,
        flag,
        reason,
    };
    let listener = TcpListener::bind(address).await.map_err(failed)?;
    let address = listener.local_addr().map_err(failed)?;
    Ok(BoundListener {
        listener,
        address,
        proxies: TrustedProxies::default(),
        long_head: LongHeadBody::Text,
    })
}

/// The AWS port and the web port. Where both are taken, the error names both, so that both are changed at once.
pub(crate) async fn listen_on_both(
    aws: SocketAddr,
    web: SocketAddr,
    proxies: &TrustedProxies,
) -> Result<(BoundListener, BoundListener), StackError> {
    let listening = (
        listen(aws, "the AWS endpoint", "--aws").await,
        listen(web, "the portal and the console", "--web").await,
    );
    match listening {
        (Ok(mut aws), Ok(mut web)) => {
            aws.long_head = LongHeadBody::Xml;
            web.proxies = proxies.clone();
            Ok((aws, web))
        }
        (Err(_), Err(StackError::Listen { reason, .. })) => Err(StackError::ListenBoth {
            aws,
            web,
            reason,
            free: (free_address_after(aws).await, free_address_after(web).await),
        }),
        (Err(reason), _) | (_, Err(reason)) => Err(reason),
    }
}

/// The next address that no process listens on; port 0, which takes any, if there is none near.
async fn free_address_after(address: SocketAddr) -> SocketAddr {
    for port in (1..=20).filter_map(|more| address.port().checked_add(more)) {
        let next = SocketAddr::new(address.ip(), port);
        if TcpListener::bind(next).await.is_ok() {
            return next;
        }
    }
    SocketAddr::new(address.ip(), 0)
}
