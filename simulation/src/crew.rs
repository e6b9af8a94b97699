//! People and their teams: what admins and the people themselves do in a schedule.

mod act;
mod plan;
mod sign_in;

pub(crate) use act::{CrewAct, MISNAMED};
pub(crate) use plan::{ADMINISTRATOR, CrewPlan, STRANGER, draw};
pub(crate) use sign_in::SignIn;

/// A version of a team file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Version {
    pub(crate) team: &'static str,
    /// As written. What cannot be used is none of them.
    pub(crate) people: Vec<String>,
    /// Lists what is no address, and the first of its people twice.
    pub(crate) bad_entries: bool,
    pub(crate) notify: bool,
    /// Cannot be read at all.
    pub(crate) broken: bool,
    /// No two versions are the same.
    pub(crate) number: u32,
}

impl Version {
    pub(crate) fn key(&self) -> String {
        format!("teams/{}.yaml", self.team)
    }

    pub(crate) fn text(&self) -> String {
        let mut text = format!(
            "organization: Example Lab\ncontact: labels@example.org\ndescription: Version {}\nnotify_workers: {}\n",
            self.number, self.notify
        );
        if self.broken {
            text.push_str("workers: [ana@example.org\n");
            return text;
        }
        text.push_str("workers:\n");
        for address in &self.people {
            text.push_str(&format!("- {address}\n"));
        }
        if self.bad_entries {
            text.push_str("- not an address\n");
            if let Some(first) = self.people.first() {
                text.push_str(&format!("- {}\n", first.to_uppercase()));
            }
        }
        if self.people.is_empty() && !self.bad_entries {
            text = text.replace("workers:\n", "workers: []\n");
        }
        text
    }
}
