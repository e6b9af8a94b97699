//! What people copy out of the mail is alone on its line: a full stop behind a temporary password is copied with it,
//! and might as well be part of it.

use pulldown_cmark::{Event, Tag, TagEnd};

/// A part of the mail, before it is HTML.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Piece<'m> {
    Words {
        text: String,
        code: bool,
    },
    /// A name that was filled in.
    Name(String),
    /// The placeholder of something people copy.
    Copied {
        name: &'m str,
        in_link: bool,
    },
    Break,
    Other(Event<'m>),
}

/// What is on one side of a copied piece.
#[derive(PartialEq, Eq)]
enum Neighbor {
    Nothing,
    /// Another line has to begin.
    Something,
    /// Another copied piece, which sees to it by itself.
    Copied,
}

/// Puts everything that is copied on lines of its own. Punctuation that touches it goes: in front of or behind a line of
/// its own it would mean nothing.
pub(super) fn separate_pieces(mut pieces: Vec<Piece<'_>>) -> Vec<Piece<'_>> {
    let mut breaks = Vec::new();
    let copied = |piece: &Piece<'_>| matches!(piece, Piece::Copied { .. });
    let places: Vec<usize> = (0..pieces.len())
        .filter(|at| pieces.get(*at).is_some_and(copied))
        .collect();
    for at in places {
        let (before, after) = pieces.split_at_mut(at);
        if look(before.iter_mut().rev(), Side::Before) != Neighbor::Nothing {
            breaks.push(at - edges(before.iter().rev(), is_opening));
        }
        let after = after.get_mut(1..).unwrap_or_default();
        if look(after.iter_mut(), Side::After) == Neighbor::Something {
            breaks.push(at + 1 + edges(after.iter(), is_closing));
        }
    }
    let mut laid_out = Vec::with_capacity(pieces.len() + breaks.len());
    for (at, piece) in pieces.into_iter().enumerate() {
        let due = breaks.iter().filter(|place| **place == at).count();
        laid_out.extend((0..due.min(1)).map(|_| Piece::Break));
        laid_out.push(piece);
    }
    laid_out
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Side {
    Before,
    After,
}

fn look<'p, 'm: 'p>(pieces: impl Iterator<Item = &'p mut Piece<'m>>, side: Side) -> Neighbor {
    // Of words, only marks that touch are cut off.
    let mut touches = true;
    for piece in pieces {
        match piece {
            Piece::Words { text, .. } => {
                touches = touches && cut(text, side);
                if text.chars().any(char::is_alphanumeric) {
                    return Neighbor::Something;
                }
                // Marks without words mean nothing on another line.
                text.clear();
            }
            Piece::Name(_) => return Neighbor::Something,
            Piece::Copied { .. } => return Neighbor::Copied,
            Piece::Other(Event::SoftBreak) => touches = false,
            Piece::Other(event) if is_opening_event(event) || is_closing_event(event) => {}
            // The number or the dot in front of an item.
            Piece::Other(Event::Start(Tag::Item)) if side == Side::Before => return Neighbor::Something,
            Piece::Break | Piece::Other(_) => return Neighbor::Nothing,
        }
    }
    Neighbor::Nothing
}

/// Whether all of it was cut off, so that what is next touches too.
fn cut(text: &mut String, side: Side) -> bool {
    let mark = |c: char| !c.is_alphanumeric() && !c.is_whitespace();
    let rest = match side {
        Side::Before => text.trim_end_matches(mark),
        Side::After => text.trim_start_matches(mark),
    };
    let all = rest.is_empty();
    let rest = match side {
        Side::Before => rest.trim_end(),
        Side::After => rest.trim_start(),
    };
    *text = rest.to_owned();
    all
}

/// How many marks of inline text come first: a line ends outside of them.
fn edges<'p, 'm: 'p>(pieces: impl Iterator<Item = &'p Piece<'m>>, is_edge: fn(&Piece<'m>) -> bool) -> usize {
    pieces.take_while(|piece| is_edge(piece)).count()
}

fn is_opening(piece: &Piece<'_>) -> bool {
    matches!(piece, Piece::Other(event) if is_opening_event(event))
}

fn is_closing(piece: &Piece<'_>) -> bool {
    matches!(piece, Piece::Other(event) if is_closing_event(event))
}

fn is_opening_event(event: &Event<'_>) -> bool {
    let Event::Start(tag) = event else { return false };
    matches!(
        tag,
        Tag::Emphasis | Tag::Strong | Tag::Strikethrough | Tag::Link { .. }
    )
}

fn is_closing_event(event: &Event<'_>) -> bool {
    let Event::End(tag) = event else { return false };
    matches!(
        tag,
        TagEnd::Emphasis | TagEnd::Strong | TagEnd::Strikethrough | TagEnd::Link
    )
}
