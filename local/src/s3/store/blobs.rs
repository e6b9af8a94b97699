//! The files that hold what is too large for the index.
//!
//! A file is written under a temporary name, synced and renamed before the index learns of it, and removed
//! after the index forgot it. So the index never names a file that is not whole, and what a crash leaves
//! behind are files without a name in the index, swept when the store is next opened. No key is ever part of a path.

use std::{
    collections::HashSet,
    fs, io,
    path::{Path, PathBuf},
    sync::{Arc, Mutex},
};

use tokio::{fs::File, io::AsyncWriteExt};
use uuid::Uuid;

use super::record::Segment;
use crate::lock::lock;

/// Holding one keeps every file alive that the index named when it was taken.
#[derive(Clone)]
pub(in crate::s3) struct BlobPin(#[expect(dead_code, reason = "its life is what counts")] Arc<()>);

pub(in crate::s3) struct Blobs {
    folder: PathBuf,
    state: Mutex<State>,
}

struct State {
    current: Arc<()>,
    /// Files no longer named, each batch with the pins that were taken before it.
    retired: Vec<(Arc<()>, Vec<Uuid>)>,
}

const TEMPORARY: &str = "part-";

impl Blobs {
    /// Opens the folder and throws away what was being written when the last process ended.
    pub(in crate::s3) fn open(folder: PathBuf) -> io::Result<Blobs> {
        fs::create_dir_all(&folder)?;
        for entry in fs::read_dir(&folder)? {
            let entry = entry?;
            if entry.file_name().to_string_lossy().starts_with(TEMPORARY) {
                fs::remove_file(entry.path())?;
            }
        }
        Ok(Blobs {
            folder,
            state: Mutex::new(State {
                current: Arc::new(()),
                retired: Vec::new(),
            }),
        })
    }

    /// Every file there is, for a sweep. Taken before the store answers requests, so that no file it names is one
    /// that is just being stored.
    pub(in crate::s3) fn all(&self) -> io::Result<Vec<Uuid>> {
        let mut all = Vec::new();
        for entry in fs::read_dir(&self.folder)? {
            all.extend(
                entry?
                    .file_name()
                    .to_str()
                    .and_then(|name| Uuid::try_parse(name).ok()),
            );
        }
        Ok(all)
    }

    pub(in crate::s3) fn sweep(&self, present: Vec<Uuid>, named: &HashSet<Uuid>) {
        let orphans: Vec<Uuid> = present.into_iter().filter(|blob| !named.contains(blob)).collect();
        if !orphans.is_empty() {
            tracing::info!(files = orphans.len(), "removing files of interrupted uploads");
        }
        orphans.into_iter().for_each(|blob| self.remove(blob));
    }

    /// Must be taken before the index is read, held while the files it names are read.
    pub(in crate::s3) fn pin(&self) -> BlobPin {
        BlobPin(self.lock().current.clone())
    }

    /// Marks files for removal that the index, as committed, no longer names.
    pub(in crate::s3) fn retire(&self, blobs: Vec<Uuid>) {
        if blobs.is_empty() {
            return;
        }
        let mut state = self.lock();
        let before = std::mem::replace(&mut state.current, Arc::new(()));
        state.retired.push((before, blobs));
    }

    /// Removes the retired files that no request can be reading any more. A pin holds only what was retired after it was
    /// taken, but pins of an earlier epoch may read later retired files too: hence only from the front.
    pub(in crate::s3) fn collect(&self) {
        let free: Vec<Uuid> = {
            let mut state = self.lock();
            let free = state
                .retired
                .iter()
                .take_while(|(pins, _)| Arc::strong_count(pins) == 1)
                .count();
            state.retired.drain(..free).flat_map(|(_, blobs)| blobs).collect()
        };
        free.into_iter().for_each(|blob| self.remove(blob));
    }

    pub(in crate::s3) fn path(&self, blob: Uuid) -> PathBuf {
        self.folder.join(blob.to_string())
    }

    /// A new file, to be written and then sealed.
    pub(in crate::s3) async fn draft(self: &Arc<Self>) -> io::Result<BlobDraft> {
        let blob = Uuid::new_v4();
        let path = self.folder.join(format!("{TEMPORARY}{blob}"));
        let file = File::create_new(&path).await?;
        Ok(BlobDraft {
            blob,
            file,
            on_disk: RemoveOnDrop(Some(path)),
            blobs: self.clone(),
            size: 0,
        })
    }

    /// A second name for the bytes of a segment; a copy where the file system has no links.
    pub(in crate::s3) fn duplicate(self: &Arc<Self>, segment: Segment) -> io::Result<SealedBlob> {
        let (from, blob) = (self.path(segment.blob), Uuid::new_v4());
        let to = self.path(blob);
        if fs::hard_link(&from, &to).is_err() {
            fs::copy(&from, &to)?;
            fs::File::open(&to)?.sync_all()?;
        }
        sync_folder(&self.folder)?;
        Ok(SealedBlob {
            segment: Segment {
                blob,
                size: segment.size,
            },
            on_disk: RemoveOnDrop(Some(to)),
        })
    }

    fn remove(&self, blob: Uuid) {
        if let Err(error) = fs::remove_file(self.path(blob))
            && error.kind() != io::ErrorKind::NotFound
        {
            tracing::warn!(%blob, %error, "failed to remove a file of the object store");
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, State> {
        lock(&self.state)
    }
}

/// Removes the file unless it was renamed or kept.
struct RemoveOnDrop(Option<PathBuf>);

impl Drop for RemoveOnDrop {
    fn drop(&mut self) {
        if let Some(path) = self.0.take() {
            // A file that stays is swept when the store is next opened.
            let _ = fs::remove_file(path);
        }
    }
}

/// A file being written; removed if it is dropped.
pub(in crate::s3) struct BlobDraft {
    blob: Uuid,
    file: File,
    on_disk: RemoveOnDrop,
    blobs: Arc<Blobs>,
    size: u64,
}

impl BlobDraft {
    pub(in crate::s3) async fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.size += bytes.len() as u64;
        self.file.write_all(bytes).await
    }

    /// Syncs the file and gives it its own name.
    pub(in crate::s3) async fn seal(mut self) -> io::Result<SealedBlob> {
        self.file.flush().await?;
        self.file.sync_all().await?;
        let (to, folder) = (self.blobs.path(self.blob), self.blobs.folder.clone());
        let segment = Segment {
            blob: self.blob,
            size: self.size,
        };
        tokio::task::spawn_blocking(move || {
            let on_disk = self.on_disk.rename(to)?;
            sync_folder(&folder)?;
            Ok(SealedBlob { segment, on_disk })
        })
        .await
        .map_err(io::Error::other)?
    }
}

impl RemoveOnDrop {
    fn rename(&mut self, to: PathBuf) -> io::Result<RemoveOnDrop> {
        if let Some(from) = &self.0 {
            fs::rename(from, &to)?;
        }
        self.0 = None;
        Ok(RemoveOnDrop(Some(to)))
    }
}

/// A file that is whole; removed if it is dropped before it was kept.
pub(in crate::s3) struct SealedBlob {
    segment: Segment,
    on_disk: RemoveOnDrop,
}

impl SealedBlob {
    /// The index is about to name it.
    pub(in crate::s3) fn keep(mut self) -> Segment {
        self.on_disk.0 = None;
        self.segment
    }
}

/// A rename lasts only once the folder was synced too.
fn sync_folder(folder: &Path) -> io::Result<()> {
    fs::File::open(folder)?.sync_all()
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn store_sample(blobs: &Arc<Blobs>) -> Uuid {
        let mut draft = blobs.draft().await.unwrap();
        draft.write(b"bytes").await.unwrap();
        draft.seal().await.unwrap().keep().blob
    }

    #[tokio::test]
    async fn a_file_that_is_being_read_outlives_its_name() {
        let folder = tempfile::tempdir().unwrap();
        let blobs = Arc::new(Blobs::open(folder.path().join("blobs")).unwrap());
        let blob = store_sample(&blobs).await;
        let reader = blobs.pin();
        blobs.retire(vec![blob]);
        blobs.collect();
        assert!(blobs.path(blob).exists());
        drop(reader);
        blobs.collect();
        assert!(!blobs.path(blob).exists());
    }

    #[tokio::test]
    async fn a_reader_holds_files_retired_in_later_rounds_too() {
        let folder = tempfile::tempdir().unwrap();
        let blobs = Arc::new(Blobs::open(folder.path().join("blobs")).unwrap());
        let (first, second) = (store_sample(&blobs).await, store_sample(&blobs).await);
        let reader = blobs.pin();
        blobs.retire(vec![first]);
        blobs.retire(vec![second]);
        blobs.collect();
        assert!(blobs.path(second).exists());
        drop(reader);
        blobs.collect();
        assert!(blobs.all().unwrap().is_empty());
    }

    #[tokio::test]
    async fn what_was_not_kept_leaves_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let blobs = Arc::new(Blobs::open(folder.path().join("blobs")).unwrap());
        drop(blobs.draft().await.unwrap().seal().await.unwrap());
        drop(blobs.draft().await.unwrap());
        assert_eq!(fs::read_dir(folder.path().join("blobs")).unwrap().count(), 0);
    }
}
