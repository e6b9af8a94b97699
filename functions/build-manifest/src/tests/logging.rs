//! What is logged: each decision once, and nothing of what the files say.

use testkit::FakeLog;

use super::*;

const SECRET: &str = "Dear ana@example.org, your result is PO-4711-Q";

/// Why each batch was cut.
fn cuts(log: &FakeLog) -> Vec<String> {
    let cuts = log.lines_with("batch cut").into_iter();
    cuts.map(|cut| cut["reason"].as_str().unwrap_or_default().to_owned())
        .collect()
}

#[tokio::test]
async fn a_cut_says_why_it_was_time() {
    let log = FakeLog::begin();
    let world = World::with_files(SPEC, 1);
    world.after(120).await;
    (0..5).for_each(|n| world.store.drop_file(&format!("d/b{n}.txt"), "1"));
    world.reconcile().await;
    world.store.drop_file("d/c.txt", "1");
    world.store.drop_file("d/_READY", "");
    world.reconcile().await;
    world.store.drop_file("d/e.txt", "1");
    world.store.pass(3_590);
    world.store.drop_file("d/f.txt", "1");
    world.after(10).await;
    assert_eq!(cuts(&log), ["quiet", "limit", "ready", "max_wait"]);
    let first = &log.lines_with("batch cut")[0];
    assert_eq!(
        (&first["dataset"], &first["batch"], &first["items"]),
        (&json!("d"), &json!(1), &json!(1))
    );
    let last = log.lines_with("dataset reconciled").pop().unwrap();
    assert_eq!((&last["state"], &last["cut"]), (&json!("UpToDate"), &json!(1)));
}

#[tokio::test]
async fn nothing_of_an_item_is_logged() {
    let log = FakeLog::begin();
    let world = World::with_files(SPEC, 0);
    world.store.drop_file("d/good.txt", SECRET);
    world
        .store
        .drop_file("d/bad.txt", [SECRET.as_bytes(), &[0xff, 0xfe]].concat());
    world.store.drop_file("d/by-hand.manifest.txt", SECRET);
    world.after(120).await;
    let rows = World::with_files(ROWS, 0);
    rows.store
        .drop_file("d/rows.csv", format!("n,m\n\"{SECRET}\",1\n,2\n\"{SECRET}\n"));
    rows.store.drop_file("d/more.csv", SECRET);
    rows.after(120).await;
    let by_hand = World::with_files(SPEC, 0);
    let lines = format!("{{\"source\":\"{SECRET}\"}}\n{{\"source\":{SECRET}\n{SECRET}\n");
    by_hand.store.drop_file("d/by-hand.manifest", lines);
    by_hand.after(120).await;
    let bad_spec = World::with_files(&format!("task: {SECRET}\n"), 1);
    bad_spec.after(120).await;
    assert!(!cuts(&log).is_empty() && !log.lines_with("files or rows rejected").is_empty());
    let text = log.text();
    for part in ["ana@example.org", "PO-4711-Q", "Dear", "your result"] {
        assert!(!text.contains(part), "{text}");
    }
}
