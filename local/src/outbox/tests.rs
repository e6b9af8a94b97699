//! The outbox: kept, shown as text, and only to this machine.

use std::net::SocketAddr;

use axum::body::Body;
use axum::extract::ConnectInfo;
use axum::http::{Request, StatusCode};
use jiff::Timestamp;
use tower::ServiceExt;

use super::{Delivery, Entry, Outbox, router};
use crate::web_guard::LocalAddress;

fn entry(id: &str, state: Delivery) -> Entry {
    Entry {
        id: id.to_owned(),
        at: Timestamp::from_second(1_000).unwrap(),
        protocol: "email".to_owned(),
        to: "a@example.com".to_owned(),
        from: "arn:aws:sns:us-east-1:000000000000:news".to_owned(),
        subject: Some("<b>Done</b>".to_owned()),
        text: "<script>alert(1)</script>".to_owned(),
        html: None,
        state,
        secret_until: None,
    }
}

async fn ask(outbox: &Outbox, path: &str, host: &str, peer: [u8; 4]) -> (StatusCode, String) {
    let mut request = Request::get(path)
        .header("host", host)
        .body(Body::empty())
        .unwrap();
    request
        .extensions_mut()
        .insert(ConnectInfo(SocketAddr::from((peer, 50_000))));
    let here = LocalAddress::of("0.0.0.0:8182".parse().unwrap());
    let pages = router(outbox.clone(), here, "https://crew.example.com");
    let response = pages.oneshot(request).await.unwrap();
    let status = response.status();
    let body = axum::body::to_bytes(response.into_body(), 1 << 20).await.unwrap();
    (status, String::from_utf8(body.to_vec()).unwrap())
}

const HERE: [u8; 4] = [127, 0, 0, 1];

#[tokio::test]
async fn messages_are_shown_as_text_and_survive_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    Outbox::open(folder.path())
        .unwrap()
        .put(entry("one", Delivery::Delivered))
        .unwrap();
    let outbox = Outbox::open(folder.path()).unwrap();
    for path in ["/outbox", "/outbox/one"] {
        let (status, page) = ask(&outbox, path, "localhost:8080", HERE).await;
        assert_eq!(status, StatusCode::OK);
        assert!(page.contains("&lt;b&gt;Done"), "{page}");
        assert!(!page.contains("<script>") && !page.contains("<b>"), "{page}");
    }
    let (_, api) = ask(&outbox, "/outbox/api", "127.0.0.1", HERE).await;
    let api: serde_json::Value = serde_json::from_str(&api).unwrap();
    assert_eq!(api["messages"][0]["text"], "<script>alert(1)</script>");
    assert_eq!(
        ask(&outbox, "/outbox/two", "127.0.0.1", HERE).await.0,
        StatusCode::NOT_FOUND
    );
}

#[tokio::test]
async fn a_mail_is_shown_in_a_frame_that_runs_nothing_and_as_plain_text() {
    let folder = tempfile::tempdir().unwrap();
    let outbox = Outbox::open(folder.path()).unwrap();
    let html = "<p style=\"color:red\">Hello \"Ana\"</p><script>alert(1)</script>";
    let mail = Entry {
        html: Some(html.to_owned()),
        text: "Hello".to_owned(),
        ..entry("one", Delivery::Delivered)
    };
    outbox.put(mail).unwrap();
    let (_, page) = ask(&outbox, "/outbox/one", "127.0.0.1", HERE).await;
    assert!(
        page.contains("sandbox=\"allow-popups allow-popups-to-escape-sandbox\""),
        "{page}"
    );
    assert!(
        page.contains("Hello &quot;Ana&quot;") && page.contains("<pre>Hello</pre>"),
        "{page}"
    );
    assert!(!page.contains("<script>"), "{page}");
}

#[tokio::test]
async fn messages_are_found_by_address_and_listed_a_page_at_a_time() {
    let folder = tempfile::tempdir().unwrap();
    let outbox = Outbox::open(folder.path()).unwrap();
    for n in 0..250 {
        let to = format!("w{n}@example.org");
        outbox
            .put(Entry {
                to,
                ..entry(&format!("id{n}"), Delivery::Delivered)
            })
            .unwrap();
    }
    let (_, found) = ask(&outbox, "/outbox/api?to=W249@", "127.0.0.1", HERE).await;
    let found: serde_json::Value = serde_json::from_str(&found).unwrap();
    assert_eq!(found["messages"].as_array().unwrap().len(), 1, "{found}");
    let (_, first) = ask(&outbox, "/outbox", "127.0.0.1", HERE).await;
    assert!(first.contains("id249\"") && !first.contains("/outbox/id49\""));
    assert!(first.contains("before=id50"), "{first}");
    let (_, second) = ask(&outbox, "/outbox?to=&before=id50", "127.0.0.1", HERE).await;
    assert!(
        second.contains("/outbox/id49\"") && second.contains("/outbox/id0\"") && !second.contains("before=")
    );
}

#[tokio::test]
async fn only_this_machine_reads_the_outbox() {
    let folder = tempfile::tempdir().unwrap();
    let outbox = Outbox::open(folder.path()).unwrap();
    assert_eq!(
        ask(&outbox, "/outbox", "127.0.0.1", [192, 168, 0, 7]).await.0,
        StatusCode::FORBIDDEN
    );
    assert_eq!(
        ask(&outbox, "/outbox/api", "crew.example.com", HERE).await.0,
        StatusCode::FORBIDDEN
    );
}

#[tokio::test]
async fn a_request_from_elsewhere_is_answered_with_where_the_outbox_can_be_read() {
    let folder = tempfile::tempdir().unwrap();
    let outbox = Outbox::open(folder.path()).unwrap();
    let (status, page) = ask(&outbox, "/outbox", "crew.example.com", HERE).await;
    assert_eq!(status, StatusCode::FORBIDDEN);
    assert!(page.contains("href=\"http://127.0.0.1:8182/outbox\""), "{page}");
}

#[tokio::test]
async fn from_the_outbox_there_is_a_way_to_the_console_and_the_portal() {
    let folder = tempfile::tempdir().unwrap();
    let outbox = Outbox::open(folder.path()).unwrap();
    outbox.put(entry("one", Delivery::Delivered)).unwrap();
    for path in ["/outbox", "/outbox/one", "/outbox/two"] {
        let (_, page) = ask(&outbox, path, "127.0.0.1:8182", HERE).await;
        for way in ["https://crew.example.com/console", "https://crew.example.com"] {
            assert!(page.contains(&format!("href=\"{way}\"")), "{path}: {page}");
        }
    }
}

#[test]
fn an_unfinished_delivery_of_an_earlier_process_is_shown_as_failed() {
    let folder = tempfile::tempdir().unwrap();
    Outbox::open(folder.path())
        .unwrap()
        .put(entry("one", Delivery::Sending))
        .unwrap();
    let state = Outbox::open(folder.path()).unwrap().entries().remove(0).state;
    assert!(matches!(state, Delivery::Failed(_)), "{state:?}");
}

#[tokio::test]
async fn passwords_and_codes_are_taken_out_once_they_are_used_or_void() {
    let folder = tempfile::tempdir().unwrap();
    let outbox = Outbox::open(folder.path()).unwrap();
    let secret = |id: &str, to: &str, until: Timestamp| Entry {
        to: to.to_owned(),
        text: "Otter-Plum-1234".to_owned(),
        html: Some("<b>Otter-Plum-1234</b>".to_owned()),
        secret_until: Some(until),
        ..entry(id, Delivery::Delivered)
    };
    let (past, future) = (Timestamp::from_second(2_000).unwrap(), Timestamp::MAX);
    outbox.put(secret("void", "a@example.com", past)).unwrap();
    outbox.put(secret("used", "Bo@example.com", future)).unwrap();
    outbox.put(secret("good", "cy@example.com", future)).unwrap();
    outbox.put(entry("notice", Delivery::Delivered)).unwrap();
    outbox.remove_secrets_to("bo@example.com").unwrap();
    let outbox = Outbox::open(folder.path()).unwrap();
    let shown = |id: &str| outbox.entry(id).unwrap();
    for id in ["void", "used"] {
        assert!(
            shown(id).text.contains("was removed") && shown(id).html.is_none(),
            "{id}"
        );
    }
    assert_eq!(shown("good").text, "Otter-Plum-1234");
    assert_eq!(shown("notice").text, "<script>alert(1)</script>");
    let files = std::fs::read_dir(folder.path()).unwrap();
    let texts = files.map(|file| std::fs::read_to_string(file.unwrap().path()).unwrap());
    assert_eq!(
        texts.filter(|text| text.contains("Otter")).count(),
        1,
        "on disk too"
    );
}
