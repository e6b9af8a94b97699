//! What is put into a template before it is rendered. Ground Truth escapes every output by itself ("autoescape", on
//! by default; AWS's page "Adding automation with Liquid"), the `liquid` crate does not; and a template is somebody's
//! program, so its loops are counted. Both are filters woven into the text, where nothing can pass them by.
use super::grammar::{Piece, pieces};
use super::{RenderError, filters};

/// AWS's limit for a template's content: 128,000 characters (`UiTemplate.Content`).
pub(super) const MAX_CHARACTERS: usize = 128_000;
/// Blocks in blocks; the parser and the renderer recurse once for each.
const MAX_DEPTH: usize = 40;
/// After one of these the output is safe or meant to be HTML; anything else is escaped once more at the end.
const DECIDED: [&str; 3] = ["escape", "escape_once", "skip_autoescape"];
const BLOCKS: [&str; 6] = ["if", "unless", "for", "case", "capture", "ifchanged"];

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

/// The template as it is handed to the `liquid` crate.
pub(super) fn prepare(template: &str) -> Result<String, RenderError> {
    refuse_oversize(template)?;
    let mut woven = String::with_capacity(template.len() * 2);
    let (mut copied, mut blocks) = (0, Blocks::default());
    for piece in pieces(template) {
        if blocks.skips(&piece) {
            continue;
        }
        match piece {
            Piece::Broken { at } => return Err(broken(template, at)),
            Piece::Output {
                chain_end,
                last_filter,
                ..
            } => {
                woven.push_str(&template[copied..chain_end]);
                copied = chain_end;
                if !last_filter.is_some_and(|name| DECIDED.contains(&name)) {
                    woven.push_str(" | ");
                    woven.push_str(filters::AUTOESCAPE);
                }
            }
            Piece::Tag {
                name: "for",
                start,
                end,
                trims,
                range,
                ..
            } => {
                woven.push_str(&template[copied..start]);
                if let Some((first, last)) = range {
                    woven.push_str(&statement(
                        &format!("{first} | {}: {last}", filters::RANGE),
                        trims.before,
                        false,
                    ));
                }
                woven.push_str(&template[start..end]);
                woven.push_str(&statement(
                    &format!("nil | {}", filters::TURN),
                    false,
                    trims.after,
                ));
                copied = end;
            }
            Piece::Tag { .. } => {}
        }
        blocks.refuse_depth()?;
    }
    woven.push_str(&template[copied..]);
    Ok(with_own_elements(woven))
}

/// An output that prints nothing, trimming as its neighbour would have.
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
        return Err(RenderError::invalid(format!(
            "The template has {characters} characters; at most {MAX_CHARACTERS} are allowed. Move scripts, styles or data out of it."
        )));
    }
    Ok(())
}

fn broken(template: &str, at: usize) -> RenderError {
    let before = &template[..at];
    let line = before.matches('\n').count() + 1;
    let column = before.chars().rev().take_while(|c| *c != '\n').count() + 1;
    let excerpt: String = template[at..]
        .chars()
        .take_while(|c| *c != '\n')
        .take(60)
        .collect();
    RenderError::invalid(format!(
        "Line {line}, column {column}: this is not Liquid: `{excerpt}`. Close it with `}}}}` or `%}}`, use blanks instead of tabs inside it, and check its quotes; wrap text that is no Liquid in {{% raw %}}…{{% endraw %}}."
    ))
}

/// Which blocks are open, so that what stands in `raw` and `comment` is left alone.
#[derive(Default)]
struct Blocks {
    depth: usize,
    in_raw: bool,
    comments: usize,
}

impl Blocks {
    /// Follows a piece; true if it is inside `raw` or `comment`, or opens or closes one.
    fn skips(&mut self, piece: &Piece<'_>) -> bool {
        let Piece::Tag { name, bare, .. } = *piece else {
            return self.in_raw || self.comments > 0;
        };
        if self.in_raw {
            self.in_raw = !(name == "endraw" && bare);
            return true;
        }
        match name {
            "comment" => self.comments += 1,
            "endcomment" => self.comments = self.comments.saturating_sub(1),
            _ if self.comments > 0 => {}
            "raw" => self.in_raw = true,
            _ => return self.follow(name),
        }
        true
    }

    fn follow(&mut self, name: &str) -> bool {
        if BLOCKS.contains(&name) {
            self.depth += 1;
        } else if name
            .strip_prefix("end")
            .is_some_and(|opened| BLOCKS.contains(&opened))
        {
            self.depth = self.depth.saturating_sub(1);
        }
        false
    }

    fn refuse_depth(&self) -> Result<(), RenderError> {
        if self.depth.max(self.comments) > MAX_DEPTH {
            let message =
                format!("More than {MAX_DEPTH} blocks are nested in each other. Close some of them first.");
            return Err(RenderError::invalid(message));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_undecided_outputs_are_escaped() {
        assert_eq!(prepare("{{ a }}").unwrap(), "{{ a | groundcrew_autoescape }}");
        for decided in [
            "{{ a | escape }}",
            "{{a|to_json|escape_once}}",
            "{{ a | skip_autoescape }}",
        ] {
            assert_eq!(prepare(decided).unwrap(), decided);
        }
        assert_eq!(
            prepare("{{ a | escape | upcase -}}").unwrap(),
            "{{ a | escape | upcase | groundcrew_autoescape -}}"
        );
    }

    #[test]
    fn raw_and_comment_are_left_alone() {
        for text in [
            "{% raw %}{{ a }} {{ ! {% endraw x %}{% endraw %}",
            "{% comment %}{{ ! }}{% endcomment %}",
        ] {
            assert_eq!(prepare(text).unwrap(), text);
        }
    }

    #[test]
    fn loops_are_counted_and_keep_their_trimming() {
        let woven = prepare("x {%- for i in (1..n) -%} y{% endfor %}").unwrap();
        assert_eq!(
            woven,
            "x {{- 1 | groundcrew_range: n }}{%- for i in (1..n) -%}{{ nil | groundcrew_turn -}} y{% endfor %}"
        );
    }

    #[test]
    fn what_is_no_liquid_is_refused_with_its_place() {
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
