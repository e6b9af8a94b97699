//! The drop folder, with a store behind it.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use tokio_util::sync::CancellationToken;

use super::{DropFolder, DropStatus, scan};
use crate::aws_auth::Credentials;
use crate::info;
use crate::s3::S3;
use crate::serve::{listen, serve};

const KEY: &str = "key";
const SECRET: &str = "secret";
const BUCKET: &str = "groundcrew-input";

struct TestFolder {
    s3: aws_sdk_s3::Client,
    folder: tempfile::TempDir,
    stop: CancellationToken,
}

impl Drop for TestFolder {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

impl TestFolder {
    async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let store = S3::open(&folder.path().join("s3"), Arc::new(|_| {})).unwrap();
        store.create_bucket(BUCKET).await.unwrap();
        let keys = Credentials {
            access_key_id: KEY.into(),
            secret_access_key: SECRET.into(),
        };
        let listening = listen(([127, 0, 0, 1], 0).into(), "S3", "--aws").await.unwrap();
        let s3 = info::s3(&info::sdk(&format!("http://{}", listening.address), KEY, SECRET));
        let stop = CancellationToken::new();
        serve(listening, store.service(keys), stop.clone());
        Self { s3, folder, stop }
    }

    fn drop(&self) -> std::path::PathBuf {
        self.folder.path().join("drop")
    }

    fn put(&self, path: &str, text: &str) {
        let path = self.drop().join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }

    fn open(&self) -> DropFolder {
        DropFolder::open(
            &self.drop(),
            &self.folder.path().join("dropped.jsonl"),
            self.s3.clone(),
            BUCKET,
        )
        .unwrap()
    }

    /// Runs the drop folder until its status is as wanted.
    async fn run_until(&self, done: impl Fn(&DropStatus) -> bool) -> DropStatus {
        let drop_folder = self.open();
        let status = drop_folder.status();
        let stop = CancellationToken::new();
        let running = tokio::spawn(drop_folder.run(stop.clone()));
        let mut last = DropStatus::default();
        for _ in 0..2_000 {
            last = status.lock().unwrap().clone();
            if done(&last) {
                stop.cancel();
                running.await.unwrap();
                return last;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        panic!("the drop folder's last status: {last:?}");
    }

    async fn objects(&self) -> Vec<String> {
        let listed = self.s3.list_objects_v2().bucket(BUCKET).send().await.unwrap();
        listed
            .contents()
            .iter()
            .map(|object| object.key().unwrap().to_owned())
            .collect()
    }
}

#[tokio::test]
async fn files_arrive_under_their_own_paths_once_and_again_when_they_change() {
    let drop_folder = TestFolder::new().await;
    drop_folder.put("numbers/1.txt", "1");
    drop_folder.put("numbers/a b/ü+1.txt", "2");
    drop_folder.put("numbers/._1.txt", "litter");
    drop_folder.run_until(|status| status.uploaded == 2).await;
    assert_eq!(
        drop_folder.objects().await,
        ["numbers/1.txt", "numbers/a b/ü+1.txt"]
    );

    drop_folder.put("numbers/1.txt", "changed");
    let status = drop_folder
        .run_until(|status| status.uploaded == 1 && status.waiting == 0)
        .await;
    assert!(status.problems.is_empty(), "{status:?}");
    let object = drop_folder
        .s3
        .get_object()
        .bucket(BUCKET)
        .key("numbers/1.txt")
        .send()
        .await
        .unwrap();
    assert_eq!(object.body.collect().await.unwrap().to_vec(), b"changed");

    std::fs::remove_file(drop_folder.drop().join("numbers/1.txt")).unwrap();
    drop_folder.put("numbers/3.txt", "3");
    drop_folder
        .run_until(|status| status.uploaded == 1 && status.waiting == 0)
        .await;
    assert_eq!(
        drop_folder.objects().await.len(),
        3,
        "nothing is deleted through the drop folder"
    );
}

#[tokio::test]
async fn a_deletion_is_reported_once_and_the_file_uploaded_again_if_it_comes_back() {
    let drop_folder = TestFolder::new().await;
    for path in ["numbers/1.txt", "numbers/2.txt", "numbers/3.txt"] {
        drop_folder.put(path, "1");
    }
    drop_folder.run_until(|status| status.uploaded == 3).await;
    let (here, aside) = (
        drop_folder.drop().join("numbers/1.txt"),
        drop_folder.folder.path().join("1.txt"),
    );
    std::fs::rename(&here, &aside).unwrap();
    std::fs::remove_file(drop_folder.drop().join("numbers/2.txt")).unwrap();
    let status = drop_folder.run_until(|status| status.deleted > 0).await;
    assert_eq!(status.deleted, 2, "{status:?}");
    assert_eq!(
        drop_folder.objects().await.len(),
        3,
        "all of them are in the bucket"
    );

    // With the same size and time as before.
    std::fs::rename(&aside, &here).unwrap();
    let status = drop_folder.run_until(|status| status.uploaded > 0).await;
    assert_eq!((status.uploaded, status.deleted), (1, 0), "{status:?}");
}

#[test]
fn a_file_that_cannot_be_read_does_not_count_as_deleted() {
    let mut scan = scan::Scan::default();
    for path in ["a/b", "c"] {
        scan.problems.insert(path.to_owned(), String::new());
    }
    for (key, hidden) in [
        ("a/b", true),
        ("a/b/1.txt", true),
        ("a/bc", false),
        ("d/c", false),
    ] {
        assert_eq!(scan.is_hidden(key), hidden, "{key}");
    }
}

#[tokio::test]
async fn a_file_in_no_folder_is_uploaded_so_that_it_is_reported_there() {
    let drop_folder = TestFolder::new().await;
    drop_folder.put("loose.txt", "1");
    let status = drop_folder.run_until(|status| status.uploaded == 1).await;
    assert_eq!(drop_folder.objects().await, ["loose.txt"]);
    let problem = status.problems.first().unwrap();
    assert!(problem.reason.contains("put it into a folder"), "{status:?}");
}

fn problems(folder: &Path) -> Vec<(String, String)> {
    scan::scan(folder).problems.into_iter().collect()
}

#[test]
fn what_cannot_be_an_object_is_named_with_what_to_do() {
    use std::os::unix::ffi::OsStrExt;
    let folder = tempfile::tempdir().unwrap();
    let dataset = folder.path().join("numbers");
    std::fs::create_dir(&dataset).unwrap();
    std::fs::write(folder.path().join("loose.txt"), "1").unwrap();
    std::os::unix::fs::symlink("/etc/hostname", dataset.join("link.txt")).unwrap();
    std::os::unix::fs::symlink("/etc", folder.path().join("etc")).unwrap();
    std::fs::write(dataset.join(std::ffi::OsStr::from_bytes(b"bad\xff.txt")), "1").unwrap();
    let problems = problems(folder.path());
    let reason = |path: &str| {
        &problems
            .iter()
            .find(|(name, _)| name.starts_with(path))
            .unwrap()
            .1
    };
    assert!(reason("loose.txt").contains("put it into a folder"));
    assert!(reason("numbers/link.txt").contains("copy the file itself"));
    assert!(reason("etc").contains("copy the file itself"));
    assert!(reason("numbers/bad").contains("rename it"));
    let keys: Vec<String> = scan::scan(folder.path())
        .files
        .into_iter()
        .map(|found| found.key)
        .collect();
    assert_eq!(keys, ["loose.txt"]);
}
