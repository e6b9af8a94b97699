// The states of people in a team, as the page shows them.

/** The label, and what the state means in Cognito. */
export const STATES = {
  joined: ["joined", "Cognito: CONFIRMED. Has set a password and is in the team's group."],
  invited: ["invited", "Cognito: FORCE_CHANGE_PASSWORD. The invitation was sent; the temporary password has not been changed."],
  waiting: ["not invited yet", "There is no account in Cognito yet: the day's mail is used up, or the invitation comes in a moment."],
  expired: ["invitation expired", "Cognito: FORCE_CHANGE_PASSWORD, and the temporary password has expired. No more invitations are sent."],
  unreachable: ["cannot be reached", "The mail came back, or was refused. Correct the address in the team file."],
  leaving: ["leaving", "Removed from the file, and still in the team's group for a moment."],
  left: ["left", "Removed from the file and from the group. The account stays."],
};

export const label = (state) => STATES[state][0];
