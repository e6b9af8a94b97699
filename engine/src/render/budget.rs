//! How much time and memory one rendering may use. A template is a program that is not trusted:
//! `{% assign x = x | append: x %}`, repeated sixty times, needs more memory than any machine has.

use std::time::{Duration, Instant};

use liquid_core::model::{ScalarCow, Value, ValueView};
use liquid_core::{Error, Result, Runtime};

/// All turns of all loops of one rendering. A page with more rows is of no use to a person.
const MAX_TURNS: u64 = 100_000;
/// Numbers in one `(a..b)`: the crate makes a list of them before the first turn.
const MAX_RANGE: i64 = 10_000;
/// A rendering takes milliseconds; one that takes longer is stuck in its loops.
const MAX_TIME: Duration = Duration::from_secs(5);
/// One value. A manifest line has at most 100,000 characters, and JSON or HTML turn one into at most six.
const MAX_VALUE: usize = 1024 * 1024;
/// All values that a rendering makes, also those it does not hold any more.
const MAX_TOTAL: usize = 64 * 1024 * 1024;
/// The memory of a value besides its text.
const BYTES_PER_VALUE: usize = 32;

struct Budget {
    turns: u64,
    bytes: usize,
    until: Instant,
}

impl Default for Budget {
    fn default() -> Self {
        Budget {
            turns: MAX_TURNS,
            bytes: MAX_TOTAL,
            until: Instant::now() + MAX_TIME,
        }
    }
}

/// Counts one turn of a loop, and the bytes it may write into memory.
pub(super) fn count_turn(written: &[Value], runtime: &dyn Runtime) -> Result<Value> {
    let mut budget = runtime.registers().get_mut::<Budget>();
    budget.turns = budget.turns.saturating_sub(1);
    if budget.turns == 0 {
        return Err(Error::with_msg(format!(
            "The template's loops turn more than {MAX_TURNS} times. Loop over fewer things."
        )));
    }
    let written = written.first().and_then(|bytes| whole_number(bytes)).unwrap_or(0);
    budget.spend(usize::try_from(written).unwrap_or(usize::MAX))?;
    Ok(Value::Nil)
}

/// Charges a new value to the budget.
pub(super) fn charge(value: &dyn ValueView, runtime: &dyn Runtime) -> Result<()> {
    let size = size(value);
    refuse_large(size)?;
    runtime.registers().get_mut::<Budget>().spend(size)
}

impl Budget {
    fn spend(&mut self, bytes: usize) -> Result<()> {
        let Some(left) = self.bytes.checked_sub(bytes) else {
            return Err(Error::with_msg(format!(
                "The template makes more than {MAX_TOTAL} bytes of values. Show less of the item, or loop over fewer things."
            )));
        };
        self.bytes = left;
        if Instant::now() > self.until {
            return Err(Error::with_msg(format!(
                "The template takes longer than {} seconds. Loop over fewer things.",
                MAX_TIME.as_secs()
            )));
        }
        Ok(())
    }
}

fn refuse_large(size: usize) -> Result<()> {
    if size > MAX_VALUE {
        return Err(Error::with_msg(format!(
            "A value grows larger than {MAX_VALUE} bytes. Show less of the item."
        )));
    }
    Ok(())
}

fn size(value: &dyn ValueView) -> usize {
    if let Some(array) = value.as_array() {
        return array
            .values()
            .map(size)
            .fold(BYTES_PER_VALUE, usize::saturating_add);
    }
    if let Some(object) = value.as_object() {
        let fields = object.iter().map(|(name, value)| name.len() + size(value));
        return fields.fold(BYTES_PER_VALUE, usize::saturating_add);
    }
    BYTES_PER_VALUE + value.to_kstr().len()
}

pub(super) fn check_range(input: &dyn ValueView, arguments: &[Value]) -> Result<Value> {
    let last = arguments.first().and_then(|value| whole_number(value));
    match (whole_number(input), last) {
        (Some(first), Some(last)) if last.saturating_sub(first) < MAX_RANGE => Ok(Value::Nil),
        (Some(_), Some(_)) => Err(Error::with_msg(format!(
            "A range has more than {MAX_RANGE} numbers."
        ))),
        _ => Err(Error::with_msg("The ends of a range are whole numbers.")),
    }
}

fn whole_number(value: &dyn ValueView) -> Option<i64> {
    let scalar: ScalarCow<'_> = value.as_scalar()?;
    scalar.to_integer()
}

/// In place of the crate's filter, which multiplies two lengths in one step: the size is checked before the value is made.
pub(super) fn replace(input: &dyn ValueView, arguments: &[Value]) -> Result<Value> {
    let (input, search, with) = (input.to_kstr(), text(arguments, 0), text(arguments, 1));
    let search = search.ok_or_else(|| Error::with_msg("`replace` needs the text to search."))?;
    let with = with.unwrap_or_default();
    let found = input.matches(search.as_str()).count();
    refuse_large(input.len().saturating_add(found.saturating_mul(with.len())))?;
    Ok(Value::scalar(input.replace(search.as_str(), &with)))
}

/// As [`replace`].
pub(super) fn join(input: &dyn ValueView, arguments: &[Value]) -> Result<Value> {
    let between = text(arguments, 0).unwrap_or_else(|| " ".to_owned());
    let parts = input
        .as_array()
        .ok_or_else(|| Error::with_msg("`join` needs a list."))?;
    let parts: Vec<_> = parts.values().map(ValueView::to_kstr).collect();
    let own: usize = parts.iter().map(|part| part.len()).sum();
    refuse_large(own.saturating_add(parts.len().saturating_mul(between.len())))?;
    Ok(Value::scalar(parts.join(&between)))
}

fn text(arguments: &[Value], at: usize) -> Option<String> {
    Some(arguments.get(at)?.to_kstr().into_string())
}
