//! What people drop: bytes, and what ought to become of them.

/// The content of a file in the input bucket.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Content {
    /// One text, one item.
    Text(String),
    Empty,
    NotUtf8,
    /// A table with a header and one column; `None` is a row with too many fields.
    Rows(Vec<Option<String>>),
    /// A manifest made by hand; `None` is a line that is no JSON.
    Lines(Vec<Option<String>>),
}

impl Content {
    pub(crate) fn bytes(&self) -> Vec<u8> {
        let mut text = String::new();
        match self {
            Self::Empty => {}
            Self::NotUtf8 => return vec![b'a', 0xff, 0xfe, b'b'],
            Self::Text(one) => text.push_str(one),
            Self::Rows(rows) => {
                text.push_str("n\n");
                for row in rows {
                    text.push_str(row.as_deref().unwrap_or("too,many"));
                    text.push('\n');
                }
            }
            Self::Lines(lines) => {
                for line in lines {
                    match line {
                        Some(line) => text.push_str(&format!("{{\"source\":\"{line}\"}}\n")),
                        None => text.push_str("{\"source\":\n"),
                    }
                }
            }
        }
        text.into_bytes()
    }

    /// The items with their row numbers, as a spreadsheet shows them: a header is row 1.
    pub(crate) fn items(&self) -> Vec<(Option<u64>, &str)> {
        match self {
            Self::Text(text) => vec![(None, text)],
            Self::Empty | Self::NotUtf8 => Vec::new(),
            Self::Rows(rows) => good(rows, 2),
            Self::Lines(lines) => good(lines, 1),
        }
    }

    pub(crate) fn bad_rows(&self) -> Vec<u64> {
        let (rows, first) = match self {
            Self::Rows(rows) => (rows, 2),
            Self::Lines(lines) => (lines, 1),
            _ => return Vec::new(),
        };
        let numbered = (first..).zip(rows);
        numbered
            .filter(|(_, row)| row.is_none())
            .map(|(number, _)| number)
            .collect()
    }
}

fn good(rows: &[Option<String>], first: u64) -> Vec<(Option<u64>, &str)> {
    let numbered = (first..).zip(rows);
    numbered
        .filter_map(|(number, row)| Some((Some(number), row.as_deref()?)))
        .collect()
}
