//! Requests that are too large, too deep or unfold when they are read: refused early, and cheap.

use anyhow::Result;
use reqwest::StatusCode;
use serde_json::json;
use tests::app::App;
use tests::signature::Call;
use tests::worker::Worker;
use tests::{raw, sign_in};

/// What all attacks of a test together may add to the process, in MiB.
const MOST: u64 = 250;

/// Still there, and not swollen.
async fn assert_well(app: &mut App, before: Option<u64>) -> Result<()> {
    assert_eq!(app.exit_status()?, None, "the process has ended");
    let home = reqwest::get(app.text("web_url")).await?;
    assert_eq!(home.status(), 200);
    if let Some((before, after)) = before.zip(app.peak_memory()) {
        assert!(after < before + MOST, "memory went from {before} to {after} MiB");
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_larger_than_anyone_needs_is_refused() -> Result<()> {
    let mut app = App::start_bare().await?;
    let before = app.peak_memory();
    let portal = app.text("web_url").to_owned();
    let (email, password) = app.worker();
    let worker = Worker::new(email, password)?;
    worker.sign_in(&portal).await?;
    let large = json!({"answer": {"crowd-classifier": {"label": "x".repeat(30 << 20)}}}).to_string();
    let post = worker.http().post(format!("{portal}/api/tasks/x.0/answer"));
    let post = post
        .header("x-groundcrew", "1")
        .header("content-type", "application/json");
    let refused = post.body(large.clone()).send().await;
    assert!(refused.map_or(true, |answer| answer.status() == StatusCode::PAYLOAD_TOO_LARGE));
    let form = sign_in::begin(&portal).await?.form;
    let refused = sign_in::pass(&form, (&large, &large)).await;
    assert!(refused.map_or(true, |answer| answer.status().is_client_error()));

    let own = raw::authority(&portal);
    for target in [
        "/api/tasks/x.0/answer",
        form.path(),
        "/oauth2/idpresponse",
        "/console/api/check-spec",
    ] {
        let head = format!(
            "POST {target} HTTP/1.1\r\nHost: {own}\r\nConnection: close\r\nContent-Type: application/json\r\n"
        );
        let promised = format!("{head}Content-Length: 1000000000000\r\n\r\n{{");
        let chunks = format!(
            "{head}Transfer-Encoding: chunked\r\n\r\n{}",
            format!("100000\r\n{}\r\n", "x".repeat(1 << 20)).repeat(8)
        );
        for bytes in [chunks] {
            let answer = raw::send(&portal, bytes.as_bytes()).await?;
            assert!(answer.status == 0 || answer.status >= 400, "{target}: {answer:?}");
        }
        let answer = raw::open(&portal).await?;
        drop((answer, promised));
    }
    let aws = app.text("aws_url").to_owned();
    let call = Call::json(&app, "sagemaker", "SageMaker.ListLabelingJobs", &large).sign()?;
    let answer = call.send().await?;
    assert!(
        answer.status == 0 || answer.status == 413,
        "{}: {}",
        aws,
        answer.status
    );
    assert_well(&mut app, before).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_line_or_header_without_end_is_refused() -> Result<()> {
    let mut app = App::start_bare().await?;
    let before = app.peak_memory();
    for url in [app.text("web_url").to_owned(), app.text("aws_url").to_owned()] {
        let own = raw::authority(&url).to_owned();
        let many = "X-A: b\r\n".repeat(100_000);
        for bytes in [
            format!("GET /{} HTTP/1.1\r\nHost: {own}\r\nConnection: close\r\n\r\n", "a".repeat(2 << 20)),
            format!("GET / HTTP/1.1\r\nHost: {own}\r\nConnection: close\r\nCookie: {}\r\n\r\n", "a=b; ".repeat(1 << 20)),
            format!("GET / HTTP/1.1\r\nHost: {own}\r\nConnection: close\r\n{many}\r\n"),
            format!("GET / HTTP/1.1\r\nHost: {own}\r\nConnection: close\r\n{}: x\r\n\r\n", "N".repeat(1 << 20)),
            "A".repeat(4 << 20),
            "GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nGET / HTTP/1.1\r\n\r\n".to_owned(),
            "\0\u{1}\u{2}\r\n\r\n".to_owned(),
            "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_owned(),
        ] {
            let answer = raw::send(&url, bytes.as_bytes()).await?;
            let shown: String = bytes.chars().take(60).collect();
            assert!(answer.status == 0 || (400..500).contains(&answer.status), "{shown}: {answer:?}");
        }
    }
    assert_well(&mut app, before).await
}

#[tokio::test(flavor = "multi_thread")]
async fn json_without_bottom_is_refused() -> Result<()> {
    let mut app = App::start_bare().await?;
    let before = app.peak_memory();
    let portal = app.text("web_url").to_owned();
    let (email, password) = app.worker();
    let worker = Worker::new(email, password)?;
    worker.sign_in(&portal).await?;
    for (open, close) in [("[", "]"), ("{\"a\":", "}")] {
        for depth in [200, 100_000] {
            let deep = format!("{}1{}", open.repeat(depth), close.repeat(depth));
            let answer = worker
                .http()
                .post(format!("{portal}/api/tasks/x.0/answer"))
                .header("x-groundcrew", "1")
                .header("content-type", "application/json")
                .body(format!("{{\"answer\":{{\"a\":{deep}}}}}"))
                .send()
                .await?;
            assert!(answer.status().is_client_error(), "{depth} {open}: {answer:?}");
            let task = json!({"UiTemplate": {"Content": "x"}, "Task": {"Input": deep.clone()}, "RoleArn": app.text("labeling_role_arn")});
            for (service, target, body) in [
                ("sagemaker", "SageMaker.CreateLabelingJob", deep.clone()),
                ("sagemaker", "SageMaker.RenderUiTemplate", task.to_string()),
                ("sqs", "AmazonSQS.SendMessage", deep.clone()),
                (
                    "cognito-idp",
                    "AWSCognitoIdentityProviderService.ListUsers",
                    deep.clone(),
                ),
            ] {
                let answer = Call::json(&app, service, target, &body).sign()?.send().await?;
                assert!(
                    (400..500).contains(&answer.status),
                    "{target} {depth}: {answer:?}"
                );
            }
        }
    }
    assert_well(&mut app, before).await
}

#[tokio::test(flavor = "multi_thread")]
async fn an_xml_bomb_neither_unfolds_nor_fetches() -> Result<()> {
    let mut app = App::start_bare().await?;
    let before = app.peak_memory();
    let bucket = app.text("input_bucket").to_owned();
    let put = app.s3()?.put_object().bucket(&bucket).key("kept/x.txt");
    put.body(b"kept".to_vec().into()).send().await?;
    let entities: String = (1..10)
        .map(|n| format!("<!ENTITY a{n} \"{}\">", format!("&a{};", n - 1).repeat(10)))
        .collect();
    let laughs = format!(
        "<?xml version=\"1.0\"?><!DOCTYPE d [<!ENTITY a0 \"kept/x.txt\">{entities}]><Delete><Object><Key>&a9;</Key></Object></Delete>"
    );
    let outside = "<?xml version=\"1.0\"?><!DOCTYPE d [<!ENTITY x SYSTEM \"file:///etc/passwd\">]>\
        <Delete><Object><Key>&x;</Key></Object></Delete>";
    let deep = format!("<Delete>{}</Delete>", "<Object>".repeat(300_000));
    let wide = format!(
        "<Delete>{}</Delete>",
        "<Object><Key>k</Key></Object>".repeat(1_000_000)
    );
    for target in ["?delete", "?tagging", "?cors", "?lifecycle", "?notification"] {
        for (what, body) in [
            ("laughs", laughs.as_str()),
            ("outside", outside),
            ("deep", &deep),
            ("wide", &wide),
        ] {
            let method = if target == "?delete" { "POST" } else { "PUT" };
            let call = Call::new(&app, "s3", method, &format!("/{bucket}{target}"));
            let answer = call.body(body).sign()?.send().await?;
            assert!(
                answer.status == 0 || answer.status >= 400,
                "{target} {what}: {answer:?}"
            );
            assert!(!answer.text.contains("root:"), "{target} {what}: {answer:?}");
        }
    }
    let kept = app.s3()?.head_object().bucket(&bucket).key("kept/x.txt");
    kept.send().await?;
    assert_well(&mut app, before).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_yaml_bomb_is_told_of_and_holds_nobody_up() -> Result<()> {
    let mut app = App::start_bare().await?;
    let before = app.peak_memory();
    let laughs: String = (1..30)
        .map(|n| format!("a{n}: &a{n} [{}]\n", vec![format!("*a{}", n - 1); 10].join(", ")))
        .collect();
    let nested = format!("task: {}x{}\n", "[".repeat(100_000), "]".repeat(100_000));
    let bombs = [
        ("laughs", format!("a0: &a0 lol\n{laughs}task: *a29\n")),
        ("nested", nested),
        (
            "indented",
            (0..400).map(|n| format!("{}a:\n", " ".repeat(n))).collect(),
        ),
        (
            "merged",
            format!(
                "a0: &a0 {{x: 1}}\n{}",
                (1..2000)
                    .map(|n| format!("a{n}: &a{n} {{<<: [*a{0}, *a{0}]}}\n", n - 1))
                    .collect::<String>()
            ),
        ),
    ];
    let folder = app.drop_folder();
    for (name, text) in &bombs {
        std::fs::create_dir_all(folder.join(name))?;
        std::fs::write(folder.join(name).join("1.txt"), "1")?;
        std::fs::write(folder.join(name).join("labeling.yaml"), text)?;
    }
    let harmless = "task: text-classification\nlabels: [Even, Odd]\nteam: numbers-team\ntitle: Even or odd?\nbatch: {quiet: 1s}\n";
    std::fs::create_dir_all(folder.join("harmless"))?;
    std::fs::write(folder.join("harmless/1.txt"), "1")?;
    std::fs::write(folder.join("harmless/labeling.yaml"), harmless)?;
    tests::wait::until(
        "the bombs are announced, the harmless one has its job",
        std::time::Duration::from_secs(60),
        || async {
            let status = app.status().map_err(|error| error.to_string())?;
            let datasets = status["datasets"].as_array().cloned().unwrap_or_default();
            let of = |name: &str| {
                datasets
                    .iter()
                    .find(|set| set["name"] == name)
                    .cloned()
                    .unwrap_or_default()
            };
            let working = !of("harmless")["jobs"][0].is_null();
            let announced = bombs.iter().all(|(name, _)| {
                of(name).to_string().contains("labeling.yaml") || of(name).to_string().contains("spec")
            });
            if working && announced {
                Ok(())
            } else {
                Err(status.to_string())
            }
        },
    )
    .await;
    assert_well(&mut app, before).await
}
