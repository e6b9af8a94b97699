//! A value and the place in the text it came from, so that a rule checked later can point to it.

use serde::{Deserialize, Deserializer};
use serde_saphyr::{Location, Spanned};

#[derive(Clone, Debug)]
pub(crate) struct At<T> {
    pub(crate) value: T,
    /// Where it is in the file; for an alias (`*name`), where the alias is.
    pub(crate) at: Location,
    /// Where it is written out.
    pub(crate) defined: Location,
}

impl<T> At<T> {
    pub(crate) fn as_deref(&self) -> At<&T::Target>
    where
        T: std::ops::Deref,
    {
        At {
            value: &self.value,
            at: self.at,
            defined: self.defined,
        }
    }

    /// The characters of an unquoted scalar, before any_schema was made of them.
    pub(crate) fn text<'s>(&self, source: &'s str) -> &'s str {
        let span = self.defined.span();
        let range = span.byte_offset().zip(span.byte_len()).and_then(|(start, len)| {
            let start = usize::try_from(start).ok()?;
            Some(start..start + usize::try_from(len).ok()?)
        });
        range
            .and_then(|range| source.get(range))
            .unwrap_or_default()
            .trim()
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for At<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let spanned = Spanned::<T>::deserialize(deserializer)?;
        Ok(Self {
            value: spanned.value,
            at: spanned.referenced,
            defined: spanned.defined,
        })
    }
}

/// The place is not part of the shape.
impl<T: schemars::JsonSchema> schemars::JsonSchema for At<T> {
    fn inline_schema() -> bool {
        T::inline_schema()
    }

    fn schema_name() -> std::borrow::Cow<'static, str> {
        T::schema_name()
    }

    fn schema_id() -> std::borrow::Cow<'static, str> {
        T::schema_id()
    }

    fn json_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
        T::json_schema(generator)
    }
}
