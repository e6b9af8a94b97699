//! The user pool as the functions see it through the port, faults and all.

use std::fmt::Debug;

use shared::port::CreateOutcome;
use shared::port::crew::{Account, ClientUrls, CrewError, Directory, Group, InviteOutcome};

use super::World;
use super::calls::Turn;
use super::pool::{MailOutcome, PoolAccount};
use super::store::Port;
use crate::fault::Fault;
use crate::time::timestamp;

pub(super) fn unavailable(operation: &'static str, reason: &str) -> CrewError {
    CrewError::Transient {
        operation,
        reason: reason.to_owned(),
    }
}

/// Which service is asked, and what may happen to it.
#[derive(Clone, Copy)]
pub(super) struct CallKind {
    pub(super) operation: &'static str,
    pub(super) throttled: Fault,
    pub(super) lost: Fault,
}

const fn pool(operation: &'static str) -> CallKind {
    CallKind {
        operation,
        throttled: Fault::PoolThrottled,
        lost: Fault::PoolResponseLost,
    }
}

impl Port {
    pub(super) async fn look<T: Debug>(
        &self,
        asked: CallKind,
        about: &str,
        look: impl FnOnce(&mut World) -> T + Send,
    ) -> Result<T, CrewError> {
        let of = Turn::of(&self.0).await;
        let mut world = self.0.lock();
        world.cost.gets += 1;
        let CallKind {
            operation, throttled, ..
        } = asked;
        if world.refuses(of, throttled) {
            world.note(|| format!("#{of} {operation} {about}: throttled"));
            return Err(unavailable(operation, "throttled"));
        }
        let seen = look(&mut world);
        world.note(|| format!("#{of} {operation} {about}: {seen:?}"));
        Ok(seen)
    }

    pub(super) async fn change<T: Debug>(
        &self,
        asked: CallKind,
        about: String,
        change: impl Fn(&mut World, u32) -> T + Clone + Send + 'static,
    ) -> Result<T, CrewError> {
        let CallKind {
            operation,
            throttled,
            lost,
        } = asked;
        let who = self.0.lock().calls.current;
        let late = {
            let (about, change) = (about.clone(), change.clone());
            move |world: &mut World| {
                let done = change(world, who);
                world.note(|| format!("#{who} {operation} {about} after its end: {done:?}"));
            }
        };
        let of = Turn::to_write(&self.0, Box::new(late)).await;
        let mut world = self.0.lock();
        world.cost.writes += 1;
        if world.refuses(of, throttled) {
            world.note(|| format!("#{of} {operation} {about}: throttled"));
            return Err(unavailable(operation, "throttled"));
        }
        let lost = world.strikes(lost);
        let done = change(&mut world, of);
        world.note(|| {
            let lost = if lost { ", and the answer is lost" } else { "" };
            format!("#{of} {operation} {about}: {done:?}{lost}")
        });
        if lost {
            world.answer_lost(of, &about);
            return Err(unavailable(operation, "the answer was lost"));
        }
        Ok(done)
    }
}

fn invite_outcome(mailed: MailOutcome) -> InviteOutcome {
    let reason = |text: &str| text.to_owned();
    match mailed {
        MailOutcome::Sent(account) => InviteOutcome::Sent(account),
        MailOutcome::AlreadyThere => InviteOutcome::AlreadyThere,
        MailOutcome::Bounced => InviteOutcome::Bounced {
            reason: reason("CodeDeliveryFailureException: the mail could not be delivered"),
        },
        MailOutcome::NoMailLeft => InviteOutcome::NoMailLeft,
        MailOutcome::NotTaken => InviteOutcome::Invalid {
            reason: reason("InvalidParameterException: Username should be an email."),
        },
    }
}

impl Directory for Port {
    async fn create_group(&self, name: &str, description: &str) -> Result<CreateOutcome, CrewError> {
        let (group, described) = (name.to_owned(), description.to_owned());
        self.change(pool("CreateGroup"), name.to_owned(), move |world, _| {
            if world.pool.groups.contains_key(&group) {
                return CreateOutcome::AlreadyThere;
            }
            world.writes += 1;
            let now = world.now;
            world.pool.make_group(&group, &described, now);
            world.truth.crew.groups_of_others.remove(&group);
            CreateOutcome::New
        })
        .await
    }

    async fn group(&self, name: &str) -> Result<Option<Group>, CrewError> {
        self.look(pool("GetGroup"), name, |world| {
            world.pool.groups.get(name)?;
            let (description, made) = world.pool.described.get(name)?;
            Some(Group {
                description: description.clone(),
                created: timestamp(*made),
            })
        })
        .await
    }

    async fn invite(&self, email: &str, team: &str) -> Result<InviteOutcome, CrewError> {
        let (address, words) = (email.to_owned(), team.to_owned());
        let mailed = self.change(pool("AdminCreateUser"), email.to_owned(), move |world, of| {
            world.create_user(of, &address, &words)
        });
        Ok(invite_outcome(mailed.await?))
    }

    async fn invite_again(&self, email: &str, team: &str) -> Result<InviteOutcome, CrewError> {
        let (address, words) = (email.to_owned(), team.to_owned());
        let asked = pool("AdminCreateUser(RESEND)");
        let mailed = self.change(asked, email.to_owned(), move |world, of| {
            world.create_user_again(of, &address, &words)
        });
        Ok(invite_outcome(mailed.await?))
    }

    async fn find(&self, email: &str) -> Result<Option<Account>, CrewError> {
        self.look(pool("AdminGetUser"), email, |world| {
            let account = world.pool.by_address(email).or_else(|| world.pool.by_name(email));
            account.map(PoolAccount::to_account)
        })
        .await
    }

    async fn accounts(&self) -> Result<Vec<Account>, CrewError> {
        self.look(pool("ListUsers"), "", World::list_users).await
    }

    async fn members(&self, group: &str) -> Result<Vec<Account>, CrewError> {
        self.look(pool("ListUsersInGroup"), group, |world| {
            let accounts = world.pool.accounts.iter();
            let members = accounts.filter(|account| world.pool.is_in(group, &account.username));
            members.map(PoolAccount::to_account).collect()
        })
        .await
    }

    async fn groups_of(&self, username: &str) -> Result<Option<Vec<String>>, CrewError> {
        self.look(pool("AdminListGroupsForUser"), username, |world| {
            world.pool.by_name(username)?;
            Some(world.pool.groups_of(username))
        })
        .await
    }

    async fn add_to_group(&self, username: &str, group: &str) -> Result<bool, CrewError> {
        let operation = "AdminAddUserToGroup";
        let (name, team) = (username.to_owned(), group.to_owned());
        let there = self.change(
            pool(operation),
            format!("{username} {group}"),
            move |world, of| world.put_into_group(of, &name, &team),
        );
        there.await?.ok_or_else(|| CrewError::Refused {
            operation,
            reason: "ResourceNotFoundException: Group not found.".to_owned(),
        })
    }

    async fn remove_from_group(&self, username: &str, group: &str) -> Result<(), CrewError> {
        let (name, team) = (username.to_owned(), group.to_owned());
        let asked = pool("AdminRemoveUserFromGroup");
        self.change(asked, format!("{username} {group}"), move |world, of| {
            world.take_out_of_group(of, &name, &team);
        })
        .await
    }

    async fn add_client_urls(&self, wanted: &ClientUrls) -> Result<bool, CrewError> {
        let wanted: Vec<String> = wanted.callback.iter().chain(&wanted.logout).cloned().collect();
        self.change(pool("UpdateUserPoolClient"), String::new(), move |world, _| {
            let before = world.pool.urls.len();
            world.pool.urls.extend(wanted.iter().cloned());
            let changed = world.pool.urls.len() > before;
            world.writes += u64::from(changed);
            changed
        })
        .await
    }

    async fn invitation_days(&self) -> Result<u16, CrewError> {
        self.look(pool("DescribeUserPool"), "", |world| world.pool.days)
            .await
    }
}
