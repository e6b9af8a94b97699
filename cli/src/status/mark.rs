//! The mark at the beginning of a line, which shows a tone at a glance.

use console::model::Tone;

use crate::paint::Style;

pub(super) fn mark(tone: Tone) -> (&'static str, Style) {
    match tone {
        Tone::Done => ("✓", Style::Good),
        Tone::Attention => ("!", Style::Warn),
        Tone::Working => ("●", Style::Place),
        Tone::Waiting => ("…", Style::Dim),
    }
}
