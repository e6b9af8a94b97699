//! Text on a terminal: in colours, except in pipes and under `NO_COLOR`, and without a panic when a reader goes away.

use std::io::{IsTerminal, Write as _};
use std::process::ExitCode;

use shared::visible::visible;

/// How a word looks.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Style {
    Strong,
    Dim,
    Good,
    Warn,
    Bad,
    Place,
}

impl Style {
    fn code(self) -> &'static str {
        match self {
            Self::Strong => "1",
            Self::Dim => "2",
            Self::Good => "32",
            Self::Warn => "33",
            Self::Bad => "31",
            Self::Place => "36",
        }
    }
}

/// Colours for one stream, or none.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Paint(bool);

impl Paint {
    pub(crate) fn stdout() -> Self {
        Self(std::io::stdout().is_terminal() && std::env::var_os("NO_COLOR").is_none())
    }

    fn stderr() -> Self {
        Self(std::io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none())
    }

    #[cfg(test)]
    pub(crate) fn none() -> Self {
        Self(false)
    }

    pub(crate) fn word(self, style: Style, text: &str) -> String {
        if self.0 {
            format!("\u{1b}[{}m{text}\u{1b}[0m", style.code())
        } else {
            text.to_owned()
        }
    }
}

/// To stdout. A reader that has seen enough (`| head`) is no error.
pub(crate) fn print(text: &str) -> anyhow::Result<ExitCode> {
    let mut stdout = std::io::stdout().lock();
    match stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush()) {
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => Err(error.into()),
        _ => Ok(ExitCode::SUCCESS),
    }
}

/// An error with its causes, to stderr.
pub(crate) fn print_error(error: &anyhow::Error) {
    let head = Paint::stderr().word(Style::Bad, "error:");
    let mut text = format!("{head} {}\n", lines(&error.to_string()));
    for cause in error.chain().skip(1) {
        text.push_str(&format!("  because: {}\n", lines(&cause.to_string())));
    }
    let _reader_is_gone = std::io::stderr().lock().write_all(text.as_bytes());
}

/// A string as one line of at most `width` characters: invisible characters, and those that change the direction of
/// text, are escaped.
pub(crate) fn one_line(text: &str, width: usize) -> String {
    let mut chars = text.chars();
    let mut line = visible(&chars.by_ref().take(width).collect::<String>()).into_owned();
    if chars.next().is_some() {
        line.push('…');
    }
    line
}

/// The same for a text of several lines.
pub(crate) fn lines(text: &str) -> String {
    text.lines().map(visible).collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_cannot_break_out_of_its_line() {
        assert_eq!(one_line("a\n\u{1b}[31mb", 40), "a\\n\\u{1B}[31mb");
        assert_eq!(one_line("кошка", 3), "кош…");
        assert_eq!(
            one_line("\u{202e}gpj.exe\u{200b}", 40),
            "\\u{202E}gpj.exe\\u{200B}"
        );
        assert_eq!(lines("a\n\u{9b}1m\u{2066}b"), "a\n\\u{9B}1m\\u{2066}b");
    }
}
