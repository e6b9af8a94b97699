//! A warning where passwords and answers would be sent unencrypted.

use std::net::IpAddr;

const WARNING: &str = "  \
Others reach the portal unencrypted: passwords and answers can be read on the way.
  Listen on loopback behind a proxy with TLS, and name its address:
    --web 127.0.0.1:8080 --public-url https://crew.example.com --trusted-proxies 127.0.0.1/32
  docs/SECURITY.md, \"Behind a proxy\", has the proxy's configuration.

";

/// Where the portal listens for other machines and `--public-url` does not say that they connect through TLS.
pub(super) fn warning(web: IpAddr, public_url: Option<&str>) -> Option<String> {
    let encrypted = public_url.is_some_and(|url| url.starts_with("https://"));
    (!web.to_canonical().is_loopback() && !encrypted).then(|| WARNING.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_portal_that_others_reach_without_tls_gets_a_warning() {
        let (plain, https) = (Some("http://192.168.1.5:8080"), Some("https://crew.example.com"));
        for (web, public_url, warned) in [
            ("127.0.0.1", None, false),
            ("::1", None, false),
            ("::ffff:127.0.0.1", None, false),
            ("127.0.0.1", plain, false),
            ("127.0.0.1", https, false),
            ("0.0.0.0", None, true),
            ("::", None, true),
            ("192.168.1.5", None, true),
            ("0.0.0.0", plain, true),
            ("0.0.0.0", https, false),
        ] {
            let text = warning(web.parse().unwrap(), public_url);
            assert_eq!(text.is_some(), warned, "{web} {public_url:?}");
        }
    }
}
