//! The console's addresses for teams and people, in front of a real stack: what is saved, over what, and what is refused.

use reqwest::{Method, RequestBuilder, Response, StatusCode};
use serde_json::{Value, json};

use crate::console_stack::ConsoleStack;

const FILE: &str = "organization: Lab\ncontact: lab@example.org\ndescription: D\nworkers: [ana@example.org, bo@example.org]\n";

impl ConsoleStack {
    fn ask(&self, method: Method, path: &str) -> RequestBuilder {
        let url = format!("{}/api/{path}", self.stack.info().console_url);
        self.client.request(method, url).header("x-groundcrew", "1")
    }

    async fn save(&self, team: &str, text: &str, etag: Option<&str>) -> Response {
        let request = self
            .ask(Method::PUT, &format!("team/{team}"))
            .body(text.to_owned());
        let request = match etag {
            Some(etag) => request.header("if-match", etag),
            None => request.header("if-none-match", "*"),
        };
        request.send().await.unwrap()
    }

    async fn json(&self, request: RequestBuilder) -> Value {
        request.send().await.unwrap().json().await.unwrap()
    }
}

async fn etag(saved: Response) -> String {
    assert_eq!(saved.status(), StatusCode::OK);
    saved.json::<Value>().await.unwrap()["etag"]
        .as_str()
        .unwrap()
        .to_owned()
}

#[tokio::test]
async fn two_admins_do_not_overwrite_each_other() {
    let console = ConsoleStack::start().await;
    let first = etag(console.save("crew-a", FILE, None).await).await;
    let again = console.save("crew-a", FILE, None).await;
    assert_eq!(again.status(), StatusCode::PRECONDITION_FAILED, "made twice");

    let read = console.json(console.ask(Method::GET, "team/crew-a")).await;
    assert_eq!(
        (read["text"].as_str(), read["etag"].as_str()),
        (Some(FILE), Some(first.as_str()))
    );
    let mine = FILE.replace("bo@", "cy@");
    let second = etag(console.save("crew-a", &mine, Some(&first)).await).await;
    assert_ne!(first, second);
    let late = console
        .save("crew-a", &FILE.replace("ana@", "di@"), Some(&first))
        .await;
    assert_eq!(late.status(), StatusCode::PRECONDITION_FAILED);
    let answer = late.json::<Value>().await.unwrap();
    assert!(
        answer["error"].as_str().unwrap().contains("Another admin"),
        "{answer}"
    );
    let kept = console.json(console.ask(Method::GET, "team/crew-a")).await;
    assert_eq!(kept["text"].as_str(), Some(mine.as_str()));
    console.stack.shutdown().await;
}

#[tokio::test]
async fn what_cannot_be_used_is_not_saved_and_says_why() {
    let console = ConsoleStack::start().await;
    for (team, text, header, status, part) in [
        (
            "crew-b",
            "organization: [",
            Some("*"),
            StatusCode::UNPROCESSABLE_ENTITY,
            "",
        ),
        (
            "crew-b",
            "organization: Lab\n",
            Some("*"),
            StatusCode::UNPROCESSABLE_ENTITY,
            "contact",
        ),
        (
            "crew%20b",
            FILE,
            Some("*"),
            StatusCode::BAD_REQUEST,
            "cannot be a team",
        ),
        (
            "crew-b",
            FILE,
            None,
            StatusCode::PRECONDITION_REQUIRED,
            "If-Match",
        ),
    ] {
        let request = console.ask(Method::PUT, &format!("team/{team}")).body(text);
        let request = match header {
            Some(value) => request.header("if-none-match", value),
            None => request,
        };
        let answer = request.send().await.unwrap();
        assert_eq!(answer.status(), status, "{team} {text}");
        let said = answer.json::<Value>().await.unwrap();
        assert!(said["error"].as_str().unwrap().contains(part), "{said}");
    }
    let missing = console.ask(Method::GET, "team/crew-b").send().await.unwrap();
    assert_eq!(missing.status(), StatusCode::NOT_FOUND);
    console.stack.shutdown().await;
}

#[tokio::test]
async fn a_form_becomes_a_file_and_whoever_would_leave_is_named() {
    let console = ConsoleStack::start().await;
    let form = json!({
        "organization": "Lab: #1", "contact": "lab@example.org", "description": "D", "notify_workers": true,
        "workers": "Ana <ana@example.org>\nbo@example.org, no-address"
    });
    let composed = console
        .json(console.ask(Method::POST, "team/crew-c/compose").json(&form))
        .await;
    let verdict = &composed["verdict"];
    assert_eq!(
        (verdict["ok"].as_bool(), verdict["people"].as_u64()),
        (Some(true), Some(2)),
        "{composed}"
    );
    assert!(
        verdict["unusable"][0]["message"]
            .as_str()
            .unwrap()
            .contains("no-address"),
        "{composed}"
    );
    let text = composed["text"].as_str().unwrap();
    console.save("crew-c", text, None).await;
    let fewer = text.replace("  - bo@example.org\n", "");
    let gone = console
        .json(console.ask(Method::POST, "team/crew-c/leaving").body(fewer))
        .await;
    assert_eq!(gone, json!({ "count": 1, "first": ["bo@example.org"] }));
    let same = console
        .json(
            console
                .ask(Method::POST, "team/crew-c/leaving")
                .body(text.to_owned()),
        )
        .await;
    assert_eq!(same["count"], json!(0));
    console.stack.shutdown().await;
}
