//! The one workforce as this engine last saw it: read again every few seconds, and at once when it is changed here.

use std::sync::{Arc, PoisonError, RwLock};

use crate::network::Network;
use crate::state::WorkforceRecord;

/// Cheap to clone; all clones see the same.
#[derive(Clone, Default)]
pub(crate) struct CurrentWorkforce(Arc<RwLock<Seen>>);

#[derive(Clone, Default)]
enum Seen {
    /// There is no workforce yet.
    #[default]
    Nothing,
    Workforce(Arc<WorkforceRecord>),
    /// There is one, and nobody knows what it says.
    Unreadable,
}

/// Who may come to the portal.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Admission {
    Anyone,
    From(Vec<Network>),
    /// Which networks are meant is not known. To admit everyone would be to open what an operator has closed.
    Nobody,
}

impl CurrentWorkforce {
    pub(crate) fn get(&self) -> Option<Arc<WorkforceRecord>> {
        match self.seen() {
            Seen::Workforce(workforce) => Some(workforce),
            Seen::Nothing | Seen::Unreadable => None,
        }
    }

    pub(crate) fn is_unreadable(&self) -> bool {
        matches!(self.seen(), Seen::Unreadable)
    }

    pub(crate) fn set(&self, workforce: Option<WorkforceRecord>) {
        self.see(workforce.map_or(Seen::Nothing, |workforce| Seen::Workforce(Arc::new(workforce))));
    }

    pub(crate) fn set_unreadable(&self) {
        self.see(Seen::Unreadable);
    }

    pub(crate) fn admission(&self) -> Admission {
        match self.seen() {
            Seen::Nothing => Admission::Anyone,
            Seen::Unreadable => Admission::Nobody,
            Seen::Workforce(workforce) => admission(&workforce),
        }
    }

    fn seen(&self) -> Seen {
        self.0.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn see(&self, seen: Seen) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = seen;
    }
}

/// A network that cannot be read has nobody inside, and makes the others no wider.
fn admission(workforce: &WorkforceRecord) -> Admission {
    match workforce.cidrs() {
        Err(()) => Admission::Nobody,
        Ok(cidrs) if cidrs.is_empty() => Admission::Anyone,
        Ok(cidrs) => Admission::From(
            cidrs
                .iter()
                .filter_map(|cidr| Network::parse(cidr).ok())
                .collect(),
        ),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn admitted(config: &Value) -> Admission {
        let record = json!({
            "name": "default", "arn": "arn", "config": config, "created": "2026-01-01T00:00:00Z",
            "updated": "2026-01-01T00:00:00Z", "tags": []
        });
        admission(&serde_json::from_value(record).unwrap())
    }

    #[test]
    fn networks_that_cannot_be_read_admit_nobody() {
        let network = Network::parse("203.0.113.0/24").unwrap();
        for (config, expected) in [
            (json!({}), Admission::Anyone),
            (json!({"SourceIpConfig": {"Cidrs": []}}), Admission::Anyone),
            (
                json!({"SourceIpConfig": {"Cidrs": ["203.0.113.0/24"]}}),
                Admission::From(vec![network]),
            ),
            (
                json!({"SourceIpConfig": {"Cidrs": ["203.0.113.0/99"]}}),
                Admission::From(Vec::new()),
            ),
            (json!({"SourceIpConfig": {}}), Admission::Nobody),
            (json!({"SourceIpConfig": null}), Admission::Nobody),
            (json!({"SourceIpConfig": "203.0.113.0/24"}), Admission::Nobody),
            (
                json!({"SourceIpConfig": {"Cidrs": "203.0.113.0/24"}}),
                Admission::Nobody,
            ),
            (json!({"SourceIpConfig": {"Cidrs": [7]}}), Admission::Nobody),
            (json!("damaged"), Admission::Nobody),
        ] {
            assert_eq!(admitted(&config), expected, "{config}");
        }
    }
}
