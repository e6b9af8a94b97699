//! An admin drops files onto the console in a real Chromium, writes the spec there, and sees the job appear.

use anyhow::Result;
use serde_json::json;
use tests::app::App;
use tests::browser::Browser;

/// What the browser does when a person lets go of files over the page.
const DROP: &str = "
const [selector, files] = arguments;
const transfer = new DataTransfer();
for (const [name, text] of files) transfer.items.add(new File([text], name, { type: 'text/plain' }));
const target = document.querySelector(selector);
for (const kind of ['dragenter', 'dragover', 'drop'])
  target.dispatchEvent(new DragEvent(kind, { bubbles: true, cancelable: true, dataTransfer: transfer }));
";

const SPEC: &str = "task: text-classification
labels: [question, statement]
team: numbers-team
title: Question or statement?
workers_per_item: 1
batch: {quiet: 1s}
";

#[tokio::test(flavor = "multi_thread")]
async fn files_dropped_on_the_console_wait_for_a_spec_and_become_a_job() -> Result<()> {
    let Some(browser) = Browser::start().await? else {
        return Ok(());
    };
    let app = App::start_bare().await?;
    browser.open(&app.console_url()).await?;
    browser.find("drop-zone").await?;
    browser.screenshot("console-empty").await?;

    let files = json!([
        ["a.txt", "How far is it?"],
        ["b.txt", "It is far."],
        ["empty.txt", ""]
    ]);
    browser.run(DROP, json!(["drop-zone", files])).await?;
    let name = browser.find("#dataset-name").await?;
    browser.type_into(&name, "sentences").await?;
    browser.screenshot("console-name").await?;
    let confirm = browser.find("#dataset-confirm").await?;
    browser.click(&confirm).await?;
    browser.find("dataset-card").await?;
    browser.wait_for_text("sentences").await?;
    browser.screenshot("console-waits-for-spec").await?;

    browser
        .run(DROP, json!(["dataset-card", [["labeling.yaml", SPEC]]]))
        .await?;
    browser.wait_for_text("Question or statement?").await?;
    browser.wait_for_text("0 of 2").await?;
    browser.wait_for_text("empty.txt").await?;
    browser.screenshot("console-job").await?;
    Ok(())
}
