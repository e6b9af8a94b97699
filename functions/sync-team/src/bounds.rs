//! What an operator lets a team file ask for.

use shared::crew::{AllowedDomains, MemberState, Roster, TeamFile, TeamProblem};

use shared::crew::SignIn;

/// The file without the people who may not be in a team. Who has joined already stays until the file leaves them out: a
/// setting that is changed, or misspelt, takes nobody's work away.
pub(crate) fn people(mut file: TeamFile, roster: &Roster, allowed: &AllowedDomains) -> TeamFile {
    let SignIn::Cognito(team) = &mut file.sign_in else {
        return file;
    };
    let has_joined = |person: &str| {
        let mut members = roster.members.iter();
        members.any(|member| member.person == person && member.state == MemberState::Joined)
    };
    let listed = std::mem::take(&mut team.workers);
    for worker in listed {
        if allowed.allows(&worker.email) || has_joined(&worker.person) {
            team.workers.push(worker);
        } else {
            team.unusable.push(TeamProblem {
                message: format!(
                    "`{}` is not invited: people have addresses at {} alone (AllowedEmailDomains)",
                    worker.email,
                    allowed.listed()
                ),
                line: Some(worker.line),
            });
        }
    }
    file
}
