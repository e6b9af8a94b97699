//! What processes write down of the batches for one another: it spares reading them, and decides nothing.

use testkit::Fault;

use super::*;

const SEEN: &str = "status/d.seen";

/// Eight batches of five, written down.
async fn eight_batches() -> World {
    let world = World::with_files(SPEC, 40);
    assert_eq!(world.after(120).await.cut, 8);
    world
}

impl World {
    /// A new process looks at the dataset; the manifests it read.
    async fn read_by_another(&self) -> Vec<String> {
        let before = self.store.reads().len();
        reconcile(&self.another(), &d(), None).await.unwrap();
        let reads = self.store.reads().split_off(before);
        reads
            .into_iter()
            .filter(|key| key.starts_with("manifests/"))
            .collect()
    }
}

#[tokio::test]
async fn a_new_process_reads_what_another_wrote_down_and_no_batch() {
    let world = eight_batches().await;
    assert_eq!(world.read_by_another().await, [""; 0]);
    world.store.drop_file("d/040.txt", "40");
    world.store.pass(120);
    assert_eq!(world.read_by_another().await, [""; 0]);
    assert_eq!(world.batches().concat(), keys(0..41), "each once");
    // The ninth is in no memory yet.
    assert_eq!(world.read_by_another().await, ["manifests/d/000009.manifest"]);
}

#[tokio::test]
async fn it_is_written_once_in_eight_batches() {
    let world = eight_batches().await;
    let first = world.store.etag(Bucket::Output, SEEN).unwrap();
    let writes = world.store.writes();
    world.after(900).await;
    world.read_by_another().await;
    assert_eq!(world.store.writes(), writes, "nothing new, nothing written");
    for n in 40..47 {
        world.store.drop_file(&format!("d/{n:03}.txt"), n.to_string());
        world.after(120).await;
    }
    assert_eq!(world.store.etag(Bucket::Output, SEEN).unwrap(), first);
    world.store.drop_file("d/047.txt", "47");
    world.after(120).await;
    assert_ne!(world.store.etag(Bucket::Output, SEEN).unwrap(), first);
    assert_eq!(world.read_by_another().await, [""; 0]);
}

#[tokio::test]
async fn small_datasets_have_none() {
    let world = World::with_files(SPEC, 35);
    assert_eq!(world.after(120).await.cut, 7);
    world.after(900).await;
    assert_eq!(world.store.outputs("status/"), ["status/d.json"]);
}

#[tokio::test]
async fn what_names_other_batches_than_those_listed_is_not_believed() {
    let world = eight_batches().await;
    let seen = world.store.output(SEEN);
    // The last batch is another one than the memory names, and so is the file in it.
    world.store.remove(Bucket::Output, "manifests/d/000008.manifest");
    world.store.drop_file("d/040.txt", "40");
    let line = r#"{"source":"40","groundcrew":{"key":"d/040.txt","etag":"x"}}"#;
    world
        .store
        .put_output("manifests/d/000008.manifest", line, &[("items", "1")]);
    assert_eq!(world.read_by_another().await.len(), 8);
    assert_eq!(
        world.batches()[7..],
        [["d/040.txt".to_owned()].to_vec(), keys(35..40)]
    );
    assert_ne!(world.store.output(SEEN), seen, "written again");
    assert_eq!(world.read_by_another().await, [""; 0]);
}

#[tokio::test]
async fn what_is_broken_is_as_if_it_were_not_there() {
    let world = eight_batches().await;
    let whole = world.store.bytes(Bucket::Output, SEEN);
    let head_end = whole.iter().position(|&byte| byte == b'\n').unwrap() + 1;
    let mut bent = whole.clone();
    *bent.last_mut().unwrap() ^= 1;
    let newer = String::from_utf8_lossy(&whole[..head_end]).replace("\"version\":2", "\"version\":3");
    let newer = [newer.into_bytes(), whole[head_end..].to_vec()].concat();
    for broken in [
        Vec::new(),
        b"{}\n".to_vec(),
        whole[..head_end].to_vec(),
        whole[..whole.len() - 16].to_vec(),
        whole[..whole.len() - 1].to_vec(),
        bent,
        newer,
    ] {
        world.store.put_output(SEEN, broken, &[]);
        assert_eq!(world.read_by_another().await.len(), 8);
        assert_eq!(world.store.bytes(Bucket::Output, SEEN), whole, "repaired");
    }
    assert_eq!(world.batches().len(), 8);
}

#[tokio::test]
async fn a_file_half_batched_goes_on_from_what_was_written_down() {
    let limited = format!("{ROWS}select: {{limit: 40}}\n");
    let world = World::with_files(&limited, 0);
    let rows: String = (0..43).map(|n| format!("{n}\n")).collect();
    world.store.drop_file("d/all.csv", format!("n\n{rows}"));
    assert_eq!(world.after(120).await.cut, 8);
    world.store.drop_file("d/labeling.yaml", ROWS);
    assert_eq!(world.read_by_another().await, [""; 0]);
    let last = ["d/all.csv#42", "d/all.csv#43", "d/all.csv#44"].map(str::to_owned);
    assert_eq!(world.batches()[8..], [last.to_vec()]);
}

#[tokio::test]
async fn two_that_write_it_at_once_do_not_trouble_each_other() {
    let world = World::with_files(SPEC, 40);
    world.store.pass(120);
    let other = world.another();
    world.store.meanwhile(SEEN, move |_| {
        futures::executor::block_on(reconcile(&other, &d(), None)).unwrap();
    });
    world.reconcile().await;
    let writes = world.store.writes();
    world.after(900).await;
    assert_eq!(world.store.writes(), writes);
    assert_eq!(world.read_by_another().await, [""; 0]);
}

#[tokio::test]
async fn a_lost_answer_to_writing_it_is_made_good_by_the_next_round() {
    let world = World::with_files(SPEC, 40);
    world.store.fail_next(SEEN, Fault::ResponseLost);
    world.store.pass(120);
    reconcile(&world.deps, &d(), None).await.unwrap_err();
    world.reconcile().await;
    assert_eq!(world.read_by_another().await, [""; 0]);
    assert_eq!(world.batches().len(), 8);
}
