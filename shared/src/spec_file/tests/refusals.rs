//! What is answered to a spec that cannot be used: where, what, and what to do.

use std::time::{Duration, Instant};

use proptest::prelude::*;

use super::*;

/// Text, line, column, part of the message, part of the hint (empty: no hint).
type Row = (String, u64, u64, &'static str, &'static str);

fn check_rows(rows: &[Row]) {
    let wrong: Vec<String> = rows.iter().filter_map(differs).collect();
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n\n"));
}

fn differs((text, line, column, message, hint): &Row) -> Option<String> {
    let error = spec_error(text);
    let hinted = error.hint.as_deref().unwrap_or_default();
    let as_told = (error.line, error.column) == (Some(*line), Some(*column))
        && error.message.contains(message)
        && hinted.contains(hint)
        && hint.is_empty() == hinted.is_empty();
    (!as_told).then(|| format!("expected {line}:{column} {message} / {hint}\n{error}"))
}

#[test]
#[rustfmt::skip]
fn a_key_that_is_unknown_repeated_or_missing_is_pointed_at() {
    check_rows(&[
        (instead("labels:", "lables:"), 2, 1, "no key `lables`", "did you mean `labels`?"),
        (instead("title:", "Title:"), 4, 1, "no key `Title`", "did you mean `title`?"),
        (with("workersPerItem: 3"), 5, 1, "no key `workersPerItem`", "`workers_per_item`"),
        (with("zzz: 3"), 5, 1, "no key `zzz`", "the keys here are: task, labels"),
        (with("batch:\n  quite: 2m"), 6, 3, "no key `quite`", "did you mean `quiet`?"),
        (instead("[Even, Odd]", "[Even, {nam: Odd}]"), 2, 17, "no key `nam`", "did you mean `name`?"),
        (with("review: {verfy: x}"), 5, 10, "no key `verfy`", "did you mean `verify`?"),
        (with("<<: {title: x}"), 5, 1, "no key `<<`", "the keys here are"),
        (with("title: again"), 5, 1, "the key `title` is here twice", "remove one"),
        (with("tags: {a: b, a: c}"), 5, 14, "the key `a` is here twice", "remove one"),
        (with("batch:\n  quiet: 2m\n  quiet: 3m"), 7, 3, "the key `quiet` is here twice", "remove one"),
        (instead("team: numbers-team\n", ""), 1, 1, "`team` is missing", "add it: `team: my-work-team`"),
        (instead("[Even, Odd]", ""), 1, 1, "`labels` is missing", "add it"),
        (String::new(), 1, 1, "`task` is missing", "add it: `task: text-classification`"),
        ("# nothing\n".into(), 2, 1, "`task` is missing", "add it"),
    ]);
}

#[test]
#[rustfmt::skip]
fn a_value_of_the_wrong_kind_is_pointed_at() {
    check_rows(&[
        (with("workers_per_item: three"), 5, 19, "`workers_per_item` must be a whole number", ""),
        (with("workers_per_item: -1"), 5, 19, "`workers_per_item` must be a whole number", ""),
        (with("workers_per_item: 1.5"), 5, 19, "`workers_per_item` must be a whole number", ""),
        (with("workers_per_item: [1]"), 5, 19, "`workers_per_item` must be a single value", ""),
        (with("auto_label: maybe"), 5, 13, "`auto_label` must be true or false", ""),
        (with("batch: quick"), 5, 8, "`batch` must be a mapping", ""),
        (with("instructions: look"), 5, 15, "`instructions` must be a mapping", ""),
        (with("export: csv"), 5, 9, "`export` must be a list", ""),
        (with("select: {include: \"*.txt\"}"), 5, 19, "`include` must be a list", ""),
        (with("tags: [a]"), 5, 7, "`tags` must be a mapping", ""),
        (with("tags: {a: }"), 5, 9, "a value is missing here", ""),
        (instead("[Even, Odd]", "Even"), 2, 9, "`labels` must be a list", ""),
        (instead("[Even, Odd]", "[a, [b]]"), 2, 13, "must be a label's name or a mapping with `name`", ""),
        (instead("numbers-team", "[a]"), 3, 7, "`team` must be a single value", ""),
        ("hello".into(), 1, 1, "this value must be a mapping", ""),
        ("- a\n- b\n".into(), 1, 1, "this value must be a mapping", ""),
    ]);
}

#[test]
#[rustfmt::skip]
fn what_is_not_yaml_says_how_to_mend_it() {
    check_rows(&[
        (instead("title: Even", "title: Numbers: Even"), 4, 15, "not valid YAML", "goes in quotes"),
        (instead("title: Even or odd?", "title: \"Even"), 5, 1, "not valid YAML", "is a quote left open?"),
        (instead("title:", "\ttitle:"), 3, 7, "not valid YAML", "indent with spaces"),
        (with("select: {include: [*.txt]}"), 5, 20, "there is no `&name` before", "goes in quotes"),
        (instead("Even or odd?", "!Even"), 4, 13, "no tags", "goes in quotes"),
        (instead("[Even, Odd]", "[Even, Odd"), 2, 9, "unclosed bracket '['", "close it with `]`"),
        (instead("[Even, Odd]", "[Even,\n  Odd # both"), 2, 9, "unclosed bracket '['", "close it with `]`"),
        (with("batch: {quiet: 5s\nexport: [csv]"), 5, 8, "unclosed bracket '{'", "close it with `}`"),
        (with("batch: {quiet: 5s"), 5, 8, "unclosed bracket '{'", "close it with `}`"),
        (instead("[Even, Odd]", "[Even, {name: Odd]"), 2, 16, "mismatched bracket", "`{` with `}`"),
        (instead("[Even, Odd]", "[Even, Odd]]"), 2, 20, "misplaced bracket", "remove it"),
        (instead("[Even, Odd]", "[Even,\n  \"Odd\" x]"), 3, 9, "invalid trailing content", "quote"),
        (instead("[Even, Odd]", "[Even, \"Odd]"), 2, 16, "unclosed quote", "is a quote left open?"),
        (with("---\ntask: custom"), 6, 1, "second document", "remove the `---`"),
    ]);
}

#[test]
#[rustfmt::skip]
fn broken_rules_for_labels_are_pointed_at() {
    let long = "x".repeat(257);
    let many = (0..51).map(|n| n.to_string()).collect::<Vec<_>>().join(", ");
    let multi = LEAST.replace("text-classification", "text-classification-multi-label");
    let labels = |list: &str| instead("[Even, Odd]", list);
    check_rows(&[
        (labels("[]"), 2, 9, "needs at least 2 labels, here are 0", "every answer"),
        (labels("[Even]"), 2, 9, "needs at least 2 labels, here are 1", "every answer"),
        (multi.replace("Even, Odd", &many), 2, 9, "takes at most 50 labels, here are 51", "split the dataset"),
        (labels("[Even, Odd, Even]"), 2, 21, "the label `Even` is here twice", "remove one"),
        (labels("\n  - &a Even\n  - *a"), 4, 5, "the label `Even` is here twice", "remove one"),
        (labels(&format!("[a, {long}]")), 2, 13, "has 257 characters, 256 are the most", "shorten"),
        (labels("[a, \" \"]"), 2, 13, "a label is empty", "needs a name"),
        (labels("\n  - a\n  -"), 4, 4, "a label is empty", "needs a name"),
        (labels("[a, \"b\\nc\"]"), 2, 13, "control characters", ""),
        (labels("[a, \" b\"]"), 2, 13, "starts or ends with a space", "remove"),
        (labels("[a, {color: \"#ffffff\"}]"), 2, 13, "has no `name`", "add one"),
        (labels("[a, {name: b, color: red}]"), 2, 30, "`red` is not a color", "in quotes"),
        (labels("[a, {name: b, color: \"#12345g\"}]"), 2, 30, "is not a color", "in quotes"),
        (labels("[a, {name: b, hotkey: ctrl}]"), 2, 31, "one letter A-Z or digit", "hotkey: e"),
        (labels("[{name: a, hotkey: x}, {name: b, hotkey: X}]"), 2, 32, "another label", "of its own"),
        (labels("[a, {name: b, description: \"\"}]"), 2, 36, "`description` is empty", ""),
        (labels("[a, {name: b, attributes: [c]}]"), 2, 35, "not yet supported", "leave them out"),
    ]);
}

#[test]
fn many_labels_are_fine_where_the_service_sets_no_limit_until_a_task_would_not_fit() {
    let labels = |count: usize| {
        let list: Vec<String> = (0..count).map(|n| format!("  - {n:0>200}")).collect();
        instead("[Even, Odd]", &format!("\n{}", list.join("\n")))
    };
    assert_eq!(parse(&labels(250)).labels.len(), 250);
    let error = spec_error(&labels(251));
    assert!(error.message.contains("longer than 50000 characters"), "{error}");
}

#[test]
#[rustfmt::skip]
fn broken_rules_for_people_and_texts_are_pointed_at() {
    let title = |text: &str| instead("Even or odd?", text);
    let team = |text: &str| instead("numbers-team", text);
    check_rows(&[
        (team("Numbers Team!"), 3, 7, "cannot be the name of a work team", "letters A-Z"),
        (team("-a"), 3, 7, "cannot be the name", "starting and ending"),
        (team(&"a".repeat(64)), 3, 7, "cannot be the name", "1 to 63"),
        (team("arn:aws:iam::1:role/x"), 3, 7, "not the ARN of a work team", "private-crowd"),
        (team("arn:aws:sagemaker:us-east-1:394669845002:workteam/public-crowd/default"), 3, 7, "Mechanical Turk, which closed on September 30, 2026", "private work team"),
        (title("\"\""), 4, 8, "`title` is empty", ""),
        (title(&"x".repeat(129)), 4, 8, "`title` has 129 characters, 128 are the most", "shorten"),
        (title("\"a\\nb\""), 4, 8, "`title` must be one line", "one line"),
        (with(&format!("description: {}", "x".repeat(256))), 5, 14, "has 256 characters", "shorten"),
        (with("description: |\n  two\n  lines"), 6, 3, "`description` must be one line", "one line"),
        (with("instructions: {short: \"![](http://x/y.png)\"}"), 5, 23, "the image `http://x/y.png`", "S3 URI"),
        (with("instructions: {full: \"![](s3://b/it's.png)\"}"), 5, 22, "the image `s3://b/it", "S3 URI"),
        (with("instructions: {full: \"![](../other/x.png)\"}"), 5, 22, "the image `../other", "S3 URI"),
        (with(&format!("instructions: {{full: \"{}\"}}", "<".repeat(40_000))), 1, 1, "the worker page made from this has more than 128000 characters", "shorten"),
    ]);
}

#[test]
#[rustfmt::skip]
fn broken_rules_for_times_and_amounts_are_pointed_at() {
    check_rows(&[
        (with("workers_per_item: 0"), 5, 19, "must be between 1 and 9", ""),
        (with("workers_per_item: 10"), 5, 19, "must be between 1 and 9", ""),
        (with("max_concurrent_tasks: 5001"), 5, 23, "must be between 1 and 5000", ""),
        (with("task_timeout: 29s"), 5, 15, "between 30s and 8h", "limits"),
        (with("task_timeout: 9h"), 5, 15, "between 30s and 8h", "limits"),
        (with("task_timeout: 300"), 5, 15, "`300` is not a duration", "`task_timeout: 300s`"),
        (with("task_timeout: soon"), 5, 15, "`soon` is not a duration", "1h30m"),
        (with("task_expiration: 31d"), 5, 18, "between 1m and 30d", "30 days"),
        (with("task_expiration: 1mo"), 5, 18, "`1mo` is not a duration", "10d"),
        (with("batch: {quiet: 0s}"), 5, 16, "between 1s and 1d", "upload"),
        (with("batch: {quiet: 2h, max_wait: 1h}"), 5, 30, "between 2h and 7d", "`quiet`"),
        (with("batch: {max_items: 100001}"), 5, 20, "must be between 1 and 100000", ""),
        (with("stop_after: {}"), 5, 13, "either `items` or `percent`", "5000"),
        (with("stop_after: {items: 1, percent: 2}"), 5, 13, "either `items` or `percent`", "5000"),
        (with("stop_after: {percent: 101}"), 5, 23, "must be between 1 and 100", ""),
        (with("stop_after: {items: 0}"), 5, 21, "must be between 1 and", ""),
    ]);
    assert_eq!(
        parse(&with("batch: {quiet: 2h}")).batch.max_wait,
        Duration::from_secs(7_200)
    );
}

#[test]
#[rustfmt::skip]
fn broken_rules_for_files_and_the_account_are_pointed_at() {
    let image = LEAST.replace("text-", "image-");
    check_rows(&[
        (with("select: {include: [\"[a\"]}"), 5, 20, "`[a` is not a pattern", ".gitignore"),
        (with("select: {exclude: [\"\"]}"), 5, 20, "1 to 1024 characters", ""),
        (with("select: {sample: 20}"), 5, 18, "a share like `20%`", "percent sign"),
        (with("select: {sample: 0%}"), 5, 18, "a share like `20%`", ""),
        (with("select: {sample: 101%}"), 5, 18, "a share like `20%`", ""),
        (with("select: {limit: 0}"), 5, 17, "at least 1", "leave it out"),
        (with("text: {split: rows}"), 5, 15, "cannot be split by `rows`", "did you mean `row`?"),
        (with("text: {column: a}"), 5, 7, "`split` is missing", "add it"),
        (with("text: {split: line, column: a}"), 5, 29, "only rows have columns", "split: row"),
        (format!("{image}text: {{split: line}}"), 5, 7, "for text tasks, and image-classification", "remove it"),
        (with("label_attribute: my_label"), 5, 18, "letters A-Z, digits and hyphens", "`my-label` would do"),
        (with("label_attribute: parity-ref"), 5, 18, "may not end in `-ref`", "`parity-ref-label`"),
        (with("label_attribute: x-metadata"), 5, 18, "may not end in `-metadata`", "would do"),
        (with("label_attribute: source"), 5, 18, "is taken", "`source-label`"),
        (with("label_attribute: groundcrew"), 5, 18, "is taken", "would do"),
        (with("kms_key: my key"), 5, 10, "cannot be a KMS key", "alias/"),
        (with("tags: {\"aws:x\": y}"), 5, 17, "set by others", "`aws:x`"),
        (with("tags: {\"AWS:x\": y}"), 5, 17, "set by others", "`AWS:x`"),
        (with("tags: {groundcrew: y}"), 5, 20, "set by others", "`groundcrew`"),
        (with("tags: {Groundcrew: y}"), 5, 20, "set by others", "`Groundcrew`"),
        (with("tags: {\"groundcrew:dataset\": y}"), 5, 30, "set by others", "`groundcrew:dataset`"),
        (with("tags: {a: \"b?\"}"), 5, 11, "tags may hold", "`a`"),
        (with("tags: {\"\": b}"), 5, 12, "1 to 128 characters", "change the tag"),
        (with("export: [cvs]"), 5, 10, "no export `cvs`", "csv"),
        (with("export: [csv, csv]"), 5, 15, "here twice", ""),
    ]);
    let tags: Vec<String> = (0..49).map(|n| format!("t{n}: x")).collect();
    check_rows(&[(
        with(&format!("tags: {{{}}}", tags.join(", "))),
        5,
        7,
        "48 tags are the most, here are 49",
        "",
    )]);
    assert_eq!(parse(&with("export: []")).export, []);
}

#[test]
#[rustfmt::skip]
fn what_comes_later_is_refused_by_name() {
    for task in Task::all().filter(|task| !task.is_supported()) {
        let error = spec_error(&instead("text-classification", task.name()));
        assert_eq!((error.line, error.column), (Some(1), Some(7)));
        assert!(
            error
                .message
                .contains(&format!("the task `{task}` is not yet supported")),
            "{error}"
        );
        assert!(
            error
                .hint
                .as_deref()
                .unwrap_or_default()
                .contains("image-classification"),
            "{error}"
        );
    }
    check_rows(&[
        (instead("text-cl", "text-kl"), 1, 7, "no task `text-klassification`", "`text-classification`?"),
        (instead("text-classification", "boundingbox"), 1, 7, "no task `boundingbox`", "`bounding-box`?"),
        (instead("text-classification", "zzz"), 1, 7, "no task `zzz`", "the tasks are: image-classification"),
        (with("auto_label: true"), 5, 13, "`auto_label: true` is not yet supported", "people label"),
        (with("review: {verify: earlier}"), 5, 9, "`review` is not yet supported", "leave it out"),
        (with("template: tool.html"), 5, 11, "`template` is not yet supported", "leave it out"),
        (with("export: [coco]"), 5, 10, "the export `coco` is not yet supported", "csv, jsonl"),
    ]);
}

/// What it is and the text: each is small or large, and made to take long.
#[rustfmt::skip]
fn hostile() -> Vec<(&'static str, String)> {
    let nine = |what: &str| [what; 9].join(", ");
    let levels = (1..20).map(|n| format!("a{n}: &a{n} [{}]\n", nine(&format!("*a{}", n - 1))));
    let bomb = format!("a0: &a0 [{}]\n{}", nine("x"), levels.collect::<String>());
    let (x, a, b, c) = (nine("x"), nine("*a"), nine("*b"), nine("*c"));
    let lines = |count: usize, line: fn(usize) -> String| (0..count).map(line).collect::<String>();
    vec![
        ("10 MB", "a".repeat(10 << 20)),
        ("alias bomb", bomb),
        ("alias bomb in labels", format!("labels:\n  - &a [{x}]\n  - &b [{a}]\n  - &c [{b}]\n  - &d [{c}]\n")),
        ("alias bomb in tags", format!("tags: {{a: &a [{x}], b: &b [{a}], c: &c [{b}]}}")),
        ("many aliases", format!("labels: [&a x{}]", ", *a".repeat(60_000))),
        ("deep flow", "[".repeat(MAX_BYTES)),
        ("deep block", lines(500, |n| format!("{}a:\n", " ".repeat(n)))),
        ("dashes", "- ".repeat(MAX_BYTES / 2)),
        ("many keys", lines(30_000, |n| format!("k{n}: 1\n"))),
        ("many tags", with(&format!("tags:\n{}", lines(20_000, |n| format!("  k{n}: 1\n"))))),
        ("many patterns", with(&format!("select: {{include: [{}]}}", vec!["\"**/*a*b*c*\""; 5_000].join(", ")))),
        ("a long team", format!("team: {}", "x".repeat(200_000))),
        ("a long key", with(&format!("? {}\n: 1", "x".repeat(200_000)))),
        ("a long duration", with(&format!("task_timeout: {}", "1".repeat(200_000)))),
        ("a long line", format!("title: {}", "é".repeat(MAX_BYTES / 2 - 10))),
    ]
}

#[test]
fn a_hostile_spec_is_refused_within_a_second_and_in_few_words() {
    for (what, text) in hostile() {
        let start = Instant::now();
        let error = spec_error(&text);
        assert!(
            start.elapsed() < Duration::from_secs(1),
            "{what}: {:?}",
            start.elapsed()
        );
        assert!(error.to_string().len() < 2_000, "{what}: {error}");
    }
}

#[test]
fn what_is_too_large_or_no_text_is_refused_as_a_whole() {
    let error = spec_error(&"a".repeat(10 << 20));
    assert!(
        error
            .message
            .contains("10485760 bytes; a spec has at most 256 KiB"),
        "{error}"
    );
    let error = Spec::parse(b"task: text-classification\ntitle: caf\xe9\n").unwrap_err();
    assert_eq!((error.line, error.column), (Some(2), Some(11)));
    assert_eq!(error.message, "this is not UTF-8 text");
}

#[test]
fn an_error_reads_well() {
    insta::assert_snapshot!(spec_error(&instead("labels:", "lables:")), @r"
    labeling.yaml:2:1: there is no key `lables`
      did you mean `labels`?
       2 | lables: [Even, Odd]
         | ^
    ");
    let wide = format!("instructions: {{full: \"{}\", ful: x}}", "가".repeat(150));
    insta::assert_snapshot!(spec_error(&with(&wide)), @r#"
    labeling.yaml:5:176: there is no key `ful`
      did you mean `full`?
       5 | …가가가가가가가가가가가가가가가가가가가가가가가가가가가가가가가가가가가가가가가가가가가가가가가", ful: x}
         |                                                    ^
    "#);
    insta::assert_snapshot!(spec_error("title: x"), @r"
    labeling.yaml:1:1: `task` is missing
      add it: `task: text-classification`
    ");
}

proptest! {
    #[test]
    fn whatever_the_text_holds_there_is_an_answer(
        at in 0..LEAST.len(),
        cut in 0..40_usize,
        new in "[-\\[\\]{}:,&*#?|<>=!%@`'\"\n\t a-z0-9é가]{0,12}",
        bytes in prop::collection::vec(any::<u8>(), 0..40),
    ) {
        let end = (at + cut).min(LEAST.len());
        let changed = format!("{}{new}{}", &LEAST[..at], &LEAST[end..]);
        if let Err(error) = Spec::parse(changed.as_bytes()) {
            prop_assert!(error.line.is_some() && error.column.is_some(), "{}\n\n{}", error, changed);
        }
        let _ = Spec::parse(&bytes);
    }
}

#[test]
fn labels_that_look_alike_are_one_label_and_the_difference_is_said() {
    for (list, column, difference) in [
        (
            "[\"caf\u{e9}\", \"cafe\u{301}\"]",
            18,
            "line 2, column 10: one has U+00E9 where the other has U+0065 U+0301 (a combining accent)",
        ),
        ("[\"a b\", \"a\u{a0}b\"]", 17, "U+00A0 (a no-break space)"),
        ("[ab, \"a\u{200b}b\"]", 14, "`a\\u{200B}b` looks like `ab`"),
        ("[{name: A}, {name: \u{ff21}}]", 21, "U+FF21 (full width)"),
    ] {
        let error = spec_error(&instead("[Even, Odd]", list));
        assert!(error.message.contains(difference), "{error}");
        assert_eq!((error.line, error.column), (Some(2), Some(column)), "{error}");
    }
    let nothing = spec_error(&instead("[Even, Odd]", "[a, \"\u{200b}\"]"));
    assert!(nothing.message.contains("`\\u{200B}` shows nothing"), "{nothing}");
    parse(&instead("[Even, Odd]", "[Cat, cat, m2, \"m\u{b2}\"]"));
}

#[test]
fn a_name_that_only_looks_right_says_which_character_is_not() {
    for (line, part) in [
        (
            "team: \"numbers\u{2011}team\"",
            "it looks like `numbers-team`, but one has U+002D",
        ),
        (
            "team: \"numbers-\u{200b}team\"",
            "`numbers-\\u{200B}team` cannot be the name",
        ),
    ] {
        let error = spec_error(&instead("team: numbers-team", line));
        assert!(error.to_string().contains(part), "{error}");
    }
    let error = spec_error(&with("label_attribute: \"par\u{200b}ity\""));
    assert!(error.message.contains("`\\u{200B}` (U+200B)"), "{error}");
}
