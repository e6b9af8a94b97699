//! A worker template rendered for one item, as AWS renders it: Liquid with `task.input.*`, AWS's own filters, every
//! output HTML-escaped unless the template says otherwise. What an item, a label or a file name says is text for ever.
mod budget;
mod filters;
mod grammar;
mod links;
mod prepare;

use futures::future::BoxFuture;
use liquid_core::parser::{ParseTag, TagReflection};
use liquid_core::{Language, Renderable, TagTokenIter};
use serde_json::{Value, json};
use std::io::{self, Write};
use std::sync::Arc;
use tokio::runtime::Handle;
use tokio::sync::Semaphore;

/// The largest page a worker is sent: a text is at most 20,000 characters and a template 128,000, so a larger page is a mistake.
const MAX_OUTPUT: usize = 4 * 1024 * 1024;
/// Characters of a line of a message.
const MAX_LINE: usize = 500;
/// Renderings at once, each within its budget of memory: a job whose template uses up its own makes others wait, not fail.
static AT_ONCE: Semaphore = Semaphore::const_new(8);

/// Makes a short-lived link of an S3 URI; the error is a sentence for the template's author.
pub type Presign = Arc<dyn Fn(String) -> BoxFuture<'static, Result<String, String>> + Send + Sync>;

/// A rendered page.
#[derive(Debug)]
pub struct Rendered {
    pub html: String,
}

/// Why a template could not be rendered: a code and a sentence, as `RenderUiTemplate` answers them.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[error("{message}")]
pub struct RenderError {
    pub code: &'static str,
    pub message: String,
}

/// Renders a worker template. `input` is what the template sees as `task.input`. `presign` is asked for no link but to an
/// object that the template or the input names.
///
/// # Errors
/// The template is too long, is no Liquid, names what the input lacks, loops too much or gets too large.
pub async fn render(template: &str, input: &Value, presign: Presign) -> Result<Rendered, Vec<RenderError>> {
    let template = template.to_owned();
    let input = input.clone();
    let runtime = Handle::current();
    let _turn = AT_ONCE.acquire().await;
    let work = tokio::task::spawn_blocking(move || {
        let prepared = prepare::prepare(&template)?;
        let presign = links::named_only(&template, &input, presign);
        let globals = json!({ "task": { "input": input } });
        render_prepared(&prepared, &globals, &presign, &runtime)
    });
    match work.await {
        Ok(rendered) => rendered.map_err(|error| vec![error]),
        Err(_) => Err(vec![RenderError::invalid(
            "The template could not be rendered: a filter gave up, perhaps at a number past all sizes."
                .to_owned(),
        )]),
    }
}

/// Whether a template is one that can be rendered at all, whatever the item.
///
/// # Errors
/// It is too long, or no Liquid of AWS's kind; the message names the place.
pub(crate) fn check(template: &str) -> Result<(), RenderError> {
    let prepared = prepare::prepare(template)?;
    let nowhere: Presign = Arc::new(|uri| Box::pin(async move { Ok(uri) }));
    let parsed = parser(&nowhere, &Handle::current()).and_then(|parser| parser.parse(&prepared));
    match parsed {
        Ok(_) => Ok(()),
        Err(error) => Err(RenderError::invalid(tell(&error))),
    }
}

fn render_prepared(
    template: &str,
    globals: &Value,
    presign: &Presign,
    runtime: &Handle,
) -> Result<Rendered, RenderError> {
    let parser = parser(presign, runtime).map_err(|error| RenderError::invalid(tell(&error)))?;
    let template = parser
        .parse(template)
        .map_err(|error| RenderError::invalid(tell(&error)))?;
    let globals = liquid::to_object(globals).map_err(|error| RenderError::invalid(tell(&error)))?;
    let mut page = Page::default();
    let done = template.render_to(&mut page, &globals);
    if page.overflowed {
        let message = format!("The rendered page is larger than {MAX_OUTPUT} bytes. Show less of the item.");
        return Err(RenderError::failed(message));
    }
    done.map_err(|error| RenderError::failed(tell(&error)))?;
    let html = String::from_utf8(page.bytes)
        .map_err(|_| RenderError::failed("The page is not UTF-8.".to_owned()))?;
    Ok(Rendered { html })
}

fn parser(presign: &Presign, runtime: &Handle) -> Result<liquid::Parser, liquid::Error> {
    let mut builder = liquid::ParserBuilder::with_stdlib();
    for filter in filters::all(presign, runtime) {
        builder = builder.filter(Box::new(filter) as Box<dyn liquid_core::ParseFilter>);
    }
    // `cycle` prints values past the escaping, `tablerow` loops past the counting, and there are no other files to include.
    for name in ["cycle", "tablerow", "include", "render"] {
        builder = builder.tag(Box::new(Refused(name)) as Box<dyn ParseTag>);
    }
    builder.build()
}

/// The crate's message without its heading, without what `prepare` wove in, and without the whole of the values at hand.
fn tell(error: &liquid::Error) -> String {
    const WOVEN: [&str; 4] = [filters::AUTOESCAPE, filters::RANGE, filters::TURN, filters::WEIGH];
    let text = error.to_string();
    let text = text.strip_prefix("liquid: ").unwrap_or(&text).trim();
    let lines: Vec<String> = text
        .lines()
        .filter(|line| {
            !WOVEN
                .iter()
                .any(|woven| line.ends_with(&format!("filter={woven}")))
        })
        .map(|line| {
            let own = WOVEN.iter().fold(line.to_owned(), |line, woven| {
                line.replace(&format!(" | {woven}"), "")
                    .replace(&format!("{woven}, "), "")
            });
            // What was woven in is taken out before: half a name would not be found.
            shortened(&own)
        })
        .collect();
    lines.join("\n")
}

fn shortened(line: &str) -> String {
    match line.char_indices().nth(MAX_LINE) {
        Some((end, _)) => format!("{}…", &line[..end]),
        None => line.to_owned(),
    }
}

impl RenderError {
    fn invalid(message: String) -> RenderError {
        RenderError {
            code: "InvalidTemplate",
            message,
        }
    }

    fn failed(message: String) -> RenderError {
        RenderError {
            code: "RenderingFailed",
            message,
        }
    }
}

/// A tag that templates may not use.
#[derive(Clone)]
struct Refused(&'static str);

impl TagReflection for Refused {
    fn tag(&self) -> &str {
        self.0
    }

    fn description(&self) -> &str {
        "not available in worker templates"
    }
}

impl ParseTag for Refused {
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

/// The page being written; refuses to grow past the limit.
#[derive(Default)]
struct Page {
    bytes: Vec<u8>,
    overflowed: bool,
}

impl Write for Page {
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
