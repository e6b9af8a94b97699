//! The checksums of the S3 protocol: computed, compared with what the client sent, joined for multipart uploads.
//!
//! <https://docs.aws.amazon.com/AmazonS3/latest/userguide/checking-object-integrity.html>

use base64::{Engine, prelude::BASE64_STANDARD};
use crc_fast::{CrcAlgorithm, checksum_combine};
use http::HeaderMap;
use s3s::{
    S3Result,
    checksum::ChecksumHasher,
    crypto::{Checksum as _, Crc32, Crc32c, Crc64Nvme, Sha1, Sha256},
    dto, s3_error,
};
use serde::{Deserialize, Serialize};

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Algorithm {
    Crc32,
    Crc32c,
    /// What AWS computes when the client asks for nothing.
    Crc64Nvme,
    Sha1,
    Sha256,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum ChecksumKind {
    FullObject,
    /// A checksum of the parts' checksums.
    Composite,
}

/// A checksum kept with an object or a part.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct StoredChecksum {
    pub(super) algorithm: Algorithm,
    pub(super) kind: ChecksumKind,
    /// Base64; composite ones end in `-<parts>`.
    pub(super) value: String,
}

/// Which checksum a multipart upload is going to have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct ChecksumPlan {
    pub(super) algorithm: Algorithm,
    pub(super) kind: ChecksumKind,
    /// Whether the client asked for it. If not, parts may come with any checksum or none.
    pub(super) is_requested: bool,
}

const ALL: [Algorithm; 5] = [
    Algorithm::Crc32,
    Algorithm::Crc32c,
    Algorithm::Crc64Nvme,
    Algorithm::Sha1,
    Algorithm::Sha256,
];

/// Those of the service's model that are not computed here.
const NOT_COMPUTED: [&str; 5] = ["SHA512", "MD5", "XXHASH64", "XXHASH3", "XXHASH128"];

/// The names of the trailers that a request says will follow its body.
pub(super) fn announced_trailers(headers: &HeaderMap) -> Vec<String> {
    let named = headers.get_all("x-amz-trailer").into_iter();
    let named = named.filter_map(|value| value.to_str().ok());
    named
        .flat_map(|names| names.split(','))
        .map(|name| name.trim().to_ascii_lowercase())
        .filter(|name| !name.is_empty())
        .collect()
}

impl Algorithm {
    pub(super) fn name(self) -> &'static str {
        match self {
            Algorithm::Crc32 => dto::ChecksumAlgorithm::CRC32,
            Algorithm::Crc32c => dto::ChecksumAlgorithm::CRC32C,
            Algorithm::Crc64Nvme => dto::ChecksumAlgorithm::CRC64NVME,
            Algorithm::Sha1 => dto::ChecksumAlgorithm::SHA1,
            Algorithm::Sha256 => dto::ChecksumAlgorithm::SHA256,
        }
    }

    pub(super) fn header(self) -> &'static str {
        match self {
            Algorithm::Crc32 => "x-amz-checksum-crc32",
            Algorithm::Crc32c => "x-amz-checksum-crc32c",
            Algorithm::Crc64Nvme => "x-amz-checksum-crc64nvme",
            Algorithm::Sha1 => "x-amz-checksum-sha1",
            Algorithm::Sha256 => "x-amz-checksum-sha256",
        }
    }

    pub(super) fn from_request(asked: Option<&dto::ChecksumAlgorithm>) -> S3Result<Option<Algorithm>> {
        asked
            .map(|asked| Algorithm::from_name(asked.as_str()))
            .transpose()
    }

    pub(super) fn from_name(asked: &str) -> S3Result<Algorithm> {
        let found = ALL
            .into_iter()
            .find(|known| known.name().eq_ignore_ascii_case(asked));
        found.ok_or_else(|| {
            let message =
                format!("{asked} is not computed here. Use CRC32, CRC32C, CRC64NVME, SHA1 or SHA256.");
            match NOT_COMPUTED.iter().any(|known| known.eq_ignore_ascii_case(asked)) {
                true => s3_error!(NotImplemented, "The checksum algorithm {message}"),
                false => s3_error!(InvalidRequest, "The checksum algorithm {message}"),
            }
        })
    }

    /// That of a header such as `x-amz-checksum-crc32`.
    pub(super) fn from_header(name: &str) -> S3Result<Algorithm> {
        let found = ALL.into_iter().find(|known| known.header() == name);
        found.ok_or_else(|| {
            s3_error!(
                NotImplemented,
                "{name} is not checked here. Use crc32, crc32c, crc64nvme, sha1 or sha256."
            )
        })
    }

    /// Whether `value` is as long as the checksums of this algorithm; composite ones end in `-<parts>`.
    pub(super) fn is_value(self, value: &str) -> bool {
        let length = match self {
            Algorithm::Crc32 | Algorithm::Crc32c => 4,
            Algorithm::Crc64Nvme => 8,
            Algorithm::Sha1 => 20,
            Algorithm::Sha256 => 32,
        };
        let plain = value.split('-').next().unwrap_or_default();
        BASE64_STANDARD.decode(plain).is_ok_and(|raw| raw.len() == length)
    }

    pub(super) fn hasher(self) -> ChecksumHasher {
        let mut hasher = ChecksumHasher::default();
        self.add_to(&mut hasher);
        hasher
    }

    /// Has `hasher` compute this one too.
    pub(super) fn add_to(self, hasher: &mut ChecksumHasher) {
        match self {
            Algorithm::Crc32 => hasher.crc32 = Some(Crc32::new()),
            Algorithm::Crc32c => hasher.crc32c = Some(Crc32c::new()),
            Algorithm::Crc64Nvme => hasher.crc64nvme = Some(Crc64Nvme::new()),
            Algorithm::Sha1 => hasher.sha1 = Some(Sha1::new()),
            Algorithm::Sha256 => hasher.sha256 = Some(Sha256::new()),
        }
    }

    fn of(self, checksums: &dto::Checksum) -> Option<&String> {
        match self {
            Algorithm::Crc32 => checksums.checksum_crc32.as_ref(),
            Algorithm::Crc32c => checksums.checksum_crc32c.as_ref(),
            Algorithm::Crc64Nvme => checksums.checksum_crc64nvme.as_ref(),
            Algorithm::Sha1 => checksums.checksum_sha1.as_ref(),
            Algorithm::Sha256 => checksums.checksum_sha256.as_ref(),
        }
    }

    /// This one out of what a hasher computed.
    pub(super) fn stored_checksum(self, checksums: &dto::Checksum) -> S3Result<StoredChecksum> {
        let value = self
            .of(checksums)
            .ok_or_else(|| s3_error!(InternalError, "no checksum was computed"))?;
        Ok(StoredChecksum {
            algorithm: self,
            kind: ChecksumKind::FullObject,
            value: value.clone(),
        })
    }

    /// How CRCs of neighbouring ranges join to the CRC of both; hashes cannot be joined.
    fn crc(self) -> Option<(CrcAlgorithm, usize)> {
        match self {
            Algorithm::Crc32 => Some((CrcAlgorithm::Crc32IsoHdlc, 4)),
            Algorithm::Crc32c => Some((CrcAlgorithm::Crc32Iscsi, 4)),
            Algorithm::Crc64Nvme => Some((CrcAlgorithm::Crc64Nvme, 8)),
            Algorithm::Sha1 | Algorithm::Sha256 => None,
        }
    }
}

/// The one value in a set of checksums, with its algorithm.
pub(super) fn single(checksums: &dto::Checksum) -> Option<(Algorithm, String)> {
    ALL.into_iter()
        .find_map(|algorithm| Some((algorithm, algorithm.of(checksums)?.clone())))
}

/// The set with just this checksum in it, as responses carry it.
pub(super) fn to_dto(stored: Option<&StoredChecksum>) -> dto::Checksum {
    let mut checksums = dto::Checksum::default();
    let Some(stored) = stored else {
        return checksums;
    };
    let value = Some(stored.value.clone());
    match stored.algorithm {
        Algorithm::Crc32 => checksums.checksum_crc32 = value,
        Algorithm::Crc32c => checksums.checksum_crc32c = value,
        Algorithm::Crc64Nvme => checksums.checksum_crc64nvme = value,
        Algorithm::Sha1 => checksums.checksum_sha1 = value,
        Algorithm::Sha256 => checksums.checksum_sha256 = value,
    }
    checksums.checksum_type = Some(stored.kind.to_dto());
    checksums
}

impl ChecksumKind {
    pub(super) fn to_dto(self) -> dto::ChecksumType {
        dto::ChecksumType::from_static(match self {
            ChecksumKind::FullObject => dto::ChecksumType::FULL_OBJECT,
            ChecksumKind::Composite => dto::ChecksumType::COMPOSITE,
        })
    }
}

impl ChecksumPlan {
    /// What AWS makes of the two headers of CreateMultipartUpload.
    pub(super) fn new(
        algorithm: Option<Algorithm>,
        kind: Option<&dto::ChecksumType>,
    ) -> S3Result<ChecksumPlan> {
        let Some(algorithm) = algorithm else {
            return Ok(ChecksumPlan {
                algorithm: Algorithm::Crc64Nvme,
                kind: ChecksumKind::FullObject,
                is_requested: false,
            });
        };
        let kind = match kind.map(dto::ChecksumType::as_str) {
            Some(dto::ChecksumType::FULL_OBJECT) => ChecksumKind::FullObject,
            Some(_) => ChecksumKind::Composite,
            None if algorithm == Algorithm::Crc64Nvme => ChecksumKind::FullObject,
            None => ChecksumKind::Composite,
        };
        let possible = match kind {
            ChecksumKind::FullObject => algorithm.crc().is_some(),
            ChecksumKind::Composite => algorithm != Algorithm::Crc64Nvme,
        };
        match possible {
            true => Ok(ChecksumPlan {
                algorithm,
                kind,
                is_requested: true,
            }),
            false => Err(s3_error!(
                InvalidRequest,
                "{} cannot be {} for a multipart upload.",
                algorithm.name(),
                kind.to_dto().as_str()
            )),
        }
    }

    /// The checksum of the whole from those of its parts, in order, each with its size.
    pub(super) fn join<'a>(
        self,
        parts: impl Iterator<Item = (&'a StoredChecksum, u64)>,
    ) -> S3Result<StoredChecksum> {
        let parts: Vec<(Vec<u8>, u64)> = parts
            .map(|(stored, size)| Ok((self.raw(stored)?, size)))
            .collect::<S3Result<_>>()?;
        let value = match (self.kind, self.algorithm.crc()) {
            (ChecksumKind::FullObject, Some((crc, width))) => join_crcs(crc, width, &parts),
            _ => self.hash_of_hashes(&parts)?,
        };
        Ok(StoredChecksum {
            algorithm: self.algorithm,
            kind: self.kind,
            value,
        })
    }

    fn raw(self, stored: &StoredChecksum) -> S3Result<Vec<u8>> {
        let raw = BASE64_STANDARD
            .decode(&stored.value)
            .ok()
            .filter(|_| stored.algorithm == self.algorithm);
        raw.ok_or_else(|| s3_error!(InvalidPart, "A part has no {} checksum.", self.algorithm.name()))
    }

    fn hash_of_hashes(self, parts: &[(Vec<u8>, u64)]) -> S3Result<String> {
        let mut hasher = self.algorithm.hasher();
        parts.iter().for_each(|(raw, _)| hasher.update(raw));
        let hash = self.algorithm.stored_checksum(&hasher.finalize())?;
        Ok(format!("{}-{}", hash.value, parts.len()))
    }
}

fn join_crcs(crc: CrcAlgorithm, width: usize, parts: &[(Vec<u8>, u64)]) -> String {
    let number = |raw: &[u8]| {
        raw.iter()
            .fold(0_u64, |number, byte| (number << 8) | u64::from(*byte))
    };
    let mut joined: Option<u64> = None;
    for (raw, size) in parts {
        joined = Some(match joined {
            None => number(raw),
            Some(before) => checksum_combine(crc, before, number(raw), *size),
        });
    }
    let bytes = joined.unwrap_or_default().to_be_bytes();
    BASE64_STANDARD.encode(&bytes[8 - width..])
}

/// Gathers the five checksum members of any of the protocol's inputs.
macro_rules! checksums_of {
    ($input:expr) => {
        s3s::dto::Checksum {
            checksum_crc32: $input.checksum_crc32.take(),
            checksum_crc32c: $input.checksum_crc32c.take(),
            checksum_crc64nvme: $input.checksum_crc64nvme.take(),
            checksum_sha1: $input.checksum_sha1.take(),
            checksum_sha256: $input.checksum_sha256.take(),
            checksum_type: None,
        }
    };
}

/// Puts a checksum into the five members of any of the protocol's outputs.
macro_rules! set_checksums {
    ($output:expr, $stored:expr) => {{
        let checksums = $crate::s3::checksum::to_dto($stored);
        $output.checksum_crc32 = checksums.checksum_crc32;
        $output.checksum_crc32c = checksums.checksum_crc32c;
        $output.checksum_crc64nvme = checksums.checksum_crc64nvme;
        $output.checksum_sha1 = checksums.checksum_sha1;
        $output.checksum_sha256 = checksums.checksum_sha256;
    }};
}

pub(super) use {checksums_of, set_checksums};

#[cfg(test)]
mod tests {
    use super::*;

    fn stored_checksum(algorithm: Algorithm, bytes: &[u8]) -> StoredChecksum {
        let mut hasher = algorithm.hasher();
        hasher.update(bytes);
        algorithm.stored_checksum(&hasher.finalize()).unwrap()
    }

    #[test]
    fn crcs_of_parts_join_to_the_crc_of_the_whole() {
        let parts: [&[u8]; 3] = [b"one part, ", b"another part, ", b"and the last"];
        for algorithm in [Algorithm::Crc32, Algorithm::Crc32c, Algorithm::Crc64Nvme] {
            let each: Vec<StoredChecksum> = parts
                .iter()
                .map(|part| stored_checksum(algorithm, part))
                .collect();
            let plan = ChecksumPlan {
                algorithm,
                kind: ChecksumKind::FullObject,
                is_requested: true,
            };
            let joined = plan
                .join(each.iter().zip(parts.iter().map(|part| part.len() as u64)))
                .unwrap();
            assert_eq!(joined, stored_checksum(algorithm, &parts.concat()));
        }
    }

    #[test]
    fn a_composite_checksum_says_how_many_parts_it_has() {
        let part = stored_checksum(Algorithm::Sha256, b"a");
        let plan = ChecksumPlan {
            algorithm: Algorithm::Sha256,
            kind: ChecksumKind::Composite,
            is_requested: true,
        };
        assert!(
            plan.join([(&part, 1), (&part, 1)].into_iter())
                .unwrap()
                .value
                .ends_with("-2")
        );
    }

    #[test]
    fn crc64_has_no_composite_form_and_hashes_no_full_one() {
        let full = dto::ChecksumType::from_static(dto::ChecksumType::FULL_OBJECT);
        let composite = dto::ChecksumType::from_static(dto::ChecksumType::COMPOSITE);
        assert!(ChecksumPlan::new(Some(Algorithm::Crc64Nvme), Some(&composite)).is_err());
        assert!(ChecksumPlan::new(Some(Algorithm::Sha256), Some(&full)).is_err());
        assert_eq!(
            ChecksumPlan::new(Some(Algorithm::Crc32), None).unwrap().kind,
            ChecksumKind::Composite
        );
    }
}
