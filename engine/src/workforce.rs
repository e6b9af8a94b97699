//! The one workforce as this engine last read it: read again every few seconds, and at once when it is changed here.

use std::sync::{Arc, Mutex};

use ipnet::IpNet;

use crate::lock::lock;
use crate::state::WorkforceRecord;

/// Cheap to clone; all clones share one value.
#[derive(Clone, Default)]
pub(crate) struct CurrentWorkforce(Arc<Mutex<WorkforceView>>);

#[derive(Clone, Default)]
enum WorkforceView {
    #[default]
    NoWorkforce,
    Workforce(Arc<WorkforceRecord>),
    /// There is a workforce, but its document cannot be read.
    Unreadable,
}

/// Who may open the portal.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Admission {
    Anyone,
    From(Vec<IpNet>),
    /// The networks cannot be read. To admit everyone would open what an operator has closed.
    NoOne,
}

impl CurrentWorkforce {
    pub(crate) fn get(&self) -> Option<Arc<WorkforceRecord>> {
        match self.view() {
            WorkforceView::Workforce(workforce) => Some(workforce),
            WorkforceView::NoWorkforce | WorkforceView::Unreadable => None,
        }
    }

    pub(crate) fn is_unreadable(&self) -> bool {
        matches!(self.view(), WorkforceView::Unreadable)
    }

    pub(crate) fn set(&self, workforce: Option<WorkforceRecord>) {
        self.set_view(workforce.map_or(WorkforceView::NoWorkforce, |workforce| {
            WorkforceView::Workforce(Arc::new(workforce))
        }));
    }

    pub(crate) fn set_unreadable(&self) {
        self.set_view(WorkforceView::Unreadable);
    }

    pub(crate) fn admission(&self) -> Admission {
        match self.view() {
            WorkforceView::NoWorkforce => Admission::Anyone,
            WorkforceView::Unreadable => Admission::NoOne,
            WorkforceView::Workforce(workforce) => admission(&workforce),
        }
    }

    fn view(&self) -> WorkforceView {
        lock(&self.0).clone()
    }

    fn set_view(&self, view: WorkforceView) {
        *lock(&self.0) = view;
    }
}

/// A network that cannot be read admits no one, and does not make the others wider.
fn admission(workforce: &WorkforceRecord) -> Admission {
    match workforce.cidrs() {
        Err(()) => Admission::NoOne,
        Ok(cidrs) if cidrs.is_empty() => Admission::Anyone,
        Ok(cidrs) => Admission::From(cidrs.iter().filter_map(|cidr| cidr.parse().ok()).collect()),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn admission_of(config: &Value) -> Admission {
        let record = json!({
            "name": "default", "arn": "arn", "config": config, "created": "2026-01-01T00:00:00Z",
            "updated": "2026-01-01T00:00:00Z", "tags": []
        });
        admission(&serde_json::from_value(record).unwrap())
    }

    #[test]
    fn networks_that_cannot_be_read_admit_no_one() {
        let network: IpNet = "203.0.113.0/24".parse().unwrap();
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
            (json!({"SourceIpConfig": {}}), Admission::NoOne),
            (json!({"SourceIpConfig": null}), Admission::NoOne),
            (json!({"SourceIpConfig": "203.0.113.0/24"}), Admission::NoOne),
            (
                json!({"SourceIpConfig": {"Cidrs": "203.0.113.0/24"}}),
                Admission::NoOne,
            ),
            (json!({"SourceIpConfig": {"Cidrs": [7]}}), Admission::NoOne),
            (json!("damaged"), Admission::NoOne),
        ] {
            assert_eq!(admission_of(&config), expected, "{config}");
        }
    }
}
