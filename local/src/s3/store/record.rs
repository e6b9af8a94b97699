//! How an object, an upload and a part are written down in the index.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::s3::checksum::StoredChecksum;

/// What a listing shows of an object. Written before the details, so that listing reads no further than this.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::s3) struct ObjectHead {
    pub(in crate::s3) size: u64,
    /// Unix seconds: AWS's `LastModified` knows no fractions.
    pub(in crate::s3) modified: i64,
    /// Without quotes.
    pub(in crate::s3) etag: String,
}

/// One object as the index has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::s3) struct ObjectRecord {
    pub(in crate::s3) head: ObjectHead,
    pub(in crate::s3) details: ObjectDetails,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::s3) struct ObjectDetails {
    pub(in crate::s3) bytes: BytesLocation,
    pub(in crate::s3) description: ObjectDescription,
    pub(in crate::s3) checksum: Option<StoredChecksum>,
    /// The multipart upload it was completed from: its completion may be asked for again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(in crate::s3) upload: Option<String>,
}

/// Where an object's bytes are.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::s3) enum BytesLocation {
    /// Beside the index, under the object's own key.
    Inline,
    /// In files, one after the other. Several when the object came in parts.
    Files(Vec<Segment>),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::s3) struct Segment {
    #[serde(with = "as_text")]
    pub(in crate::s3) blob: Uuid,
    pub(in crate::s3) size: u64,
}

mod as_text {
    use serde::{Deserialize, Deserializer, Serializer, de::Error};
    use uuid::Uuid;

    pub(super) fn serialize<S: Serializer>(blob: &Uuid, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(&blob.simple())
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Uuid, D::Error> {
        Uuid::try_parse(&String::deserialize(from)?).map_err(D::Error::custom)
    }
}

/// What the uploader said of the object, given back with it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::s3) struct ObjectDescription {
    pub(in crate::s3) content_type: Option<String>,
    pub(in crate::s3) content_encoding: Option<String>,
    pub(in crate::s3) content_language: Option<String>,
    pub(in crate::s3) content_disposition: Option<String>,
    pub(in crate::s3) cache_control: Option<String>,
    /// Unix seconds.
    pub(in crate::s3) expires: Option<i64>,
    pub(in crate::s3) metadata: BTreeMap<String, String>,
    pub(in crate::s3) tags: Vec<(String, String)>,
}

/// A multipart upload that is neither completed nor aborted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::s3) struct UploadRecord {
    /// Unix seconds. Becomes the object's `LastModified`, as on AWS.
    pub(in crate::s3) initiated: i64,
    pub(in crate::s3) description: ObjectDescription,
    pub(in crate::s3) plan: crate::s3::checksum::ChecksumPlan,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::s3) struct PartRecord {
    pub(in crate::s3) segment: Segment,
    /// Hexadecimal MD5.
    pub(in crate::s3) etag: String,
    pub(in crate::s3) modified: i64,
    /// By the upload's plan.
    pub(in crate::s3) checksum: StoredChecksum,
    /// By the algorithm the client sent it with.
    pub(in crate::s3) client_checksum: StoredChecksum,
}

/// A record in the index that this version cannot read.
#[derive(Debug, thiserror::Error)]
#[error("a record of the index is damaged: {0}")]
pub(in crate::s3) struct DamagedRecord(pub(in crate::s3) String);

const VERSION: u8 = 1;
const FIXED: usize = 1 + 8 + 8 + 1;

impl ObjectRecord {
    /// version, size, modified, length of the ETag, ETag; then the rest as JSON.
    pub(in crate::s3) fn encode(&self) -> Result<Vec<u8>, DamagedRecord> {
        let etag_length = u8::try_from(self.head.etag.len()).map_err(|e| DamagedRecord(e.to_string()))?;
        let mut bytes = Vec::with_capacity(256);
        bytes.push(VERSION);
        bytes.extend(self.head.size.to_be_bytes());
        bytes.extend(self.head.modified.to_be_bytes());
        bytes.push(etag_length);
        bytes.extend(self.head.etag.as_bytes());
        serde_json::to_writer(&mut bytes, &self.details).map_err(|e| DamagedRecord(e.to_string()))?;
        Ok(bytes)
    }

    pub(in crate::s3) fn decode(bytes: &[u8]) -> Result<Self, DamagedRecord> {
        let (head, details) = ObjectHead::split(bytes)?;
        let details = serde_json::from_slice(details).map_err(|e| DamagedRecord(e.to_string()))?;
        Ok(ObjectRecord { head, details })
    }

    /// Whether it came in parts: its ETag is then that of the parts' MD5s, and ends in their number.
    pub(in crate::s3) fn is_multipart(&self) -> bool {
        self.head.etag.contains('-')
    }

    pub(in crate::s3) fn segments(&self) -> &[Segment] {
        match &self.details.bytes {
            BytesLocation::Inline => &[],
            BytesLocation::Files(segments) => segments,
        }
    }
}

impl ObjectHead {
    pub(in crate::s3) fn decode(bytes: &[u8]) -> Result<Self, DamagedRecord> {
        ObjectHead::split(bytes).map(|(head, _)| head)
    }

    fn split(bytes: &[u8]) -> Result<(ObjectHead, &[u8]), DamagedRecord> {
        let fixed: &[u8; FIXED] = bytes
            .first_chunk()
            .ok_or_else(|| DamagedRecord("too short".into()))?;
        if fixed[0] != VERSION {
            return Err(DamagedRecord(format!(
                "version {} where {VERSION} was expected",
                fixed[0]
            )));
        }
        let after = &bytes[FIXED..];
        let (etag, rest) = after
            .split_at_checked(usize::from(fixed[FIXED - 1]))
            .ok_or_else(|| DamagedRecord("the ETag is cut off".into()))?;
        let etag = std::str::from_utf8(etag)
            .map_err(|e| DamagedRecord(e.to_string()))?
            .to_owned();
        Ok((
            ObjectHead {
                size: u64::from_be_bytes(eight(fixed, 1)),
                modified: i64::from_be_bytes(eight(fixed, 9)),
                etag,
            },
            rest,
        ))
    }
}

fn eight(fixed: &[u8; FIXED], from: usize) -> [u8; 8] {
    let mut eight = [0; 8];
    eight.copy_from_slice(&fixed[from..from + 8]);
    eight
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record() -> ObjectRecord {
        let bytes = BytesLocation::Files(vec![Segment {
            blob: Uuid::new_v4(),
            size: 7,
        }]);
        let description = ObjectDescription {
            content_type: Some("text/plain".into()),
            ..ObjectDescription::default()
        };
        ObjectRecord {
            head: ObjectHead {
                size: 7,
                modified: 1_790_000_000,
                etag: "d41d8cd98f00b204e9800998ecf8427e-1".into(),
            },
            details: ObjectDetails {
                bytes,
                description,
                checksum: None,
                upload: None,
            },
        }
    }

    #[test]
    fn a_record_reads_back_as_it_was_written() {
        let bytes = record().encode().unwrap();
        let read = ObjectRecord::decode(&bytes).unwrap();
        assert_eq!(read.encode().unwrap(), bytes);
        assert_eq!(ObjectHead::decode(&bytes).unwrap(), read.head);
    }

    #[test]
    fn a_cut_record_is_an_error_not_a_panic() {
        let bytes = record().encode().unwrap();
        for length in 0..bytes.len() {
            assert!(
                ObjectRecord::decode(&bytes[..length]).is_err(),
                "{length} of {} bytes",
                bytes.len()
            );
        }
    }
}
