//! The AWS port: what is not signed, signed wrongly, signed long ago, or signed for something else.

use std::time::{Duration, SystemTime};

use anyhow::Result;
use aws_sdk_s3::presigning::PresigningConfig;
use tests::app::App;
use tests::signature::Call;
use tests::{raw, wait};

const SECRET: &str = "what only the owner may read";
const KEY: &str = "vault/secret.txt";
const QUARTER: Duration = Duration::from_secs(16 * 60);

async fn app_with_a_secret() -> Result<App> {
    let app = App::start_bare().await?;
    let put = app.s3()?.put_object().bucket(app.text("input_bucket")).key(KEY);
    put.body(SECRET.as_bytes().to_vec().into()).send().await?;
    Ok(app)
}

async fn assert_untouched(app: &App) -> Result<()> {
    let object = app.s3()?.get_object().bucket(app.text("input_bucket")).key(KEY);
    let body = object.send().await?.body.collect().await?;
    assert_eq!(body.to_vec(), SECRET.as_bytes());
    Ok(())
}

fn assert_refused(what: &str, answer: &raw::RawResponse) {
    // 501: a service that is not here.
    let refusal = (400..500).contains(&answer.status) || answer.status == 501;
    assert!(refusal, "{what}: {answer:?}");
    assert!(!answer.text.contains(SECRET), "{what}: {answer:?}");
}

/// One thing done to a call after it was right.
type Change<'a> = &'a dyn Fn(&mut Call);

#[tokio::test(flavor = "multi_thread")]
async fn an_unsigned_request_reaches_nothing_whatever_host_it_names() -> Result<()> {
    let app = app_with_a_secret().await?;
    let (url, bucket) = (app.text("aws_url"), app.text("input_bucket"));
    let object = format!("/{bucket}/{KEY}");
    let json = |target| {
        vec![
            ("content-type", "application/x-amz-json-1.1"),
            ("x-amz-target", target),
        ]
    };
    let form = vec![("content-type", "application/x-www-form-urlencoded")];
    let own = raw::authority(url).to_owned();
    let virtual_host = format!("{bucket}.evil.example");
    for host in [own.as_str(), "evil.example", "localhost", virtual_host.as_str()] {
        let attempts = [
            ("GET", "/".to_owned(), vec![], ""),
            ("GET", format!("/{bucket}?list-type=2"), vec![], ""),
            ("GET", object.clone(), vec![], ""),
            ("GET", format!("/{KEY}"), vec![], ""),
            ("PUT", object.clone(), vec![], "overwritten"),
            ("DELETE", object.clone(), vec![], ""),
            ("POST", format!("/{bucket}?delete"), vec![], "<Delete/>"),
            ("POST", "/".to_owned(), json("SageMaker.ListLabelingJobs"), "{}"),
            ("POST", "/".to_owned(), json("AmazonSQS.ListQueues"), "{}"),
            (
                "POST",
                "/".to_owned(),
                json("AWSCognitoIdentityProviderService.AdminCreateUser"),
                "{}",
            ),
            (
                "POST",
                "/".to_owned(),
                form.clone(),
                "Action=ListTopics&Version=2010-03-31",
            ),
            (
                "GET",
                "/?Action=ListTopics&Version=2010-03-31".to_owned(),
                vec![],
                "",
            ),
            (
                "GET",
                "/?Action=ConfirmSubscription&Token=guess".to_owned(),
                vec![],
                "",
            ),
        ];
        for (method, target, mut headers, body) in attempts {
            headers.push(("Host", host));
            let answer = raw::request(url, method, &target, &headers, body).await?;
            assert_refused(&format!("{method} {target} {headers:?}"), &answer);
        }
    }
    assert_untouched(&app).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_of_another_site_is_not_let_in_by_its_browser() -> Result<()> {
    let app = app_with_a_secret().await?;
    let url = app.text("aws_url");
    let target = format!("/{}/{KEY}", app.text("input_bucket"));
    for method in ["OPTIONS", "GET", "PUT"] {
        let headers = [
            ("Host", raw::authority(url)),
            ("Origin", "https://evil.example"),
            ("Access-Control-Request-Method", "PUT"),
            ("Access-Control-Request-Headers", "authorization"),
        ];
        let answer = raw::request(url, method, &target, &headers, "").await?;
        assert_refused(method, &answer);
        let allowed = answer
            .text
            .to_ascii_lowercase()
            .contains("access-control-allow-origin");
        assert!(!allowed, "{method}: {answer:?}");
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_signature_with_the_wrong_secret_or_of_another_time_is_refused() -> Result<()> {
    let app = app_with_a_secret().await?;
    let object = format!("/{}/{KEY}", app.text("input_bucket"));
    let now = SystemTime::now();
    for call in [
        Call::new(&app, "s3", "GET", &object),
        Call::json(&app, "sagemaker", "SageMaker.ListLabelingJobs", "{}"),
        Call::json(&app, "sqs", "AmazonSQS.ListQueues", "{}"),
        Call::json(
            &app,
            "cognito-idp",
            "AWSCognitoIdentityProviderService.ListGroups",
            &format!("{{\"UserPoolId\": \"{}\"}}", app.text("user_pool_id")),
        ),
    ] {
        let right = call.clone().sign()?.send().await?;
        assert_eq!(right.status, 200, "{right:?}");
        let changes: [(&str, Change<'_>); 6] = [
            ("another secret", &|call| call.secret.push('x')),
            ("another key", &|call| call.key.push('X')),
            ("an empty secret", &|call| call.secret.clear()),
            ("replayed later", &|call| call.at = now - QUARTER),
            ("dated ahead", &|call| call.at = now + QUARTER),
            ("another service", &|call| call.service = "execute-api"),
        ];
        for (what, change) in changes {
            let mut changed = call.clone();
            change(&mut changed);
            assert_refused(&format!("{what}: {call:?}"), &changed.sign()?.send().await?);
        }
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_signature_holds_for_nothing_but_what_was_signed() -> Result<()> {
    let app = app_with_a_secret().await?;
    let bucket = app.text("input_bucket").to_owned();
    let other = format!("/{bucket}/vault/other.txt");
    let written = Call::new(&app, "s3", "PUT", &other).body("signed").sign()?;
    assert_eq!(written.send().await?.status, 200);
    let changes: [(&str, Change<'_>); 8] = [
        ("another body", &|call| call.body = "forged".to_owned()),
        ("another key", &|call| call.target = format!("/{bucket}/{KEY}")),
        ("another method", &|call| call.method = "DELETE"),
        ("another query", &|call| call.target.push_str("?tagging")),
        ("a step up", &|call| {
            call.target = format!("/{bucket}/vault/../vault/other.txt");
        }),
        ("another host", &|call| {
            call.headers[0].1 = "evil.example".to_owned();
        }),
        ("a header of S3's more", &|call| {
            call.headers
                .push(("x-amz-copy-source".to_owned(), format!("/{bucket}/{KEY}")));
        }),
        ("no date", &|call| {
            call.headers.retain(|(name, _)| name != "x-amz-date");
        }),
    ];
    for (what, change) in changes {
        let mut changed = written.clone();
        change(&mut changed);
        assert_refused(what, &changed.send().await?);
    }
    let read = app.s3()?.get_object().bucket(&bucket).key("vault/other.txt");
    assert_eq!(read.send().await?.body.collect().await?.to_vec(), b"signed");
    assert_untouched(&app).await
}

async fn link(app: &App, seconds: u64) -> Result<String> {
    let get = app
        .s3()?
        .get_object()
        .bucket(app.text("input_bucket"))
        .key("vault/shared.txt");
    let config = PresigningConfig::expires_in(Duration::from_secs(seconds))?;
    Ok(get.presigned(config).await?.uri().to_owned())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_presigned_link_opens_one_object_for_its_time() -> Result<()> {
    let app = app_with_a_secret().await?;
    let bucket = app.text("input_bucket");
    let other = app.s3()?.put_object().bucket(bucket).key("vault/shared.txt");
    other.body(b"shared".to_vec().into()).send().await?;
    let address = link(&app, 600).await?;
    let http = reqwest::Client::new();
    assert_eq!(http.get(&address).send().await?.text().await?, "shared");
    let signature = address.split("X-Amz-Signature=").nth(1).unwrap_or_default();
    for tampered in [
        address.replace("shared.txt", "secret.txt"),
        address.replace("shared.txt", "shared.txt/../secret.txt"),
        address.replace("shared.txt", "%73ecret.txt"),
        address.replace("X-Amz-Expires=600", "X-Amz-Expires=604800"),
        address.replace("X-Amz-Expires=600", "X-Amz-Expires=999999999"),
        address.replace("X-Amz-SignedHeaders=host", "X-Amz-SignedHeaders="),
        address.replace(signature, &"0".repeat(64)),
        address.replace(&format!("&X-Amz-Signature={signature}"), ""),
        format!("{address}&response-content-type=text%2Fhtml"),
        format!("{address}&versionId=null"),
    ] {
        assert_ne!(tampered, address);
        let answer = http.get(&tampered).send().await?;
        assert!(answer.status().is_client_error(), "{tampered}: {answer:?}");
    }
    for method in [
        reqwest::Method::PUT,
        reqwest::Method::DELETE,
        reqwest::Method::POST,
    ] {
        let answer = http.request(method, &address).send().await?;
        assert!(answer.status().is_client_error(), "{answer:?}");
    }
    let short = link(&app, 1).await?;
    wait::until("the link expires", Duration::from_secs(20), || async {
        let status = http
            .get(&short)
            .send()
            .await
            .map_err(|error| error.to_string())?
            .status();
        if status == 403 {
            Ok(())
        } else {
            Err(status.to_string())
        }
    })
    .await;
    assert_untouched(&app).await
}
