//! What `check` says of folders, good and bad.

use super::*;
use std::fs;

const TEXTS: &str = "task: text-classification\nlabels: [Even, Odd]\nteam: t\ntitle: T\ndescription: D\n";
const IMAGES: &str = "task: image-classification\nlabels: [Cat, Dog]\nteam: t\ntitle: T\ndescription: D\n";

/// A 1x1 PNG.
const PNG: &[u8] = &[
    0x89, b'P', b'N', b'G', 0x0d, 0x0a, 0x1a, 0x0a, 0, 0, 0, 0x0d, b'I', b'H', b'D', b'R', 0, 0, 0, 1, 0, 0,
    0, 1, 8, 0, 0, 0, 0, 0x3a, 0x7e, 0x9b, 0x55, 0, 0, 0, 0x0a, b'I', b'D', b'A', b'T', 0x78, 0x9c, 0x63,
    0x60, 0, 0, 0, 2, 0, 1, 0x48, 0xaf, 0xa4, 0x71, 0, 0, 0, 0, b'I', b'E', b'N', b'D', 0xae, 0x42, 0x60,
    0x82,
];

fn assess_folder(spec: &Spec, folder: &std::path::Path, links: &[&str]) -> FolderContents {
    let links: Vec<String> = links.iter().map(|&place| place.to_owned()).collect();
    let rules = LinkRules::new(folder, &links, false).unwrap();
    assess(spec, &DatasetName::new("d").unwrap(), &rules).unwrap()
}

fn contents_of(spec: &str, files: &[(&str, &[u8])]) -> FolderContents {
    let folder = tempfile::tempdir().unwrap();
    for (path, bytes) in files {
        let path = folder.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, bytes).unwrap();
    }
    let spec = Spec::parse(spec.as_bytes()).unwrap_or_else(|error| panic!("{error}"));
    assess_folder(&spec, folder.path(), &[])
}

#[test]
fn every_kind_of_bad_file_is_listed_with_its_reason_and_good_ones_go_through() {
    let long = "x".repeat(20_001);
    let lines = format!("{TEXTS}text: {{split: line}}\n");
    let rows = format!("{TEXTS}text: {{split: row, column: body}}\n");
    let truncated = &PNG[..PNG.len() - 14];
    let cases: &[(&str, &str, &[u8], &str)] = &[
        (TEXTS, "empty.txt", b"", "empty"),
        (TEXTS, "long.txt", long.as_bytes(), "20001 characters"),
        (TEXTS, "latin1.txt", b"caf\xe9", "UTF-8"),
        (TEXTS, "cat.png", PNG, "text"),
        (&lines, "blank.txt", b"\n \n", "blank"),
        (&rows, "columns.csv", b"a,b\n1,2\n", "body"),
        (&rows, "ragged.csv", b"b,body\n1,2\nonly\n", "cells are missing"),
        (
            &rows,
            "quote.csv",
            b"b,body\n1,2\n2,\"open\n3,c\n",
            "never closed",
        ),
        (&lines, "wide.txt", b"a\0b\0\n\0", "UTF-16"),
        (IMAGES, "cut.png", truncated, "cut off"),
        (IMAGES, "fake.jpg", b"this is text, whatever its name says", ""),
        (IMAGES, "empty.png", b"", "empty"),
    ];
    let text: (&str, &[u8]) = ("good.txt", b"12");
    let row: (&str, &[u8]) = ("good.csv", b"body\n12\n");
    let image: (&str, &[u8]) = ("good.png", PNG);
    for (spec, path, bytes, part) in cases {
        let good = if spec.contains("image-") {
            image
        } else if spec.contains("row") {
            row
        } else {
            text
        };
        let found = contents_of(spec, &[good, (path, bytes)]);
        assert!(found.items >= 1, "{path}: {found:?}");
        assert_eq!(found.rejected, 1, "{path}: {found:?}");
        let reject = &found.rejected_first[0];
        assert_eq!(reject.path, *path);
        assert!(reject.reason.contains(part), "{path}: {}", reject.reason);
    }
}

#[test]
fn a_link_is_listed_as_the_drop_folder_would_not_take_it() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("1.txt"), "1").unwrap();
    std::os::unix::fs::symlink("1.txt", folder.path().join("2.txt")).unwrap();
    let spec = Spec::parse(TEXTS.as_bytes()).unwrap();
    let found = assess_folder(&spec, folder.path(), &[]);
    assert_eq!((found.items, found.rejected), (1, 1));
    let reject = &found.rejected_first[0];
    assert_eq!(reject.path, "2.txt");
    assert!(
        reject.reason.contains("copy the file itself"),
        "{}",
        reject.reason
    );
}

#[test]
fn items_fill_batches_up_to_the_limit_of_the_spec() {
    let spec = format!("{TEXTS}batch: {{max_items: 2}}\n");
    let files: Vec<(String, &[u8])> = (0..5)
        .map(|n| (format!("sub/{n}.txt"), b"1".as_slice()))
        .collect();
    let files: Vec<(&str, &[u8])> = files
        .iter()
        .map(|(path, bytes)| (path.as_str(), *bytes))
        .collect();
    let found = contents_of(&spec, &files);
    assert_eq!(
        (found.files, found.items, found.batches, found.rejected),
        (5, 5, 3, 0)
    );
    assert_eq!(found.samples.len(), MAX_SAMPLES);
    assert_eq!(
        (found.samples[0].path.as_str(), found.samples[0].item.as_str()),
        ("sub/0.txt", "1")
    );
}

#[test]
fn what_select_leaves_out_is_counted_apart() {
    let spec = format!("{TEXTS}select: {{include: [\"*.txt\"], limit: 1}}\n");
    let found = contents_of(
        &spec,
        &[
            ("a.txt", b"1"),
            ("b.txt", b"2"),
            ("c.md", b"3"),
            (".DS_Store", b"x"),
        ],
    );
    assert_eq!(
        (found.items, found.rejected, found.ignored),
        (1, 0, 1),
        "{found:?}"
    );
    assert_eq!(found.not_selected, 2, "{found:?}");
}

#[test]
fn rows_are_items_rejected_or_blank_and_all_are_counted() {
    let spec = format!("{TEXTS}text: {{split: row, column: text}}\n");
    let csv = b"id,text\n1,one\n\n,\n2,\"two\" or more\n3,\n4,four\n";
    let jsonl = b"{\"text\":\"one\"}\n{\"text\":\"\"}\n{\"text\":\"  \"}\n\n{\"text\":\"two\"}\n";
    let found = contents_of(&spec, &[("a.csv", csv), ("b.jsonl", jsonl)]);
    assert_eq!(
        (found.items, found.rejected, found.blank_rows),
        (4, 4, 3),
        "{found:?}"
    );
}

#[test]
fn a_manifest_made_by_hand_is_used_alone_and_its_broken_line_named() {
    let manifest = b"{\"source\":\"12\"}\nnot json\n{\"source\":\"13\"}\n";
    let found = contents_of(TEXTS, &[("mine.manifest", manifest), ("other.txt", b"99")]);
    assert!(found.manual);
    assert_eq!(
        (found.items, found.batches, found.rejected),
        (2, 1, 1),
        "{found:?}"
    );
    assert_eq!(found.rejected_first[0].row, Some(2));
}

#[test]
fn an_image_is_judged_by_its_content() {
    let found = contents_of(IMAGES, &[("really-a-png.jpg", PNG)]);
    assert_eq!((found.items, found.rejected), (1, 0), "{found:?}");
}

#[test]
fn what_a_manifest_points_to_is_looked_up_beside_it() {
    let dataset = "d";
    let line = |file: &str| format!("{{\"source-ref\":\"s3://my-bucket/{dataset}/{file}\"}}\n");
    let manifest = ["a.png", "gone.png", "page.png", "../a.png"].map(line).concat();
    let found = contents_of(
        IMAGES,
        &[
            ("m.manifest", manifest.as_bytes()),
            ("a.png", PNG),
            ("page.png", b"<html>"),
        ],
    );
    assert_eq!((found.items, found.rejected), (1, 3), "{found:?}");
    let reasons: Vec<&str> = found
        .rejected_first
        .iter()
        .map(|reject| reject.reason.as_str())
        .collect();
    assert!(
        reasons[0].contains("no such object") && reasons[1].contains("neither"),
        "{reasons:?}"
    );
}

#[test]
fn a_jsonl_of_links_is_a_manifest_as_it_would_be_in_the_bucket() {
    let folder = tempfile::tempdir().unwrap();
    let lines = "{\"source\":\"s3://my-bucket/d/1.txt\"}\n{\"source\":\"s3://lake/raw/2.txt\"}\n";
    fs::write(folder.path().join("manifest.jsonl"), lines).unwrap();
    fs::write(folder.path().join("1.txt"), "seven").unwrap();
    let spec = Spec::parse(TEXTS.as_bytes()).unwrap();
    let found = assess_folder(&spec, folder.path(), &[]);
    assert!(found.manual, "{found:?}");
    assert_eq!((found.items, found.rejected, found.links_elsewhere), (1, 1, 0));
    assert!(
        found.rejected_first[0].reason.contains("LinkSources"),
        "{found:?}"
    );
    // With its place listed the link may be followed, and is reported as not checked.
    let found = assess_folder(&spec, folder.path(), &["s3://lake/raw/"]);
    assert_eq!((found.items, found.rejected, found.links_elsewhere), (2, 0, 1));
    assert_eq!(found.links_elsewhere_first[0].key, "raw/2.txt");
    assert!(LinkRules::new(folder.path(), &["lake/raw".to_owned()], false).is_err());
}
