//! Whether a file is still what was batched: by its ETag, never by its time, since the same bytes may be uploaded again.

/// What two ETags say of the bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    Same,
    Changed,
    /// Uploaded in another way. S3's ETag of an object uploaded in parts (`<hash>-<parts>`) is of its parts: the same
    /// bytes in one piece, or in other parts, have another
    /// (<https://docs.aws.amazon.com/AmazonS3/latest/API/API_Object.html>).
    Unclear,
}

impl Change {
    pub fn between(batched: &str, now: &str) -> Self {
        match batched == now {
            true => Self::Same,
            false if parts(batched) == parts(now) => Self::Changed,
            false => Self::Unclear,
        }
    }
}

/// Parts an object was uploaded in; 0 in one piece.
pub fn parts(etag: &str) -> u16 {
    let parts = etag.rsplit_once('-').map(|(_, parts)| parts.parse());
    parts.and_then(Result::ok).unwrap_or(0)
}

/// What status, console and command say of such files: `first` are some of them, `all` is how many there are, and
/// `unclear` how many of these may hold the same bytes.
pub fn sentence(first: &[String], all: u64, unclear: u64) -> Option<String> {
    let name = crate::mail_text::quote(first.first()?);
    let others = match all {
        0 | 1 => String::new(),
        2 => " and another file".to_owned(),
        all => format!(" and {} other files", all - 1),
    };
    let they = if all > 1 { "They are" } else { "It is" };
    Some(if unclear >= all {
        let bytes = if all > 1 {
            "their bytes are others"
        } else {
            "its bytes are others"
        };
        format!(
            "{name}{others}: uploaded again after coming into a batch, in parts or in one piece, unlike before. Whether \
             {bytes} cannot be seen. {they} not labeled again. To have what is new labeled, put it alone into a file of \
             another name."
        )
    } else {
        let some = match unclear {
            0 => String::new(),
            1 => " (of one it cannot be seen: it was uploaded in another way)".to_owned(),
            some => format!(" (of {some} it cannot be seen: they were uploaded in another way)"),
        };
        format!(
            "{name}{others} changed after coming into a batch{some}: the labels are for what was there before. To have \
             what is new labeled, put it alone into a file of another name."
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_etag_is_the_same_file_and_another_way_of_upload_says_nothing() {
        for (batched, now, change) in [
            ("aa", "aa", Change::Same),
            ("aa", "bb", Change::Changed),
            ("aa-3", "bb-3", Change::Changed),
            ("aa", "bb-1", Change::Unclear),
            ("aa-3", "bb", Change::Unclear),
            ("aa-3", "bb-4", Change::Unclear),
        ] {
            assert_eq!(Change::between(batched, now), change, "{batched} {now}");
        }
    }

    #[test]
    fn what_is_said_fits_what_is_known() {
        let first = ["d/a.csv".to_owned()];
        assert_eq!(sentence(&[], 0, 0), None);
        for (all, unclear, part) in [
            (1, 0, "\"d/a.csv\" changed after coming into a batch: the labels"),
            (2, 0, "\"d/a.csv\" and another file changed"),
            (
                3,
                1,
                "and 2 other files changed after coming into a batch (of one it cannot be seen",
            ),
            (1, 1, "\"d/a.csv\": uploaded again"),
        ] {
            let said = sentence(&first, all, unclear).unwrap();
            assert!(
                said.contains(part) && said.contains("put it alone into a file of another name."),
                "{said}"
            );
        }
    }
}
