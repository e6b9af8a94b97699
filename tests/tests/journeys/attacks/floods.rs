//! Connections: many, silent, slow.

use std::time::Duration;

use anyhow::Result;
use tests::app::App;
use tests::{raw, wait};
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;

const MANY: usize = 600;
/// Fewer than the flood has connections.
const FEW_FILES: u32 = 256;
const PROMPTLY: Duration = Duration::from_secs(10);
/// The servers wait half a minute for a request's head.
const PATIENCE: Duration = Duration::from_secs(60);

/// Connections that say the beginning of a request and no more; as many as are taken.
async fn flood(url: &str, most: usize) -> Vec<TcpStream> {
    let beginnings = [
        "",
        "GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Slow: ",
        "POST / HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 100\r\n\r\nx",
    ];
    let mut held = Vec::new();
    for number in 0..most {
        let Ok(Ok(mut stream)) = tokio::time::timeout(PROMPTLY, raw::open(url)).await else {
            break;
        };
        let _refused = stream
            .write_all(beginnings[number % beginnings.len()].as_bytes())
            .await;
        held.push(stream);
    }
    held
}

async fn answers(app: &App) -> Result<()> {
    let http = reqwest::Client::builder().timeout(PROMPTLY).build()?;
    http.get(app.text("web_url")).send().await?.error_for_status()?;
    let put = app
        .s3()?
        .put_object()
        .bucket(app.text("input_bucket"))
        .key("flood/x.txt");
    tokio::time::timeout(PROMPTLY, put.body(b"x".to_vec().into()).send()).await??;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn hundreds_of_silent_connections_hold_nobody_up_and_are_hung_up_on() -> Result<()> {
    let app = App::start_bare().await?;
    let mut held = flood(app.text("web_url"), MANY).await;
    held.extend(flood(app.text("aws_url"), MANY).await);
    assert_eq!(held.len(), 2 * MANY);
    answers(&app).await?;
    for stream in held.into_iter().step_by(97) {
        raw::answer(stream).await?;
    }
    answers(&app).await
}

/// The store keeps its files open for writing: connections must not take the last of them.
#[tokio::test(flavor = "multi_thread")]
async fn more_connections_than_the_machine_has_files_do_not_stop_the_store() -> Result<()> {
    let app = App::start_with_few_files(FEW_FILES).await?;
    let held = flood(app.text("web_url"), MANY).await;
    for number in 0..20 {
        let put = app
            .s3()?
            .put_object()
            .bucket(app.text("input_bucket"))
            .key(format!("flood/{number}.txt"));
        tokio::time::timeout(PROMPTLY, put.body(b"x".to_vec().into()).send()).await??;
    }
    drop(held);
    wait::until("the portal answers again", PATIENCE, || async {
        answers(&app).await.map_err(|error| format!("{error:#}"))
    })
    .await;
    Ok(())
}
