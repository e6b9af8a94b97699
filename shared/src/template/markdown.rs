//! Markdown to HTML that is safe in a worker template. Raw HTML is dropped, links go to the web or to mail, images
//! to S3; all text is escaped here, so that the Markdown library only ever writes tags of its own.

use pulldown_cmark::{CodeBlockKind, CowStr, Event, Options, Parser, Tag, TagEnd, html};

use super::image::{self, Images, UnusableImage};
use crate::html::escape_with_braces as text;

fn parser(markdown: &str) -> Parser<'_> {
    Parser::new_ext(markdown, Options::ENABLE_TABLES | Options::ENABLE_STRIKETHROUGH)
}

/// Where every image leads, those within the text of another one too.
pub(crate) fn image_destinations(markdown: &str) -> Vec<String> {
    let image = |event| match event {
        Event::Start(Tag::Image { dest_url, .. }) => Some(dest_url.into_string()),
        _ => None,
    };
    parser(markdown).filter_map(image).collect()
}

/// The first image that cannot be shown, if any.
pub(crate) fn unusable_image(markdown: &str) -> Option<String> {
    parser(markdown).find_map(|event| match event {
        Event::Start(Tag::Image { dest_url, .. }) if !image::is_usable(&dest_url) => {
            Some(dest_url.into_string())
        }
        _ => None,
    })
}

pub(super) fn html(markdown: &str, images: &Images) -> Result<String, UnusableImage> {
    let mut writer = Writer {
        images,
        links: Vec::new(),
        image: None,
    };
    let events: Vec<Event> = parser(markdown)
        .filter_map(|event| writer.event(event).transpose())
        .collect::<Result<_, _>>()?;
    let mut html = String::new();
    html::push_html(&mut html, events.into_iter());
    Ok(html)
}

struct Writer<'i> {
    images: &'i Images,
    /// Whether each link that is open was written.
    links: Vec<bool>,
    image: Option<Image>,
}

/// An image that is open: its `src`, its text so far, and how many images are open within it.
struct Image {
    source: String,
    alt: String,
    inner: usize,
}

impl Writer<'_> {
    fn event<'a>(&mut self, event: Event<'a>) -> Result<Option<Event<'a>>, UnusableImage> {
        if self.image.is_some() {
            return Ok(self.within_image(&event));
        }
        Ok(match event {
            Event::Text(content) => inline_html(text(&content)),
            Event::Code(content) => inline_html(format!("<code>{}</code>", text(&content))),
            Event::Html(_) | Event::InlineHtml(_) => None,
            Event::Start(Tag::Link { dest_url, .. }) => self.open_link(&dest_url),
            Event::End(TagEnd::Link) => self
                .links
                .pop()
                .filter(|open| *open)
                .and_then(|_| inline_html("</a>".to_owned())),
            Event::Start(Tag::Image { dest_url, .. }) => {
                let source = self.images.source(&dest_url)?;
                self.image = Some(Image {
                    source,
                    alt: String::new(),
                    inner: 0,
                });
                None
            }
            // The word behind the fence would become a class name.
            Event::Start(Tag::CodeBlock(_)) => Some(Event::Start(Tag::CodeBlock(CodeBlockKind::Indented))),
            other => Some(other),
        })
    }

    fn open_link<'a>(&mut self, to: &str) -> Option<Event<'a>> {
        let lower = to.trim().to_ascii_lowercase();
        let safe = ["http://", "https://", "mailto:"]
            .iter()
            .any(|scheme| lower.starts_with(scheme));
        self.links.push(safe);
        let open = || {
            format!(
                "<a href=\"{}\" target=\"_blank\" rel=\"noopener noreferrer\">",
                text(to.trim())
            )
        };
        safe.then(open).and_then(inline_html)
    }

    /// An image's text is its description; marks in it are left out.
    fn within_image<'a>(&mut self, event: &Event<'_>) -> Option<Event<'a>> {
        let image = self.image.as_mut()?;
        match event {
            Event::Text(content) | Event::Code(content) => image.alt += content,
            Event::SoftBreak | Event::HardBreak => image.alt.push(' '),
            Event::Start(Tag::Image { .. }) => image.inner += 1,
            Event::End(TagEnd::Image) if image.inner > 0 => image.inner -= 1,
            Event::End(TagEnd::Image) => {
                let image = self.image.take()?;
                return inline_html(format!(
                    "<img src=\"{}\" alt=\"{}\">",
                    image.source,
                    text(&image.alt)
                ));
            }
            _ => {}
        }
        None
    }
}

fn inline_html<'a>(html: String) -> Option<Event<'a>> {
    Some(Event::InlineHtml(CowStr::from(html)))
}
