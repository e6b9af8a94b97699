//! From Markdown to a mail's HTML.
//!
//! Raw HTML is dropped, links lead to the portal or to the contact, images are left out: many mail programs show none,
//! and none is worth a blank invitation.

use pulldown_cmark::{CodeBlockKind, CowStr, Event, LinkType, Options, Parser, Tag, TagEnd, html};

use super::lines::{Piece, separate_pieces};
use super::placeholder::{self, Part};
use super::values::InvitationValues;
use crate::html::{escape, escape_with_braces};
use crate::visible::visible;

pub(super) fn parser(markdown: &str) -> Parser<'_> {
    Parser::new_ext(markdown, Options::ENABLE_TABLES | Options::ENABLE_STRIKETHROUGH)
}

/// Where a link of a team's own words may lead.
pub(super) enum Target {
    Portal,
    Contact,
}

/// `None`: nowhere a mail of ours sends people to.
pub(super) fn target(kind: LinkType, url: &str, contact: &str) -> Option<Target> {
    let url = url.trim();
    if url == "{portal}" {
        return Some(Target::Portal);
    }
    let address = match kind {
        LinkType::Email => url,
        _ => url.strip_prefix("mailto:")?,
    };
    (address == "{contact}" || address.eq_ignore_ascii_case(contact)).then_some(Target::Contact)
}

pub(super) fn html(markdown: &str, values: &InvitationValues<'_>) -> String {
    let pieces = separate_pieces(pieces(markdown, values));
    let mut body = String::new();
    html::push_html(
        &mut body,
        pieces.into_iter().filter_map(|piece| event(piece, values)),
    );
    format!("<div style=\"font: 16px/1.5 sans-serif; max-width: 40em\">\n{body}</div>\n")
}

/// Whether the mail shows the value of this placeholder.
pub(super) fn shows(markdown: &str, values: &InvitationValues<'_>, placeholder: &str) -> bool {
    let pieces = pieces(markdown, values);
    let mut copied = pieces.iter().filter_map(|piece| match piece {
        Piece::Copied { name, .. } => Some(*name),
        _ => None,
    });
    copied.any(|name| name == placeholder)
}

fn pieces<'m>(markdown: &'m str, values: &InvitationValues<'_>) -> Vec<Piece<'m>> {
    let mut writer = PieceWriter {
        values,
        pieces: Vec::new(),
        links: Vec::new(),
        is_block: false,
    };
    parser(markdown).for_each(|event| writer.take(event));
    writer.pieces
}

struct PieceWriter<'m, 'v> {
    values: &'v InvitationValues<'v>,
    pieces: Vec<Piece<'m>>,
    /// Whether each of the links begun is one.
    links: Vec<bool>,
    /// In a block of code, in which lines end where they end.
    is_block: bool,
}

impl<'m> PieceWriter<'m, '_> {
    fn take(&mut self, event: Event<'m>) {
        match event {
            Event::Text(text) if self.is_block => {
                for line in text.split_inclusive('\n') {
                    self.words(line.trim_end_matches('\n'), false);
                    if line.ends_with('\n') {
                        self.pieces.push(Piece::Break);
                    }
                }
            }
            Event::Text(text) => self.words(&text, false),
            Event::Code(text) => self.words(&text, true),
            Event::HardBreak => self.pieces.push(Piece::Break),
            Event::Html(_)
            | Event::InlineHtml(_)
            | Event::Start(Tag::Image { .. })
            | Event::End(TagEnd::Image) => {}
            Event::Start(Tag::Link {
                link_type, dest_url, ..
            }) => self.link(target(link_type, &dest_url, self.values.contact)),
            Event::End(TagEnd::Link) => {
                if self.links.pop() == Some(true) {
                    self.pieces.push(Piece::Other(Event::End(TagEnd::Link)));
                }
            }
            Event::Start(Tag::CodeBlock(_)) => {
                self.is_block = true;
                let tag = Tag::CodeBlock(CodeBlockKind::Indented);
                self.pieces.push(Piece::Other(Event::Start(tag)));
            }
            other => {
                self.is_block &= other != Event::End(TagEnd::CodeBlock);
                self.pieces.push(Piece::Other(other));
            }
        }
    }

    fn link(&mut self, target: Option<Target>) {
        let url = target.map(|target| match target {
            Target::Portal => self.values.portal.to_owned(),
            Target::Contact => format!("mailto:{}", self.values.contact),
        });
        let url = url.filter(|url| is_safe(url));
        self.links.push(url.is_some());
        self.pieces.extend(url.map(|url| {
            Piece::Other(Event::Start(Tag::Link {
                link_type: LinkType::Inline,
                dest_url: CowStr::from(url),
                title: CowStr::from(""),
                id: CowStr::from(""),
            }))
        }));
    }

    fn words(&mut self, text: &str, code: bool) {
        let in_link = self.links.contains(&true);
        for part in placeholder::parts(text) {
            let words = |text: &str| Piece::Words {
                text: text.to_owned(),
                code,
            };
            self.pieces.push(match part {
                Part::Words(text) => words(text),
                Part::Placeholder(name) => match (placeholder::copied_name(name), self.values.value(name)) {
                    (Some(name), _) => Piece::Copied { name, in_link },
                    (None, Some(value)) => Piece::Name(value.to_owned()),
                    (None, None) => words(&placeholder::placeholder_text(name)),
                },
            });
        }
    }
}

fn is_safe(url: &str) -> bool {
    let lower = url.to_ascii_lowercase();
    ["http://", "https://", "mailto:"]
        .iter()
        .any(|scheme| lower.starts_with(scheme))
}

fn event<'m>(piece: Piece<'m>, values: &InvitationValues<'_>) -> Option<Event<'m>> {
    let html = match piece {
        Piece::Other(event) => return Some(event),
        Piece::Words { text, .. } if text.is_empty() => return None,
        Piece::Words { text, code: true } => format!("<code>{}</code>", escape_with_braces(&text)),
        Piece::Words { text, code: false } => escape_with_braces(&text),
        Piece::Name(name) => no_link(&name),
        Piece::Copied { name, in_link } => copied_value(name, values, in_link),
        Piece::Break => "<br>".to_owned(),
    };
    Some(Event::InlineHtml(CowStr::from(html)))
}

fn copied_value(name: &str, values: &InvitationValues<'_>, in_link: bool) -> String {
    // Its braces stay: Cognito looks for them.
    let value = escape(values.value(name).unwrap_or_default());
    match name {
        "portal" if !in_link && is_safe(values.portal) => format!("<a href=\"{value}\">{value}</a>"),
        "contact" if !in_link => format!("<a href=\"mailto:{value}\">{value}</a>"),
        "username" | "password" => format!("<code>{value}</code>"),
        _ => value,
    }
}

/// A name in which mail programs find no address to make a link of, and which has no invisible character.
fn no_link(name: &str) -> String {
    let name = visible(name);
    let mut chars = name.chars().peekable();
    let mut out = String::with_capacity(name.len());
    while let Some(c) = chars.next() {
        let joins = matches!(c, '.' | ':' | '@') && chars.peek().is_some_and(|next| !next.is_whitespace());
        match joins {
            true => out.push_str(&format!("<span>{c}</span>")),
            false => out.push_str(&escape_with_braces(c.encode_utf8(&mut [0; 4]))),
        }
    }
    out
}
