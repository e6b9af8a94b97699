//! A worker template rendered for one item, as AWS renders it: Liquid with `task.input.*`, AWS's own filters, and every output
//! HTML-escaped unless the template says otherwise. The text of an item, a label or a file name never becomes markup.

mod budget;
mod error;
mod filters;
mod grammar;
mod links;
mod prepare;

use std::io::{self, Write};
use std::sync::Arc;

use liquid_core::parser::{ParseTag, TagReflection};
use liquid_core::{Language, Renderable, TagTokenIter};
use serde_json::{Value, json};
use tokio::runtime::Handle;
use tokio::sync::Semaphore;

pub(crate) use error::RenderError;
pub(crate) use filters::Presign;

/// The largest page of a task. A text has at most 20,000 characters and a template 128,000, so a larger page is a mistake.
const MAX_OUTPUT: usize = 4 * 1024 * 1024;
/// Characters of a line of a message.
const MAX_LINE: usize = 500;
/// Renderings at once, each with its own budget of memory: a template that uses up its budget makes others wait, not fail.
static RENDERERS: Semaphore = Semaphore::const_new(8);

/// A rendered page.
#[derive(Debug)]
pub(crate) struct RenderedPage {
    pub(crate) html: String,
}

/// Renders a worker template. `input` is what the template sees as `task.input`. `presign` makes links only to objects that the
/// template or the input names.
///
/// # Errors
/// The template is too long, is not valid Liquid, uses a value that the input lacks, loops too much or makes too large a page.
pub(crate) async fn render(
    template: &str,
    input: &Value,
    presign: Presign,
) -> Result<RenderedPage, Vec<RenderError>> {
    let template = template.to_owned();
    let input = input.clone();
    let runtime = Handle::current();
    let _permit = RENDERERS.acquire().await;
    let work = tokio::task::spawn_blocking(move || {
        let prepared = prepare::prepare(&template)?;
        let presign = links::named_only(&template, &input, presign);
        let globals = json!({ "task": { "input": input } });
        render_prepared(&prepared, &globals, &presign, &runtime)
    });
    match work.await {
        Ok(rendered) => rendered.map_err(|error| vec![error]),
        Err(_) => Err(vec![RenderError::invalid_template(
            "The template could not be rendered: a filter failed, perhaps because a number is too large."
                .to_owned(),
        )]),
    }
}

/// Checks whether a template can be rendered at all, without an item.
///
/// # Errors
/// It is too long, or not valid Liquid; the message names the place.
pub(crate) fn check(template: &str) -> Result<(), RenderError> {
    let prepared = prepare::prepare(template)?;
    let no_links: Presign = Arc::new(|uri| Box::pin(async move { Ok(uri) }));
    let parsed = parser(&no_links, &Handle::current()).and_then(|parser| parser.parse(&prepared));
    match parsed {
        Ok(_) => Ok(()),
        Err(error) => Err(RenderError::invalid_template(message(&error))),
    }
}

fn render_prepared(
    template: &str,
    globals: &Value,
    presign: &Presign,
    runtime: &Handle,
) -> Result<RenderedPage, RenderError> {
    let parser = parser(presign, runtime).map_err(|error| RenderError::invalid_template(message(&error)))?;
    let template = parser
        .parse(template)
        .map_err(|error| RenderError::invalid_template(message(&error)))?;
    let globals =
        liquid::to_object(globals).map_err(|error| RenderError::invalid_template(message(&error)))?;
    let mut page = PageBuffer::default();
    let done = template.render_to(&mut page, &globals);
    if page.overflowed {
        let message = format!("The rendered page is larger than {MAX_OUTPUT} bytes. Show less of the item.");
        return Err(RenderError::rendering_failed(message));
    }
    done.map_err(|error| RenderError::rendering_failed(message(&error)))?;
    let html = String::from_utf8(page.bytes)
        .map_err(|_| RenderError::rendering_failed("The page is not UTF-8.".to_owned()))?;
    Ok(RenderedPage { html })
}

fn parser(presign: &Presign, runtime: &Handle) -> Result<liquid::Parser, liquid::Error> {
    let mut builder = liquid::ParserBuilder::with_stdlib();
    for filter in filters::all_filters(presign, runtime) {
        builder = builder.filter(Box::new(filter) as Box<dyn liquid_core::ParseFilter>);
    }
    // `cycle` prints values without escaping, `tablerow` loops without counting, and there are no files to include.
    for name in ["cycle", "tablerow", "include", "render"] {
        builder = builder.tag(Box::new(UnavailableTag(name)) as Box<dyn ParseTag>);
    }
    builder.build()
}

/// The crate's message without its heading, without the filters that `prepare` inserted, and with long lines shortened.
fn message(error: &liquid::Error) -> String {
    const INSERTED: [&str; 4] = [
        filters::AUTOESCAPE,
        filters::RANGE,
        filters::TURN,
        filters::CHARGE,
    ];
    let text = error.to_string();
    let text = text.strip_prefix("liquid: ").unwrap_or(&text).trim();
    let lines: Vec<String> = text
        .lines()
        .filter(|line| {
            !INSERTED
                .iter()
                .any(|inserted| line.ends_with(&format!("filter={inserted}")))
        })
        .map(|line| {
            let own = INSERTED.iter().fold(line.to_owned(), |line, inserted| {
                line.replace(&format!(" | {inserted}"), "")
                    .replace(&format!("{inserted}, "), "")
            });
            // Shortened last: a filter's name that is cut in half would not be found.
            shorten(&own)
        })
        .collect();
    lines.join("\n")
}

fn shorten(line: &str) -> String {
    match line.char_indices().nth(MAX_LINE) {
        Some((end, _)) => format!("{}…", &line[..end]),
        None => line.to_owned(),
    }
}

/// A tag that templates may not use.
#[derive(Clone)]
struct UnavailableTag(&'static str);

impl TagReflection for UnavailableTag {
    fn tag(&self) -> &str {
        self.0
    }

    fn description(&self) -> &str {
        "not available in worker templates"
    }
}

impl ParseTag for UnavailableTag {
    fn parse(&self, _: TagTokenIter<'_>, _: &Language) -> liquid_core::Result<Box<dyn Renderable>> {
        let message = format!(
            "The tag `{}` is not available in worker templates; use `for`, `if` and `assign`.",
            self.0
        );
        Err(liquid_core::Error::with_msg(message))
    }

    fn reflection(&self) -> &dyn TagReflection {
        self
    }
}

/// The page while it is written; refuses to grow beyond the limit.
#[derive(Default)]
struct PageBuffer {
    bytes: Vec<u8>,
    overflowed: bool,
}

impl Write for PageBuffer {
    fn write(&mut self, part: &[u8]) -> io::Result<usize> {
        if self.bytes.len() + part.len() > MAX_OUTPUT {
            self.overflowed = true;
            return Err(io::Error::other("the page is too large"));
        }
        self.bytes.extend_from_slice(part);
        Ok(part.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests;
