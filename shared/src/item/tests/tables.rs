//! Rows and columns of `.csv` and `.tsv`: which column is the text, and which rows fit no table.

use super::*;

#[test]
fn a_single_column_csv_gives_an_item_a_row() {
    gives(
        ROW,
        "d/a.csv",
        "one\n\"two, \"\"quoted\"\"\nand more\"\nthree\n",
        &["1: one", "2: two, \"quoted\"\nand more", "3: three"],
    );
    gives(ROW, "d/a.tsv", "one, two\nthree\n", &["1: one, two", "2: three"]);
}

#[test]
fn rows_are_numbered_as_a_spreadsheet_numbers_them() {
    gives(
        COLUMN,
        "d/a.csv",
        "id,text\r\n1,a\r\n\r\n2,\"b\r\nb\"\r\n\n\n,\n3,c\r\n",
        &["2: a", "4: b\r\nb", "8: c"],
    );
    gives(COLUMN, "d/a.csv", "id,text\r1,a\r\r2,b\r", &["2: a", "4: b"]);
    gives(COLUMN, "d/a.csv", "\n\nid,text\n1,a\n", &["4: a"]);
}

#[test]
fn the_named_column_gives_the_text_wherever_it_stands() {
    gives(COLUMN, "d/a.csv", "\u{FEFF}text,id\nHallo,1\n", &["2: Hallo"]);
    gives(COLUMN, "d/a.tsv", "id\t text \n1\t5, five\n", &["2: 5, five"]);
}

#[test]
fn a_csv_without_commas_says_how_to_save_it() {
    refuses(
        COLUMN,
        "d/a.csv",
        b"id;text\n1;a\n2;b\n",
        &[
            "-! the first row has no column `text`; it has `id;text`; the columns are separated by `;`: save the file with commas",
        ],
    );
    refuses(COLUMN, "d/a.csv", b"id\ttext\n1\ta\n", &["call the file .tsv"]);
    refuses(COLUMN, "d/a.csv", b"id|text\n1|a\n", &["separated by `|`"]);
    refuses(
        COLUMN,
        "d/a.tsv",
        b"id,text\n1,a\n",
        &["separated by `,`: call the file .csv"],
    );
    refuses(
        COLUMN,
        "d/a.csv",
        b"\"id\";\"text\"\n\"1\";\"a\"\n",
        &["-! the columns are separated by `;`"],
    );
    refuses(
        COLUMN,
        "d/a.csv",
        b"sep=,\nid,text\n1,a\n",
        &["for one spreadsheet alone: delete it"],
    );
    gives(COLUMN, "d/a.csv", "text\none; two\n", &["2: one; two"]);
}

#[test]
fn columns_by_another_separator_are_known_without_a_name_too() {
    for (key, text, part) in [
        (
            "d/a.csv",
            "text;lang\nSehr gut;de\nNicht gut;de\n",
            "separated by `;`: save the file with commas",
        ),
        (
            "d/a.csv",
            "text;lang\n\"Sehr gut; wirklich\";de\n",
            "separated by `;`",
        ),
        ("d/a.csv", "good\ten\nbad\ten\n", "call the file .tsv"),
        ("d/a.csv", "good|en\nbad|en\n", "separated by `|`"),
        ("d/a.tsv", "good,en\nbad,en\n", "call the file .csv"),
    ] {
        refuses(ROW, key, text.as_bytes(), &[part]);
    }
    let prose = "I came; I saw\nshe came; she saw\n";
    gives(
        ROW,
        "d/a.csv",
        prose,
        &["1: I came; I saw", "2: she came; she saw"],
    );
    gives(
        ROW,
        "d/a.tsv",
        "well, yes\nno, not\n",
        &["1: well, yes", "2: no, not"],
    );
    gives(ROW, "d/a.csv", "\"a;b\"\n\"c;d\"\n", &["1: a;b", "2: c;d"]);
    gives(
        ROW,
        "d/a.csv",
        "one;two\nthree\nfour\n",
        &["1: one;two", "2: three", "3: four"],
    );
}

#[test]
fn the_name_of_the_only_column_is_no_text() {
    refuses(
        ROW,
        "d/a.csv",
        b"Text\ngood\nbad\n",
        &[
            "1! `Text` looks like the name of the column, not like a text: say `text: {split: row, column: Text}`",
            "2: good",
            "3: bad",
        ],
    );
    gives(ROW, "d/a.csv", "good\ntext\n", &["1: good", "2: text"]);
    gives(COLUMN, "d/a.csv", "text\ntext\n", &["2: text"]);
}

#[test]
fn a_header_that_only_looks_right_says_how_it_differs() {
    for (header, part) in [
        (
            "id,te\u{200B}xt",
            "it has `id`, `te\\u{200B}xt`; did you mean `te\\u{200B}xt`? `te\\u{200B}xt` holds a character that cannot be seen",
        ),
        (
            "id,“text”",
            "did you mean `“text”`? The quotes in `“text”` are part of the name",
        ),
        (
            "id,Text",
            "did you mean `Text`? Capital letters and spaces count: call it so in the spec",
        ),
    ] {
        refuses(COLUMN, "d/a.csv", format!("{header}\n1,a\n").as_bytes(), &[part]);
    }
    refuses(
        COLUMN,
        "d/a.jsonl",
        "{\"text\u{200B}\":\"a\"}\n".as_bytes(),
        &["cannot be seen"],
    );
}

#[test]
fn a_missing_column_is_said_once_with_the_columns_there_are() {
    refuses(
        COLUMN,
        "d/a.csv",
        b"id,body\n1,a\n2,b\n",
        &["-! the first row has no column `text`; it has `id`, `body`"],
    );
    refuses(
        COLUMN,
        "d/a.csv",
        b"text,text\n1,a\n",
        &["-! two columns are called `text`"],
    );
}

#[test]
fn several_columns_without_a_name_are_refused_with_what_to_say() {
    refuses(
        ROW,
        "d/a.csv",
        b"id,text\n1,a\n",
        &["-! the first row has 2 columns (`id`, `text`): name the one"],
    );
    refuses(
        ROW,
        "d/a.csv",
        b"one\ntwo, three\nfour\n",
        &["1: one", "2! the row has 2 columns, one is expected", "3: four"],
    );
}

#[test]
fn ragged_rows_are_refused_and_the_others_go_through() {
    let bytes = b"id,text\n1,a\n2\n3,c,d\n4,\n5,e\n";
    refuses(
        COLUMN,
        "d/a.csv",
        bytes,
        &[
            "2: a",
            "3! the row has 1 column, the header has 2: cells are missing at its end",
            "4! the row has 3 columns, the header has 2: a text that holds a comma has to be in quotes",
            "5! the row has no text in the named column",
            "6: e",
        ],
    );
}

#[test]
fn a_row_that_is_short_and_has_its_text_is_taken() {
    gives(
        COLUMN,
        "d/a.csv",
        "id,text,note\n1,hello\n2,a,b\n",
        &["2: hello", "3: a"],
    );
    refuses(
        COLUMN,
        "d/a.csv",
        b"id,note,text\n1,x\n",
        &["2! the row has 2 columns, the header has 3: cells are"],
    );
}

#[test]
fn too_many_columns_have_a_cause_each() {
    for (key, row, part) in [
        ("d/a.csv", "1,a, b,c", "holds a comma has to be in quotes"),
        ("d/a.csv", "1, \"a, b\"", "take the space before it out"),
        ("d/a.csv", "1,“a, b”", "typographic quotes"),
        ("d/a.csv", "1,'a, b'", "single quotes"),
        ("d/a.tsv", "1\ta\tb", "a text may hold no tab"),
        (
            "d/a.tsv",
            "1\ta\tb\n2\t\"b \"\"b\"\"\"",
            "holds a tab has to be in quotes",
        ),
    ] {
        let header = if key.ends_with("tsv") {
            "id\ttext"
        } else {
            "id,text"
        };
        let found = read(COLUMN, key, format!("{header}\n{row}\n").as_bytes(), 0);
        assert!(
            found[0].starts_with("2! the row has 3 columns") || found[0].starts_with("2! the row has 4"),
            "{found:?}"
        );
        assert!(found[0].contains(part), "{found:?}");
    }
}
