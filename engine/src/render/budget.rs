//! What one rendering may use up. A template is somebody's program: `{% assign x = x | append: x %}` sixty times over
//! is more memory than there is in the world.
use liquid_core::model::{ScalarCow, Value, ValueView};
use liquid_core::{Error, Result, Runtime};
use std::time::{Duration, Instant};

/// All turns of all loops of one rendering. A page with more rows than this is of no use to a person.
const MAX_TURNS: u64 = 100_000;
/// The numbers of one `(a..b)`: the crate makes a list of them before the first turn.
const MAX_RANGE: i64 = 10_000;
/// A rendering is milliseconds of work; what takes longer is stuck in its loops.
const MAX_TIME: Duration = Duration::from_secs(5);
/// One value. A manifest's line has at most 100,000 characters, and JSON or HTML make six of one at the worst.
const MAX_VALUE: usize = 1024 * 1024;
/// Everything a rendering makes, whether it still has it or not.
const MAX_MADE: usize = 64 * 1024 * 1024;
/// What a value takes besides its text.
const PER_VALUE: usize = 32;

struct Left {
    turns: u64,
    bytes: usize,
    until: Instant,
}

impl Default for Left {
    fn default() -> Self {
        Left {
            turns: MAX_TURNS,
            bytes: MAX_MADE,
            until: Instant::now() + MAX_TIME,
        }
    }
}

/// Counts one turn of a loop, and the bytes it may write into memory.
pub(super) fn count_turn(written: &[Value], runtime: &dyn Runtime) -> Result<Value> {
    let mut left = runtime.registers().get_mut::<Left>();
    left.turns = left.turns.saturating_sub(1);
    if left.turns == 0 {
        return Err(Error::with_msg(format!(
            "The template's loops turn more than {MAX_TURNS} times. Loop over fewer things."
        )));
    }
    let written = written.first().and_then(|bytes| whole(bytes)).unwrap_or(0);
    left.spend(usize::try_from(written).unwrap_or(usize::MAX))?;
    Ok(Value::Nil)
}

/// Counts a value that was made just now.
pub(super) fn charge(value: &dyn ValueView, runtime: &dyn Runtime) -> Result<()> {
    let weight = weight(value);
    refuse_large(weight)?;
    runtime.registers().get_mut::<Left>().spend(weight)
}

impl Left {
    fn spend(&mut self, bytes: usize) -> Result<()> {
        let Some(left) = self.bytes.checked_sub(bytes) else {
            return Err(Error::with_msg(format!(
                "The template makes more than {MAX_MADE} bytes of values. Show less of the item, or loop over fewer things."
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

fn refuse_large(weight: usize) -> Result<()> {
    if weight > MAX_VALUE {
        return Err(Error::with_msg(format!(
            "A value grows larger than {MAX_VALUE} bytes. Show less of the item."
        )));
    }
    Ok(())
}

fn weight(value: &dyn ValueView) -> usize {
    if let Some(array) = value.as_array() {
        return array.values().map(weight).fold(PER_VALUE, usize::saturating_add);
    }
    if let Some(object) = value.as_object() {
        let fields = object.iter().map(|(name, value)| name.len() + weight(value));
        return fields.fold(PER_VALUE, usize::saturating_add);
    }
    PER_VALUE + value.to_kstr().len()
}

pub(super) fn check_range(input: &dyn ValueView, arguments: &[Value]) -> Result<Value> {
    let last = arguments.first().and_then(|value| whole(value));
    match (whole(input), last) {
        (Some(first), Some(last)) if last.saturating_sub(first) < MAX_RANGE => Ok(Value::Nil),
        (Some(_), Some(_)) => Err(Error::with_msg(format!(
            "A range has more than {MAX_RANGE} numbers."
        ))),
        _ => Err(Error::with_msg("The ends of a range are whole numbers.")),
    }
}

fn whole(value: &dyn ValueView) -> Option<i64> {
    let scalar: ScalarCow<'_> = value.as_scalar()?;
    scalar.to_integer()
}

/// In place of the crate's own, which multiplies two lengths in one step: weighed before it is made.
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
