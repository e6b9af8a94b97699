//! The domains people may be invited at: an operator's bound on what a team file can ask for.

use super::address;

/// Which e-mail domains may be in teams.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AllowedDomains(Vec<Pattern>);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Pattern {
    /// `example.org`: this domain, and none below it.
    Exact(String),
    /// `*.example.org`: every domain below it, and not itself.
    Below(String),
}

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{0}` is no domain: write `example.org`, or `*.example.org` for the domains below it, in ASCII (`xn--…` where it \
     has other letters)"
)]
pub struct DomainError(String);

impl AllowedDomains {
    /// Domains apart by commas or spaces; none: all are allowed.
    pub fn parse(text: &str) -> Result<Self, DomainError> {
        let entries = text
            .split([',', ' ', '\n', '\t'])
            .filter(|entry| !entry.is_empty());
        entries.map(pattern).collect::<Result<_, _>>().map(Self)
    }

    /// Whether this address may be invited. Capital and small letters are the same.
    pub fn allows(&self, email: &str) -> bool {
        let domain = email.trim().rsplit_once('@').map(|(_, domain)| domain);
        let domain = domain.unwrap_or_default().to_ascii_lowercase();
        self.0.is_empty() || self.0.iter().any(|pattern| pattern.fits(&domain))
    }

    /// As an operator wrote them.
    pub fn to_list(&self) -> String {
        let entries = self.0.iter().map(|pattern| match pattern {
            Pattern::Exact(domain) => domain.clone(),
            Pattern::Below(domain) => format!("*.{domain}"),
        });
        entries.collect::<Vec<_>>().join(", ")
    }
}

fn pattern(entry: &str) -> Result<Pattern, DomainError> {
    let lower = entry.to_ascii_lowercase();
    let (below, domain) = match lower.strip_prefix("*.") {
        Some(domain) => (true, domain),
        None => (false, lower.as_str()),
    };
    if !address::is_domain(domain) {
        return Err(DomainError(entry.escape_debug().to_string()));
    }
    let domain = domain.to_owned();
    Ok(if below {
        Pattern::Below(domain)
    } else {
        Pattern::Exact(domain)
    })
}

impl Pattern {
    fn fits(&self, domain: &str) -> bool {
        match self {
            Self::Exact(exact) => domain == exact,
            Self::Below(above) => domain
                .strip_suffix(above.as_str())
                .is_some_and(|rest| rest.len() > 1 && rest.ends_with('.')),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_listed_domains_are_allowed_and_no_subdomain_unless_it_is_said() {
        for (domains, email, allowed) in [
            ("", "ana@anywhere.example", true),
            ("example.org", "ana@example.org", true),
            ("Example.ORG", "ANA@EXAMPLE.org", true),
            ("example.org", "ana@sub.example.org", false),
            ("example.org", "ana@notexample.org", false),
            ("example.org", "ana@example.org.evil.test", false),
            ("*.example.org", "ana@sub.example.org", true),
            ("*.example.org", "ana@a.b.example.org", true),
            ("*.example.org", "ana@example.org", false),
            ("*.example.org", "ana@notexample.org", false),
            ("example.org, *.example.org", "ana@example.org", true),
            ("lab.test example.org", "ana@example.org", true),
            ("xn--bcher-kva.example", "ana@XN--BCHER-KVA.example", true),
            ("example.org", "example.org@evil.test", false),
            ("example.org", "\"a@example.org\"@evil.test", false),
            ("example.org", "ana", false),
        ] {
            let parsed = AllowedDomains::parse(domains).unwrap();
            assert_eq!(parsed.allows(email), allowed, "{domains}: {email}");
        }
    }

    #[test]
    fn what_is_no_domain_is_refused_and_allows_nothing_by_accident() {
        for wrong in [
            "*",
            "*.*",
            "@example.org",
            "org",
            "example.org.",
            "bücher.example",
            ".example.org",
            "*example.org",
        ] {
            let error = AllowedDomains::parse(wrong).unwrap_err().to_string();
            assert!(error.contains("is no domain"), "{wrong}: {error}");
        }
    }

    #[test]
    fn they_are_listed_as_they_were_written() {
        let domains = AllowedDomains::parse("example.org,*.Lab.test").unwrap();
        assert_eq!(domains.to_list(), "example.org, *.lab.test");
    }
}
