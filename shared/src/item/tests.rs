//! What dropped text files give, and what is said of those that give nothing.

use proptest::prelude::*;
use serde_json::Value;

use super::*;
use crate::link::LinkSources;
use crate::name::DatasetName;

mod json_lines;
mod quotes;
mod tables;

fn spec(rest: &str) -> Spec {
    let yaml = format!(
        "task: text-classification\nlabels: [Even, Odd]\nteam: t\ntitle: Even or odd?\ndescription: Say it.\n{rest}\n"
    );
    Spec::parse(yaml.as_bytes()).unwrap_or_else(|e| panic!("{e}"))
}

fn images() -> Spec {
    let yaml =
        "task: image-classification\nlabels: [Cat, Dog]\nteam: t\ntitle: Which?\ndescription: Say it.\n";
    Spec::parse(yaml.as_bytes()).unwrap_or_else(|e| panic!("{e}"))
}

const FILE: &str = "text: {split: file}";
const LINE: &str = "text: {split: line}";
const ROW: &str = "text: {split: row}";
const COLUMN: &str = "text: {split: row, column: text}";

/// `3: text` for an item, `3! reason` for a reject; `-` where it is the whole file.
fn read(rest: &str, key: &str, bytes: &[u8], after_row: u64) -> Vec<String> {
    let spec = spec(rest);
    let row = |row: Option<u64>| row.map_or_else(|| "-".to_owned(), |row| row.to_string());
    let shown = |item| match item {
        Ok(line) => {
            let Line { row: at, json, .. } = line;
            let line: Value = serde_json::from_str(&json).unwrap();
            assert_eq!(line["groundcrew"]["key"], key);
            assert_eq!(line["groundcrew"]["row"].as_u64(), at);
            format!("{}: {}", row(at), line["source"].as_str().unwrap())
        }
        Err(Reject { row: at, reason, .. }) => format!("{}! {reason}", row(at)),
    };
    read_text(&spec, key, "e", bytes, after_row).map(shown).collect()
}

#[track_caller]
fn gives(rest: &str, key: &str, text: &str, expected: &[&str]) {
    assert_eq!(read(rest, key, text.as_bytes(), 0), expected);
}

#[track_caller]
fn refuses(rest: &str, key: &str, bytes: &[u8], expected: &[&str]) {
    let found = read(rest, key, bytes, 0);
    assert_eq!(found.len(), expected.len(), "{found:?}");
    for (found, expected) in found.iter().zip(expected) {
        assert!(found.contains(expected), "{found} / {expected}");
    }
}

#[test]
fn a_whole_text_file_is_one_item_lines_and_all() {
    gives(FILE, "d/7.txt", "7\n", &["-: 7"]);
    gives(FILE, "d/7.txt", "7", &["-: 7"]);
    gives(
        FILE,
        "d/7.TXT",
        "one\r\ntwo \"quoted\" \\\n\n",
        &["-: one\r\ntwo \"quoted\" \\\n"],
    );
    gives(FILE, "d/7.txt", "\u{FEFF}mit Bom\r\n", &["-: mit Bom"]);
}

#[test]
fn each_line_is_an_item_with_its_own_number_and_blank_ones_are_not() {
    gives(LINE, "d/a.txt", "a\n\n  \r\nb\r\n c", &["1: a", "4: b", "5:  c"]);
    gives(LINE, "d/a.csv", "id,text\n1,\"x\"", &["1: id,text", "2: 1,\"x\""]);
}

#[test]
fn blank_lines_are_counted() {
    let spec = spec(LINE);
    let mut items = read_text(&spec, "d/a.txt", "e", b"a\n\n\nb\n", 0);
    assert_eq!(items.by_ref().count(), 2);
    assert_eq!(items.blank_rows(), 2);
}

#[test]
fn a_file_without_any_text_is_one_reject() {
    for (rest, key) in [
        (FILE, "d/a.txt"),
        (LINE, "d/a.txt"),
        (ROW, "d/a.csv"),
        (ROW, "d/a.jsonl"),
    ] {
        refuses(rest, key, b" \n\r\n\n", &["-! the file holds no text"]);
    }
    refuses(COLUMN, "d/a.csv", b"id,text\n", &["-! the file holds no text"]);
    refuses(COLUMN, "d/a.csv", b"\xEF\xBB\xBF", &["-! the file holds no text"]);
}

#[test]
fn items_rejects_and_blank_rows_are_all_rows() {
    for (rest, key, text, rows) in [
        (LINE, "d/a.txt", "a\n\n \r\u{200B}\rb", 5),
        (
            COLUMN,
            "d/a.csv",
            "\nid,text\n1,a\n\n,\n2\n3,\n4,\"b\nb\"\n5,\"c\" c\n",
            8,
        ),
        (ROW, "d/a.csv", "a\n\n\"\"\nb,c\n", 4),
        (COLUMN, "d/a.tsv", "text\tid\n\"a\t1\n\t\nb\"\t2\n\t3\n", 4),
        (ROW, "d/a.jsonl", "\"a\"\n\"\"\n{\"source\":\" \"}\n\n1\n", 5),
    ] {
        for after in 0..4 {
            let spec = spec(rest);
            let mut items = read_text(&spec, key, "e", text.as_bytes(), after);
            let said = items
                .by_ref()
                .filter(|item| item.as_ref().map_or_else(|r| r.row, |l| l.row).is_some());
            let said = said.count() as u64;
            let blank = items.blank_rows();
            let before = u64::from(key.ends_with("csv") && rest == COLUMN && after < 2)
                + u64::from(key.ends_with("tsv") && after < 1);
            // The header has a number and is none of them.
            let header = u64::from(rest == COLUMN && key != "d/a.jsonl");
            assert_eq!(
                said + blank + before,
                rows + header - after,
                "{key} after {after}"
            );
        }
    }
}

#[test]
fn lines_end_in_any_of_three_ways_in_every_kind_of_file() {
    for end in ["\n", "\r\n", "\r"] {
        for (rest, key, text) in [
            (LINE, "d/a.txt", "one\ntwo\n\nfour\n"),
            (ROW, "d/a.csv", "one\ntwo\n\nfour\n"),
            (ROW, "d/a.tsv", "one\ntwo\n\nfour\n"),
            (ROW, "d/a.jsonl", "\"one\"\n{\"source\":\"two\"}\n\n\"four\"\n"),
        ] {
            gives(
                rest,
                key,
                &text.replace('\n', end),
                &["1: one", "2: two", "4: four"],
            );
        }
        let manifest =
            "{\"source\":\"one\"}\n{\"source\":\"two\"}\n\n{\"source\":\"four\"}\n".replace('\n', end);
        let spec = spec("");
        let rules = Rules {
            sources: &LinkSources::own_folder("in", "out"),
            dataset: &DatasetName::new("d").unwrap(),
        };
        let rows = read_manifest(&spec, rules, "d/m.manifest", "e", manifest.as_bytes(), 0)
            .map(|line| line.unwrap().row);
        assert!(rows.eq([Some(1), Some(2), Some(4)]), "{end:?}");
    }
    gives(FILE, "d/a.txt", "one\rtwo\r", &["-: one\rtwo"]);
}

#[test]
fn rows_that_cannot_be_shown_are_refused_and_the_others_go_through() {
    for (rest, key, text, expected) in [
        (
            LINE,
            "d/a.txt",
            "good\nb\0d\n\u{200B}\nfine\n",
            [
                "1: good",
                "2! the text holds a NUL",
                "3! there is nothing to see",
                "4: fine",
            ]
            .as_slice(),
        ),
        (
            COLUMN,
            "d/a.csv",
            "text\ngood\nb\0d\n\u{2060}\nfine\n",
            &[
                "2: good",
                "3! the text holds a NUL",
                "4! there is nothing to see",
                "5: fine",
            ],
        ),
        (
            ROW,
            "d/a.jsonl",
            "\"good\"\n\"b\\u0000d\"\n\"\\u200b\"\n\"\\ufdd0\"\n\"\\ud800\"\n",
            &[
                "1: good",
                "2! the text holds a NUL",
                "3! there is nothing to see",
                "4! the text holds U+FDD0",
                "5! the line is not JSON",
            ],
        ),
        (
            FILE,
            "d/a.txt",
            "a\u{1b}[31m",
            &["-! the text holds the control character U+001B"],
        ),
    ] {
        refuses(rest, key, text.as_bytes(), expected);
    }
    let wide: Vec<u8> = "Great product\r\nBad product\r\n"
        .encode_utf16()
        .flat_map(u16::to_le_bytes)
        .collect();
    for (rest, key) in [
        (FILE, "d/a.txt"),
        (LINE, "d/a.txt"),
        (ROW, "d/a.csv"),
        (COLUMN, "d/a.csv"),
        (ROW, "d/a.jsonl"),
    ] {
        refuses(
            rest,
            key,
            &wide,
            &["-! the file looks like UTF-16 without a byte order mark: save it as UTF-8"],
        );
    }
}

#[test]
fn a_file_is_known_to_be_numbered_as_it_was_or_not() {
    let (line, column, row) = (spec(LINE), spec(COLUMN), spec(ROW));
    for (spec, key, text, same) in [
        (&line, "d/a.txt", "a\r\nb\n", true),
        (&line, "d/a.txt", "a\rb\n", false),
        (&line, "d/a.csv", "\"a\nb\n", true),
        (&row, "d/a.jsonl", "1\r2", false),
        (&column, "d/a.csv", "id,text\r1,\"a\nb\"\r2,5\" disk\r", true),
        (&column, "d/a.csv", "id,text\n1,\"a\n2,\"b\n", false),
        (&column, "d/a.tsv", "id\ttext\n1\t5\" disk\n", true),
        (&column, "d/a.tsv", "id\ttext\n1\t\"a\n", false),
        (&column, "d/a.tsv", "id\ttext\n1\t\"a \"\"b\"\"\"\n", true),
    ] {
        assert_eq!(
            is_numbered_as_in_version_1(spec, key, text.as_bytes(), false),
            same,
            "{key} {text:?}"
        );
    }
    assert!(!is_numbered_as_in_version_1(
        &column,
        "d/a.manifest",
        b"{}\r{}",
        true
    ));
}

#[test]
fn invalid_utf8_is_refused_with_the_byte() {
    refuses(
        LINE,
        "d/a.txt",
        b"good\nf\xFCr\n",
        &["-! the file is not UTF-8 (byte 6, line 2)"],
    );
    refuses(FILE, "d/a.txt", b"\xFF\xFEa\0", &["-! the file is UTF-16"]);
    refuses(COLUMN, "d/a.csv", b"text\n\xED\xA0\x80\n", &["not UTF-8 (byte 5"]);
}

#[test]
fn a_text_of_20_001_characters_is_refused_and_one_of_20_000_is_not() {
    let long = "é".repeat(20_000);
    assert_eq!(read(FILE, "d/a.txt", long.as_bytes(), 0).len(), 1);
    refuses(
        FILE,
        "d/a.txt",
        format!("{long}é").as_bytes(),
        &["-! the text is 20001 characters long"],
    );
    refuses(
        LINE,
        "d/a.txt",
        format!("a\n{long}é\nb\n").as_bytes(),
        &["1: a", "2! the text is 20001", "3: b"],
    );
    let escaped = format!("x{}", "\u{85}".repeat(19_999));
    refuses(
        FILE,
        "d/a.txt",
        escaped.as_bytes(),
        &["-! written as JSON the item is"],
    );
}

#[test]
fn the_next_batch_goes_on_after_the_row_the_last_one_ended_with() {
    for (rest, key, text) in [
        (LINE, "d/a.txt", "a\n\nb\nc\n"),
        (COLUMN, "d/a.csv", "text\na\n\nb\n"),
        (ROW, "d/a.csv", "a\nx,y\nb\n"),
        (ROW, "d/a.jsonl", "\"a\"\n1\n\"b\"\n"),
    ] {
        let all = read(rest, key, text.as_bytes(), 0);
        for (taken, entry) in all.iter().enumerate() {
            let row = entry.split([':', '!']).next().unwrap().parse().unwrap();
            assert_eq!(
                read(rest, key, text.as_bytes(), row),
                all[taken + 1..],
                "{key} after {row}"
            );
        }
    }
}

#[test]
fn names_and_sizes_alone_tell_what_to_read() {
    use FileKind::{Csv, Image, JsonLines, Text, Tsv};
    let (file, line, row, images) = (spec(FILE), spec(LINE), spec(ROW), images());
    for (spec, path, size, kind) in [
        (&file, "a.txt", 80_005, Text),
        (&line, "a.b/c d.TXT", 32 << 20, Text),
        (&line, "a.csv", 1, Csv),
        (&row, "a.csv", 1, Csv),
        (&row, "a.tsv", 1, Tsv),
        (&row, "a.jsonl", 1, JsonLines),
        (&images, "x/IMG_1.JPG", 40_000_000, Image),
        (&images, "a.jpeg", 1, Image),
        (&images, "a.JFIF", 1, Image),
        (&images, "a.png", 1, Image),
    ] {
        assert_eq!(classify(spec, path, size), Verdict::Take(kind), "{path}");
    }
}

#[test]
fn what_can_never_be_an_item_is_refused_without_reading_it() {
    let (file, line, row, images) = (spec(FILE), spec(LINE), spec(ROW), images());
    for (spec, path, size, part) in [
        (&file, "d/", 1, "its name ends in `/`"),
        (&file, "a.txt", 0, "empty (0 bytes)"),
        (&file, "a.txt", 80_006, "20,000 characters"),
        (&file, "a.csv", 1, "say `text: {split: row}`"),
        (&row, "a.txt", 1, "say `text: {split: line}`"),
        (&line, "a.txt", (32 << 20) + 1, "32 MiB"),
        (&file, "a.jpg", 1, "nothing that `text-classification` can show"),
        (&file, "a.jpg", 1, "delete the file from the bucket"),
        (&file, "labeling.yml", 1, "since a spec is called `labeling.yaml`"),
        (&images, "a.txt", 1, "it takes .jpg, .jpeg, .jfif and .png"),
        (&images, "a.gif", 1, "`.gif`"),
        (&images, "README", 1, "a file without extension"),
        (&images, "a.jpg", 40_000_001, "at most 40 MB"),
    ] {
        match classify(spec, path, size) {
            Verdict::Reject(reason) => assert!(reason.contains(part), "{path}: {reason}"),
            other => panic!("{path}: {other:?}"),
        }
    }
}

#[test]
fn what_computers_leave_behind_is_nobodys_mistake() {
    let spec = spec(FILE);
    for path in [
        "",
        ".DS_Store",
        "x/.DS_Store",
        "Thumbs.db",
        "desktop.ini",
        "~$a.txt",
        ".git/a.txt",
        "__MACOSX/a.txt",
        "._a.txt",
    ] {
        assert_eq!(classify(&spec, path, 5), Verdict::Ignore, "{path}");
    }
    for marker in ["below/", "below/it/"] {
        assert_eq!(classify(&spec, marker, 0), Verdict::Ignore, "{marker}");
    }
}

#[test]
fn what_the_spec_does_not_select_is_not_a_reject() {
    let spec = spec("select: {include: [\"*.txt\"], exclude: [\"x*\"]}");
    assert_eq!(classify(&spec, "notes.pdf", 5), Verdict::NotSelected);
    assert_eq!(classify(&spec, "x.txt", 0), Verdict::NotSelected);
    assert_eq!(classify(&spec, "a.txt", 5), Verdict::Take(FileKind::Text));
}

#[test]
fn a_million_blank_rows_and_a_large_table_take_no_longer_than_their_bytes() {
    let mut text = format!("id,text\n{}", "\n".repeat(1 << 20));
    for row in 0..20_000 {
        text.push_str(&format!("{row},\"a \"\"text\"\" of row {row}\"\n"));
    }
    let spec = spec(COLUMN);
    let mut items = read_text(&spec, "d/a.csv", "e", text.as_bytes(), 0);
    assert_eq!(items.by_ref().filter(Result::is_ok).count(), 20_000);
    assert_eq!(items.blank_rows(), 1 << 20);
}

proptest! {
    #[test]
    fn any_bytes_give_items_or_reasons_and_never_a_broken_line(
        bytes in prop::collection::vec(prop_oneof![4 => prop::sample::select(b"\"\\,\t\r\n{}[]: source".to_vec()), 1 => any::<u8>()], 0..200),
        key in prop::sample::select(vec!["d/a.txt", "d/a.csv", "d/a.tsv", "d/a.jsonl"]),
        rest in prop::sample::select(vec![FILE, LINE, ROW, COLUMN]),
        after_row in 0u64..4,
    ) {
        let mut last = 0;
        for entry in read(rest, key, &bytes, after_row) {
            if let Ok(row) = entry.split([':', '!']).next().unwrap_or_default().parse::<u64>() {
                prop_assert!(row > after_row.max(last), "{entry} after {last}");
                last = row;
            }
        }
    }

    #[test]
    fn whatever_a_csv_writer_writes_comes_back_exactly(texts in prop::collection::vec("[^\\s\\pC][\\PC\"\\\\,\n\r\t]{0,20}", 1..8)) {
        prop_assume!(texts.iter().all(|text| encoding::unshowable(text).is_none()));
        let mut writer = csv::Writer::from_writer(Vec::new());
        writer.write_record(["id", "text"]).unwrap();
        for text in &texts {
            writer.write_record(["1", text]).unwrap();
        }
        let bytes = writer.into_inner().unwrap();
        let rows: Vec<String> = texts.iter().zip(2..).map(|(text, row)| format!("{row}: {text}")).collect();
        prop_assert_eq!(read(COLUMN, "d/a.csv", &bytes, 0), rows);
    }
    #[test]
    fn whatever_the_quotes_no_row_is_lost_and_no_text_is_made_up(
        text in "([a-b ]|\"|\"\"|,|\t|\n|\r|\r\n|\\\\|;){0,60}",
        key in prop::sample::select(vec!["d/a.csv", "d/a.tsv"]),
        header in any::<bool>(),
    ) {
        let (rest, text) = match (header, key) {
            (true, "d/a.csv") => (COLUMN, format!("id,text\n{text}")),
            (true, _) => (COLUMN, format!("id\ttext\n{text}")),
            (false, _) => (ROW, text),
        };
        let spec = spec(rest);
        let mut items = read_text(&spec, key, "e", text.as_bytes(), 0);
        let mut rows = Vec::new();
        for item in items.by_ref() {
            let row = item.as_ref().map_or_else(|reject| reject.row, |line| line.row);
            // The whole file is refused.
            let Some(row) = row else { return Ok(()) };
            rows.push(row);
            if let Ok(line) = item {
                let line: Value = serde_json::from_str(&line.json).unwrap();
                let source = line["source"].as_str().unwrap();
                let quoted = format!("\"{}\"", source.replace('"', "\"\""));
                prop_assert!(text.contains(&quoted) || text.contains(source), "{source:?} of {text:?}");
            }
        }
        let last = rows.last().copied().unwrap_or(0);
        let others = items.blank_rows() + u64::from(header);
        prop_assert!(last <= rows.len() as u64 + others, "{rows:?} and {others} of {text:?}");
        if !text.contains('"') {
            let lines = text.replace("\r\n", "\n").replace('\r', "\n").lines().count() as u64;
            prop_assert_eq!(rows.len() as u64 + others, lines, "{:?}", text);
        }
    }
    #[test]
    fn every_row_of_a_csv_is_an_item_or_a_reject_unless_it_is_blank(
        rows in prop::collection::vec(
            (prop::collection::vec("[a-z ]{0,3}|\"([a-z, \r\n]|\"\"){0,4}\"", 1..4), "\n|\r\n|\r|\n\n|\r\n\r\n"),
            0..12,
        ),
        after_row in 0u64..4,
    ) {
        let rows: String = rows.iter().map(|(fields, end)| fields.join(",") + end).collect();
        let text = format!("text\n{rows}");
        let spec = spec(COLUMN);
        let numbers = |after| -> Vec<u64> {
            let items = read_text(&spec, "d/a.csv", "e", text.as_bytes(), after);
            items.filter_map(|item| item.map_or_else(|reject| reject.row, |line| line.row)).collect()
        };
        let mut reader = csv::ReaderBuilder::new().flexible(true).from_reader(text.as_bytes());
        let said = |record: &csv::StringRecord| record.iter().any(|field| !field.trim().is_empty());
        let expected = reader.records().filter(|record| record.as_ref().is_ok_and(said)).count();
        let all = numbers(0);
        prop_assert_eq!(all.len(), expected, "{:?} of {:?}", all, text);
        prop_assert!(all.is_sorted_by(|a, b| a < b), "{all:?} of {text:?}");
        let rest: Vec<u64> = all.into_iter().filter(|row| *row > after_row).collect();
        prop_assert_eq!(numbers(after_row), rest);
    }
}
