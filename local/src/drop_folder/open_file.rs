//! Opening the file that was scanned, and no other: between scan and upload another process may put a link in its place, or
//! in the place of a folder above it, and a link could lead to anything on this machine.

use std::fs::File;
use std::os::fd::OwnedFd;
use std::path::Path;

use rustix::fs::{Mode, OFlags, open, openat};
use rustix::io::Errno;

use super::scan::{ScannedFile, Stamp};

const STEP: OFlags = OFlags::RDONLY.union(OFlags::CLOEXEC).union(OFlags::NOFOLLOW);

/// Each step is taken from the folder before it, which is held open: no path is walked twice.
pub(super) fn open_scanned(folder: &Path, found: &ScannedFile) -> Result<File, String> {
    let (ways, name) = found.key.rsplit_once('/').unwrap_or(("", &found.key));
    let root = open(folder, OFlags::RDONLY | OFlags::CLOEXEC, Mode::empty());
    let mut at: OwnedFd = root.map_err(explain)?;
    for way in ways.split_terminator('/') {
        at = openat(&at, way, STEP | OFlags::DIRECTORY, Mode::empty()).map_err(explain)?;
    }
    // Without waiting: opening a pipe in its place would wait for a writer.
    let file = openat(&at, name, STEP | OFlags::NONBLOCK, Mode::empty()).map_err(explain)?;
    let file = File::from(file);
    let metadata = file.metadata().map_err(|error| error.to_string())?;
    if !metadata.is_file() || Stamp::of(&metadata) != found.stamp {
        return Err("it has changed since it was scanned".to_owned());
    }
    Ok(file)
}

fn explain(error: Errno) -> String {
    match error {
        Errno::LOOP | Errno::NOTDIR => {
            "it, or a folder above it, has become a link; copy the file itself".to_owned()
        }
        Errno::NOENT => "it has gone".to_owned(),
        other => std::io::Error::from(other).to_string(),
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::io::Read as _;
    use std::os::unix::fs::symlink;

    use super::super::scan;
    use super::*;

    struct Scene {
        folder: tempfile::TempDir,
        outside: tempfile::TempDir,
        found: ScannedFile,
    }

    /// `set/deep/1.txt`, scanned; a file of the same size and time outside.
    fn scene() -> Scene {
        let (folder, outside) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        fs::create_dir_all(folder.path().join("set/deep")).unwrap();
        let inside = folder.path().join("set/deep/1.txt");
        fs::write(&inside, "inside").unwrap();
        let secret = outside.path().join("1.txt");
        fs::write(&secret, "secret").unwrap();
        let modified = fs::metadata(&inside).unwrap().modified().unwrap();
        File::options()
            .write(true)
            .open(&secret)
            .unwrap()
            .set_modified(modified)
            .unwrap();
        let found = scan::scan(folder.path()).files.remove(0);
        Scene {
            folder,
            outside,
            found,
        }
    }

    impl Scene {
        fn open(&self) -> Result<String, String> {
            let mut text = String::new();
            let mut file = open_scanned(self.folder.path(), &self.found)?;
            file.read_to_string(&mut text)
                .map_err(|error| error.to_string())?;
            Ok(text)
        }

        /// Something else in the place of what was there.
        fn put_in_place_of(&self, path: &str, put: impl FnOnce(&Path)) {
            let path = self.folder.path().join(path);
            fs::rename(&path, path.with_extension("aside")).unwrap();
            put(&path);
        }
    }

    #[test]
    fn a_link_that_has_taken_a_files_place_is_not_followed() {
        let scene = scene();
        assert_eq!(scene.open().unwrap(), "inside");
        scene.put_in_place_of("set/deep/1.txt", |path| {
            symlink(scene.outside.path().join("1.txt"), path).unwrap();
        });
        assert!(scene.open().unwrap_err().contains("link"));
    }

    #[test]
    fn a_link_that_has_taken_a_folders_place_is_not_followed() {
        for folder in ["set/deep", "set"] {
            let scene = scene();
            fs::create_dir(scene.outside.path().join("deep")).unwrap();
            fs::rename(
                scene.outside.path().join("1.txt"),
                scene.outside.path().join("deep/1.txt"),
            )
            .unwrap();
            let target = scene
                .outside
                .path()
                .join(folder.trim_start_matches("set").trim_matches('/'));
            scene.put_in_place_of(folder, |path| symlink(target, path).unwrap());
            assert!(
                scene.folder.path().join("set/deep/1.txt").exists(),
                "the link leads to a file"
            );
            assert!(scene.open().unwrap_err().contains("link"), "{folder}");
        }
    }

    #[test]
    fn a_pipe_or_another_file_in_its_place_is_refused() {
        let scene = scene();
        scene.put_in_place_of("set/deep/1.txt", |path| {
            let made = std::process::Command::new("mkfifo").arg(path).status();
            assert!(made.unwrap().success());
        });
        assert!(scene.open().unwrap_err().contains("changed"));
        fs::remove_file(scene.folder.path().join("set/deep/1.txt")).unwrap();
        assert!(scene.open().unwrap_err().contains("gone"));
        fs::write(scene.folder.path().join("set/deep/1.txt"), "something longer").unwrap();
        assert!(scene.open().unwrap_err().contains("changed"));
    }
}
