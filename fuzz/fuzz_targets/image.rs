//! The two ends of an image: a verdict whatever they hold, and never a wish for more than there is.
#![no_main]

use libfuzzer_sys::fuzz_target;
use shared::item::image::{MAX_BYTES, MAX_HEAD, MAX_PIXELS, Probe, TAIL, probe};

// The first byte says how much of the file the first reading saw.
fuzz_target!(|data: &[u8]| {
    let [seen, bytes @ ..] = data else { return };
    let size = bytes.len() as u64;
    let head = &bytes[..bytes.len() * usize::from(*seen) / 255];
    let tail = &bytes[bytes.len().saturating_sub(TAIL as usize)..];
    match probe(size, head, tail) {
        Probe::Ok(info) => {
            let pixels = info.width.checked_mul(info.height).unwrap();
            assert!((1..=MAX_PIXELS).contains(&pixels) && size <= MAX_BYTES);
        }
        Probe::NeedHead(more) => {
            assert!(more > head.len() as u64 && more <= MAX_HEAD.min(size));
            let again = probe(size, &bytes[..more as usize], tail);
            assert!(!matches!(again, Probe::NeedHead(_)), "asked twice");
        }
        Probe::Reject(reason) => assert!(reason.len() < 1024, "{reason}"),
    }
});
