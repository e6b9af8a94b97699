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
    /// The size is further in: probe again with this many bytes from the start.
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

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn jpeg(width: u16, height: u16) -> Vec<u8> {
        let mut bytes = b"\xFF\xD8\xFF\xE0\x00\x04\x00\x00".to_vec();
        bytes.extend(frame(width, height));
        bytes.extend(b"\xFF\xDA\x00\x02scan data\xFF\xD9");
        bytes
    }

    fn frame(width: u16, height: u16) -> Vec<u8> {
        let mut frame = b"\xFF\xC0\x00\x11\x08".to_vec();
        frame.extend(height.to_be_bytes());
        frame.extend(width.to_be_bytes());
        frame.extend([3, 1, 0x22, 0, 2, 0x11, 1, 3, 0x11, 1]);
        frame
    }

    fn png(width: u32, height: u32) -> Vec<u8> {
        let mut bytes = b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR".to_vec();
        bytes.extend(width.to_be_bytes());
        bytes.extend(height.to_be_bytes());
        bytes.extend(b"\x08\x02\x00\x00\x00crc.\x00\x00\x00\x00IEND\xAE\x42\x60\x82");
        bytes
    }

    fn probe_whole(bytes: &[u8]) -> Probe {
        probe(bytes.len() as u64, bytes, bytes)
    }

    #[track_caller]
    fn assert_refused(probe: Probe, part: &str) {
        match probe {
            Probe::Reject(reason) => assert!(reason.contains(part), "{reason}"),
            other => panic!("{other:?}, not {part}"),
        }
    }

    #[test]
    fn a_whole_image_says_its_size() {
        let info = |format, width, height| {
            Probe::Ok(ImageInfo {
                format,
                width,
                height,
            })
        };
        assert_eq!(probe_whole(&jpeg(640, 480)), info(Format::Jpeg, 640, 480));
        assert_eq!(probe_whole(&png(640, 480)), info(Format::Png, 640, 480));
    }

    #[test]
    fn content_counts_not_the_name() {
        assert_refused(probe_whole(b"GIF89a\x01\x00\x01\x00"), "neither a JPEG nor a PNG");
        assert_refused(probe_whole(b"<html>not found</html>"), "neither a JPEG nor a PNG");
        assert_refused(probe_whole(b"x"), "neither");
    }

    #[test]
    fn a_truncated_image_is_refused() {
        let (jpeg, png) = (jpeg(640, 480), png(640, 480));
        assert_refused(probe_whole(&jpeg[..jpeg.len() - 2]), "cut off");
        assert_refused(probe_whole(&png[..png.len() - 1]), "cut off");
        assert_refused(probe_whole(&jpeg[..14]), "its header does not say");
        assert_refused(probe_whole(&png[..20]), "its header does not say");
    }

    #[test]
    fn the_end_of_an_embedded_preview_is_not_the_end_of_the_image() {
        let preview = jpeg(160, 120);
        let mut photo = b"\xFF\xD8\xFF\xE1".to_vec();
        photo.extend(u16::try_from(preview.len() + 2).unwrap().to_be_bytes());
        photo.extend(&preview);
        photo.extend(&jpeg(4000, 3000)[2..]);
        assert!(matches!(
            probe_whole(&photo),
            Probe::Ok(ImageInfo {
                width: 4000,
                height: 3000,
                ..
            })
        ));
        assert_refused(probe_whole(&photo[..photo.len() - 2]), "cut off");
    }

    #[test]
    fn what_phones_write_behind_a_photo_does_not_make_it_truncated() {
        let photo = jpeg(640, 480);
        let trailer = [&photo[..], b"\0\0SEFH....SEFT"].concat();
        assert!(matches!(probe(9_000_000, &photo, &trailer), Probe::Ok(_)));
        let with_film = [&photo[..8], b"\xFF\xE1\x00\x0DMotionPhoto", &photo[8..]].concat();
        assert!(matches!(
            probe(9_000_000, &with_film, b"ftypmp42 mdat"),
            Probe::Ok(_)
        ));
    }

    #[test]
    fn too_many_pixels_bytes_or_none_are_refused() {
        assert!(matches!(probe_whole(&png(10_000, 10_000)), Probe::Ok(_)));
        assert_refused(probe_whole(&png(10_000, 10_001)), "10000 x 10001 pixels");
        assert_refused(probe_whole(&png(u32::MAX, u32::MAX)), "100 megapixels");
        assert_refused(probe_whole(&jpeg(0, 480)), "no pixels");
        assert_refused(probe(40_000_001, &jpeg(1, 1), &jpeg(1, 1)), "41 MB large");
        assert_refused(probe(0, b"", b""), "neither");
    }

    #[test]
    fn a_size_far_inside_is_asked_for_once_and_not_beyond_a_mebibyte() {
        let mut photo = b"\xFF\xD8".to_vec();
        for _ in 0..20 {
            photo.extend(b"\xFF\xE2\xFF\xFF");
            photo.extend(vec![0; 0xFFFD]);
        }
        photo.extend(&jpeg(8, 8)[2..]);
        let (size, tail) = (photo.len() as u64, &photo[photo.len() - 16..]);
        assert_eq!(
            probe(size, &photo[..HEAD as usize], tail),
            Probe::NeedHead(MAX_HEAD)
        );
        assert_refused(probe(size, &photo[..MAX_HEAD as usize], tail), "first MiB");
        let short = [&photo[..2 + 5 * 0x10001], &jpeg(8, 8)[2..]].concat();
        let need = probe(short.len() as u64, &short[..HEAD as usize], tail);
        assert_eq!(need, Probe::NeedHead(short.len() as u64));
        assert!(matches!(probe_whole(&short), Probe::Ok(_)));
    }

    proptest! {
        #[test]
        fn hostile_bytes_end_in_a_verdict(
            start in prop::sample::select(vec![&b""[..], b"\xFF\xD8\xFF", b"\x89PNG", b"\x89PNG\r\n\x1a\n"]),
            rest in prop::collection::vec(prop_oneof![2 => prop::sample::select(b"\xFF\x00\x01\xD8\xD9\xC0".to_vec()), 1 => any::<u8>()], 0..2000),
            size in any::<u64>(),
        ) {
            let bytes = [start, &rest].concat();
            for size in [size, bytes.len() as u64, MAX_BYTES] {
                if let Probe::NeedHead(more) = probe(size, &bytes, &bytes) {
                    prop_assert!(more > bytes.len() as u64 && more <= MAX_HEAD);
                }
            }
        }
    }
}
