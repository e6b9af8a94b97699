//! Where the outputs and tags of a worker template are, by the `liquid` crate's own grammar. The crate does not publish its
//! parser, and escaping and loop limits must be put *into* the template (see `prepare`). So this walk and the crate's parser
//! must agree on every byte: same order of choices, same whitespace (blanks and line ends, no tabs), no backtracking across a
//! choice. A place that this walk calls broken never reaches the crate's parser.

/// How deep `a[b[c]]` may nest: this walk and the crate's parser both recurse here.
const MAX_INDEX_DEPTH: usize = 16;

/// One piece of a template. Positions are byte offsets.
#[derive(Debug, PartialEq)]
pub(super) enum Piece<'a> {
    /// `{{ chain }}`
    Output { chain: Chain<'a>, end: usize },
    /// `{% name … %}`
    Tag {
        name: &'a str,
        start: usize,
        end: usize,
        trims: Trims,
        range: Option<(&'a str, &'a str)>,
        /// The last of its values: the one that `assign` assigns.
        chain: Option<Chain<'a>>,
        bare: bool,
    },
    /// A `{{` or `{%` that does not begin valid Liquid.
    Broken { at: usize },
}

/// A value and its filters. A filter can be inserted after each filter, and at the end.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Chain<'a> {
    pub(super) filter_ends: Vec<usize>,
    pub(super) last_filter: Option<&'a str>,
    pub(super) end: usize,
}

/// One token of a tag.
enum Token<'a> {
    Range(&'a str, &'a str),
    Chain(Chain<'a>),
    Sign,
}

/// Whether a tag swallows the blanks before and after it (`{%-`, `-%}`).
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Trims {
    pub(super) before: bool,
    pub(super) after: bool,
}

/// The pieces of a template in order. Between them is plain text.
pub(super) fn pieces(text: &str) -> impl Iterator<Item = Piece<'_>> {
    let mut from = 0;
    std::iter::from_fn(move || {
        let at = from + next_opening(&text[from..])?;
        let cursor = Cursor { text, at };
        let piece = cursor
            .output()
            .or_else(|| cursor.tag())
            .unwrap_or(Piece::Broken { at });
        from = match &piece {
            Piece::Output { end, .. } | Piece::Tag { end, .. } => *end,
            Piece::Broken { at } => at + 1,
        };
        Some(piece)
    })
}

fn next_opening(text: &str) -> Option<usize> {
    text.as_bytes()
        .windows(2)
        .position(|pair| pair == b"{{" || pair == b"{%")
}

/// A place in the text. Every method consumes what its grammar rule matches, or leaves the place unchanged.
#[derive(Clone, Copy)]
struct Cursor<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Cursor<'a> {
    fn output(mut self) -> Option<Piece<'a>> {
        self.take("{{").then_some(())?;
        self.take("-");
        self.blanks();
        let chain = self.chain()?;
        self.blanks();
        (self.take("-}}") || self.take("}}")).then_some(())?;
        Some(Piece::Output { chain, end: self.at })
    }

    fn tag(mut self) -> Option<Piece<'a>> {
        let start = self.at;
        self.take("{%").then_some(())?;
        let before = self.take("-");
        self.blanks();
        let name = self.identifier()?;
        let (mut range, mut chain, mut bare) = (None, None, true);
        while let Some(token) = self.tag_token() {
            bare = false;
            match token {
                Token::Range(first, last) => range = range.or(Some((first, last))),
                Token::Chain(found) => chain = Some(found),
                Token::Sign => {}
            }
        }
        self.blanks();
        let after = self.take("-%}");
        (after || self.take("%}")).then_some(())?;
        Some(Piece::Tag {
            name,
            start,
            end: self.at,
            trims: Trims { before, after },
            range,
            chain,
            bare,
        })
    }

    fn tag_token(&mut self) -> Option<Token<'a>> {
        let mut ahead = *self;
        ahead.blanks();
        let token = ahead
            .range()
            .map(|(first, last)| Token::Range(first, last))
            .or_else(|| ahead.chain().map(Token::Chain))
            .or_else(|| {
                ["==", "!=", "<>", ">=", "<=", ">", "<", "=", ",", ":"]
                    .iter()
                    .any(|s| ahead.take(s))
                    .then_some(Token::Sign)
            })?;
        *self = ahead;
        Some(token)
    }

    fn range(&mut self) -> Option<(&'a str, &'a str)> {
        let mut ahead = *self;
        ahead.take("(").then_some(())?;
        let first = ahead.spaced_value()?;
        ahead.blanks();
        ahead.take("..").then_some(())?;
        let last = ahead.spaced_value()?;
        ahead.blanks();
        ahead.take(")").then_some(())?;
        *self = ahead;
        Some((first, last))
    }

    fn chain(&mut self) -> Option<Chain<'a>> {
        self.value(0)?;
        let mut chain = Chain::default();
        while let Some(filter) = self.filter() {
            chain.last_filter = Some(filter);
            chain.filter_ends.push(self.at);
        }
        chain.end = self.at;
        Some(chain)
    }

    fn filter(&mut self) -> Option<&'a str> {
        let mut ahead = *self;
        ahead.blanks();
        ahead.take("|").then_some(())?;
        ahead.blanks();
        let name = ahead.identifier()?;
        *self = ahead;
        self.filter_arguments();
        Some(name)
    }

    fn filter_arguments(&mut self) {
        let mut separator = ":";
        loop {
            let mut ahead = *self;
            ahead.blanks();
            if !ahead.take(separator) || ahead.filter_argument().is_none() {
                return;
            }
            *self = ahead;
            separator = ",";
        }
    }

    fn filter_argument(&mut self) -> Option<()> {
        self.blanks();
        let mut keyword = *self;
        if keyword.identifier().is_some() {
            keyword.blanks();
            if keyword.take(":") && keyword.spaced_value().is_some() {
                *self = keyword;
                return Some(());
            }
        }
        self.value(0).map(|_| ())
    }

    fn spaced_value(&mut self) -> Option<&'a str> {
        self.blanks();
        let start = self.at;
        self.value(0)?;
        Some(&self.text[start..self.at])
    }

    fn value(&mut self, depth: usize) -> Option<()> {
        if depth > MAX_INDEX_DEPTH {
            return None;
        }
        self.literal().or_else(|| self.variable(depth))
    }

    /// Literals come before variables, as in the crate's grammar: `nilly` is `nil` and a stray `ly`.
    fn literal(&mut self) -> Option<()> {
        if ["nil", "null", "empty", "blank"]
            .iter()
            .any(|word| self.take(word))
        {
            return Some(());
        }
        self.string()
            .or_else(|| self.number())
            .or_else(|| (self.take("true") || self.take("false")).then_some(()))
    }

    fn string(&mut self) -> Option<()> {
        let quote = self.rest().chars().next().filter(|c| matches!(c, '\'' | '"'))?;
        let inner = self.rest()[1..].find(quote)?;
        self.at += inner + 2;
        Some(())
    }

    /// An integer of more than 64 bits is not a number here: the crate's parser panics on it.
    fn number(&mut self) -> Option<()> {
        let rest = self.rest();
        let sign = usize::from(rest.starts_with(['+', '-']));
        let whole = digits(&rest[sign..])?;
        let mut length = sign + whole;
        match rest[length..].strip_prefix('.').and_then(digits) {
            Some(fraction) => length += 1 + fraction,
            None => _ = rest[..length].parse::<i64>().ok()?,
        }
        self.at += length;
        Some(())
    }

    fn variable(&mut self, depth: usize) -> Option<()> {
        self.identifier()?;
        while self.index(depth).is_some() {}
        Some(())
    }

    fn index(&mut self, depth: usize) -> Option<()> {
        let mut ahead = *self;
        if ahead.take(".") {
            ahead.identifier()?;
        } else {
            ahead.take("[").then_some(())?;
            ahead.blanks();
            ahead.value(depth + 1)?;
            ahead.blanks();
            ahead.take("]").then_some(())?;
        }
        *self = ahead;
        Some(())
    }

    /// A hyphen belongs to a name (`source-ref`) unless it opens `-}}` or `-%}`.
    fn identifier(&mut self) -> Option<&'a str> {
        let rest = self.rest();
        let mut length = 0;
        for (at, c) in rest.char_indices() {
            let hyphen = c == '-' && !rest[at..].starts_with("-}}") && !rest[at..].starts_with("-%}");
            let fits = c.is_ascii_alphabetic() || c == '_' || hyphen || (at > 0 && c.is_ascii_digit());
            if !fits {
                break;
            }
            length = at + 1;
        }
        self.at += length;
        (length > 0).then(|| &rest[..length])
    }

    fn blanks(&mut self) {
        let rest = self.rest();
        self.at += rest.len() - rest.trim_start_matches([' ', '\n', '\r']).len();
    }

    fn take(&mut self, expected: &str) -> bool {
        let found = self.rest().starts_with(expected);
        self.at += if found { expected.len() } else { 0 };
        found
    }

    fn rest(&self) -> &'a str {
        &self.text[self.at..]
    }
}

fn digits(text: &str) -> Option<usize> {
    let length = text.bytes().take_while(u8::is_ascii_digit).count();
    (length > 0).then_some(length)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shapes(text: &str) -> Vec<String> {
        let shape = |piece| match piece {
            Piece::Output { chain, .. } => format!("output {}", chain.last_filter.unwrap_or("-")),
            Piece::Tag { name, range, .. } => format!("tag {name} {}", range.map_or("-", |_| "range")),
            Piece::Broken { at } => format!("broken {at}"),
        };
        pieces(text).map(shape).collect()
    }

    #[test]
    fn outputs_tags_and_broken_places_are_found_as_the_liquid_crate_finds_them() {
        let table: &[(&str, &[&str])] = &[
            ("plain { text } 100%", &[]),
            ("{{ a }}", &["output -"]),
            (
                "{{-a.b-c[0]['x y'] | upcase | replace: 'a', \"}}\" -}}",
                &["output replace"],
            ),
            ("{{ a | date: format: '%Y' }}", &["output date"]),
            ("{{ 'a }} b' | escape }}", &["output escape"]),
            ("{% if a == 'x' and b != nil %}", &["tag if -"]),
            ("{%- for i in (1..task.input.n) -%}", &["tag for range"]),
            ("{% assign x = '{{ y }}' %}", &["tag assign -"]),
            ("{{ a b }}", &["broken 0"]),
            ("{{ nilly }}", &["broken 0"]),
            ("{{ 99999999999999999999 }}", &["broken 0"]),
            ("{{\ta }}", &["broken 0"]),
            ("{{{ a }}", &["broken 0", "output -"]),
            ("{{ a \" {{ b }}\" }}", &["broken 0", "output -"]),
            ("{{ a | }}", &["broken 0"]),
            ("{{ é }}", &["broken 0"]),
        ];
        for (text, expected) in table {
            assert_eq!(&shapes(text), expected, "{text}");
        }
    }

    #[test]
    fn deep_indexes_are_broken_rather_than_a_stack_overflow() {
        let deep = format!("{{{{ {}a{} }}}}", "a[".repeat(50_000), "]".repeat(50_000));
        assert!(shapes(&deep).iter().all(|shape| shape.starts_with("broken")));
    }
}
