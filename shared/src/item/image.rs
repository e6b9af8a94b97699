//! Images: judged by content, from the two ends of the file, so that a 40 MB photo costs two small reads.
//!
//! Limits are Ground Truth's: 40 MB and 100 megapixels
//! (<https://docs.aws.amazon.com/sagemaker/latest/dg/input-data-limits.html>). A PNG called `.jpg` is taken: the
//! workers' browsers go by content too.

use imagesize::{ImageError, ImageType};

use super::Line;
use crate::manifest::{File, ref_line};

/// Bytes to read from the start at first: enough for all but photos with large embedded previews.
pub const HEAD: u64 = 64 << 10;
/// Bytes of the start at most: EXIF, colour profile and previews of a photo fit well within.
pub const MAX_HEAD: u64 = 1 << 20;
/// Bytes to read from the end; some cameras write a little behind the image.
pub const TAIL: u64 = 16 << 10;
/// 40 MB. Whether AWS means 1000² or 1024² it does not say; the smaller holds either way.
pub const MAX_BYTES: u64 = 40_000_000;
pub const MAX_PIXELS: u64 = 100_000_000;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    Jpeg,
    Png,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ImageInfo {
    pub format: Format,
    pub width: u64,
    pub height: u64,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Probe {
    Ok(ImageInfo),
    /// The size stands further in: probe again with this many bytes from the start.
    NeedHead(u64),
    Reject(String),
}

/// Whether the image can be shown. `head` are the first bytes (all, or [`HEAD`], or what was asked for), `tail` the
/// last ([`TAIL`], or all), `size` is the size of the whole.
pub fn probe(size: u64, head: &[u8], tail: &[u8]) -> Probe {
    match check(size, head, tail) {
        Ok(info) => Probe::Ok(info),
        Err(Problem::Short) => Probe::NeedHead(MAX_HEAD.min(size)),
        Err(Problem::Bad(reason)) => Probe::Reject(reason),
    }
}

enum Problem {
    Short,
    Bad(String),
}

fn check(size: u64, head: &[u8], tail: &[u8]) -> Result<ImageInfo, Problem> {
    within_limit(size).map_err(Problem::Bad)?;
    let format = format(head)?;
    let info = dimensions(format, size, head)?;
    let pixels = info.width.saturating_mul(info.height);
    if pixels == 0 {
        return Err(bad("the image has no pixels: its header is broken"));
    }
    if pixels > MAX_PIXELS {
        let (width, height) = (info.width, info.height);
        return Err(Problem::Bad(format!(
            "the image has {width} x {height} pixels; a labeling job takes at most 100 megapixels: scale it down"
        )));
    }
    if !is_complete(format, head, tail) {
        return Err(bad("the image is cut off: its end is missing; upload it again"));
    }
    Ok(info)
}

fn bad(reason: &str) -> Problem {
    Problem::Bad(reason.to_owned())
}

pub(super) fn within_limit(size: u64) -> Result<(), String> {
    if size > MAX_BYTES {
        let megabytes = size.div_ceil(1_000_000);
        return Err(format!(
            "the image is {megabytes} MB large; a labeling job takes at most 40 MB: scale it down"
        ));
    }
    Ok(())
}

fn format(head: &[u8]) -> Result<Format, Problem> {
    match imagesize::image_type(head) {
        Ok(ImageType::Jpeg) => Ok(Format::Jpeg),
        Ok(ImageType::Png) => Ok(Format::Png),
        _ => Err(bad(
            "the file is neither a JPEG nor a PNG, whatever its name says: convert it",
        )),
    }
}

fn dimensions(format: Format, size: u64, head: &[u8]) -> Result<ImageInfo, Problem> {
    match imagesize::blob_size(head) {
        Ok(found) => Ok(ImageInfo {
            format,
            width: found.width as u64,
            height: found.height as u64,
        }),
        Err(ImageError::IoError(_)) if (head.len() as u64) < size.min(MAX_HEAD) => Err(Problem::Short),
        Err(ImageError::IoError(_)) if (head.len() as u64) < size => Err(bad(
            "the first MiB of the image does not say how large it is: save it without embedded previews",
        )),
        Err(_) => Err(bad(
            "the image is broken: its header does not say how large it is",
        )),
    }
}

/// A JPEG ends with EOI, a PNG with the IEND chunk. Phones write more behind a JPEG than any tail shows: a short
/// film (said in the XMP block of the head), or Samsung's own trailer.
fn is_complete(format: Format, head: &[u8], tail: &[u8]) -> bool {
    match format {
        Format::Png => find_last(tail, b"IEND\xAE\x42\x60\x82").is_some(),
        Format::Jpeg => {
            let film = || {
                [&b"MotionPhoto"[..], b"MicroVideo"]
                    .iter()
                    .any(|mark| find_last(head, mark).is_some())
            };
            ends_with_image(tail) || tail.ends_with(b"SEFT") || film()
        }
    }
}

/// An EOI marker, and no picture begun behind it: otherwise it ended the preview embedded in the header.
fn ends_with_image(tail: &[u8]) -> bool {
    let frame_header = |at: &[u8]| matches!(at, [0xFF, 0xC0..=0xC2, 0x00, 0x0B | 0x11, 0x08]);
    find_last(tail, b"\xFF\xD9").is_some_and(|end| !tail[end..].windows(5).any(frame_header))
}

fn find_last(bytes: &[u8], what: &[u8]) -> Option<usize> {
    bytes.windows(what.len()).rposition(|window| window == what)
}

/// The line of an image that was probed.
pub fn image_line(bucket: &str, key: &str, etag: &str) -> Line {
    ref_line(File { key, etag }, bucket)
}
