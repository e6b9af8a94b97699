//! Journeys in a real Chromium. Skipped where it is missing, unless GROUNDCREW_REQUIRE_BROWSER is set.
//! One page alone: `cargo test -p tests --test browser portal::`.

mod attacks;
mod console;
mod crew;
mod images;
mod portal;
