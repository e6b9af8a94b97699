//! Which of the dropped files are labelled.

use globset::{Glob, GlobBuilder, GlobSet, GlobSetBuilder};
use sha2::{Digest, Sha256};

/// A share, above 0 and at most 100.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Percent(f64);

impl Percent {
    pub fn new(percent: f64) -> Option<Self> {
        (percent > 0.0 && percent <= 100.0).then_some(Self(percent))
    }

    pub fn get(self) -> f64 {
        self.0
    }
}

/// `select:` of a spec. Without rules it selects everything.
#[derive(Clone, Debug, Default)]
pub struct Select {
    include: Patterns,
    exclude: Patterns,
    pub sample: Option<Percent>,
    /// Items of the dataset at most, over all batches.
    pub limit: Option<u64>,
}

impl PartialEq for Select {
    fn eq(&self, other: &Self) -> bool {
        (&self.include.globs, &self.exclude.globs, self.sample, self.limit)
            == (
                &other.include.globs,
                &other.exclude.globs,
                other.sample,
                other.limit,
            )
    }
}

impl Select {
    pub(crate) fn new(
        include: Patterns,
        exclude: Patterns,
        sample: Option<Percent>,
        limit: Option<u64>,
    ) -> Self {
        Self {
            include,
            exclude,
            sample,
            limit,
        }
    }

    /// Whether a file, by its path within the dataset's folder, is to be labelled. Depends on nothing else, so that
    /// a file is in or out whenever and however often it is asked for.
    pub fn selects(&self, path: &str) -> bool {
        (self.include.is_empty() || self.include.matches(path))
            && !self.exclude.matches(path)
            && self.sample.is_none_or(|share| in_sample(path, share))
    }
}

/// The first 53 bits of the path's hash, a fraction that an `f64` holds exactly, are below the share.
fn in_sample(path: &str, share: Percent) -> bool {
    let digest = Sha256::digest(path);
    let bits = digest
        .iter()
        .take(8)
        .fold(0_u64, |bits, byte| bits << 8 | u64::from(*byte))
        >> 11;
    let fraction = bits as f64 / (1_u64 << 53) as f64;
    fraction < share.get() / 100.0
}

/// Globs over paths, compiled once.
#[derive(Clone, Debug, Default)]
pub(crate) struct Patterns {
    globs: Vec<Glob>,
    set: GlobSet,
}

impl Patterns {
    pub(crate) fn new(globs: Vec<Glob>) -> Result<Self, globset::Error> {
        let mut set = GlobSetBuilder::new();
        for glob in &globs {
            set.add(glob.clone());
        }
        Ok(Self {
            set: set.build()?,
            globs,
        })
    }

    fn is_empty(&self) -> bool {
        self.globs.is_empty()
    }

    fn matches(&self, path: &str) -> bool {
        self.set.is_match(path)
    }
}

/// As in .gitignore: a pattern without a slash matches the file's name in any subfolder, one with a slash the path
/// from the dataset's folder; `folder/` is everything below it.
pub(crate) fn glob(pattern: &str) -> Result<Glob, globset::Error> {
    let rooted = pattern.trim_start_matches('/');
    let below = if rooted.ends_with('/') {
        format!("{rooted}**")
    } else {
        rooted.to_owned()
    };
    let anywhere = !pattern.trim_end_matches('/').contains('/');
    let pattern = if anywhere { format!("**/{below}") } else { below };
    GlobBuilder::new(&pattern)
        .literal_separator(true)
        .backslash_escape(true)
        .build()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn select(include: &[&str], exclude: &[&str]) -> Select {
        let patterns =
            |list: &[&str]| Patterns::new(list.iter().map(|p| glob(p).unwrap()).collect()).unwrap();
        Select::new(patterns(include), patterns(exclude), None, None)
    }

    #[test]
    fn patterns_match_as_in_a_gitignore() {
        for (pattern, path, matches) in [
            ("*.txt", "a.txt", true),
            ("*.txt", "deep/er/a.txt", true),
            ("*.txt", "a.TXT", false),
            ("*.txt", "a.txt.bak", false),
            ("/*.txt", "a.txt", true),
            ("/*.txt", "deep/a.txt", false),
            ("deep/*.txt", "deep/a.txt", true),
            ("deep/*.txt", "deep/er/a.txt", false),
            ("deep/**/*.txt", "deep/er/a.txt", true),
            ("deep/", "deep/er/a.txt", true),
            ("deep/", "x/deep/a.txt", true),
            ("/deep/", "x/deep/a.txt", false),
            ("*.{jpg,png}", "x/a.png", true),
            ("[ab]?.txt", "b1.txt", true),
            ("고양이*", "고양이-1.txt", true),
        ] {
            assert_eq!(select(&[pattern], &[]).selects(path), matches, "{pattern} {path}");
            assert_eq!(
                select(&[], &[pattern]).selects(path),
                !matches,
                "not {pattern} {path}"
            );
        }
        assert!(select(&[], &[]).selects("anything"));
        assert!(!select(&["*.txt"], &["draft*"]).selects("draft-1.txt"));
    }

    #[test]
    fn a_sample_is_the_same_every_time_and_as_large_as_asked_for() {
        let sample = |percent| Select {
            sample: Percent::new(percent),
            ..Select::default()
        };
        let chosen = |select: &Select| {
            (0..10_000)
                .filter(|n| select.selects(&format!("{n}.txt")))
                .collect::<Vec<_>>()
        };
        let fifth = chosen(&sample(20.0));
        assert!((1_800..2_200).contains(&fifth.len()), "{}", fifth.len());
        assert_eq!(fifth, chosen(&sample(20.0)));
        assert!(
            chosen(&sample(10.0)).iter().all(|n| fifth.contains(n)),
            "a larger sample keeps the smaller"
        );
        assert_eq!(chosen(&sample(100.0)).len(), 10_000);
    }
}
