//! The tutorial's dataset, carried in the program: ten numbers, even or odd.

use std::path::Path;

/// Its name.
pub(crate) const DATASET: &str = "numbers";

macro_rules! file {
    ($name:literal) => {
        ($name, include_str!(concat!("../../examples/numbers/", $name)))
    };
}

/// The spec comes last: when it is there, all files are.
pub(crate) const FILES: [(&str, &str); 11] = [
    file!("number-01.txt"),
    file!("number-02.txt"),
    file!("number-03.txt"),
    file!("number-04.txt"),
    file!("number-05.txt"),
    file!("number-06.txt"),
    file!("number-07.txt"),
    file!("number-08.txt"),
    file!("number-09.txt"),
    file!("number-10.txt"),
    file!("labeling.yaml"),
];

/// Writes it as a folder of its own below `drop`, through `change`.
pub(crate) fn write(drop: &Path, change: impl Fn(&str) -> String) -> std::io::Result<()> {
    let folder = drop.join(DATASET);
    std::fs::create_dir_all(&folder)?;
    for (name, text) in FILES {
        let text = if name == shared::layout::SPEC_FILE {
            change(text)
        } else {
            text.to_owned()
        };
        std::fs::write(folder.join(name), text)?;
    }
    Ok(())
}

/// The team that labels it, with the first sign-in as its only member.
const TEAM: (&str, &str) = (
    "numbers-team.yaml",
    include_str!("../../examples/teams/numbers-team.yaml"),
);

/// Writes the team's file below `drop`.
pub(crate) fn write_team(drop: &Path) -> std::io::Result<()> {
    let folder = drop.join(shared::layout::TEAMS);
    std::fs::create_dir_all(&folder)?;
    std::fs::write(folder.join(TEAM.0), TEAM.1)
}

/// The right answer to an item.
pub(crate) fn answer(text: &str) -> Option<&'static str> {
    let number: u64 = text.trim().parse().ok()?;
    Some(if number.is_multiple_of(2) { "Even" } else { "Odd" })
}

#[cfg(test)]
mod tests {
    use shared::spec::Spec;

    use super::*;

    #[test]
    fn the_examples_team_is_the_one_its_spec_names_and_can_be_read() {
        let spec = Spec::parse(FILES[10].1.as_bytes()).unwrap_or_else(|error| panic!("{error}"));
        let name = TEAM.0.trim_end_matches(".yaml");
        assert_eq!(spec.team, shared::spec::Team::Name(name.to_owned()));
        let team = shared::name::TeamName::new(name).unwrap();
        let file = shared::crew::TeamFile::parse(&team, TEAM.1.as_bytes());
        assert!(file.is_ok(), "{file:?}");
    }

    #[test]
    fn the_example_is_the_folder_and_its_spec_is_right() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples/numbers");
        let mut on_disk: Vec<String> = std::fs::read_dir(folder)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        on_disk.sort();
        let mut carried: Vec<&str> = FILES.iter().map(|(name, _)| *name).collect();
        carried.sort_unstable();
        assert_eq!(on_disk, carried);
        let spec = Spec::parse(FILES[10].1.as_bytes()).unwrap_or_else(|error| panic!("{error}"));
        let labels: Vec<&str> = spec.labels.iter().map(|label| label.name.as_str()).collect();
        assert_eq!(labels, ["Even", "Odd"]);
        assert!(
            FILES[..10]
                .iter()
                .all(|(_, text)| answer(text).is_some_and(|label| labels.contains(&label)))
        );
    }
}
