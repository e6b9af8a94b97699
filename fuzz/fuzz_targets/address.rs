//! An entry of a team: an address that mail and Cognito take as it is, or a problem that is reported. Never both, never neither.
#![no_main]

use libfuzzer_sys::fuzz_target;
use shared::crew::TeamFile;
use shared::name::TeamName;

fuzz_target!(|entry: &str| {
    // A JSON string is a YAML string, but for what YAML does not allow in a file at all.
    let quoted = serde_json::Value::from(entry).to_string();
    let text = format!("organization: Lab\ncontact: a@example.org\ndescription: d\nworkers: [{quoted}]\n");
    let team = TeamName::new("numbers-team").unwrap();
    let Ok(file) = TeamFile::parse(&team, text.as_bytes()) else {
        return;
    };
    let team = file.cognito().unwrap();
    assert_eq!(team.workers.len() + team.unusable.len(), 1, "{entry:?}");
    let Some(worker) = team.workers.first() else {
        return;
    };
    let email = worker.email.as_str();
    assert_eq!(email, entry.trim());
    assert!(
        email.is_ascii() && email.len() <= 128 && email.matches('@').count() == 1,
        "{email:?}"
    );
    let fit = |c: char| c.is_ascii_graphic() && !"\"(),:;<>[\\]".contains(c);
    assert!(email.chars().all(fit), "{email:?}");
});
