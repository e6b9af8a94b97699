//! The domains in which an operator lets people be invited.

use shared::crew::{AllowedDomains, MemberState, Roster, SignIn, TeamFile, TeamProblem};

/// The file without the people who may not be invited. A person who has joined stays until the file leaves them out: a
/// setting that is changed, or misspelt, takes no one's work away.
pub(crate) fn without_other_domains(
    mut file: TeamFile,
    roster: &Roster,
    allowed: &AllowedDomains,
) -> TeamFile {
    let SignIn::Cognito(team) = &mut file.sign_in else {
        return file;
    };
    let has_joined = |person: &str| {
        let mut members = roster.members.iter();
        members.any(|member| member.person == person && member.state == MemberState::Joined)
    };
    for worker in std::mem::take(&mut team.workers) {
        if allowed.allows(&worker.email) || has_joined(&worker.person) {
            team.workers.push(worker);
        } else {
            team.unusable.push(TeamProblem {
                message: format!(
                    "`{}` is not invited: people have addresses at {} alone (AllowedEmailDomains)",
                    worker.email,
                    allowed.to_list()
                ),
                line: Some(worker.line),
            });
        }
    }
    file
}
