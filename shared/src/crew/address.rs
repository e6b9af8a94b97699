//! What an e-mail address may be: what mail systems in use deliver to, and Cognito takes as a user name.

/// AdminCreateUser: a user name has 1 to 128 characters.
const MAX: usize = 128;
/// RFC 5321, 4.5.3.1.1.
const MAX_LOCAL: usize = 64;

/// Why this is no address, or `None`. Quoted local parts, bare IP addresses and letters outside ASCII are refused:
/// Cognito's mail does not reach them.
pub(super) fn wrong(text: &str) -> Option<&'static str> {
    let Some((local, domain)) = text.rsplit_once('@') else {
        return Some("is not an e-mail address: it has no `@`");
    };
    if text.contains(['<', '>', '"']) {
        return Some("is more than an e-mail address: write the address alone, like `ana@example.org`");
    }
    if !text.is_ascii() {
        return Some("has letters that mail from Cognito does not reach: write the address in ASCII");
    }
    if text.len() > MAX || local.len() > MAX_LOCAL {
        return Some("is longer than an address can be: 128 characters, 64 of them before the `@`");
    }
    if !is_local(local) {
        return Some("is not an e-mail address: look at what is before the `@`");
    }
    if !is_domain(domain) {
        return Some("is not an e-mail address: look at what is behind the `@`");
    }
    None
}

/// Atoms with single dots between them (RFC 5322, 3.2.3).
fn is_local(local: &str) -> bool {
    let is_atom = |c: u8| c.is_ascii_alphanumeric() || b"!#$%&'*+-/=?^_`{|}~".contains(&c);
    local
        .split('.')
        .all(|atom| !atom.is_empty() && atom.bytes().all(is_atom))
}

pub(super) fn is_domain(domain: &str) -> bool {
    let is_label = |label: &str| {
        (1..=63).contains(&label.len())
            && label.bytes().all(|c| c.is_ascii_alphanumeric() || c == b'-')
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    let named = domain
        .rsplit('.')
        .next()
        .is_some_and(|top| top.len() >= 2 && !top.bytes().all(|c| c.is_ascii_digit()));
    domain.contains('.') && named && domain.split('.').all(is_label)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_in_use_are_taken() {
        for address in [
            "ana@example.org",
            "a.b+c@sub.example.co",
            "O'Neil_1@x-y.de",
            "x@xn--bcher-kva.example",
        ] {
            assert_eq!(wrong(address), None, "{address}");
        }
    }

    #[test]
    fn what_is_no_address_says_where_to_look() {
        let long = format!("{}@example.org", "x".repeat(65));
        for (address, part) in [
            ("ana", "no `@`"),
            ("Ana <ana@example.org>", "alone"),
            ("jörg@example.org", "ASCII"),
            ("@example.org", "before"),
            ("a b@example.org", "before"),
            ("a@b@example.org", "before"),
            ("a..b@example.org", "before"),
            ("ana@example", "behind"),
            ("ana@-x.org", "behind"),
            ("ana@127.0.0.1", "behind"),
            ("ana@example.org.", "behind"),
            ("ana@exam ple.org", "behind"),
            (&long, "longer"),
        ] {
            assert!(
                wrong(address).unwrap_or_default().contains(part),
                "{address}: {:?}",
                wrong(address)
            );
        }
    }
}
