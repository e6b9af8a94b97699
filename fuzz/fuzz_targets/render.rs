//! A worker template, which is a program of the job's author: it ends within its time and memory, and what the item says is text in
//! it, whatever the template does short of asking for it raw.
#![no_main]
#![allow(
    dead_code,
    reason = "files taken in by their paths, without the crate around them"
)]

#[path = "../../engine/src"]
mod engine {
    pub mod html;
    pub mod render;
}

use std::sync::{Arc, LazyLock};

// The files name each other as `crate::html` and `crate::render`.
use engine::{html, render};

use libfuzzer_sys::fuzz_target;
use render::{Presign, render};
use serde_json::{Value, json};
use tokio::runtime::{Builder, Runtime};

static RUNTIME: LazyLock<Runtime> = LazyLock::new(|| {
    Builder::new_current_thread()
        .max_blocking_threads(1)
        .build()
        .unwrap()
});

static INPUT: LazyLock<Value> = LazyLock::new(|| {
    json!({
        "taskObject": "<script>alert(\"it's\")</script> & &lt;b&gt; s3://bucket/key",
        "labels": ["<a>", "b'\"", "{{ task }}", "%3Cb%3E"],
        "manifestLine": {"source": "x\u{2028}</script>", "n": 7, "f": 0.5, "none": null, "list": [[1, 2], {"<k>": true}]}
    })
});

/// Sums and products past all sizes panic in the Liquid library where overflows are checked; the engine answers such a
/// template with an error. Any other panic is one of ours.
fn ignore_panics_of_liquid_math() {
    let crash = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        let place = panic.location().map_or("", |location| location.file());
        if !place.ends_with("stdlib/filters/math.rs") {
            crash(panic);
        }
    }));
}

fuzz_target!(init: ignore_panics_of_liquid_math(), |template: &str| {
    let presign: Presign = Arc::new(|uri| Box::pin(async move { Ok(format!("https://signed/?<{uri}>")) }));
    match RUNTIME.block_on(render(template, &INPUT, presign)) {
        Ok(page) => {
            assert!(page.html.len() <= 4 * 1024 * 1024);
            if !template.contains('<') && !template.contains("skip_autoescape") {
                assert!(!page.html.contains('<'), "not escaped: {}", page.html);
            }
        }
        Err(errors) => {
            assert!(!errors.is_empty());
            for error in errors {
                assert!(error.message.len() < 64 * 1024, "{}", error.message);
                let own = template.contains("groundcrew");
                assert!(own || !error.message.contains("groundcrew_"), "{}", error.message);
            }
        }
    }
});
