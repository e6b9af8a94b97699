//! A hostile item, label or file name can do nothing in a worker's page, and a template can use only so much.

use super::*;
use futures::FutureExt;
use rand::{Rng, SeedableRng};

const SCRIPT: &str = "</p><script>alert('x')</script>";

fn presign() -> Presign {
    Arc::new(|uri| {
        async move {
            Ok(format!(
                "https://s3.test/{}?a=1&b=2",
                uri.trim_start_matches("s3://")
            ))
        }
        .boxed()
    })
}

async fn html(template: &str, input: Value) -> String {
    render(template, &input, presign())
        .await
        .expect("the template renders")
        .html
}

async fn refusal(template: &str, input: Value) -> String {
    render(template, &input, presign())
        .await
        .expect_err(&template.chars().take(200).collect::<String>())[0]
        .message
        .clone()
}

#[tokio::test]
async fn nothing_in_the_input_becomes_markup() {
    let table = [
        "{{ task.input.text }}",
        "{{ task.input.text | upcase }}",
        "{{ task.input.text | escape }}",
        "{{ task.input.text | escape_once }}",
        "{{ task.input.text | to_json }}",
        "{{ task.input.text | to_json | escape }}",
        "{{ task.input.text | to_json | skip_autoescape }}",
        "{{ task.input.list }}",
        "{{ task.input.list | join: '<' }}",
        "{{ task.input }}",
        "{{ task.input.list | to_json }}",
        "{% for x in task.input.list %}{{ x }}{% endfor %}",
        "{% assign y = task.input.text | append: '<b' %}{{ y }}",
        "{% capture y %}{{ task.input.text }}{% endcapture %}{{ y }}",
        "{% case 1 %}{% when 1 %}{{- task.input.text -}}{% endcase %}",
        "{{ task.input.missing | default: task.input.text }}",
    ];
    let input =
        json!({ "text": SCRIPT, "list": [SCRIPT, "\"><img src=x onerror=alert(1)>"], "missing": null });
    for template in table {
        let page = html(template, input.clone()).await;
        assert!(!page.contains(['<', '>']), "{template} gave {page}");
    }
}

#[tokio::test]
async fn attributes_cannot_be_left() {
    let input = json!({ "labels": ["a\" onclick=\"x", "b' onclick='x", "{{ c }}", "<d>"] });
    for template in [
        "<x a=\"{{ task.input.labels | to_json | escape }}\">",
        "<x a='{{ task.input.labels | to_json }}'>",
    ] {
        let page = html(template, input.clone()).await;
        let inner = &page[6..page.len() - 2];
        assert!(!inner.contains(['"', '\'', '<', '>']), "{page}");
        let attribute = inner
            .replace("&quot;", "\"")
            .replace("&#39;", "'")
            .replace("&amp;", "&");
        let labels: Value = serde_json::from_str(&attribute).expect("the attribute is JSON");
        assert_eq!(labels, input["labels"], "{template}");
    }
}

#[tokio::test]
async fn liquid_in_the_data_is_text() {
    let input =
        json!({ "taskObject": "{{ task.input.secret }}{% raw %}{% for x in y %}", "secret": "shown" });
    assert_eq!(
        html("<p>{{ task.input.taskObject }}</p>", input).await,
        "<p>{{ task.input.secret }}{% raw %}{% for x in y %}</p>"
    );
}

#[tokio::test]
async fn escaping_happens_exactly_once() {
    let table = [
        ("{{ task.input.x }}", "a &amp; b"),
        ("{{ task.input.x | escape }}", "a &amp; b"),
        ("{{ task.input.y | escape_once }}", "a &amp; b"),
        ("{{ task.input.h | skip_autoescape }}", "<b>bold</b>"),
        ("{{ task.input.n }}", "3"),
        ("{{ task.input.source-ref }}", "ref"),
        ("{% raw %}{{ x }}{% endraw %}", "{{ x }}"),
    ];
    let input = json!({ "x": "a & b", "y": "a &amp; b", "h": "<b>bold</b>", "n": 3, "source-ref": "ref" });
    for (template, expected) in table {
        assert_eq!(html(template, input.clone()).await, expected, "{template}");
    }
}

#[tokio::test]
async fn an_image_gets_a_short_lived_link() {
    let input = json!({ "taskObject": "s3://in/a \"b\".png", "other": "https://example.com/x.png" });
    let page = html(
        "<img src=\"{{ task.input.taskObject | grant_read_access }}\">",
        input.clone(),
    )
    .await;
    assert_eq!(
        page,
        "<img src=\"https://s3.test/in/a &quot;b&quot;.png?a=1&amp;b=2\">"
    );
    assert_eq!(
        html("{{ task.input.other | grant_read_access }}", input).await,
        "https://example.com/x.png"
    );
}

#[tokio::test]
async fn the_crowd_elements_are_the_engines_own() {
    let page = html(
        "<script src=\"https://assets.crowd.aws/crowd-html-elements.js\"></script>",
        json!({}),
    )
    .await;
    assert_eq!(page, "<script src=\"/crowd/crowd-html-elements.js\"></script>");
}

#[tokio::test]
async fn a_template_cannot_loop_or_grow_without_end() {
    let loops = "{% for a in (1..9999) %}{% for b in (1..9999) %}{% endfor %}{% endfor %}";
    assert!(refusal(loops, json!({})).await.contains("loops turn more than"));
    let range = "{% for a in (1..task.input.n) %}{% endfor %}";
    assert!(
        refusal(range, json!({ "n": 10_000_000_000_i64 }))
            .await
            .contains("A range has more than")
    );
    let large = "{% for a in (1..9999) %}{{ task.input.x }}{% endfor %}";
    assert!(
        refusal(large, json!({ "x": "x".repeat(1000) }))
            .await
            .contains("larger than")
    );
    assert!(
        refusal(&"x".repeat(128_001), json!({}))
            .await
            .contains("128001 characters")
    );
    let deep = format!("{}{}", "{% if true %}".repeat(60), "{% endif %}".repeat(60));
    assert!(refusal(&deep, json!({})).await.contains("nested"));
}

/// Sixty doublings of a few letters are more memory than any machine has.
#[tokio::test]
async fn a_template_cannot_grow_a_value_without_end() {
    const SEED: &str = "{% assign x = 'abcdefghijklmnop' %}";
    let table = [
        "{% for i in (1..60) %}{% assign x = x | append: x %}{% endfor %}".to_owned(),
        "{% for i in (1..60) %}{% assign x = x | prepend: x %}{% endfor %}".to_owned(),
        "{% assign x = x | append: x %}".repeat(60),
        format!("{{{{ x{} }}}}", " | append: x | append: x".repeat(3_000)),
        format!("{{{{ x{} }}}}", " | replace: 'a', 'aaaaaaaa'".repeat(60)),
        "{% for i in (1..60) %}{% assign x = x | append: 'a' | replace: 'a', x %}{% endfor %}".to_owned(),
        "{% for i in (1..60) %}{% assign x = x | replace: '', x %}{% endfor %}".to_owned(),
        "{% for i in (1..60) %}{% capture x %}{{ x }}{{ x }}{% endcapture %}{% endfor %}".to_owned(),
        "{% for i in (1..60) %}{% capture x %}{{ x | skip_autoescape }}{{ x | escape }}{% endcapture %}{% endfor %}"
            .to_owned(),
        "{% assign x = x | split: '' %}{% for i in (1..60) %}{% assign x = x | concat: x %}{% endfor %}".to_owned(),
        "{% for i in (1..60) %}{% assign l = x | split: '' %}{% assign x = l | join: x %}{% endfor %}".to_owned(),
        format!(
            "{{% capture x %}}{{% for i in (1..9999) %}}{}{{% endfor %}}{{% endcapture %}}",
            "x".repeat(100_000)
        ),
        "{% assign y = task.input.long %}".repeat(3_000),
        "{% for i in (1..9999) %}{% assign y = task.input.long | upcase %}{% endfor %}".to_owned(),
    ];
    let input = json!({ "long": "x".repeat(100_000) });
    for template in table {
        let began = std::time::Instant::now();
        let message = refusal(&format!("{SEED}{template}"), input.clone()).await;
        let said = ["larger than", "makes more than"];
        assert!(
            said.iter().any(|part| message.contains(part)),
            "{template}: {message}"
        );
        assert!(
            !message.contains("groundcrew_") && message.len() < 5_000,
            "{message}"
        );
        assert!(
            began.elapsed().as_secs() < 20,
            "{template} took {:?}",
            began.elapsed()
        );
    }
}

#[tokio::test]
async fn texts_and_lists_of_the_largest_item_fit() {
    let input = json!({ "text": "a & b\n".repeat(14_000), "list": vec!["label"; 1_000] });
    let template = "{% assign t = task.input.text | replace: '\n', '<br>' | upcase %}{{ t }}\
        {% capture l %}{% for x in task.input.list %}<i>{{ x | append: '!' }}</i>{% endfor %}{% endcapture %}\
        {{ l | skip_autoescape }}{{ task.input.list | join: ', ' }}{{ task.input.text | to_json }}";
    let page = html(template, input).await;
    assert!(page.contains("<i>label!</i>") && page.contains("label, label"));
    assert!(page.contains("A &amp; B&lt;BR&gt;"), "the text is there");
}

/// The Liquid library's own sums and products panic there, or wrap where overflows are not checked.
#[tokio::test]
async fn a_number_past_all_sizes_ends_the_page_and_nothing_else() {
    let huge = "{% assign x = 3 | times: 9223372036854775807 %}{{ x | plus: 1 }}";
    if cfg!(debug_assertions) {
        assert!(refusal(huge, json!({})).await.contains("too large"));
    }
    assert_eq!(html("{{ 3 | times: 4 }}", json!({})).await, "12");
}

#[tokio::test]
async fn a_mistake_in_a_template_is_named() {
    let table = [
        ("{{ task.input.nothing }}", "nothing"),
        ("{{ task.input.x | shout }}", "shout"),
        ("{% if task.input.x %}", "`if` is not closed"),
        ("{% cycle 'a', 'b' %}", "`cycle` is not available"),
        ("{{ a b }}", "Line 1, column 1"),
    ];
    let long: Vec<String> = (0..20)
        .map(|more| format!("{}{{% a %}}{}", "x".repeat(more), "{{ x }}".repeat(60)))
        .collect();
    let long = long.iter().map(|template| (template.as_str(), "Unknown tag"));
    for (template, expected) in table.into_iter().chain(long) {
        let message = refusal(template, json!({ "x": "1" })).await;
        assert!(
            message.contains(expected) && !message.contains("groundcrew_"),
            "{template}: {message}"
        );
    }
}

/// The escaping is only as good as the walk that finds the outputs agrees with the crate's parser. Pieces thrown
/// together at random, quotes and blocks left open among them, must never let markup through, nor break the parser.
#[tokio::test]
async fn no_template_lets_markup_of_the_input_through() {
    const PIECES: [&str; 26] = [
        "{{ task.input.x }}",
        "{{- task.input.x -}}",
        "{{ task.input.x | upcase }}",
        "{{ task.input.x | replace: '}}', \"{{\" }}",
        "{{ task.input['x'] }}",
        "{{ task.input.l[0] | escape | downcase }}",
        "{% raw %}",
        "{% endraw %}",
        "{% endraw x %}",
        "{% comment %}",
        "{% endcomment %}",
        "{%- for i in task.input.l -%}",
        "{{ i }}",
        "{% endfor %}",
        "{% if task.input.x == '{{' %}",
        "{% endif %}",
        "{% assign y = task.input.x | append: '{% raw %}' %}",
        "{{ y }}",
        "{% capture y %}",
        "{% endcapture %}",
        "{{ 'a",
        "' }}",
        "{{ \" {% raw %} \" | append: task.input.x }}",
        "{% assign z = \"",
        "\" %}",
        "{{",
    ];
    let mut random = rand::rngs::StdRng::seed_from_u64(7);
    let input = json!({ "x": "<x>", "l": ["<l>"] });
    let mut rendered = 0;
    for _ in 0..1_500 {
        let length = random.random_range(1..7);
        let template: String = (0..length)
            .map(|_| PIECES[random.random_range(0..PIECES.len())])
            .collect();
        match render(&template, &input, presign()).await {
            Ok(page) => {
                rendered += 1;
                assert!(!page.html.contains(['<', '>']), "{template} gave {}", page.html);
            }
            Err(errors) => assert_ne!(
                errors[0].message, "The template could not be rendered.",
                "{template}"
            ),
        }
    }
    assert!(rendered > 150, "only {rendered} of the templates were whole");
}
