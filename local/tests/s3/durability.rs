//! What was acknowledged is there after a crash; what was not leaves nothing behind.

use std::{fs, path::Path, sync::Arc};

use futures::{StreamExt, stream};

use crate::server::{BUCKET, eventually, start, start_in};

/// The folder as a power failure would leave it: what is on disk now, while the store still has it open.
fn copy_of(from: &Path) -> tempfile::TempDir {
    let to = tempfile::tempdir().unwrap();
    fs::create_dir(to.path().join("blobs")).unwrap();
    fs::copy(from.join("index.redb"), to.path().join("index.redb")).unwrap();
    for entry in fs::read_dir(from.join("blobs")).unwrap() {
        let entry = entry.unwrap();
        fs::copy(entry.path(), to.path().join("blobs").join(entry.file_name())).unwrap();
    }
    to
}

#[tokio::test]
async fn acknowledged_objects_survive_a_crash() {
    let server = start().await;
    for at in 0..50 {
        server.put(&format!("small/{at}"), format!("{at}")).await;
    }
    server.put("large", vec![7; 200_000]).await;
    server
        .client
        .delete_object()
        .bucket(BUCKET)
        .key("small/0")
        .send()
        .await
        .unwrap();
    let crashed = copy_of(server.folder.path());
    let again = start_in(crashed).await;
    assert_eq!(again.get("large").await, vec![7; 200_000]);
    for at in 1..50 {
        assert_eq!(
            again.get(&format!("small/{at}")).await,
            format!("{at}").into_bytes()
        );
    }
    assert!(
        again
            .client
            .get_object()
            .bucket(BUCKET)
            .key("small/0")
            .send()
            .await
            .is_err()
    );
}

#[tokio::test]
async fn a_dropped_store_opens_again_at_once() {
    let server = start().await;
    server.put("k", "kept").await;
    let upload = server
        .client
        .create_multipart_upload()
        .bucket(BUCKET)
        .key("m")
        .send()
        .await
        .unwrap();
    let again = start_in(server.abandon()).await;
    assert_eq!(again.get("k").await, b"kept");
    let uploads = again
        .client
        .list_multipart_uploads()
        .bucket(BUCKET)
        .send()
        .await
        .unwrap();
    assert_eq!(uploads.uploads()[0].upload_id(), upload.upload_id());
}

#[tokio::test]
async fn files_without_a_name_are_swept_and_named_ones_stay() {
    let server = start().await;
    server.put("large", vec![7; 200_000]).await;
    let crashed = copy_of(server.folder.path());
    let blobs = crashed.path().join("blobs");
    fs::write(blobs.join("part-5f0c1a52-0000-4000-8000-000000000000"), "half").unwrap();
    fs::write(
        blobs.join("5f0c1a52-0000-4000-8000-000000000000"),
        "never committed",
    )
    .unwrap();
    let again = start_in(crashed).await;
    eventually("the orphans to go", || {
        let files = fs::read_dir(&blobs).unwrap().count();
        (files == 1, format!("{files} files"))
    })
    .await;
    assert_eq!(again.get("large").await.len(), 200_000);
}

#[tokio::test]
async fn a_second_process_is_refused_the_store() {
    let server = start().await;
    let Err(error) = local::s3::S3::open(server.folder.path(), Arc::new(|_| {})) else {
        panic!("the store opened twice");
    };
    assert!(error.to_string().contains("another process"), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reader_sees_one_whole_version_while_it_is_overwritten() {
    let server = Arc::new(start().await);
    let versions = [vec![b'a'; 300_000], vec![b'b'; 300_000], vec![b'c'; 10]];
    server.put("k", versions[0].clone()).await;
    let writes = stream::iter(0..60).for_each(|at| server.put("k", versions[at % 3].clone()));
    let reads = stream::iter(0..120).for_each_concurrent(8, |_| async {
        let got = server.get("k").await;
        assert!(versions.contains(&got), "{} bytes of a mixture", got.len());
    });
    futures::join!(writes, reads);
}
