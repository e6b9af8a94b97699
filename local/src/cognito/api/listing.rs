//! Lists a page at a time, and what ListUsers is filtered by.
//! <https://docs.aws.amazon.com/cognito-user-identity-pools/latest/APIReference/API_ListUsers.html>

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Deserialize;
use serde_json::{Value, json};

use super::{Answer, check_pool, shown};
use crate::cognito::SignIn;
use crate::cognito::error::PoolError;
use crate::cognito::store::record::User;

/// Lists give at most this many at once.
const LARGEST: usize = 60;

/// One page of a list: after which name, and how many.
pub(super) struct Page {
    pub(super) after: String,
    limit: usize,
}

impl Page {
    /// A token is the last name of the page before. Zero is as many as there may be.
    pub(super) fn read(limit: Option<usize>, token: Option<&str>) -> Result<Self, PoolError> {
        let limit = match limit.unwrap_or(LARGEST) {
            0 => LARGEST,
            limit if limit <= LARGEST => limit,
            limit => {
                return Err(PoolError::invalid(format!(
                    "1 validation error detected: Value '{limit}' at 'limit' failed to satisfy constraint: Member must \
                     have value less than or equal to {LARGEST}"
                )));
            }
        };
        let after = match token {
            None => String::new(),
            Some(token) => URL_SAFE_NO_PAD
                .decode(token)
                .ok()
                .and_then(|name| String::from_utf8(name).ok())
                .ok_or_else(|| PoolError::invalid("Invalid pagination token."))?,
        };
        Ok(Self { after, limit })
    }

    /// `shown`: an item's name, and the item as it is answered.
    pub(super) fn answer<T>(
        &self,
        list: &str,
        token: &str,
        items: impl Iterator<Item = Result<T, PoolError>>,
        shown: impl Fn(&T) -> (String, Value),
    ) -> Answer {
        let mut items = items.peekable();
        let (mut members, mut last) = (Vec::new(), String::new());
        while members.len() < self.limit
            && let Some(item) = items.next()
        {
            let (name, member) = shown(&item?);
            last = name;
            members.push(member);
        }
        let mut answer = json!({});
        answer[list] = Value::Array(members);
        if items.peek().is_some() {
            answer[token] = json!(URL_SAFE_NO_PAD.encode(last));
        }
        Ok(answer)
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(super) struct ListUsers {
    user_pool_id: String,
    attributes_to_get: Option<Vec<String>>,
    limit: Option<usize>,
    pagination_token: Option<String>,
    filter: Option<String>,
}

impl SignIn {
    pub(super) fn list_users(&self, request: &ListUsers) -> Answer {
        check_pool(&request.user_pool_id)?;
        let page = Page::read(request.limit, request.pagination_token.as_deref())?;
        let text = request.filter.as_deref().filter(|text| !text.trim().is_empty());
        let filter = text.map(Filter::parse).transpose()?;
        let show = |user: &User| {
            let only = request.attributes_to_get.as_deref();
            (user.username.clone(), shown(user, "Attributes", only))
        };
        let view = self.pool.store.view()?;
        // One address or one name is looked up, however many accounts there are.
        if let Some(name) = filter.as_ref().and_then(Filter::one_account) {
            let found = view
                .find(name)?
                .filter(|user| filter.as_ref().is_some_and(|filter| filter.holds(user)));
            return page.answer("Users", "PaginationToken", found.map(Ok).into_iter(), show);
        }
        let users = view
            .users_after(&page.after)?
            .filter(|user| match (user, &filter) {
                (Ok(user), Some(filter)) => filter.holds(user),
                _ => true,
            });
        page.answer("Users", "PaginationToken", users, show)
    }
}

/// `attribute = "value"` or `attribute ^= "start"`.
struct Filter {
    attribute: String,
    value: String,
    starts: bool,
}

const FILTERED: [&str; 10] = [
    "username",
    "email",
    "phone_number",
    "name",
    "given_name",
    "family_name",
    "preferred_username",
    "cognito:user_status",
    "status",
    "sub",
];

impl Filter {
    fn parse(text: &str) -> Result<Self, PoolError> {
        let bad = || {
            PoolError::invalid(format!(
                "Error while parsing filter {text:?}: write an attribute, = or ^=, and a value in quotes, as in email ^= \
                 \"ana\"; the attributes are {}",
                FILTERED.join(", ")
            ))
        };
        let (name, value) = text.split_once('=').ok_or_else(bad)?;
        let starts = name.ends_with('^');
        let attribute = name.trim_end_matches('^').trim().trim_matches('"').to_owned();
        let quoted = value
            .trim()
            .strip_prefix('"')
            .and_then(|value| value.strip_suffix('"'));
        let value = quoted
            .ok_or_else(bad)?
            .replace("\\\"", "\"")
            .replace("\\\\", "\\");
        if !FILTERED.contains(&attribute.as_str()) {
            return Err(bad());
        }
        Ok(Self {
            attribute,
            value,
            starts,
        })
    }

    fn one_account(&self) -> Option<&str> {
        let unique = ["username", "email", "sub"].contains(&self.attribute.as_str());
        (unique && !self.starts).then_some(self.value.as_str())
    }

    fn holds(&self, user: &User) -> bool {
        let fits = |has: &str| {
            // As the pool compares addresses.
            let (has, value) = (has.to_lowercase(), self.value.to_lowercase());
            if self.starts {
                has.starts_with(&value)
            } else {
                has == value
            }
        };
        match self.attribute.as_str() {
            "email" => fits(&user.email),
            "cognito:user_status" => fits(user.status.name()),
            "status" => fits(if user.enabled { "Enabled" } else { "Disabled" }),
            "sub" | "username" => fits(&user.username),
            name => user.attributes.get(name).is_some_and(|value| fits(value)),
        }
    }
}
