//! `.jsonl`: strings, and objects with a field.

use super::*;

#[test]
fn json_lines_give_strings_and_the_named_field() {
    let lines =
        "{\"source\":\"a\\nb\",\"id\":1}\n\"c\"\n\n{\"source\":\" \"}\n\"\"\n{\"source\":\"\\u2028d\"}\n";
    let expected = [
        "1: a\nb",
        "2: c",
        "4! the text is empty",
        "5! the text is empty",
        "6: \u{2028}d",
    ];
    gives(ROW, "d/a.jsonl", lines, &expected);
    gives(LINE, "d/a.jsonl", lines, &expected);
    gives(
        COLUMN,
        "d/a.jsonl",
        "{\"text\":\"x\",\"source\":\"y\"}",
        &["1: x"],
    );
}

#[test]
fn a_json_line_that_holds_no_text_says_why() {
    let lines =
        b"{\"source\":1}\n[1]\n{\"text\":\"a\"}\n{\"source\":\"a\"\n{\"source\":\"good\"}\n\"\\ud800\"\n";
    refuses(
        ROW,
        "d/a.jsonl",
        lines,
        &[
            "1! `source` is a number",
            "2! the line is a list",
            "3! the object has no `source`; it has `text`: name the field",
            "4! the line is not JSON (column",
            "5: good",
            "6! the line is not JSON",
        ],
    );
}

#[test]
fn a_field_that_no_line_has_is_said_once_with_the_fields_there_are() {
    refuses(
        COLUMN,
        "d/a.jsonl",
        b"[1]\n{\"body\":\"a\",\"id\":1}\n{\"body\":\"b\"}\n",
        &["-! no line has a field `text`; the first object has `body`, `id`: name the field"],
    );
    refuses(
        ROW,
        "d/a.jsonl",
        b"{}\n{}\n",
        &["-! no line has a field `source`; the first object has nothing"],
    );
    refuses(
        ROW,
        "d/a.jsonl",
        b"{\"a\":1}\n\"b\"\n",
        &["1! the object has no `source`", "2: b"],
    );
}

#[test]
fn a_name_that_is_twice_in_a_json_line_is_refused() {
    refuses(
        ROW,
        "d/a.jsonl",
        b"{\"source\":\"a\",\"source\":\"b\"}\n{\"source\":\"a\",\"x\":[{\"n\":1,\"n\":2}]}\n\"c\"\n",
        &["1! the line cannot be used (column", "2! ", "3: c"],
    );
    refuses(
        ROW,
        "d/a.jsonl",
        b"\"c\"\n{\"id\":1,\"id\":2,\"source\":\"a\"}\n",
        &[
            "1: c",
            "2! the line cannot be used (column 14): `id` is there twice",
        ],
    );
}
