//! The filters that are inserted into a template before it is rendered. Ground Truth escapes every output by itself
//! ("autoescape", on by default; AWS's page "Adding automation with Liquid"), the `liquid` crate does not. And a template is a
//! program that is not trusted, so its loop turns are counted and the size of its values is charged to a budget. Filters in
//! the text itself cannot be bypassed.

use super::error::RenderError;
use super::filters;
use super::grammar::{Chain, Piece, Trims, pieces};

/// AWS's limit for a template's content: 128,000 characters (`UiTemplate.Content`).
pub(super) const MAX_CHARACTERS: usize = 128_000;
/// Nested blocks: the parser and the renderer recurse once for each.
const MAX_DEPTH: usize = 40;
/// After one of these filters the output is safe or meant to be HTML. Every other output is escaped at the end.
const DECIDES_ESCAPING: [&str; 3] = ["escape", "escape_once", "skip_autoescape"];
const BLOCKS: [&str; 8] = [
    "if",
    "unless",
    "for",
    "case",
    "capture",
    "ifchanged",
    "raw",
    "comment",
];

/// The text in these blocks goes into memory first, where the limit of the page does not count.
const BUFFERED: [&str; 2] = ["capture", "ifchanged"];

/// AWS's own script of crowd elements, and the one served in its place.
const CROWD_SCRIPTS: [(&str, &str); 4] = [
    (
        "https://assets.crowd.aws/crowd-html-elements.js",
        "/crowd/crowd-html-elements.js",
    ),
    (
        "https://assets.crowd.aws/crowd-html-elements-v2.js",
        "/crowd/crowd-html-elements.js",
    ),
    (
        "http://assets.crowd.aws/crowd-html-elements.js",
        "/crowd/crowd-html-elements.js",
    ),
    (
        "//assets.crowd.aws/crowd-html-elements.js",
        "/crowd/crowd-html-elements.js",
    ),
];

/// The template in the form in which the `liquid` crate gets it.
pub(super) fn prepare(template: &str) -> Result<String, RenderError> {
    refuse_oversize(template)?;
    let mut inserter = FilterInserter {
        template,
        output: String::with_capacity(template.len() * 2),
        copied: 0,
        within: Vec::new(),
    };
    for piece in pieces(template) {
        inserter.follow(&piece)?;
    }
    inserter.finish()
}

/// Copies a template piece by piece and inserts the filters it lacks.
struct FilterInserter<'a> {
    template: &'a str,
    output: String,
    /// How much of the template is in `output`.
    copied: usize,
    /// The open blocks, the innermost last, and where they begin.
    within: Vec<(&'a str, usize)>,
}

impl<'a> FilterInserter<'a> {
    fn follow(&mut self, piece: &Piece<'a>) -> Result<(), RenderError> {
        let innermost = self.within.last().map_or("", |(name, _)| name);
        match (innermost, piece) {
            (
                "raw",
                Piece::Tag {
                    name: "endraw",
                    bare: true,
                    ..
                },
            ) => _ = self.within.pop(),
            ("raw", _) => {}
            ("comment", piece) => self.follow_comment(piece),
            (_, Piece::Broken { at }) => return Err(broken_error(self.template, *at)),
            (_, Piece::Output { chain, .. }) => self.escape(chain),
            (
                _,
                Piece::Tag {
                    name,
                    start,
                    end,
                    trims,
                    range,
                    chain,
                    ..
                },
            ) => {
                self.refuse_imbalance(name, *start)?;
                match *name {
                    "assign" => self.charge_assigned(chain.as_ref()),
                    "comment" => self.leave_out(*start, *end, *trims),
                    "for" => self.count(*start, *end, *trims, *range),
                    _ => {}
                }
            }
        }
        Ok(())
    }

    fn escape(&mut self, chain: &Chain<'_>) {
        self.charge(chain);
        if !chain
            .last_filter
            .is_some_and(|name| DECIDES_ESCAPING.contains(&name))
        {
            self.pipe(filters::AUTOESCAPE);
        }
    }

    /// Every filter may make its value longer.
    fn charge(&mut self, chain: &Chain<'_>) {
        for end in &chain.filter_ends {
            self.copy_to(*end);
            self.pipe(filters::CHARGE);
        }
        self.copy_to(chain.end);
    }

    /// Assigning a value copies it.
    fn charge_assigned(&mut self, chain: Option<&Chain<'_>>) {
        let Some(chain) = chain else { return };
        self.charge(chain);
        if chain.filter_ends.is_empty() {
            self.pipe(filters::CHARGE);
        }
    }

    fn pipe(&mut self, filter: &str) {
        self.output.push_str(" | ");
        self.output.push_str(filter);
    }

    fn count(&mut self, start: usize, end: usize, trims: Trims, range: Option<(&str, &str)>) {
        self.copy_to(start);
        if let Some((first, last)) = range {
            self.output.push_str(&statement(
                &format!("{first} | {}: {last}", filters::RANGE),
                trims.before,
                false,
            ));
        }
        self.copy_to(end);
        let buffered = self.within.iter().any(|(block, _)| BUFFERED.contains(block));
        let turn = if buffered {
            // One turn writes at most as much text of its own as the template has.
            format!("nil | {}: {}", filters::TURN, self.template.len())
        } else {
            format!("nil | {}", filters::TURN)
        };
        self.output.push_str(&statement(&turn, false, trims.after));
    }

    /// Comments are left out: the crate reads the tags in them, so that a block left open there would swallow the
    /// comment's own end.
    fn leave_out(&mut self, start: usize, end: usize, trims: Trims) {
        self.copy_to(start);
        self.output.push_str(&statement("nil", trims.before, false));
        self.copied = end;
    }

    fn follow_comment(&mut self, piece: &Piece<'a>) {
        let Piece::Tag {
            name,
            start,
            end,
            trims,
            ..
        } = piece
        else {
            return;
        };
        match *name {
            "comment" => self.within.push(("comment", *start)),
            "endcomment" => {
                self.within.pop();
                self.copied = *end;
                if trims.after {
                    self.output.push_str(&statement("nil", false, true));
                }
            }
            _ => {}
        }
    }

    /// The crate's parser panics on some blocks that are not closed, and does not say where they begin.
    fn refuse_imbalance(&mut self, name: &'a str, at: usize) -> Result<(), RenderError> {
        if BLOCKS.contains(&name) {
            self.within.push((name, at));
        } else if let Some(opened) = name.strip_prefix("end").filter(|opened| BLOCKS.contains(opened))
            && self.within.pop().is_none_or(|(innermost, _)| innermost != opened)
        {
            let place = place(self.template, at);
            return Err(RenderError::invalid_template(format!(
                "{place}: `{name}` closes no `{opened}`."
            )));
        }
        if self.within.len() > MAX_DEPTH {
            let message =
                format!("More than {MAX_DEPTH} blocks are nested in each other. Close some of them first.");
            return Err(RenderError::invalid_template(message));
        }
        Ok(())
    }

    fn copy_to(&mut self, end: usize) {
        self.output.push_str(&self.template[self.copied..end]);
        self.copied = end;
    }

    fn finish(mut self) -> Result<String, RenderError> {
        if let Some((name, at)) = self.within.pop() {
            let place = place(self.template, at);
            return Err(RenderError::invalid_template(format!(
                "{place}: `{name}` is not closed; add `{{% end{name} %}}`."
            )));
        }
        self.copy_to(self.template.len());
        Ok(with_own_elements(self.output))
    }
}

/// An output that prints nothing, and trims blanks as its neighbour would have done.
fn statement(chain: &str, trims_before: bool, trims_after: bool) -> String {
    let (open, close) = (
        if trims_before { "{{-" } else { "{{" },
        if trims_after { "-}}" } else { "}}" },
    );
    format!("{open} {chain} {close}")
}

fn with_own_elements(template: String) -> String {
    CROWD_SCRIPTS
        .iter()
        .fold(template, |text, (theirs, ours)| text.replace(theirs, ours))
}

fn refuse_oversize(template: &str) -> Result<(), RenderError> {
    let characters = template.chars().count();
    if characters > MAX_CHARACTERS {
        return Err(RenderError::invalid_template(format!(
            "The template has {characters} characters; at most {MAX_CHARACTERS} are allowed. Move scripts, styles or data out of it."
        )));
    }
    Ok(())
}

fn broken_error(template: &str, at: usize) -> RenderError {
    let place = place(template, at);
    let excerpt: String = template[at..]
        .chars()
        .take_while(|c| *c != '\n')
        .take(60)
        .collect();
    RenderError::invalid_template(format!(
        "{place}: this is not Liquid: `{excerpt}`. Close it with `}}}}` or `%}}`, use blanks instead of tabs inside it, and check its quotes; wrap other text in {{% raw %}}…{{% endraw %}}."
    ))
}

fn place(template: &str, at: usize) -> String {
    let before = &template[..at];
    let line = before.matches('\n').count() + 1;
    let column = before.chars().rev().take_while(|c| *c != '\n').count() + 1;
    format!("Line {line}, column {column}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn outputs_are_escaped_unless_a_filter_decides() {
        assert_eq!(prepare("{{ a }}").unwrap(), "{{ a | groundcrew_autoescape }}");
        for (decided, output) in [
            ("{{ a | escape }}", "{{ a | escape | groundcrew_charge }}"),
            (
                "{{a|to_json|escape_once}}",
                "{{a|to_json | groundcrew_charge|escape_once | groundcrew_charge}}",
            ),
            (
                "{{ a | skip_autoescape }}",
                "{{ a | skip_autoescape | groundcrew_charge }}",
            ),
        ] {
            assert_eq!(prepare(decided).unwrap(), output);
        }
        assert_eq!(
            prepare("{{ a | escape | upcase -}}").unwrap(),
            "{{ a | escape | groundcrew_charge | upcase | groundcrew_charge | groundcrew_autoescape -}}"
        );
    }

    #[test]
    fn values_are_charged_where_they_are_made() {
        for (template, output) in [
            ("{% assign a = b %}", "{% assign a = b | groundcrew_charge %}"),
            (
                "{%- assign a = b | append: b -%}",
                "{%- assign a = b | append: b | groundcrew_charge -%}",
            ),
            (
                "{% capture a %}{% for i in b %}x{% endfor %}{% endcapture %}",
                "{% capture a %}{% for i in b %}{{ nil | groundcrew_turn: 60 }}x{% endfor %}{% endcapture %}",
            ),
        ] {
            assert_eq!(prepare(template).unwrap(), output);
        }
    }

    #[test]
    fn raw_is_left_alone_and_comments_are_left_out() {
        let raw = "{% raw %}{{ a }} {{ ! {% comment %} {% endraw x %}{% endraw %}";
        assert_eq!(prepare(raw).unwrap(), raw);
        let comment =
            "a {%- comment %}{{ ! {% raw %}{% comment %}{% endcomment %}{% if %}{% endcomment -%} b";
        assert_eq!(prepare(comment).unwrap(), "a {{- nil }}{{ nil -}} b");
    }

    #[test]
    fn blocks_that_do_not_match_are_refused_with_their_place() {
        for (template, expected) in [
            ("a\n{% if x %}", "Line 2, column 1: `if` is not closed"),
            (
                "{% if x %}{% endfor %}",
                "Line 1, column 11: `endfor` closes no `for`",
            ),
            ("{% comment %}{{ !", "Line 1, column 1: `comment` is not closed"),
            (
                "{% endcomment %}",
                "Line 1, column 1: `endcomment` closes no `comment`",
            ),
        ] {
            let error = prepare(template).unwrap_err();
            assert!(
                error.message.starts_with(expected),
                "{template}: {}",
                error.message
            );
        }
    }

    #[test]
    fn loops_are_counted_and_keep_their_trimming() {
        let output = prepare("x {%- for i in (1..n) -%} y{% endfor %}").unwrap();
        assert_eq!(
            output,
            "x {{- 1 | groundcrew_range: n }}{%- for i in (1..n) -%}{{ nil | groundcrew_turn -}} y{% endfor %}"
        );
    }

    #[test]
    fn text_that_is_not_liquid_is_refused_with_its_place() {
        let error = prepare("<p>\n  {{ a b }}").unwrap_err();
        assert!(
            error
                .message
                .starts_with("Line 2, column 3: this is not Liquid: `{{ a b }}`"),
            "{}",
            error.message
        );
    }
}
