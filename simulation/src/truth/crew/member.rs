//! Groups and tokens: who is put in, who is taken out, and what a sign-in brings.

use serde_json::Value;
use shared::layout;

use super::super::{CheckResult, Promise, hold};
use crate::crew::SignIn;
use crate::world::World;

impl World {
    fn is_no_group_of_others(&self, of: u32, group: &str) -> CheckResult {
        let of_others = self.truth.crew.groups_of_others.contains(group);
        hold(!of_others, Promise::OthersUntouched, || {
            format!("#{of} changes who is in {group}, which others made")
        })
    }

    /// A function changed a work team.
    pub(crate) fn is_no_team_of_others(&self, of: u32, team: &str) -> CheckResult {
        let of_others = self.truth.crew.teams_of_others.contains(team);
        hold(!of_others, Promise::OthersUntouched, || {
            format!("#{of} changes the work team {team}, which others made")
        })
    }

    /// A function put an account into a group.
    pub(crate) fn put_in(&mut self, of: u32, username: &str, group: &str) -> CheckResult {
        self.is_no_group_of_others(of, group)?;
        let account = self.pool.by_name(username);
        let email = account.filter(|account| account.verified);
        let email = email.map(|account| account.email.to_lowercase());
        let Some(email) = email.filter(|email| self.truth.crew.ever_named(group, email)) else {
            let detail = || format!("#{of} puts {account:?} into {group}, whose file never named them");
            return hold(false, Promise::MemberTrue, detail);
        };
        let key = (group.to_owned(), username.to_owned());
        self.truth.crew.ever_in.insert(key);
        self.is_listed(of, group, &email)
    }

    /// A function took an account out of a group.
    pub(crate) fn taken_out(&mut self, of: u32, username: &str, group: &str) -> CheckResult {
        self.is_no_group_of_others(of, group)?;
        let email = self
            .pool
            .by_name(username)
            .map(|account| account.email.to_lowercase());
        let email = email.unwrap_or_default();
        let crew = &self.truth.crew;
        let asked = crew.files.contains_key(group) && !crew.always_named(group, &email);
        hold(asked, Promise::MemberTrue, || {
            format!("#{of} takes {email} out of {group}, and no file asked for it")
        })?;
        self.is_unlisted(of, group, &email)
    }

    /// The trigger of a sign-in has answered.
    pub(crate) fn sign_in_answered(
        &mut self,
        of: u32,
        sign_in: &SignIn,
        answer: &Result<Value, lambda::HandlerError>,
    ) -> CheckResult {
        match answer {
            Ok(answer) => self.signed_in(of, sign_in, answer),
            Err(error) => hold(false, Promise::SignInPasses, || {
                format!("#{of} stops the sign-in of {}: {error}", sign_in.who.email)
            }),
        }
    }

    fn signed_in(&mut self, of: u32, sign_in: &SignIn, answer: &Value) -> CheckResult {
        let who = &sign_in.who;
        let token = sign_in.token_of(answer);
        let kept = who.groups.iter().all(|group| token.contains(group));
        hold(kept, Promise::SignInPasses, || {
            format!("#{of}: the token of {} loses groups: {token:?}", who.email)
        })?;
        let given = |group: &&String| !who.groups.contains(group);
        let ours = |group: &String| {
            let key = (group.clone(), who.username.clone());
            sign_in.is_ours() && who.verified && self.truth.crew.ever_in.contains(&key)
        };
        let foreign = token.iter().filter(given).find(|group| !ours(group));
        hold(foreign.is_none(), Promise::MemberTrue, || {
            format!(
                "#{of}: the token of {} has {foreign:?}, and they are not in it",
                who.email
            )
        })?;
        self.member_at_once(of, sign_in, &token)
    }

    fn member_at_once(
        &self,
        of: u32,
        sign_in: &SignIn,
        token: &std::collections::BTreeSet<String>,
    ) -> CheckResult {
        let (who, crew) = (&sign_in.who, &self.truth.crew);
        let begun = self.truth.begun.get(&of).copied().unwrap_or_default();
        let well = self.fares_well(of) && !crew.is_troubled(of);
        if !well || !sign_in.is_token() || !sign_in.is_ours() || !who.verified {
            return Ok(());
        }
        let (person, email) = (layout::person_id(&who.email), who.email.to_lowercase());
        let expected = crew.files.keys().filter(|team| {
            let called = crew.called.get(&((*team).clone(), person.clone()));
            called.is_some_and(|since| *since <= begun)
                && crew.always_named(team, &email)
                && !crew.disturbed.contains(*team)
                && !crew.deleted.contains_key(&email)
        });
        let missing = expected.into_iter().find(|team| !token.contains(*team));
        hold(missing.is_none(), Promise::MemberAtOnce, || {
            format!("#{of}: the token of {email} lacks {missing:?}: {token:?}")
        })
    }
}
