//! A person labels the example to the end, in a real Chromium, with the keyboard alone; and on phones everything fits.

use std::time::Duration;

use anyhow::Result;
use serde_json::Value;
use tests::app::App;
use tests::browser::{Browser, key};
use tests::wait;

async fn sign_in(browser: &Browser, app: &App) -> Result<()> {
    browser.open(app.text("web_url")).await?;
    browser.wait_for_text("Sign in").await?;
    browser.screenshot("portal-welcome").await?;
    let way = browser.find("#jobs a").await?;
    browser.click(&way).await?;
    let (email, password) = app.worker();
    let name = browser.find("input[name=username]").await?;
    browser.type_into(&name, email).await?;
    let secret = browser.find("input[name=password]").await?;
    browser.screenshot("sign-in").await?;
    browser
        .type_into(&secret, &format!("{password}{}", key::ENTER))
        .await
}

/// The number the worker is shown, in the task that came after `before`.
async fn next_number(browser: &Browser, before: &str) -> Result<Option<(String, String)>> {
    let look = || async {
        browser.leave_frame().await.map_err(|e| e.to_string())?;
        let page = browser.page_text().await.map_err(|e| e.to_string())?;
        if page.contains("All done") || page.contains("Nothing waits") {
            return Ok(None);
        }
        let frame = browser
            .run(
                "return document.querySelector('iframe')?.getAttribute('src') ?? ''",
                serde_json::json!([]),
            )
            .await
            .map_err(|e| e.to_string())?;
        let frame = frame.as_str().unwrap_or_default().to_owned();
        if frame.is_empty() || frame == before {
            return Err(format!("still {frame}: {page}"));
        }
        let element = browser.find("iframe").await.map_err(|e| e.to_string())?;
        browser.enter_frame(&element).await.map_err(|e| e.to_string())?;
        let text = browser.page_text().await.map_err(|e| e.to_string())?;
        let number = text
            .lines()
            .map(str::trim)
            .find(|l| !l.is_empty() && l.bytes().all(|b| b.is_ascii_digit()));
        number.map(|n| Some((frame, n.to_owned()))).ok_or(text)
    };
    Ok(wait::until("the next task", Duration::from_secs(30), look).await)
}

fn example(status: &Value) -> Value {
    let datasets = status["datasets"].as_array().cloned().unwrap_or_default();
    datasets
        .into_iter()
        .find(|d| d["name"] == "numbers")
        .unwrap_or_default()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_person_labels_the_numbers_with_the_keyboard_and_the_job_completes() -> Result<()> {
    let Some(browser) = Browser::start().await? else {
        return Ok(());
    };
    let app = App::start().await?;
    sign_in(&browser, &app).await?;
    browser.wait_for_text("Start working").await?;
    browser.screenshot("portal-jobs").await?;
    let start = browser.find("#jobs a").await?;
    browser.click(&start).await?;

    let mut seen = std::collections::BTreeSet::new();
    let mut before = String::new();
    while let Some((frame, number)) = next_number(&browser, &before).await? {
        if seen.is_empty() {
            browser.screenshot("portal-work").await?;
        }
        let even = number.ends_with(['0', '2', '4', '6', '8']);
        browser.press(if even { "1" } else { "2" }).await?;
        browser.press(key::ENTER).await?;
        seen.insert(number);
        before = frame;
    }
    browser.leave_frame().await?;
    browser.screenshot("portal-done").await?;
    assert_eq!(seen.len(), 10, "each number once: {seen:?}");

    let job = wait::until(
        "the job completes and is announced",
        Duration::from_secs(60),
        || async {
            let status = app.status().map_err(|e| e.to_string())?;
            let notices = status["notices"].as_array().map_or(0, Vec::len);
            let job = example(&status)["jobs"][0].clone();
            if notices > 0 && job["state"] == "completed" {
                Ok(job)
            } else {
                Err(status.to_string())
            }
        },
    )
    .await;
    assert_eq!(job["counters"]["total_labeled"], 10, "{job}");

    browser.open(&app.outbox_url()).await?;
    browser.wait_for_text("numbers").await?;
    browser.screenshot("outbox").await?;
    Ok(())
}

/// On the phones people have, the page is as wide as the screen: nothing sticks out.
async fn fits_phones(browser: &Browser, what: &str) -> Result<()> {
    let wide = "return Math.max(innerWidth, document.documentElement.scrollWidth)";
    for phone in [360, 390] {
        browser.be_a_phone(phone).await?;
        wait::until(
            &format!("{what}: {phone} px wide"),
            Duration::from_secs(10),
            || async {
                let seen = browser.run(wide, serde_json::json!([])).await;
                let seen = seen.map_err(|e| e.to_string())?;
                if seen == phone {
                    Ok(())
                } else {
                    Err(seen.to_string())
                }
            },
        )
        .await;
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn on_a_phone_nothing_sticks_out_to_the_side_and_the_keys_named_are_the_keys_bound() -> Result<()> {
    let Some(browser) = Browser::start().await? else {
        return Ok(());
    };
    let app = App::start().await?;
    sign_in(&browser, &app).await?;
    browser.wait_for_text("Start working").await?;
    let long = "document.getElementById('name').textContent = 'person.with.a.long.name@mail.example.org'";
    browser.run(long, serde_json::json!([])).await?;
    fits_phones(&browser, "the jobs").await?;
    let start = browser.find("#jobs a").await?;
    browser.click(&start).await?;
    let frame = browser.find("iframe").await?;
    fits_phones(&browser, "the task").await?;
    browser.enter_frame(&frame).await?;
    browser.find(".gc-option").await?;
    let keys = "return [...document.querySelectorAll('.gc-hint span')][0].textContent";
    let keys = browser.run(keys, serde_json::json!([])).await?;
    assert_eq!(keys, "1 2 choose");
    browser.leave_frame().await?;
    browser.open(&app.outbox_url()).await?;
    browser.find(".messages, main p").await?;
    fits_phones(&browser, "the outbox").await?;
    Ok(())
}
