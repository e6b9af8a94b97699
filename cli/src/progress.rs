//! How far something is, drawn with characters.

/// A bar of `width` characters for 0 to 1, to an eighth of a character.
pub(crate) fn bar(progress: f64, width: usize) -> String {
    const PARTS: [char; 8] = [' ', '▏', '▎', '▍', '▌', '▋', '▊', '▉'];
    let eighths = (progress.clamp(0.0, 1.0) * (width * 8) as f64).round() as usize;
    let mut bar = "█".repeat(eighths / 8);
    if eighths / 8 < width {
        bar.push(PARTS[eighths % 8]);
        bar.push_str(&"·".repeat(width - eighths / 8 - 1));
    }
    bar
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bar_is_always_as_wide_as_asked_for() {
        for (progress, expected) in [
            (0.0, " ···"),
            (0.5, "██ ·"),
            (0.55, "██▎·"),
            (1.0, "████"),
            (7.0, "████"),
            (f64::NAN, " ···"),
        ] {
            let bar = bar(progress, 4);
            assert_eq!(bar, expected, "{progress}");
            assert_eq!(bar.chars().count(), 4);
        }
    }
}
