//! The workforce's document says from which networks people may come: while it is unreadable, the portal admits no one.
#![cfg(target_os = "linux")]

use std::time::Duration;

use anyhow::{Context, Result};
use reqwest::StatusCode;
use tests::app::App;
use tests::wait;

use crate::disk::{document, write_document};

const PATIENCE: Duration = Duration::from_secs(60);
const WORKFORCE: &str = "workforces/default.json";

#[tokio::test(flavor = "multi_thread")]
async fn the_portal_is_closed_while_the_workforces_document_is_damaged_and_opens_with_it() -> Result<()> {
    let app = App::start_bare().await?;
    let portal = app.text("web_url").to_owned();
    let http = reqwest::Client::new();
    let look = || async {
        let answer = http.get(format!("{portal}/login")).send().await?;
        let status = answer.status();
        anyhow::Ok((status, answer.text().await?))
    };
    let (open, _) = look().await?;
    assert!(!open.is_server_error(), "{open}");

    let good = document(&app, WORKFORCE).await?.context("a workforce")?;
    write_document(&app, WORKFORCE, b"{\"this is\": ".to_vec()).await?;
    let sentence = wait::until("the portal is closed", PATIENCE, || async {
        match look().await {
            Ok((StatusCode::SERVICE_UNAVAILABLE, text)) => Ok(text),
            other => Err(format!("{other:?}")),
        }
    })
    .await;
    let words = sentence.split_whitespace().count();
    assert!(words >= 5 && sentence.contains('.'), "a sentence: {sentence}");

    write_document(&app, WORKFORCE, good).await?;
    wait::until("the portal is open", PATIENCE, || async {
        match look().await {
            Ok((status, _)) if status == open => Ok(()),
            other => Err(format!("{other:?}")),
        }
    })
    .await;
    Ok(())
}
