//! Words on a terminal: colours where they are seen, none in pipes and under `NO_COLOR`, and no panic when a reader
//! goes away.

use std::io::{IsTerminal, Write as _};
use std::process::ExitCode;

/// How a word looks.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Look {
    Strong,
    Dim,
    Good,
    Warn,
    Bad,
    Place,
}

impl Look {
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

/// Paints for one stream.
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

    pub(crate) fn word(self, look: Look, text: &str) -> String {
        if self.0 {
            format!("\u{1b}[{}m{text}\u{1b}[0m", look.code())
        } else {
            text.to_owned()
        }
    }
}

/// To stdout. A reader that has seen enough (`| head`) is no error.
pub(crate) fn out(text: &str) -> anyhow::Result<ExitCode> {
    let mut stdout = std::io::stdout().lock();
    match stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush()) {
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => Err(error.into()),
        _ => Ok(ExitCode::SUCCESS),
    }
}

/// An error with everything that led to it, to stderr.
pub(crate) fn complain(error: &anyhow::Error) {
    let head = Paint::stderr().word(Look::Bad, "error:");
    let mut text = format!("{head} {error}\n");
    for cause in error.chain().skip(1) {
        text.push_str(&format!("  because: {cause}\n"));
    }
    let _nobody_listens = std::io::stderr().lock().write_all(text.as_bytes());
}

/// A string as one line: control characters escaped, cut at `width` characters.
pub(crate) fn one_line(text: &str, width: usize) -> String {
    let mut line = String::new();
    for (count, c) in text.chars().enumerate() {
        if count == width {
            line.push('…');
            break;
        }
        if c.is_control() {
            line.extend(c.escape_debug());
        } else {
            line.push(c);
        }
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_cannot_break_out_of_its_line() {
        assert_eq!(one_line("a\n\u{1b}[31mb", 40), "a\\n\\u{1b}[31mb");
        assert_eq!(one_line("кошка", 3), "кош…");
    }
}
