//! Keys as S3 sends them: encoded as in a form, in its events and in listings that ask for `encoding-type=url`.

use percent_encoding::percent_decode_str;

/// Exactly once: `red+flower.jpg` is `red flower.jpg`, and a plus sign comes as `%2B`.
pub fn decode(encoded: &str) -> String {
    percent_decode_str(&encoded.replace('+', " "))
        .decode_utf8_lossy()
        .into_owned()
}
