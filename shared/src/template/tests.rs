//! The pages themselves, and that nothing a person writes can step out of its place in them.

use proptest::prelude::*;

use super::*;
use crate::name::DatasetName;

fn images() -> Images {
    Images::of("input", &DatasetName::new("numbers").unwrap())
}

fn spec(task: &str, more: &str) -> Spec {
    let text = format!("task: {task}\nlabels: [Even, Odd]\nteam: t\ntitle: Even or odd?\n{more}\n");
    Spec::parse(text.as_bytes()).unwrap_or_else(|error| panic!("{error}"))
}

fn page(task: &str, more: &str) -> String {
    render(&spec(task, more), &images()).unwrap()
}

fn markdown(text: &str) -> String {
    markdown::html(text, &images()).unwrap()
}

#[test]
fn the_text_page_is_shaped_as_the_services_own() {
    let more = "instructions:\n  short: Is it **even**?\n  full: |\n    # Numbers\n    1. Look at the last digit.\n  good_example: 2\n  bad_example: \"![three](three.png)\"";
    insta::assert_snapshot!(page("text-classification", more));
}

#[test]
fn the_image_page_is_shaped_as_the_services_own() {
    insta::assert_snapshot!(page(
        "image-classification-multi-label",
        "description: Count the eyes."
    ));
}

#[test]
fn each_task_has_its_element_and_only_images_are_links() {
    for task in crate::task::Task::all().filter(|task| task.is_supported()) {
        let (page, info) = (page(task.name(), ""), task.info());
        let Interface::Template(element) = info.interface else {
            panic!("{task}")
        };
        assert!(
            page.contains(&format!("<{element}\n    name=\"{element}\"")),
            "{page}"
        );
        assert_eq!(
            page.contains("task.input.taskObject | grant_read_access"),
            info.input == Input::Image
        );
        assert_eq!(page.contains("<classification-target"), info.input == Input::Text);
    }
}

#[test]
fn what_labels_say_about_themselves_travels_as_data() {
    let text = "task: text-classification\nteam: t\ntitle: x\nlabels:\n  - {name: \"a\\\"><script>\", hotkey: q}\n  - {name: \"{{ task }}\", color: \"#00ff00\", description: \"{% raw %}\"}\n";
    let page = render(&Spec::parse(text.as_bytes()).unwrap(), &images()).unwrap();
    let attribute = page
        .split("label-details=\"")
        .nth(1)
        .and_then(|rest| rest.split('"').next())
        .unwrap();
    let details: serde_json::Value = serde_json::from_str(&unescape(attribute)).unwrap();
    assert_eq!(
        details[0],
        serde_json::json!({"label": "a\"><script>", "hotkey": "q"})
    );
    assert_eq!(details[1]["label"], "{{ task }}");
    assert_eq!(
        (&details[1]["color"], &details[1]["description"]),
        (&"#00ff00".into(), &"{% raw %}".into())
    );
    assert_inert(&page);
}

#[test]
fn raw_html_is_dropped_and_its_text_is_only_text() {
    for (text, html) in [
        ("<script>alert(1)</script>", ""),
        ("a <b onclick=x>b</b> c", "<p>a b c</p>\n"),
        ("<crowd-form>x</crowd-form>\n\ny", "<p>x</p>\n<p>y</p>\n"),
        (
            "a < b && c > \"d\"",
            "<p>a &lt; b &amp;&amp; c &gt; &quot;d&quot;</p>\n",
        ),
        (
            "`<i>{{ x }}`",
            "<p><code>&lt;i&gt;&#123;&#123; x &#125;&#125;</code></p>\n",
        ),
        (
            "```\"><script>\n{% raw %}\n```",
            "<pre><code>&#123;% raw %&#125;\n</code></pre>\n",
        ),
    ] {
        assert_eq!(markdown(text), html, "{text}");
    }
}

#[test]
fn links_lead_to_the_web_or_to_mail() {
    let opened = "target=\"_blank\" rel=\"noopener noreferrer\">a</a></p>\n";
    for (to, href) in [
        (
            "https://x.org/?a=1&b={{c}}",
            "https://x.org/?a=1&amp;b=&#123;&#123;c&#125;&#125;",
        ),
        ("HTTP://x.org", "HTTP://x.org"),
        ("mailto:a@x.org", "mailto:a@x.org"),
    ] {
        assert_eq!(
            markdown(&format!("[a]({to})")),
            format!("<p><a href=\"{href}\" {opened}")
        );
    }
    for to in [
        "javascript:alert(1)",
        "JaVaScRiPt:alert(1)",
        "data:text/html,x",
        "/x",
        "file:///x",
        "&#106;avascript:x",
    ] {
        assert_eq!(markdown(&format!("[a]({to})")), "<p>a</p>\n", "{to}");
    }
}

#[test]
fn images_are_s3_uris_that_the_page_turns_into_links() {
    for (image, source) in [
        ("s3://bucket/a/b-1.png", "s3://bucket/a/b-1.png"),
        ("good.png", "s3://input/numbers/good.png"),
        ("./examples/good.png", "s3://input/numbers/examples/good.png"),
        ("<s3://bucket/a b.png>", "s3://bucket/a b.png"),
    ] {
        let html = markdown(&format!("![what *is* {{{{ x }}}} \"here\"]({image})"));
        assert_eq!(
            html,
            format!(
                "<p><img src=\"{{{{ '{source}' | grant_read_access }}}}\" alt=\"what is &#123;&#123; x &#125;&#125; &quot;here&quot;\"></p>\n"
            )
        );
    }
    for image in [
        "http://x/y.png",
        "s3://bucket",
        "s3://bucket/",
        "s3://Bucket/x.png",
        "s3://b/x.png",
        "s3://bucket/it's.png",
        "s3://bucket/a}}b.png",
        "s3://bucket/a\\\"b.png",
        "data:image/png;base64,AA",
        "../x.png",
        "/x.png",
        "a//x.png",
    ] {
        let text = format!("![]({image})");
        assert!(unusable_image(&text).is_some(), "{image}");
        assert!(markdown::html(&text, &images()).is_err(), "{image}");
    }
}

#[test]
fn an_image_in_a_dataset_whose_name_liquid_would_end_at_is_refused() {
    let images = Images::of("input", &DatasetName::new("it's").unwrap());
    let error = markdown::html("![](x.png)", &images).unwrap_err();
    assert_eq!(error.0, "s3://input/it's/x.png");
}

#[test]
fn nothing_a_person_writes_steps_out_of_its_place() {
    for text in [
        "\"><script>alert(1)</script>",
        "{{ task.input }}",
        "{% raw %}",
        "{% endraw %}{{ 'x' | grant_read_access }}",
        "</full-instructions></crowd-form>",
        "' onload='x",
        "{ {{ {%-  -%} }}",
        "[a](https://x.org/\"onclick=\"x)",
        "![{{](s3://bucket/x.png \"title {{ }}\")",
        "| a | {{ |\n|---|---|\n| }} | <b> |",
    ] {
        let quoted = serde_json::to_string(text).unwrap();
        let one_line = text.replace('\n', " ");
        let title = serde_json::to_string(&one_line).unwrap();
        let more = format!(
            "description: {title}\ninstructions: {{short: {quoted}, full: {quoted}, good_example: {quoted}, bad_example: {quoted}}}"
        );
        let mut spec = spec("text-classification", &more);
        spec.title = one_line;
        assert_inert(&render(&spec, &images()).unwrap());
    }
}

proptest! {
    #[test]
    fn any_text_is_shown_as_it_was_written(any in "\\PC{0,80}|[<>&\"'{}%| a-z/=]{0,80}") {
        let escaped = text(&any);
        prop_assert!(!escaped.contains(['<', '>', '"', '\'', '{', '}']), "{}", escaped);
        prop_assert_eq!(unescape(&escaped), any);
    }

    #[test]
    fn any_markdown_is_inert(any in "([<>&\"'{}%|!\\[\\]()*`#~\n a-z:/.-]|s3://|https://|<script>|\\{\\{|\\{%){0,60}") {
        if unusable_image(&any).is_none() {
            assert_inert(&markdown(&any));
        }
    }
}

fn unescape(html: &str) -> String {
    let entities = [
        ("&lt;", "<"),
        ("&gt;", ">"),
        ("&quot;", "\""),
        ("&#39;", "'"),
        ("&#123;", "{"),
        ("&#125;", "}"),
        ("&amp;", "&"),
    ];
    entities
        .iter()
        .fold(html.to_owned(), |text, (entity, c)| text.replace(entity, c))
}

/// The only braces are those of our own expressions, and the only tags those we and the Markdown library write.
fn assert_inert(page: &str) {
    let mut rest = page.to_owned();
    for ours in [
        "{{ task.input.taskObject }}",
        "{{ task.input.taskObject | grant_read_access }}",
        "{{ task.input.labels | to_json | escape }}",
    ] {
        rest = rest.replace(ours, "");
    }
    while let Some((before, after)) = rest.split_once("{{ 's3://") {
        let (uri, after) = after
            .split_once("' | grant_read_access }}")
            .expect("an image expression ends");
        assert!(!uri.contains(['\'', '"', '{', '}', '<', '>', '|']), "{uri}");
        rest = format!("{before}{after}");
    }
    assert!(!rest.contains(['{', '}']), "{rest}");
    for tag in rest.split('<').skip(1) {
        assert_ours(tag.split('>').next().unwrap_or_default());
    }
}

/// A tag without its angle brackets: a known name, no event handler, and the one script is AWS's.
fn assert_ours(tag: &str) {
    const TAGS: &str = "script crowd-form crowd-classifier classification-target full-instructions \
        short-instructions p h1 h2 h3 h4 h5 h6 a img ul ol li em strong code pre hr br blockquote del dl dt dd \
        table thead tbody tr td th";
    let name = tag
        .trim_start_matches('/')
        .split([' ', '\n', '/'])
        .next()
        .unwrap_or_default();
    assert!(TAGS.split_whitespace().any(|known| known == name), "<{tag}>");
    if name == "script" && !tag.starts_with('/') {
        assert_eq!(
            tag,
            "script src=\"https://assets.crowd.aws/crowd-html-elements.js\""
        );
    }
    let outside_quotes: String = tag.split('"').step_by(2).collect();
    assert!(!outside_quotes.contains(" on"), "<{tag}>");
}
