//! Bad specs and bad files: announced once, and no obstacle to the others.

use shared::port::Object;

use super::*;
use crate::batches::Batches;
use crate::rejects::Rejects;

#[tokio::test]
async fn without_a_spec_files_wait() {
    let world = World::new();
    world.store.drop_file("d/000.txt", "0");
    assert_eq!(world.after(4000).await.state, DatasetState::NoSpec);
    assert_eq!(world.status().pending_files, 1);
    assert!(
        world.status().message.contains("labeling.yaml"),
        "{}",
        world.status().message
    );
    world.store.drop_file("d/labeling.yaml", SPEC);
    assert_eq!(world.reconcile().await.cut, 1);
}

#[tokio::test]
async fn a_spec_with_nearly_the_right_name_is_named() {
    for name in [
        "labeling.yml",
        "Labeling.yaml",
        "labelling.yaml",
        "labeling.yaml.txt",
    ] {
        let world = World::new();
        world.store.drop_file("d/000.txt", "0");
        world.store.drop_file(&format!("d/{name}"), SPEC);
        assert_eq!(world.after(4000).await.state, DatasetState::NoSpec);
        let status = world.status();
        assert!(status.message.contains(name), "{}", status.message);
        assert_eq!(status.pending_files, 1);
    }
}

#[tokio::test]
async fn an_emptied_folder_asks_for_nothing() {
    let world = World::with_files(SPEC, 1);
    world.after(120).await;
    world.store.remove(Bucket::Input, "d/labeling.yaml");
    world.store.remove(Bucket::Input, "d/000.txt");
    assert_eq!(world.after(60).await.state, DatasetState::UpToDate);
}

#[tokio::test]
async fn a_bad_spec_is_announced_once_and_fixed_by_a_good_one() {
    let world = World::with_files("task: text-classificatio\n", 2);
    for _ in 0..3 {
        assert_eq!(world.after(120).await.state, DatasetState::BadSpec);
    }
    assert_eq!(world.notice_kinds(), ["spec-rejected"]);
    assert!(
        world.status().message.contains("text-classification"),
        "{}",
        world.status().message
    );
    world.store.drop_file("d/labeling.yaml", "task: 7\n");
    world.after(120).await;
    assert_eq!(
        world.notice_kinds(),
        ["spec-rejected"; 2],
        "another bad spec is another cause"
    );
    world.store.drop_file("d/labeling.yaml", SPEC);
    world.reconcile().await;
    assert_eq!(world.batches(), [keys(0..2)]);
    let sha256 = &world.store.metadata("manifests/d/000001.manifest")["spec-sha256"];
    assert_eq!(*sha256, shared::spec::Spec::sha256(SPEC.as_bytes()));
}

#[tokio::test]
async fn good_files_go_on_beside_bad_ones() {
    let world = World::with_files(SPEC, 2);
    world.store.drop_file("d/empty.txt", "");
    world.store.drop_file("d/folder/", "");
    world
        .store
        .drop_file("d/latin1.txt", [0xe9_u8, 0x74, 0xe9].to_vec());
    world.store.drop_file("d/long.txt", "x".repeat(20_001));
    world.store.drop_file("d/photo.jpg", "not shown in a text job");
    world.after(120).await;
    assert_eq!(world.batches(), [keys(0..2)]);
    let rejected = world.store.output("results/d/rejected.jsonl").unwrap();
    assert_eq!(rejected.lines().count(), 4, "{rejected}");
    assert_eq!(world.status().rejected, 4, "a folder marker is no file");
    assert_eq!(world.notice_kinds(), ["files-rejected"]);
}

#[tokio::test]
async fn an_unchanged_bad_file_is_not_read_again_and_a_fixed_one_is() {
    let world = World::with_files(SPEC, 1);
    world.store.drop_file("d/bad.txt", [0xff_u8].to_vec());
    world.after(120).await;
    let reads = world.store.reads().len();
    world.after(900).await;
    assert!(!world.store.reads()[reads..].contains(&"d/bad.txt".to_owned()));
    world.store.drop_file("d/bad.txt", "good");
    world.after(120).await;
    assert_eq!(world.batches()[1], ["d/bad.txt"]);
    assert_eq!(world.status().rejected, 0);
    assert_eq!(world.notice_kinds(), ["files-rejected"]);
}

#[tokio::test]
async fn another_spec_gives_rejected_files_another_chance() {
    let world = World::new();
    world.store.drop_file("d/labeling.yaml", SPEC);
    world.store.drop_file("d/a.csv", "n\n1\n2\n");
    world.after(120).await;
    assert_eq!(world.status().rejected, 1);
    world.store.drop_file("d/labeling.yaml", ROWS);
    world.reconcile().await;
    assert_eq!(world.batches(), [["d/a.csv#2", "d/a.csv#3"]]);
    assert_eq!(world.status().rejected, 0);
}

#[tokio::test]
async fn bad_rows_of_a_batched_file_stay_listed() {
    let world = World::new();
    world.store.drop_file("d/labeling.yaml", ROWS);
    world
        .store
        .drop_file("d/a.csv", format!("n\n1\n{}\n3\n", "x".repeat(20_001)));
    world.after(120).await;
    assert_eq!(world.batches(), [["d/a.csv#2", "d/a.csv#4"]]);
    world
        .store
        .drop_file("d/labeling.yaml", format!("{ROWS}workers_per_item: 5\n"));
    world.after(900).await;
    assert_eq!(world.status().rejected_first[0].row, Some(3));
}

#[tokio::test]
async fn another_spec_gives_rejected_rows_another_chance() {
    let world = World::with_files(ROWS, 0);
    world.store.drop_file("d/a.csv", "n,m\n,1\n");
    world.after(120).await;
    assert_eq!(world.status().rejected, 2, "the row and the file");
    world
        .store
        .drop_file("d/labeling.yaml", ROWS.replace("column: n", "column: m"));
    world.reconcile().await;
    assert_eq!(world.batches(), [["d/a.csv#2"]]);
    assert_eq!(world.status().rejected, 0);
}

#[tokio::test]
async fn a_bad_row_stays_listed_for_a_process_that_missed_its_batch() {
    let world = World::with_files(ROWS, 0);
    world.store.drop_file("d/a.csv", "n\n1\ntoo,many\n");
    world.after(120).await;
    let there = Object {
        key: "d/a.csv".to_owned(),
        etag: world.store.etag(Bucket::Input, "d/a.csv").unwrap(),
        size: 13,
        last_modified: world.store.now(),
    };
    // As an invocation does that listed the batches before this one was cut, and came to another spec.
    let mut rejects = Rejects::load(&world.store, &d()).await.unwrap();
    rejects.forget("another", &[there], &Batches::default());
    assert_eq!(rejects.count(), 1);
}

#[tokio::test]
async fn a_bad_row_stays_listed_when_its_batch_was_missed_and_its_file_overwritten() {
    let world = World::with_files(ROWS, 0);
    world.store.drop_file("d/a.csv", "n\n1\ntoo,many\n");
    world.store.pass(120);
    // Loaded when the row is listed and its batch is not there yet; the batch comes, and then another file.
    let late = std::sync::Arc::new(std::sync::Mutex::new(None));
    let rejects = late.clone();
    world.store.meanwhile("manifests/", move |store| {
        let dataset = d();
        let loaded = futures::executor::block_on(Rejects::load(store, &dataset));
        *rejects.lock().unwrap() = Some(loaded.unwrap());
    });
    world.reconcile().await;
    let mut rejects = late.lock().unwrap().take().unwrap();
    rejects.forget("any", &[], &Batches::default());
    rejects.save(&world.store).await.unwrap();
    let listed = world.store.output("results/d/rejected.jsonl").unwrap();
    assert_eq!(listed.lines().count(), 1, "{listed}");
}

#[tokio::test]
async fn only_bad_files_make_no_batch() {
    let world = World::with_files(SPEC, 0);
    world.store.drop_file("d/empty.txt", "");
    let outcome = world.after(120).await;
    assert_eq!((outcome.state, outcome.cut), (DatasetState::UpToDate, 0));
    assert_eq!(world.store.outputs("manifests/"), Vec::<String>::new());
}

#[tokio::test]
async fn keys_come_through_byte_for_byte() {
    let world = World::with_files(SPEC, 0);
    // The two syllables look the same: composed and decomposed, two files for S3 and so for us.
    let names = [
        "a b+c%2B.txt",
        "q\"u\\o.txt",
        "n\nl\tt\u{1}.txt",
        "\u{ac00}.txt",
        "\u{1100}\u{1161}.txt",
        "../x.txt",
        "a\",\"x\":\"b.txt",
        "x..txt",
    ];
    let mut keys = names.map(|name| format!("d/{name}"));
    keys.iter().for_each(|key| world.store.drop_file(key, "x"));
    world.after(120).await;
    let mut batched = world.batches().concat();
    batched.sort();
    keys.sort();
    assert_eq!(batched, keys);
}

#[tokio::test]
async fn an_unreadable_file_is_rejected_and_the_others_go_on() {
    let world = World::with_files(SPEC, 3);
    world.store.refuse_reads("d/001.txt");
    world.after(120).await;
    assert_eq!(world.batches(), [["d/000.txt", "d/002.txt"]]);
    let rejected = world.status().rejected_first;
    assert_eq!(rejected[0].key, "d/001.txt");
    assert!(
        rejected[0].reason.contains("kms:Decrypt"),
        "{}",
        rejected[0].reason
    );
}

#[tokio::test]
async fn bad_rows_beyond_the_first_thousand_are_counted_in_words() {
    let world = World::new();
    world.store.drop_file("d/labeling.yaml", ROWS);
    world
        .store
        .drop_file("d/a.csv", format!("n\n1\n{}", "a,b\n".repeat(1_500)));
    world.after(120).await;
    assert_eq!(world.batches(), [["d/a.csv#2"]]);
    let rejected = world.store.output("results/d/rejected.jsonl").unwrap();
    let rejected: Vec<Value> = rejected
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(rejected.len(), 1_001);
    let last = &rejected[1_000];
    assert_eq!(last["row"], 1_003, "a row there is: {last}");
    assert!(
        last["reason"].as_str().unwrap().contains("499 more rows"),
        "{last}"
    );
}

#[tokio::test]
async fn a_new_reason_is_announced_and_the_same_one_is_not() {
    let world = World::new();
    world.store.drop_file("d/labeling.yaml", SPEC);
    world.store.drop_file("d/a.csv", "n\n1\n2\n");
    world.after(120).await;
    assert_eq!(world.notice_kinds(), ["files-rejected"]);
    // The reason was that the spec takes whole files; now it is that there is no such column.
    world
        .store
        .drop_file("d/labeling.yaml", ROWS.replace("column: n", "column: number"));
    world.reconcile().await;
    assert_eq!(world.notice_kinds(), ["files-rejected"; 2]);
    world.store.drop_file(
        "d/labeling.yaml",
        ROWS.replace("column: n", "column: number")
            .replace("Even or odd?", "Odd?"),
    );
    world.reconcile().await;
    assert_eq!(world.notice_kinds(), ["files-rejected"; 2]);
}

#[tokio::test]
async fn a_folder_of_nothing_but_rejects_says_so() {
    let world = World::with_files(SPEC, 0);
    world.store.drop_file("d/photo.jpg", "not shown in a text job");
    world.after(120).await;
    let message = world.status().message;
    assert!(
        message.contains("rejected") && !message.contains("drop files in"),
        "{message}"
    );
}

#[tokio::test]
async fn the_list_of_rejects_is_not_read_back() {
    let world = World::with_files(SPEC, 1);
    world.store.drop_file("d/empty.txt", "");
    world.after(120).await;
    let reads = world.store.reads();
    let reads = reads.iter().filter(|key| key.ends_with("rejected.jsonl"));
    // What another instance adds between a write and such a read would be written over by the next write.
    assert_eq!(reads.count(), 1);
}

/// As much of a PNG as holds its size in pixels, with so many bytes in between.
fn png(width: u32, bytes: usize) -> Vec<u8> {
    let mut png = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR".to_vec();
    png.extend(width.to_be_bytes());
    png.extend(10_u32.to_be_bytes());
    png.extend(b"\x08\x02\0\0\0\0\0\0\0");
    png.resize(png.len() + bytes, 0);
    png.extend(b"\0\0\0\0IEND\xaeB`\x82");
    png
}

#[tokio::test]
async fn images_are_judged_by_their_two_ends() {
    let world = World::with_files(&SPEC.replace("text-class", "image-class"), 0);
    let mut cut_off = png(10, 200_000);
    cut_off.truncate(150_000);
    world.store.drop_file("d/small.png", png(10, 0));
    world.store.drop_file("d/large.jpg", png(10, 200_000));
    world.store.drop_file("d/cut-off.png", cut_off);
    world.store.drop_file("d/huge.png", png(20_000_000, 0));
    world.store.drop_file("d/text.png", "this is no picture");
    world.after(120).await;
    assert_eq!(world.batches(), [["d/large.jpg", "d/small.png"]]);
    assert_eq!(world.status().rejected, 3);
    let manifest = world.store.output("manifests/d/000001.manifest").unwrap();
    assert!(
        manifest.contains(r#""source-ref":"s3://in/d/large.jpg""#),
        "{manifest}"
    );
}
