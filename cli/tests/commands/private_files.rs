//! What `groundcrew up` writes is its owner's alone, whatever the shell it was started from lets others read.

use std::io::{BufRead, BufReader};
use std::os::unix::fs::PermissionsExt;
use std::process::{Command, Stdio};

#[test]
fn everything_that_is_written_is_closed_to_others() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let mut command = Command::new("sh");
    command
        .args([
            "-c",
            "umask 000; exec \"$@\"",
            "sh",
            env!("CARGO_BIN_EXE_groundcrew"),
            "up",
        ])
        // As behind a proxy, so that the command of docs/SECURITY.md runs too.
        .args(["--public-url", "https://crew.example.com"])
        .args(["--trusted-proxies", "127.0.0.1/32"])
        .args(["--aws", "127.0.0.1:0", "--web", "127.0.0.1:0", "--data"])
        .arg(&data)
        .arg("--record")
        .arg(folder.path().join("record.jsonl"))
        .env_remove("GROUNDCREW_TRUSTED_PROXIES")
        .stdout(Stdio::piped());
    let mut process = command.spawn().unwrap();
    // The banner comes when everything runs.
    let mut lines = BufReader::new(process.stdout.take().unwrap()).lines();
    let started = lines.any(|line| line.unwrap().contains("http://127.0.0.1:"));
    let written: Vec<_> = walkdir::WalkDir::new(folder.path())
        .min_depth(1)
        .into_iter()
        // What is renamed or deleted in the meantime.
        .filter_map(Result::ok)
        .filter_map(|entry| {
            Some((
                entry.path().to_owned(),
                entry.metadata().ok()?.permissions().mode(),
            ))
        })
        .collect();
    process.kill().unwrap();
    process.wait().unwrap();
    assert!(started, "groundcrew did not start");
    let names = [
        "record.jsonl",
        "credentials.json",
        "people.redb",
        "index.redb",
        "labeling.yaml",
    ];
    for name in names {
        assert!(written.iter().any(|(path, _)| path.ends_with(name)), "no {name}");
    }
    for (path, mode) in written {
        assert_eq!(mode & 0o077, 0, "{} is {:o}", path.display(), mode & 0o777);
    }
}
