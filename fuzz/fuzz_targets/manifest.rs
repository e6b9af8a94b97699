//! Any key and any text survive a batch's manifest byte for byte, or the item is refused.
#![no_main]

use libfuzzer_sys::fuzz_target;
use serde_json::Value;
use shared::manifest::{File, LineError, MAX_ATTRIBUTE, MAX_LINE, origins, ref_line, text_line};

// The first byte is the length of the key, the text is the rest.
fuzz_target!(|data: &[u8]| {
    let [length, rest @ ..] = data else { return };
    let (key, text) = rest.split_at(usize::from(*length).min(rest.len()));
    let (Ok(key), Ok(text)) = (std::str::from_utf8(key), std::str::from_utf8(text)) else {
        return;
    };
    let file = File {
        key,
        etag: "d41d8cd98f00b204e9800998ecf8427e-2",
    };
    let image = ref_line(file, "bucket");
    let mut manifest = format!("{}\n", image.json);
    assert_eq!(value(&image.json)["source-ref"], format!("s3://bucket/{key}"));
    match text_line(file, Some(3), text) {
        Ok(line) => {
            let line = format!("{}\n", line.json);
            assert_eq!(value(&line)["source"], text);
            manifest.push_str(&line);
        }
        Err(LineError::Unshowable(_)) => {
            let is_usual = |c: char| !c.is_control() && !c.is_whitespace() && c.is_ascii();
            assert!(text.is_empty() || !text.chars().all(is_usual), "{text}");
        }
        Err(error) => {
            let long = text.chars().count() > MAX_ATTRIBUTE;
            assert!(
                long || Value::from(text).to_string().len() > MAX_LINE / 2,
                "{error}"
            );
        }
    }
    for origin in origins(manifest.as_bytes()) {
        let origin = origin.unwrap();
        assert_eq!((origin.key.as_str(), origin.etag.as_str()), (key, file.etag));
    }
});

/// One line to every reader, and JSON with nothing in it but what belongs there.
fn value(line: &str) -> Value {
    let line = line.strip_suffix('\n').unwrap_or(line);
    let breaks = [
        '\n', '\r', '\u{b}', '\u{c}', '\u{1c}', '\u{85}', '\u{2028}', '\u{2029}',
    ];
    assert!(!line.contains(breaks), "{line}");
    let value: Value = serde_json::from_str(line).unwrap();
    assert_eq!(value.as_object().unwrap().len(), 2, "{line}");
    value
}
