//! How a dropped file is read, by its extension.

/// How a file is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FileKind {
    /// `.txt`
    Text,
    /// `.csv`
    Csv,
    /// `.tsv`
    Tsv,
    /// `.jsonl`
    JsonLines,
    /// `.jpg`, `.jpeg`, `.jfif`, `.png`
    Image,
}

impl FileKind {
    /// By the extension, in any case.
    pub fn of(path: &str) -> Option<Self> {
        let name = path.rsplit('/').next().unwrap_or(path);
        let (_, extension) = name.rsplit_once('.')?;
        Some(match extension.to_ascii_lowercase().as_str() {
            "txt" => Self::Text,
            "csv" => Self::Csv,
            "tsv" => Self::Tsv,
            "jsonl" => Self::JsonLines,
            "jpg" | "jpeg" | "jfif" | "png" => Self::Image,
            _ => return None,
        })
    }
}
