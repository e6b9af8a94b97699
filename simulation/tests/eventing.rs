//! What a million uploads cost in events, from ten thousand that are counted.

use simulation::eventing::{Settings, count};

const TEMPLATE: &str = include_str!("../../template.yaml");
const PAGE: &str = include_str!("../../docs/DEPLOY.md");

#[test]
fn a_million_uploads_cost_less_than_three_dollars_of_events() {
    let settings = Settings::of(TEMPLATE).unwrap();
    let counted = count(10_000, 100, settings).unwrap();
    assert_eq!(
        (counted.reads, counted.batches),
        (10_000, 1),
        "each file is read once, for one batch: {counted:?}"
    );
    let bill = counted.at(1_000_000);
    assert!(bill.sum() < 3.0, "{bill:?} of {counted:?}");
    for figure in [
        format!("{:.2} million requests", bill.sqs_requests / 1e6),
        format!("{:.0} invocations", bill.invocations),
        format!("**${:.2}**", bill.sum()),
    ] {
        assert!(
            PAGE.contains(&figure),
            "docs/DEPLOY.md does not say {figure}: {bill:?}"
        );
    }
}
