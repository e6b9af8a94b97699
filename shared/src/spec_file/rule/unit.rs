//! Durations, shares and numbers as people write them.

use std::time::Duration;

use jiff::{Span, SpanRelativeTo, Unit};

use crate::spec::Percent;
use crate::yaml::at::At;
use crate::yaml::error::Problem;

/// A duration within its limits; `limits` says whose they are.
pub(super) fn duration(
    key: &str,
    text: &At<String>,
    (least, most): (Duration, Duration),
    why: &str,
) -> Result<Duration, Problem> {
    let value = parse(&text.value).ok_or_else(|| not_a_duration(key, text))?;
    if value < least || value > most {
        let message = format!("`{key}` must be between {} and {}", show(least), show(most));
        return Err(Problem::new(text.at, message).hint(why));
    }
    Ok(value)
}

/// Days are 24 hours. Months and years have no fixed length and are refused.
fn parse(text: &str) -> Option<Duration> {
    let span: Span = text.parse().ok()?;
    let seconds = span
        .total((Unit::Second, SpanRelativeTo::days_are_24_hours()))
        .ok()?;
    Duration::try_from_secs_f64(seconds.round()).ok()
}

fn not_a_duration(key: &str, text: &At<String>) -> Problem {
    let problem = Problem::new(
        text.at,
        format!("`{}` is not a duration", text.value.escape_debug()),
    );
    match text.value.trim().parse::<u32>() {
        Ok(number) => problem.hint(format!(
            "say in which unit: `{key}: {number}s`, `{key}: {number}m`"
        )),
        Err(_) => problem.hint(format!("write it with units: `{key}: 5m`, `1h30m`, `10d`")),
    }
}

/// As the spec writes it: the largest units first, none that are zero.
pub(super) fn show(duration: Duration) -> String {
    let mut rest = duration.as_secs();
    let mut text = String::new();
    for (unit, length) in [("d", 86_400), ("h", 3_600), ("m", 60), ("s", 1)] {
        if rest >= length {
            text += &format!("{}{unit}", rest / length);
            rest %= length;
        }
    }
    if text.is_empty() { "0s".to_owned() } else { text }
}

pub(super) fn percent(key: &str, text: &At<String>) -> Result<Percent, Problem> {
    let wrong = || {
        Problem::new(
            text.at,
            format!("`{key}` must be a share like `20%`, above 0% and at most 100%"),
        )
    };
    let Some(number) = text.value.trim().strip_suffix('%') else {
        return Err(wrong().hint(format!("with the percent sign: `{key}: 20%`")));
    };
    number
        .trim()
        .parse()
        .ok()
        .and_then(Percent::new)
        .ok_or_else(wrong)
}

/// A number from `least` to `most`.
pub(super) fn whole_number(
    key: &str,
    value: &Option<At<u64>>,
    (default, least, most): (u32, u32, u32),
) -> Result<u32, Problem> {
    let Some(value) = value else { return Ok(default) };
    let number = u32::try_from(value.value)
        .ok()
        .filter(|number| (least..=most).contains(number));
    number.ok_or_else(|| Problem::new(value.at, format!("`{key}` must be between {least} and {most}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_read_as_people_write_them() {
        for (text, seconds) in [
            ("5m", 300),
            ("10d", 864_000),
            ("1h30m", 5_400),
            ("1h 30m", 5_400),
            ("1.5h", 5_400),
            ("90s", 90),
            ("2 weeks", 1_209_600),
            ("10 minutes", 600),
        ] {
            let read = parse(text).unwrap_or_else(|| panic!("{text}"));
            assert_eq!(read.as_secs(), seconds, "{text}");
            assert_eq!(parse(&show(read)), Some(read), "{text} shown and read again");
        }
        for text in ["", "5", "m", "-5m", "1mo", "1y", "5 x", "99999999999999999d"] {
            assert_eq!(parse(text), None, "{text}");
        }
    }
}
