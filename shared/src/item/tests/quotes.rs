//! Quotes in tables: what they hold together, and what becomes of a row in which they are broken.

use super::*;

#[test]
fn a_quote_that_is_never_closed_does_not_swallow_the_rest_of_the_file() {
    refuses(
        COLUMN,
        "d/a.csv",
        b"id,text\n1,a\n2,\"b\n3,c\n4,d\n",
        &["2: a", "3! a quote in this row is never closed", "4: c", "5: d"],
    );
    gives(
        ROW,
        "d/a.csv",
        "5\" disk\n\"closed\"",
        &["1: 5\" disk", "2: closed"],
    );
    gives(ROW, "d/a.csv", "\"closed \"\"\"\n", &["1: closed \""]);
}

#[test]
fn two_quotes_that_open_do_not_make_one_text_of_the_rows_between() {
    let rows = "1,plain first\n2,\"Quoted at the start only\n3,middle one\n4,\"Another such\n5,last one\n";
    let expected = [
        "2: plain first",
        "3! a quote in this row is never closed",
        "4: middle one",
        "5! ",
        "6: last one",
    ];
    for end in ["\n", "\r\n", "\r"] {
        let text = format!("id,text\n{rows}").replace('\n', end);
        refuses(COLUMN, "d/a.csv", text.as_bytes(), &expected);
    }
    gives(
        COLUMN,
        "d/a.tsv",
        &format!("id,text\n{rows}").replace(',', "\t"),
        &[
            "2: plain first",
            "3: \"Quoted at the start only",
            "4: middle one",
            "5: \"Another such",
            "6: last one",
        ],
    );
}

#[test]
fn a_row_with_broken_quotes_is_one_reject_and_takes_no_other_with_it() {
    for (row, part) in [
        ("\"a\" b", "a quote inside a quoted text is written twice"),
        ("\"He said \"hi\" to me\"", "written twice"),
        ("\"a\"\"\" b", "written twice"),
        ("\"\"a\"\"", "written twice"),
        ("\"say \\\"hi\\\", ok\"", "a backslash does not make"),
        ("\"say \\\",\\\" ok\"", "a backslash does not make"),
        ("\"five \\\"\"", "a backslash does not make"),
        ("\"a\" ", "a space follows the closing quote"),
        ("\"a\";x", "followed by `;`"),
        ("\"a\"\tx", "followed by `\\t`"),
        ("\"never", "never closed"),
        ("\"", "never closed"),
    ] {
        for end in ["\n", "\r\n", "\r"] {
            let text = format!("id,text\n1,first\n2,{row}\n3,third\n4,\"fourth, too\"\n").replace('\n', end);
            let found = read(COLUMN, "d/a.csv", text.as_bytes(), 0);
            assert_eq!(found.len(), 4, "{row}: {found:?}");
            assert_eq!(
                (found[0].as_str(), found[3].as_str()),
                ("2: first", "5: fourth, too"),
                "{row}"
            );
            assert_eq!(found[2], "4: third", "{row}");
            assert!(
                found[1].starts_with("3! ") && found[1].contains(part),
                "{row}: {found:?}"
            );
        }
    }
}

#[test]
fn what_may_be_the_rest_of_a_broken_text_is_no_text_of_its_own() {
    for (rest, text, expected) in [
        (
            ROW,
            "\"two\nlines\" and more\nlast\n",
            [
                "1! a quote in this row is never closed",
                "2! this may be the rest of row 1",
                "3: last",
            ]
            .as_slice(),
        ),
        (
            ROW,
            "\"He said \"hi\" to me\nand left\"\nlast\n",
            &[
                "1! more text follows",
                "2! this may be the rest of row 1",
                "3: last",
            ],
        ),
        (
            COLUMN,
            "text,id\n\"two\nlines\" x,1\nlast,2\n",
            &["2! a quote", "3! this may be the rest of row 2", "4: last"],
        ),
        (
            COLUMN,
            "id,text\n1,\"open\n2,the disk\n3,is 5\" wide\n",
            &["2! a quote", "3: the disk", "4: is 5\" wide"],
        ),
        (
            COLUMN,
            "id,text\n1,\"a\nb\"\n2,\"c\" d\n",
            &[
                "2: a\nb",
                "3! more text follows the closing quote: a quote inside a quoted text is written twice (line 4",
            ],
        ),
    ] {
        refuses(rest, "d/a.csv", text.as_bytes(), expected);
    }
}

#[test]
fn quotes_in_a_tsv_are_as_they_are_unless_only_a_spreadsheet_writes_them_so() {
    for (text, expected) in [
        ("id\ttext\n1\t\"all of it\"\n", ["2: \"all of it\""].as_slice()),
        ("id\ttext\n1\t5\" disk\n2\t\"\n", &["2: 5\" disk", "3: \""]),
        ("id\ttext\n1\t\"He said \"\"no\"\"\"\n", &["2: He said \"no\""]),
        ("id\ttext\n1\t\"two\nlines\"\n2\tb\n", &["2: two\nlines", "3: b"]),
        ("id\ttext\n1\t\"a\ttab\"\n2\tb\n", &["2: a\ttab", "3: b"]),
        ("id\ttext\n1\t\"one\n2\ttwo\"\n", &["2: \"one", "3: two\""]),
    ] {
        gives(COLUMN, "d/a.tsv", text, expected);
    }
    refuses(
        COLUMN,
        "d/a.tsv",
        b"id\ttext\n1\t\"He said \"\"no\"\"\"\n2\t\"open\n3\tc\n",
        &[
            "2: He said \"no\"",
            "3! a quote in this row is never closed",
            "4: c",
        ],
    );
}
