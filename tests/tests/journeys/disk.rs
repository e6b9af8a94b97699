//! The disk lets us down: it is full, it cannot be written, a file on it is not what was written. Each is said with a name
//! and what to do, nothing that was acknowledged is lost, and the line goes on when the disk does.
#![cfg(target_os = "linux")]

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use aws_sdk_s3::error::ProvideErrorMetadata;
use tests::app::{App, FailedStart, failed_start};
use tests::aws::Aws;
use tests::job::OwnJob;
use tests::wait;
use tests::worker::{Worker, WorkerReply};

const PATIENCE: Duration = Duration::from_secs(60);
/// Lies in a file of its own, not beside the index.
const LARGE: usize = 200_000;

impl Fault {
    fn strike(self, path: &Path) -> Result<()> {
        let bytes = std::fs::read(path)?;
        let damaged = match self {
            Self::Empty => Vec::new(),
            Self::Head => bytes[..bytes.len().min(5_000)].to_vec(),
            Self::Half => bytes[..bytes.len() / 2].to_vec(),
            Self::Garbage => (0..bytes.len().max(64)).map(|at| (at * 31 % 251) as u8).collect(),
        };
        Ok(std::fs::write(path, damaged)?)
    }
}

#[derive(Clone, Copy, Debug)]
enum Fault {
    Empty,
    /// Of a database that is all of its own pages; its second half may well be free ones.
    Head,
    Half,
    Garbage,
}

/// The person at the keyboard can go on.
fn assert_helpful(refused: &FailedStart, names: &str, remedy: &str) {
    let said = &refused.said;
    assert_eq!(refused.code, Some(1), "{said}");
    assert!(
        said.contains(names) && said.contains(remedy),
        "{names}, {remedy}: {said}"
    );
    assert!(!said.contains("panicked"), "{said}");
}

async fn put(app: &App, key: &str, body: Vec<u8>) -> Result<(), String> {
    let put = app.s3().map_err(|error| error.to_string())?.put_object();
    let put = put.bucket(app.text("input_bucket")).key(key).body(body.into());
    let sent = put.send().await;
    sent.map(drop).map_err(|error| {
        let status = error.raw_response().map_or(0, |answer| answer.status().as_u16());
        format!("{status} {}", error.code().unwrap_or("no code"))
    })
}

async fn size(app: &App, key: &str) -> Result<usize> {
    let get = app.s3()?.get_object().bucket(app.text("input_bucket")).key(key);
    Ok(get.send().await?.body.collect().await?.to_vec().len())
}

async fn signed_in(app: &App) -> Result<Worker> {
    let (email, password) = app.worker();
    let worker = Worker::new(email, password)?;
    worker.sign_in(app.text("web_url")).await?;
    Ok(worker)
}

async fn answered_items(app: &App, job: &str) -> Result<u64> {
    let request = serde_json::json!({"LabelingJobName": job});
    let aws = Aws::of(app);
    let described = aws.json("sagemaker", "SageMaker.DescribeLabelingJob", &request);
    described.await?["LabelCounters"]["HumanLabeled"]
        .as_u64()
        .context("a count")
}

/// What happens on a disk that is filled, and then has room again.
async fn outlives_a_full_disk(mut app: App, fill: impl Fn(&App, bool) -> Result<()>) -> Result<()> {
    let job = OwnJob::new(&app, "full", &["1", "2"]);
    job.create(&app).await?;
    put(&app, "kept/small.txt", b"small".to_vec())
        .await
        .map_err(anyhow::Error::msg)?;
    put(&app, "kept/large.txt", vec![7; LARGE])
        .await
        .map_err(anyhow::Error::msg)?;
    let worker = signed_in(&app).await?;
    let portal = app.text("web_url").to_owned();
    let task = OwnJob::new(&app, "full", &[]).take(&worker, &portal).await?;
    let token = task["token"].as_str().context("a token")?;

    fill(&app, true)?;
    for (key, length) in [("lost/small.txt", 30_000), ("lost/large.txt", 4 * LARGE)] {
        let refused = put(&app, key, vec![1; length]).await;
        assert_eq!(refused, Err("507 InsufficientStorage".to_owned()), "{key}");
    }
    // An answer that was not saved is not called saved.
    let described = worker.answer(&portal, token, "Odd").await?;
    assert!(matches!(described, WorkerReply::Unavailable), "{described:?}");
    // It may not fit either.
    let dropped = drop_file(&app, "1.txt");
    assert!(app.exit_status()?.is_none(), "still there");

    fill(&app, false)?;
    dropped.or_else(|_| drop_file(&app, "1.txt"))?;
    wait::until("an answer is taken again", PATIENCE, || async {
        match worker.answer(&portal, token, "Odd").await {
            Ok(WorkerReply::Done(_)) => Ok(()),
            other => Err(format!("{other:?}")),
        }
    })
    .await;
    put(&app, "after/large.txt", vec![2; LARGE])
        .await
        .map_err(anyhow::Error::msg)?;
    wait::until("what was dropped meanwhile is uploaded", PATIENCE, || async {
        size(&app, "dropped/1.txt")
            .await
            .map_err(|error| error.to_string())
    })
    .await;
    app.crash_and_restart().await?;
    for (key, length) in [
        ("kept/small.txt", 5),
        ("kept/large.txt", LARGE),
        ("after/large.txt", LARGE),
    ] {
        assert_eq!(size(&app, key).await?, length, "{key}");
    }
    assert!(
        size(&app, "lost/large.txt").await.is_err(),
        "what was refused is not there"
    );
    wait::until("the answer is counted once", PATIENCE, || async {
        match answered_items(&app, "full").await {
            Ok(1) => Ok(()),
            other => Err(format!("{other:?}")),
        }
    })
    .await;
    Ok(())
}

fn drop_file(app: &App, name: &str) -> Result<()> {
    let dataset = app.drop_folder().join("dropped");
    std::fs::create_dir_all(&dataset)?;
    Ok(std::fs::write(dataset.join(name), "1")?)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_disk_that_is_full_takes_nothing_and_loses_nothing() -> Result<()> {
    let app = App::start_on(tempfile::tempdir()?).await?;
    outlives_a_full_disk(app, |app, full| app.limit_files(full.then_some(0))).await
}

/// A disk of a few megabytes, as long as this lives; `None` where it cannot be made.
struct Disk(PathBuf);

impl Disk {
    #[expect(clippy::print_stderr, reason = "what is not tried has to be seen")]
    fn mount(at: &Path, options: &str) -> Option<Self> {
        let mounted = Command::new("mount")
            .args(["-t", "tmpfs", "-o", options, "tmpfs"])
            .arg(at)
            .output();
        if mounted.is_ok_and(|mounted| mounted.status.success()) {
            return Some(Self(at.to_owned()));
        }
        eprintln!("NOT TRIED: a file system of its own cannot be mounted here (that takes root)");
        None
    }

    fn remount(&self, options: &str) -> Result<()> {
        let options = format!("remount,{options}");
        let done = Command::new("mount")
            .args(["-o", &options])
            .arg(&self.0)
            .status()?;
        ensure!(done.success(), "{options}: {done}");
        Ok(())
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        Command::new("umount").arg("--lazy").arg(&self.0).status().ok();
    }
}

/// The same on a file system that really is full, down to the last byte.
#[tokio::test(flavor = "multi_thread")]
async fn a_small_disk_that_somebody_else_fills_takes_nothing_and_loses_nothing() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let Some(_disk) = Disk::mount(folder.path(), "size=48m,mode=0700") else {
        return Ok(());
    };
    let filler = folder.path().join("drop/.git-filler");
    let app = App::start_on(folder).await?;
    let fill = |_: &App, full: bool| {
        if !full {
            return Ok(std::fs::remove_file(&filler)?);
        }
        let mut file = std::fs::File::create(&filler)?;
        for piece in [1 << 20, 4_096, 1] {
            while std::io::Write::write(&mut file, &vec![0; piece]).is_ok() {}
        }
        Ok(())
    };
    outlives_a_full_disk(app, fill).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_start_on_a_full_disk_says_so_and_the_next_one_finds_everything() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let fresh = folder.path().join("fresh");
    assert_helpful(
        &failed_start(&fresh, true).await?,
        &fresh.display().to_string(),
        "cannot write",
    );
    let mut app = App::start_on(folder_again(&fresh)?).await?;
    put(&app, "kept/large.txt", vec![7; LARGE])
        .await
        .map_err(anyhow::Error::msg)?;
    app.crash()?;
    let said = failed_start(app.data(), true).await?;
    assert_helpful(&said, &app.data().display().to_string(), "cannot");
    app.restart().await?;
    assert_eq!(size(&app, "kept/large.txt").await?, LARGE);
    Ok(())
}

/// A folder as [`App`] wants it, in place of what a start that was refused left.
fn folder_again(left: &Path) -> Result<tempfile::TempDir> {
    let folder = tempfile::tempdir()?;
    for entry in std::fs::read_dir(left)? {
        let entry = entry?;
        std::fs::rename(entry.path(), folder.path().join(entry.file_name()))?;
    }
    Ok(folder)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_folder_that_cannot_be_written_is_named() -> Result<()> {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir()?;
    std::fs::set_permissions(folder.path(), std::fs::Permissions::from_mode(0o500))?;
    // Root writes there all the same.
    if std::fs::write(folder.path().join("probe"), "").is_err() {
        let inside = folder.path().join("data");
        assert_helpful(
            &failed_start(&inside, false).await?,
            &inside.display().to_string(),
            "Permission denied",
        );
        return Ok(());
    }
    std::fs::remove_file(folder.path().join("probe"))?;
    let Some(disk) = Disk::mount(folder.path(), "size=48m") else {
        return Ok(());
    };
    let mut app = App::start_on(folder).await?;
    put(&app, "kept/large.txt", vec![7; LARGE])
        .await
        .map_err(anyhow::Error::msg)?;
    app.crash()?;
    disk.remount("ro")?;
    let said = failed_start(app.data(), false).await?;
    assert_helpful(&said, &app.data().display().to_string(), "Read-only file system");
    disk.remount("rw")?;
    app.restart().await?;
    assert_eq!(size(&app, "kept/large.txt").await?, LARGE);
    drop(app);
    Ok(())
}

/// Each file that a start needs, damaged in turn: what the error names, and what it says to do.
const FILES: [(&str, Fault, &str); 12] = [
    ("s3/index.redb", Fault::Empty, "put back a copy"),
    ("s3/index.redb", Fault::Head, "put back a copy"),
    ("s3/index.redb", Fault::Garbage, "put back a copy"),
    ("people.redb", Fault::Empty, "put back a copy"),
    ("people.redb", Fault::Head, "put back a copy"),
    ("people.redb", Fault::Garbage, "put back a copy"),
    ("credentials.json", Fault::Half, "ut back a copy"),
    ("sign-in-key.json", Fault::Half, "ut back a copy"),
    ("sign-in-client.json", Fault::Empty, "ut back a copy"),
    ("sns.json", Fault::Half, "ut back a copy"),
    ("first-worker.json", Fault::Garbage, "ut back a copy"),
    ("console-token.json", Fault::Empty, "ut back a copy"),
];
/// And those that it can do without.
const EXPENDABLE: [(&str, Fault); 4] = [
    ("lock", Fault::Empty),
    ("s3/dropped.jsonl", Fault::Garbage),
    ("dead-letters/notify-dlq/damaged.json", Fault::Garbage),
    ("stack.json.new", Fault::Garbage),
];

#[tokio::test(flavor = "multi_thread")]
async fn a_damaged_file_is_named_is_left_alone_and_works_again_when_it_is_put_back() -> Result<()> {
    let mut app = App::start_bare().await?;
    put(&app, "kept/small.txt", b"small".to_vec())
        .await
        .map_err(anyhow::Error::msg)?;
    put(&app, "kept/large.txt", vec![7; LARGE])
        .await
        .map_err(anyhow::Error::msg)?;
    drop_file(&app, "1.txt")?;
    wait::until("the dropped file is uploaded", PATIENCE, || async {
        size(&app, "dropped/1.txt")
            .await
            .map_err(|error| error.to_string())
    })
    .await;
    app.crash()?;
    for (file, fault, remedy) in FILES {
        let path = app.data().join(file);
        let whole = std::fs::read(&path).with_context(|| format!("reading {file}"))?;
        fault.strike(&path)?;
        let refused = failed_start(app.data(), false)
            .await
            .with_context(|| format!("{file} {fault:?}"))?;
        let named = file.rsplit('/').next().unwrap_or(file);
        assert_helpful(&refused, named, remedy);
        std::fs::write(&path, whole)?;
    }
    for (file, fault) in EXPENDABLE {
        let path = app.data().join(file);
        std::fs::OpenOptions::new()
            .create(true)
            .append(true)
            .open(&path)?;
        fault.strike(&path)?;
    }
    app.restart().await?;
    assert_eq!(size(&app, "kept/small.txt").await?, 5);
    assert_eq!(size(&app, "kept/large.txt").await?, LARGE);
    signed_in(&app).await?;
    Ok(())
}

/// Yesterday's copy knows nothing of what was dropped today: that is uploaded again.
#[tokio::test(flavor = "multi_thread")]
async fn a_copy_of_the_store_put_back_gets_what_was_dropped_since() -> Result<()> {
    let mut app = App::start_bare().await?;
    let store = app.data().join("s3");
    let copy = tempfile::tempdir()?;
    until_uploaded(&app, "1.txt").await?;
    app.crash()?;
    copy_folder(&store, copy.path())?;
    app.restart().await?;
    until_uploaded(&app, "2.txt").await?;
    app.crash()?;
    std::fs::remove_dir_all(&store)?;
    copy_folder(copy.path(), &store)?;
    app.restart().await?;
    until_uploaded(&app, "2.txt").await?;
    assert_eq!(size(&app, "dropped/1.txt").await?, 1);
    Ok(())
}

async fn until_uploaded(app: &App, name: &str) -> Result<()> {
    if !app.drop_folder().join("dropped").join(name).exists() {
        drop_file(app, name)?;
    }
    wait::until(&format!("{name} is uploaded"), PATIENCE, || async {
        let key = format!("dropped/{name}");
        size(app, &key).await.map_err(|error| error.to_string())
    })
    .await;
    Ok(())
}

fn copy_folder(from: &Path, to: &Path) -> Result<()> {
    std::fs::create_dir_all(to)?;
    for entry in std::fs::read_dir(from)? {
        let entry = entry?;
        let to = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            copy_folder(&entry.path(), &to)?;
        } else {
            std::fs::copy(entry.path(), to)?;
        }
    }
    Ok(())
}

/// An object whose bytes on disk are gone or cut short fails; it is never given out as if it were whole.
#[tokio::test(flavor = "multi_thread")]
async fn an_object_whose_bytes_are_damaged_is_an_error_and_harms_no_other() -> Result<()> {
    let app = App::start_bare().await?;
    put(&app, "kept/large.txt", vec![7; LARGE])
        .await
        .map_err(anyhow::Error::msg)?;
    let blobs = app.data().join("s3/blobs");
    let blob = std::fs::read_dir(&blobs)?.next().context("a file")??.path();
    put(&app, "kept/other.txt", vec![8; LARGE])
        .await
        .map_err(anyhow::Error::msg)?;
    let whole = std::fs::read(&blob)?;
    for fault in [Fault::Empty, Fault::Half] {
        fault.strike(&blob)?;
        assert!(size(&app, "kept/large.txt").await.is_err(), "{fault:?}");
    }
    std::fs::remove_file(&blob)?;
    assert!(size(&app, "kept/large.txt").await.is_err(), "gone");
    assert_eq!(size(&app, "kept/other.txt").await?, LARGE);
    std::fs::write(&blob, whole)?;
    assert_eq!(size(&app, "kept/large.txt").await?, LARGE);
    Ok(())
}

/// The engine's own documents, overwritten with something else: the start goes on, other jobs go on, and this one goes on
/// when its document is back.
#[tokio::test(flavor = "multi_thread")]
async fn a_damaged_document_of_the_engine_holds_up_its_own_job_only() -> Result<()> {
    let mut app = App::start_bare().await?;
    for name in ["hurt", "well"] {
        OwnJob::new(&app, name, &["1", "2"]).create(&app).await?;
    }
    let portal = app.text("web_url").to_owned();
    let worker = signed_in(&app).await?;
    let task = OwnJob::new(&app, "hurt", &[]).take(&worker, &portal).await?;
    let said = worker
        .answer(&portal, task["token"].as_str().context("a token")?, "Odd")
        .await?;
    assert!(matches!(said, WorkerReply::Done(_)), "{said:?}");

    let documents = [
        "jobs/hurt/items/000000.json",
        "labeling-jobs/hurt.json",
        "portal/session-key.json",
        "workteams/of-no-one.json",
    ];
    // Not the workforce's: while that cannot be read no one is admitted, since it says from which networks.
    let mut kept = Vec::new();
    for key in documents {
        let before = document(&app, key).await?;
        write_document(&app, key, b"{\"this is\": ".to_vec()).await?;
        kept.push((key, before));
    }
    app.crash_and_restart().await?;
    let portal = app.text("web_url").to_owned();
    let worker = signed_in(&app).await?;
    let task = OwnJob::new(&app, "well", &[]).take(&worker, &portal).await?;
    let said = worker
        .answer(&portal, task["token"].as_str().context("a token")?, "Odd")
        .await?;
    assert!(matches!(said, WorkerReply::Done(_)), "{said:?}");
    let next = worker.next(&portal, "hurt").await?;
    assert!(!matches!(next, WorkerReply::Done(_)), "{next:?}");

    for (key, before) in kept.into_iter().take(2) {
        write_document(&app, key, before.with_context(|| format!("{key} was there"))?).await?;
    }
    let task = OwnJob::new(&app, "hurt", &[]).take(&worker, &portal).await?;
    let said = worker
        .answer(&portal, task["token"].as_str().context("a token")?, "Even")
        .await?;
    assert!(matches!(said, WorkerReply::Done(_)), "{said:?}");
    wait::until("both answers are there", PATIENCE, || async {
        match answered_items(&app, "hurt").await {
            Ok(2) => Ok(()),
            other => Err(format!("{other:?}")),
        }
    })
    .await;
    Ok(())
}

pub(crate) async fn document(app: &App, key: &str) -> Result<Option<Vec<u8>>> {
    let got = app
        .s3()?
        .get_object()
        .bucket(app.text("state_bucket"))
        .key(key)
        .send()
        .await;
    match got {
        Ok(object) => Ok(Some(object.body.collect().await?.to_vec())),
        Err(error) if error.code() == Some("NoSuchKey") => Ok(None),
        Err(error) => Err(error.into()),
    }
}

pub(crate) async fn write_document(app: &App, key: &str, bytes: Vec<u8>) -> Result<()> {
    let put = app.s3()?.put_object().bucket(app.text("state_bucket")).key(key);
    put.body(bytes.into()).send().await?;
    Ok(())
}
