//! A person labels images in a real Chromium, with keys alone: the image really comes, several labels are chosen, and
//! they stand in the output manifest.

use std::time::Duration;

use anyhow::{Context, Result};
use local::StackInfo;
use serde_json::{Value, json};
use tests::app::App;
use tests::browser::{Browser, key};
use tests::wait;

const SPEC: &str = "task: image-classification-multi-label
labels: [red, blue, dark]
team: numbers-team
title: Which colours are on the image?
instructions: {short: 'Choose **every** colour you see.'}
workers_per_item: 1
batch: {quiet: 1s}
";

/// An image of two halves, left and right.
fn image(left: [u8; 3], right: [u8; 3]) -> Vec<u8> {
    const SIDE: usize = 96;
    let row = |bytes: &mut Vec<u8>| {
        bytes.push(0);
        (0..SIDE).for_each(|x| bytes.extend(if x < SIDE / 2 { left } else { right }));
    };
    let mut pixels = Vec::new();
    (0..SIDE).for_each(|_| row(&mut pixels));
    let side = (SIDE as u32).to_be_bytes();
    let mut png = b"\x89PNG\r\n\x1a\n".to_vec();
    png.extend(chunk(b"IHDR", &[&side[..], &side[..], &[8, 2, 0, 0, 0]].concat()));
    png.extend(chunk(b"IDAT", &stored_block(&pixels)));
    png.extend(chunk(b"IEND", &[]));
    png
}

fn chunk(kind: &[u8; 4], data: &[u8]) -> Vec<u8> {
    let named = [&kind[..], data].concat();
    let crc = named.iter().fold(u32::MAX, |crc, byte| {
        (0..8).fold(crc ^ u32::from(*byte), |crc, _| {
            (crc >> 1) ^ (0xEDB8_8320 * (crc & 1))
        })
    });
    [
        &(data.len() as u32).to_be_bytes()[..],
        &named,
        &(!crc).to_be_bytes(),
    ]
    .concat()
}

/// A zlib stream with one block that is not compressed: at most 65,535 bytes.
fn stored_block(data: &[u8]) -> Vec<u8> {
    let length = data.len() as u16;
    let (a, b) = data.iter().fold((1_u32, 0_u32), |(a, b), byte| {
        let a = (a + u32::from(*byte)) % 65_521;
        (a, (a + b) % 65_521)
    });
    [
        &[0x78, 0x01, 0x01][..],
        &length.to_le_bytes(),
        &(!length).to_le_bytes(),
        data,
        &((b << 16) | a).to_be_bytes(),
    ]
    .concat()
}

async fn sign_in(browser: &Browser, app: &App) -> Result<()> {
    browser.open(&format!("{}/login", app.text("web_url"))).await?;
    let (email, password) = app.worker();
    let name = browser.find("input[name=username]").await?;
    browser.type_into(&name, email).await?;
    let secret = browser.find("input[name=password]").await?;
    browser
        .type_into(&secret, &format!("{password}{}", key::ENTER))
        .await?;
    browser.wait_for_text("Your jobs").await
}

/// Enters the frame of the task after `before`, once its image is there; the frame's address and where the image came from.
async fn next_image(browser: &Browser, before: &str) -> Result<(String, String)> {
    shown_image(browser, before, "img").await
}

/// The same for the image that is meant.
async fn shown_image(browser: &Browser, before: &str, selector: &str) -> Result<(String, String)> {
    let look = || async {
        browser.leave_frame().await.map_err(|e| e.to_string())?;
        let frame = browser
            .run(
                "return document.querySelector('iframe')?.getAttribute('src') ?? ''",
                json!([]),
            )
            .await
            .map_err(|e| e.to_string())?;
        let frame = frame.as_str().unwrap_or_default().to_owned();
        if frame.is_empty() || frame == before {
            return Err(browser.page_text().await.unwrap_or_default());
        }
        let element = browser
            .find(&format!("iframe[src='{frame}']"))
            .await
            .map_err(|e| e.to_string())?;
        browser.enter_frame(&element).await.map_err(|e| e.to_string())?;
        let shown = "const image = document.querySelector(arguments[0]); return [image?.naturalWidth ?? 0, image?.src ?? '']";
        let shown = browser
            .run(shown, json!([selector]))
            .await
            .map_err(|e| e.to_string())?;
        match (shown[0].as_u64(), shown[1].as_str()) {
            (Some(1..), Some(from)) => Ok((frame, from.to_owned())),
            _ => Err(format!(
                "{shown}: {}",
                browser.page_text().await.unwrap_or_default()
            )),
        }
    };
    Ok(wait::until("the image of the next task", Duration::from_secs(30), look).await)
}

async fn completed_job(app: &App) -> Value {
    wait::until("the job completes", Duration::from_secs(60), || async {
        let status = app.status().map_err(|e| e.to_string())?;
        let datasets = status["datasets"].as_array().cloned().unwrap_or_default();
        let job = datasets
            .iter()
            .find(|d| d["name"] == "colours")
            .map(|d| d["jobs"][0].clone())
            .unwrap_or_default();
        if job["state"] == "completed" {
            Ok(job)
        } else {
            Err(status.to_string())
        }
    })
    .await
}

/// The lines of the one output manifest there is.
async fn output(app: &App) -> Result<Vec<Value>> {
    let info = StackInfo::read(app.data())?.context("stack.json")?;
    let s3 = info.s3();
    let all = s3.list_objects_v2().bucket(&info.output_bucket).send().await?;
    let key = all
        .contents()
        .iter()
        .filter_map(|object| object.key())
        .find(|key| key.ends_with("/output.manifest"));
    let key = key.context("no output manifest")?;
    let object = s3
        .get_object()
        .bucket(&info.output_bucket)
        .key(key)
        .send()
        .await?;
    let text = String::from_utf8(object.body.collect().await?.to_vec())?;
    text.lines()
        .map(|line| serde_json::from_str(line).context("a line is no JSON"))
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_person_labels_images_with_keys_and_sees_them() -> Result<()> {
    let Some(browser) = Browser::start().await? else {
        return Ok(());
    };
    let app = App::start_bare().await?;
    let folder = app.drop_folder().join("colours");
    std::fs::create_dir_all(&folder)?;
    std::fs::write(folder.join("red & dark.png"), image([220, 30, 30], [20, 20, 20]))?;
    std::fs::write(folder.join("blue.png"), image([30, 60, 220], [60, 90, 240]))?;
    std::fs::write(folder.join("labeling.yaml"), SPEC)?;

    sign_in(&browser, &app).await?;
    browser.wait_for_text("Which colours are on the image?").await?;
    let start = browser.find("#jobs a").await?;
    browser.click(&start).await?;

    let mut before = String::new();
    for nth in 0..2 {
        let (frame, from) = next_image(&browser, &before).await?;
        browser.screenshot(&format!("image-task-{nth}")).await?;
        browser
            .press(if from.contains("blue.png") { "2" } else { "13" })
            .await?;
        browser.screenshot(&format!("image-chosen-{nth}")).await?;
        browser.press(key::ENTER).await?;
        before = frame;
    }
    browser.leave_frame().await?;
    browser.wait_for_text("All done").await?;

    let job = completed_job(&app).await;
    assert_eq!(job["counters"]["total_labeled"], 2, "{job}");
    for line in output(&app).await? {
        let is_blue = line["source-ref"]
            .as_str()
            .is_some_and(|uri| uri.ends_with("/blue.png"));
        let chosen = &line["colours-metadata"]["class-map"];
        assert_eq!(
            *chosen,
            if is_blue {
                json!({"1": "blue"})
            } else {
                json!({"0": "red", "2": "dark"})
            },
            "{line}"
        );
        assert_eq!(
            line["colours-metadata"]["type"], "groundtruth/image-classification-multilabel",
            "{line}"
        );
    }
    Ok(())
}

/// Uploaded SVG runs no script and is an attachment when it is opened; within the page it is an image like others.
#[tokio::test(flavor = "multi_thread")]
async fn an_image_of_the_instructions_may_be_svg() -> Result<()> {
    let Some(browser) = Browser::start().await? else {
        return Ok(());
    };
    let app = App::start_bare().await?;
    let folder = app.drop_folder().join("colours");
    std::fs::create_dir_all(&folder)?;
    let sign = "<svg xmlns='http://www.w3.org/2000/svg' width='32' height='24'><rect width='32' height='24' fill='red'/></svg>";
    std::fs::write(folder.join("sign.svg"), sign)?;
    std::fs::write(folder.join("red.png"), image([220, 30, 30], [20, 20, 20]))?;
    let spec = SPEC.replace(
        "Choose **every** colour you see.",
        "Such a sign: ![a sign](sign.svg)",
    );
    let spec = format!("{spec}select: {{exclude: ['*.svg']}}\n");
    std::fs::write(folder.join("labeling.yaml"), spec)?;

    sign_in(&browser, &app).await?;
    browser.wait_for_text("Which colours are on the image?").await?;
    let start = browser.find("#jobs a").await?;
    browser.click(&start).await?;
    let (_, from) = shown_image(&browser, "", "img[src*='sign.svg']").await?;
    assert!(from.contains("sign.svg"), "{from}");
    Ok(())
}
