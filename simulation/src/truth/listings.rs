//! What an invocation was shown: the truth behind the listings it got, whatever a port in between made of them.

use std::collections::BTreeMap;

use shared::port::Object;

use super::Truth;
use crate::time::{Ms, whole_second};
use crate::world::Upload;

/// The last listing an invocation got of a dataset.
#[derive(Debug, Default)]
pub(super) struct Look {
    /// Open when uploads were listed, and still open at the last page.
    pub(super) uploads: Vec<(u32, Upload)>,
    /// Files by key with their LastModified and ETag.
    pub(super) files: BTreeMap<String, (Ms, String)>,
    pub(super) ready: Option<Ms>,
    pub(super) by_hand: bool,
    /// The `Date` of the last page.
    pub(super) date: Ms,
}

impl Truth {
    pub(crate) fn saw_uploads(&mut self, of: u32, prefix: &str, uploads: Vec<(u32, Upload)>) {
        let look = Look {
            uploads,
            ..Look::default()
        };
        self.looks.insert((of, prefix.to_owned()), look);
    }

    /// `open` are the uploads that are open now.
    pub(crate) fn saw_page(
        &mut self,
        of: u32,
        prefix: &str,
        objects: &[Object],
        open: &BTreeMap<u32, Upload>,
        now: Ms,
    ) {
        let Some(look) = self.looks.get_mut(&(of, prefix.to_owned())) else {
            return;
        };
        look.uploads.retain(|(id, _)| open.contains_key(id));
        look.date = whole_second(now);
        for object in objects {
            let name = object.key.get(prefix.len()..).unwrap_or_default();
            let at = object.last_modified.as_millisecond() - crate::time::timestamp(0).as_millisecond();
            match name {
                "labeling.yaml" => {}
                "_READY" => look.ready = Some(at),
                _ => {
                    look.by_hand |= name.ends_with(".manifest");
                    let file = (at, object.etag.clone());
                    look.files.insert(object.key.clone(), file);
                }
            }
        }
    }
}
