//! What manifests made by hand point to: only where it may be, only what is there, and what comes later goes through.

use shared::bounds::Bounds;
use shared::link::LinkSources;

use super::*;

const IMAGES: &str = "\
task: image-classification
labels: [a, b]
team: t
title: t
batch: {quiet: 2m, max_wait: 1h, max_items: 5}
";

const MISSING: &str = "there is no such object";

fn png() -> Vec<u8> {
    let mut png = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR".to_vec();
    png.extend([0, 0, 0, 9, 0, 0, 0, 9]);
    png.extend(b"\x08\x02\0\0\0\0\0\0\0\0\0\0\0IEND\xaeB`\x82");
    png
}

fn open(world: &mut World, listed: &str) {
    world.deps.bounds = Bounds {
        links: LinkSources::own_folder("in", "out").with_listed(listed).unwrap(),
        ..Bounds::strictest("in", "out")
    };
}

fn reasons(world: &World) -> Vec<String> {
    let rejected = world.store.output("results/d/rejected.jsonl").unwrap_or_default();
    let line = |line: &str| {
        let entry: Value = serde_json::from_str(line).unwrap();
        format!("{} {}", entry["row"], entry["reason"].as_str().unwrap())
    };
    rejected.lines().map(line).collect()
}

#[tokio::test]
async fn a_manifest_points_into_its_own_folder_and_listed_places_alone() {
    let mut world = World::with_files(IMAGES, 0);
    open(&mut world, "s3://lake/raw/");
    world.store.drop_file("d/1.png", png());
    world.store.drop_file("other/1.png", png());
    world.store.put_elsewhere("lake", "raw/1.png", png());
    world.store.put_elsewhere("lake", "secret/1.png", png());
    let lines = [
        r#"{"source-ref":"s3://in/d/1.png"}"#,
        r#"{"source-ref":"s3://lake/raw/1.png"}"#,
        r#"{"source-ref":"s3://in/other/1.png"}"#,
        r#"{"source-ref":"s3://out/crew/x.json"}"#,
        r#"{"source-ref":"s3://lake/secret/1.png"}"#,
        r#"{"source-ref":"s3://in/d/../other/1.png"}"#,
        r#"{"source-ref":"s3://in/d/1.png","page":{"x-ref":"s3://out/people/x"}}"#,
    ];
    world.store.drop_file("d/m.manifest", lines.join("\n"));
    world.after(3_600).await;
    assert_eq!(world.batches(), [["d/m.manifest#1", "d/m.manifest#2"]]);
    let reasons = reasons(&world);
    assert_eq!(reasons.len(), 5, "{reasons:?}");
    for (reason, row) in reasons.iter().zip(3..) {
        assert!(reason.starts_with(&row.to_string()), "{reason}");
    }
    let reads = world.store.reads();
    assert!(
        !reads
            .iter()
            .any(|key| key.contains("secret") || key.contains("crew") || key.contains("people"))
    );
}

#[tokio::test]
async fn what_a_manifest_points_to_is_judged_by_content() {
    let world = World::with_files(IMAGES, 0);
    world.store.drop_file("d/1.png", png());
    world.store.drop_file("d/page.png", "<html>not found</html>");
    let lines = r#"{"source-ref":"s3://in/d/1.png"}
{"source-ref":"s3://in/d/page.png"}
{"source-ref":"s3://in/d/gone.png"}"#;
    world.store.drop_file("d/m.manifest", lines);
    world.after(3_600).await;
    assert_eq!(world.batches(), [["d/m.manifest#1"]]);
    let reasons = reasons(&world);
    assert!(
        reasons[0].starts_with("2 ") && reasons[0].contains("neither a JPEG nor a PNG"),
        "{reasons:?}"
    );
    assert!(
        reasons[1].starts_with("3 ") && reasons[1].contains(MISSING),
        "{reasons:?}"
    );
}

#[tokio::test]
async fn a_manifest_waits_for_what_it_points_to_until_the_longest_wait() {
    let world = World::with_files(IMAGES, 0);
    world.store.drop_file("d/1.png", png());
    let lines = r#"{"source-ref":"s3://in/d/1.png"}
{"source-ref":"s3://in/d/2.png"}"#;
    world.store.drop_file("d/m.manifest", lines);
    let outcome = world.after(120).await;
    assert_eq!((outcome.cut, outcome.state), (0, DatasetState::Settling));
    assert!(
        world.status().message.contains("not there"),
        "{}",
        world.status().message
    );
    assert!(reasons(&world).is_empty());
    world.store.drop_file("d/2.png", png());
    assert_eq!(world.after(60).await.cut, 0, "what is beside it has not settled");
    assert_eq!(world.after(60).await.cut, 1);
    assert_eq!(world.batches(), [["d/m.manifest#1", "d/m.manifest#2"]]);
    assert_eq!(world.status().rejected, 0);
}

#[tokio::test]
async fn a_manifest_of_which_nothing_was_there_goes_through_when_it_comes() {
    let world = World::with_files(IMAGES, 0);
    let lines = r#"{"source-ref":"s3://in/d/1.png"}
{"source-ref":"s3://in/d/2.png"}"#;
    world.store.drop_file("d/m.manifest", lines);
    assert_eq!(world.after(3_600).await.cut, 0);
    assert_eq!(reasons(&world).len(), 3);
    let said = world.topic.messages().len();
    world.after(900).await;
    assert_eq!(
        (reasons(&world).len(), world.topic.messages().len()),
        (3, said),
        "said once"
    );
    world.store.drop_file("d/2.png", png());
    assert_eq!(world.after(900).await.cut, 1);
    assert_eq!(world.batches(), [["d/m.manifest#2"]]);
    let reasons = reasons(&world);
    assert!(reasons.len() == 1 && reasons[0].starts_with("1 "), "{reasons:?}");
    assert_eq!(world.after(900).await.cut, 0);
}

#[tokio::test]
async fn a_wrong_prefix_in_many_lines_is_not_asked_for_line_by_line() {
    let world = World::with_files(&IMAGES.replace("max_items: 5", "max_items: 100000"), 0);
    let line = |n| format!("{{\"source-ref\":\"s3://in/d/{n}.png\"}}\n");
    let lines: String = (0..20_000).map(line).collect();
    world.store.drop_file("d/m.manifest", lines);
    world.after(3_600).await;
    assert!(world.store.reads().len() < 1_200, "{}", world.store.reads().len());
    assert_eq!(world.batches(), Vec::<Vec<String>>::new());
}

#[tokio::test]
async fn the_texts_a_manifest_names_stand_in_the_batch() {
    let mut world = World::with_files(SPEC, 0);
    open(&mut world, "s3://bucket/Input/");
    world.store.put_elsewhere("bucket", "Input/1.txt", "se\"ven\n");
    world
        .store
        .put_elsewhere("bucket", "Input/2.txt", b"\xff\xfe".to_vec());
    world
        .store
        .put_elsewhere("bucket", "Input/3.txt", "x".repeat(20_001));
    world
        .store
        .put_elsewhere("bucket", "Input/4.txt", "x".repeat(200_000));
    world.store.put_elsewhere("bucket", "Input/5.txt", " \n");
    let line = |n| format!("{{\"source\": \"s3://bucket/Input/{n}.txt\"}}\n");
    let lines: String = (1..=6).map(line).collect();
    world.store.drop_file("d/m.manifest", lines);
    world.after(3_600).await;
    let manifest = world.store.output("manifests/d/000001.manifest").unwrap();
    assert!(
        manifest.starts_with(r#"{"source": "se\"ven","groundcrew""#),
        "{manifest}"
    );
    assert_eq!(world.batches(), [["d/m.manifest#1"]]);
    let reasons = reasons(&world);
    for (reason, part) in reasons
        .iter()
        .zip(["UTF-16", "20001 characters", "too large", "no text", MISSING])
    {
        assert!(reason.contains(part), "{reason}");
    }
    assert_eq!(reasons.len(), 5);
}

#[tokio::test]
async fn a_jsonl_of_sources_is_a_manifest_whatever_the_spec_says_of_texts() {
    for text in ["", "text: {split: line}\n", "text: {split: row}\n"] {
        let world = World::with_files(&format!("{SPEC}{text}"), 0);
        world.store.drop_file("d/1.txt", "seven");
        world.store.drop_file("d/2.csv", "eight\n");
        let lines = "not json\n{\"source\": \"s3://in/d/1.txt\"}\n{\"source\": \"nine\"}\n";
        world.store.drop_file("d/manifest.jsonl", lines);
        world.after(3_600).await;
        let batches = [["d/manifest.jsonl#2", "d/manifest.jsonl#3"]];
        assert_eq!(world.batches(), batches, "{text}");
        let manifest = world.store.output("manifests/d/000001.manifest").unwrap();
        assert!(
            manifest.contains("\"seven\"") && !manifest.contains("s3://"),
            "{manifest}"
        );
        // Files beside it stay data once it is in a batch, also for a process that knows nothing of it.
        world.store.drop_file("d/3.txt", "ten");
        world.store.pass(3_600);
        let outcome = reconcile(&world.another(), &d(), None).await.unwrap();
        assert_eq!(
            (outcome.cut, outcome.state),
            (0, DatasetState::UpToDate),
            "{text}"
        );
        assert_eq!(world.batches(), batches);
    }
}

#[tokio::test]
async fn a_jsonl_of_source_refs_is_a_manifest_of_images() {
    let world = World::with_files(IMAGES, 0);
    world.store.drop_file("d/1.png", png());
    world.store.drop_file(
        "d/train.jsonl",
        "{\"source-ref\":\"s3://in/d/1.png\",\"kind\":0}\n",
    );
    world.after(3_600).await;
    assert_eq!(world.batches(), [["d/train.jsonl#1"]]);
    assert_eq!(world.status().rejected, 0);
}

#[tokio::test]
async fn what_a_process_wrote_down_of_a_jsonl_manifest_keeps_the_folder_manual() {
    let world = World::with_files(SPEC, 0);
    let deps = || world.another().remembering_every(1);
    world.store.drop_file("d/m.jsonl", "{\"source\":\"a\"}\n");
    world.store.drop_file("d/1.txt", "seven");
    world.store.pass(3_600);
    reconcile(&deps(), &d(), None).await.unwrap();
    assert!(world.store.output("status/d.seen").unwrap().contains("m.jsonl"));
    world.store.pass(3_600);
    assert_eq!(reconcile(&deps(), &d(), None).await.unwrap().cut, 0);
    // Without it, the folder is one of files again.
    world.store.remove(Bucket::Input, "d/m.jsonl");
    assert_eq!(reconcile(&deps(), &d(), None).await.unwrap().cut, 1);
}

#[tokio::test]
async fn rows_with_a_source_stay_rows_where_the_spec_names_their_column() {
    let world = World::with_files(&format!("{SPEC}text: {{split: row, column: text}}\n"), 0);
    world
        .store
        .drop_file("d/rows.jsonl", "{\"text\":\"good\",\"source\":\"web\"}\n");
    world.store.drop_file("d/more.csv", "text\nbad\n");
    world.after(3_600).await;
    assert_eq!(world.batches(), [["d/more.csv#2", "d/rows.jsonl#1"]]);
}

#[tokio::test]
async fn a_line_that_is_missing_when_others_are_batched_says_that_it_is_final() {
    let world = World::with_files(IMAGES, 0);
    let lines = "{\"source-ref\":\"s3://in/d/1.png\"}\n{\"source-ref\":\"s3://in/d/2.png\"}";
    world.store.drop_file("d/m.manifest", lines);
    world.after(3_600).await;
    let before = reasons(&world);
    assert!(
        before[0].contains("read again every 15 minutes") && before[0].contains(MISSING),
        "{before:?}"
    );
    world.store.drop_file("d/2.png", png());
    world.after(900).await;
    let after = reasons(&world);
    assert_eq!(after.len(), 1);
    assert!(
        after[0].starts_with("1 ") && after[0].contains("not read again: put the object there"),
        "{after:?}"
    );
}

#[tokio::test]
async fn a_spec_that_asks_for_more_than_the_stack_allows_is_refused_by_name() {
    for (more, part) in [
        ("kms_key: alias/other", "AllowedKmsKeys"),
        ("tags: {CostCenter: '7'}", "AllowedTagKeys"),
        (
            "instructions: {short: '![](s3://out/crew/x.json)'}",
            "LinkSources",
        ),
    ] {
        let world = World::with_files(&format!("{SPEC}{more}\n"), 1);
        let outcome = world.after(120).await;
        assert_eq!((outcome.cut, outcome.state), (0, DatasetState::BadSpec), "{more}");
        let message = world.status().message;
        assert!(
            message.starts_with("labeling.yaml:6") && message.contains(part),
            "{message}"
        );
    }
}
