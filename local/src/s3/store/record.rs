//! How an object, an upload and a part are written down in the index.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::s3::checksum::Stored;

/// What a listing shows of an object. Written before the rest, so that listing reads no further than this.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::s3) struct Head {
    pub(in crate::s3) size: u64,
    /// Unix seconds: AWS's `LastModified` knows no fractions.
    pub(in crate::s3) modified: i64,
    /// Without quotes.
    pub(in crate::s3) etag: String,
}

/// One object as the index has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::s3) struct ObjectRecord {
    pub(in crate::s3) head: Head,
    pub(in crate::s3) rest: Rest,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::s3) struct Rest {
    pub(in crate::s3) bytes: Whereabouts,
    pub(in crate::s3) about: About,
    pub(in crate::s3) checksum: Option<Stored>,
    /// The multipart upload it was completed from: its completion may be asked for again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(in crate::s3) upload: Option<String>,
}

/// Where an object's bytes lie.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::s3) enum Whereabouts {
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
pub(in crate::s3) struct About {
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
    pub(in crate::s3) about: About,
    pub(in crate::s3) plan: crate::s3::checksum::Plan,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::s3) struct PartRecord {
    pub(in crate::s3) segment: Segment,
    /// Hexadecimal MD5.
    pub(in crate::s3) etag: String,
    pub(in crate::s3) modified: i64,
    /// By the upload's plan.
    pub(in crate::s3) checksum: Stored,
    /// By the algorithm the client sent it with.
    pub(in crate::s3) echo: Stored,
}

/// A record in the index that this version cannot read.
#[derive(Debug, thiserror::Error)]
#[error("a record of the index is damaged: {0}")]
pub(in crate::s3) struct Damaged(pub(in crate::s3) String);

const VERSION: u8 = 1;
const FIXED: usize = 1 + 8 + 8 + 1;

impl ObjectRecord {
    /// version, size, modified, length of the ETag, ETag; then the rest as JSON.
    pub(in crate::s3) fn encode(&self) -> Result<Vec<u8>, Damaged> {
        let etag_length = u8::try_from(self.head.etag.len()).map_err(|e| Damaged(e.to_string()))?;
        let mut bytes = Vec::with_capacity(256);
        bytes.push(VERSION);
        bytes.extend(self.head.size.to_be_bytes());
        bytes.extend(self.head.modified.to_be_bytes());
        bytes.push(etag_length);
        bytes.extend(self.head.etag.as_bytes());
        serde_json::to_writer(&mut bytes, &self.rest).map_err(|e| Damaged(e.to_string()))?;
        Ok(bytes)
    }

    pub(in crate::s3) fn decode(bytes: &[u8]) -> Result<Self, Damaged> {
        let (head, rest) = Head::split(bytes)?;
        let rest = serde_json::from_slice(rest).map_err(|e| Damaged(e.to_string()))?;
        Ok(ObjectRecord { head, rest })
    }

    pub(in crate::s3) fn segments(&self) -> &[Segment] {
        match &self.rest.bytes {
            Whereabouts::Inline => &[],
            Whereabouts::Files(segments) => segments,
        }
    }
}

impl Head {
    pub(in crate::s3) fn decode(bytes: &[u8]) -> Result<Self, Damaged> {
        Head::split(bytes).map(|(head, _)| head)
    }

    fn split(bytes: &[u8]) -> Result<(Head, &[u8]), Damaged> {
        let fixed: &[u8; FIXED] = bytes.first_chunk().ok_or_else(|| Damaged("too short".into()))?;
        if fixed[0] != VERSION {
            return Err(Damaged(format!(
                "version {} where {VERSION} was expected",
                fixed[0]
            )));
        }
        let after = &bytes[FIXED..];
        let (etag, rest) = after
            .split_at_checked(usize::from(fixed[FIXED - 1]))
            .ok_or_else(|| Damaged("the ETag is cut off".into()))?;
        let etag = std::str::from_utf8(etag)
            .map_err(|e| Damaged(e.to_string()))?
            .to_owned();
        Ok((
            Head {
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
        let bytes = Whereabouts::Files(vec![Segment {
            blob: Uuid::new_v4(),
            size: 7,
        }]);
        let about = About {
            content_type: Some("text/plain".into()),
            ..About::default()
        };
        ObjectRecord {
            head: Head {
                size: 7,
                modified: 1_790_000_000,
                etag: "d41d8cd98f00b204e9800998ecf8427e-1".into(),
            },
            rest: Rest {
                bytes,
                about,
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
        assert_eq!(Head::decode(&bytes).unwrap(), read.head);
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
