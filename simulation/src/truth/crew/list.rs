//! Who belongs where is written down first: before a mail goes or a group is changed.

use std::collections::BTreeSet;

use serde_json::Value;
use shared::layout;

use super::super::{CheckResult, Promise, hold};
use super::{document, layout_roster, members};
use crate::time::Ms;
use crate::world::World;
use crate::world::objects::StoredVersion;

/// Whether a person's document names a team, and since when.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Listing {
    held: bool,
    since: Ms,
}

fn teams(person: &Value) -> BTreeSet<String> {
    let teams = person.get("teams").and_then(Value::as_object);
    teams
        .into_iter()
        .flatten()
        .map(|(team, _)| team.clone())
        .collect()
}

impl World {
    pub(super) fn person_written(
        &mut self,
        of: u32,
        person: &str,
        before: Option<&StoredVersion>,
    ) -> CheckResult {
        let before = teams(&document(before));
        let after = teams(&document(self.output.get(&layout::person(person))));
        let email = self.truth.crew.people.get(person).cloned().unwrap_or_default();
        for team in after.difference(&before) {
            hold(
                self.truth.crew.ever_named(team, &email),
                Promise::ListTrue,
                || format!("#{of} lists {email} for {team}, whose file never named them"),
            )?;
            self.record_listing(team, person, true);
        }
        for team in before.difference(&after) {
            hold(
                !self.truth.crew.always_named(team, &email),
                Promise::ListTrue,
                || format!("#{of} takes {team} from {email}, whom its file has always named"),
            )?;
            self.record_listing(team, person, false);
        }
        Ok(())
    }

    fn record_listing(&mut self, team: &str, person: &str, held: bool) {
        let listing = Listing {
            held,
            since: self.now,
        };
        let key = (team.to_owned(), person.to_owned());
        self.truth.crew.lists.insert(key, listing);
    }

    /// The person's document names the team, or did at some time since the invocation began; and so does the roster.
    pub(super) fn is_listed(&self, of: u32, team: &str, email: &str) -> CheckResult {
        let person = layout::person_id(email);
        let begun = self.truth.begun.get(&of).copied().unwrap_or_default();
        let key = (team.to_owned(), person);
        let listing = self.truth.crew.lists.get(&key).copied().unwrap_or_default();
        hold(
            listing.held || (listing.since >= begun && self.truth.crew.lists.contains_key(&key)),
            Promise::ListedFirst,
            || format!("#{of} serves {email} in {team} before the person's document names the team"),
        )?;
        let roster = members(&document(self.output.get(&layout_roster(team))));
        hold(roster.contains_key(&key.1), Promise::ListedFirst, || {
            format!("#{of} serves {email} in {team} before the roster does")
        })
    }

    /// The same of those who go.
    pub(super) fn is_unlisted(&self, of: u32, team: &str, email: &str) -> CheckResult {
        let key = (team.to_owned(), layout::person_id(email));
        let begun = self.truth.begun.get(&of).copied().unwrap_or_default();
        let listing = self.truth.crew.lists.get(&key).copied().unwrap_or_default();
        hold(
            !listing.held || listing.since >= begun,
            Promise::ListedFirst,
            || format!("#{of} takes {email} out of {team} while the person's document names the team"),
        )
    }
}
