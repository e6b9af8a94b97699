//! Files of this machine: through paths that climb, keys that climb, and links in the drop folder.

use std::time::Duration;

use anyhow::Result;
use tests::app::App;
use tests::signature::Call;
use tests::{raw, sign_in, wait};

/// What is in files that may never be served.
fn secrets(app: &App) -> Vec<String> {
    let mut all = vec!["root:x:0:0".to_owned(), "$argon2".to_owned()];
    for field in ["secret_access_key", "console_secret"] {
        all.push(app.text(field).to_owned());
    }
    all
}

/// Ways up, plain and disguised.
fn climbing_paths() -> Vec<String> {
    let ups = [
        "..",
        "%2e%2e",
        "%2E.",
        "..%2f..",
        "..%5c..",
        "%252e%252e",
        "..;",
        "....//",
        "%c0%ae%c0%ae",
        "%00..",
        "..%00",
    ];
    let goals = [
        "etc/passwd",
        "stack.json",
        "users.json",
        "%2fetc%2fpasswd",
        "sign-in-client.json",
    ];
    let mut all = Vec::new();
    for up in ups {
        for goal in goals {
            all.push(format!("{up}/{goal}"));
            all.push(format!("{}/{goal}", [up; 8].join("/")));
        }
    }
    all.push("/etc/passwd".to_owned());
    all.push("file:///etc/passwd".to_owned());
    all
}

#[tokio::test(flavor = "multi_thread")]
async fn no_address_of_the_web_port_names_a_file() -> Result<()> {
    let app = App::start_bare().await?;
    let url = app.text("web_url");
    let opened = sign_in::client()?.get(app.console_url()).send().await?;
    let cookie = opened
        .headers()
        .get("set-cookie")
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default();
    let cookie = cookie.split(';').next().unwrap_or_default();
    let headers = [("Host", raw::authority(url)), ("Cookie", cookie)];
    let secrets = secrets(&app);
    for path in climbing_paths() {
        for root in [
            "/",
            "/portal/",
            "/crowd/",
            "/outbox/",
            "/tasks/",
            "/work/",
            "/console/assets/",
            "/console/api/spec/",
            "/console/api/object?key=",
            "/console/api/object?key=results/",
            "/console/api/object?key=results/x/",
        ] {
            let answer = raw::get(url, &format!("{root}{path}"), &headers).await?;
            let leak = secrets
                .iter()
                .find(|secret| answer.text.contains(secret.as_str()));
            assert_eq!(leak, None, "{root}{path}: {answer:?}");
        }
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn no_key_of_the_store_names_a_file_or_another_bucket() -> Result<()> {
    let app = App::start_bare().await?;
    let (bucket, state) = (app.text("input_bucket"), app.text("state_bucket"));
    let secrets = secrets(&app);
    let mut keys = climbing_paths();
    keys.push(format!("../{state}/portal/session-key.json"));
    keys.push(format!("%2e%2e/{state}/portal/session-key.json"));
    for key in keys
        .into_iter()
        .filter(|key| !key.contains("%c0") && !key.contains("//"))
    {
        let target = format!("/{bucket}/{key}");
        let answer = Call::new(&app, "s3", "GET", &target).sign()?.send().await?;
        assert!((400..500).contains(&answer.status), "{target}: {answer:?}");
        let leak = secrets
            .iter()
            .find(|secret| answer.text.contains(secret.as_str()));
        assert_eq!(leak, None, "{target}: {answer:?}");
    }
    // Such a key may be written; it is a name like any other and lies nowhere else.
    let outside = app.data().join("planted.txt");
    let written = Call::new(&app, "s3", "PUT", &format!("/{bucket}/x/../../../planted.txt"));
    let written = written.body("planted").sign()?.send().await?;
    assert!(
        !outside.exists() && !app.data().join("../planted.txt").exists(),
        "{written:?}"
    );
    Ok(())
}

#[cfg(unix)]
#[tokio::test(flavor = "multi_thread")]
async fn a_link_in_the_drop_folder_is_told_of_and_not_followed() -> Result<()> {
    use std::os::unix::fs::symlink;
    let app = App::start_bare().await?;
    let outside = tempfile::tempdir()?;
    std::fs::write(outside.path().join("private.txt"), "private")?;
    let dataset = app.drop_folder().join("links");
    std::fs::create_dir_all(&dataset)?;
    symlink(outside.path().join("private.txt"), dataset.join("file.txt"))?;
    symlink(outside.path(), dataset.join("folder"))?;
    symlink("../../stack.json", dataset.join("relative.txt"))?;
    symlink(&dataset, dataset.join("loop"))?;
    symlink(outside.path(), app.drop_folder().join("linked-dataset"))?;
    symlink("/dev/zero", dataset.join("endless.txt"))?;
    std::fs::write(dataset.join("own.txt"), "own")?;
    let keys = wait::until(
        "the file of its own is uploaded",
        Duration::from_secs(30),
        || async {
            let keys = uploaded_keys(&app).await.map_err(|error| format!("{error:#}"))?;
            if keys.contains(&"links/own.txt".to_owned()) {
                Ok(keys)
            } else {
                Err(format!("{keys:?}"))
            }
        },
    )
    .await;
    assert_eq!(
        keys.iter().filter(|key| key.starts_with("link")).count(),
        1,
        "{keys:?}"
    );
    Ok(())
}

#[cfg(unix)]
async fn uploaded_keys(app: &App) -> Result<Vec<String>> {
    let list = app.s3()?.list_objects_v2().bucket(app.text("input_bucket"));
    let listed = list.send().await?;
    Ok(listed
        .contents()
        .iter()
        .filter_map(|object| object.key().map(str::to_owned))
        .collect())
}
