//! Lists, a page at a time, and the filter of ListUsers.
//! <https://docs.aws.amazon.com/cognito-user-identity-pools/latest/APIReference/API_ListUsers.html>

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Deserialize;
use serde_json::{Value, json};

use super::answers::{ApiResult, check_pool, describe_user};
use crate::cognito::error::PoolError;
use crate::cognito::pool::Cognito;
use crate::cognito::store::record::User;

/// Lists give at most this many at once.
const LARGEST: usize = 60;

/// One page of a list: after which name, and how many.
pub(super) struct Page {
    pub(super) after: String,
    limit: usize,
}

impl Page {
    /// A token is the last name of the page before. A limit of zero is the largest.
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

    /// `describe` gives an item's name, and the item as it is answered.
    pub(super) fn answer<T>(
        &self,
        list: &str,
        token: &str,
        items: impl Iterator<Item = Result<T, PoolError>>,
        describe: impl Fn(&T) -> (String, Value),
    ) -> ApiResult {
        let mut items = items.peekable();
        let (mut members, mut last) = (Vec::new(), String::new());
        while members.len() < self.limit
            && let Some(item) = items.next()
        {
            let (name, member) = describe(&item?);
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
#[serde(rename_all = "PascalCase")]
pub(super) struct ListUsers {
    user_pool_id: String,
    attributes_to_get: Option<Vec<String>>,
    limit: Option<usize>,
    pagination_token: Option<String>,
    filter: Option<String>,
}

impl Cognito {
    pub(super) fn list_users(&self, request: &ListUsers) -> ApiResult {
        check_pool(&request.user_pool_id)?;
        let page = Page::read(request.limit, request.pagination_token.as_deref())?;
        let text = request.filter.as_deref().filter(|text| !text.trim().is_empty());
        let filter = text.map(Filter::parse).transpose()?;
        let describe = |user: &User| {
            let only = request.attributes_to_get.as_deref();
            (user.username.clone(), describe_user(user, "Attributes", only))
        };
        let view = self.pool.store.view()?;
        // An account named by its address or name is looked up, however many there are.
        if let Some(name) = filter.as_ref().and_then(Filter::one_account) {
            let found = view
                .find(name)?
                .filter(|user| filter.as_ref().is_some_and(|filter| filter.matches(user)));
            return page.answer("Users", "PaginationToken", found.map(Ok).into_iter(), describe);
        }
        let users = view
            .users_after(&page.after)?
            .filter(|user| match (user, &filter) {
                (Ok(user), Some(filter)) => filter.matches(user),
                _ => true,
            });
        page.answer("Users", "PaginationToken", users, describe)
    }
}

/// `attribute = "value"` or `attribute ^= "start"`.
struct Filter {
    attribute: FilterAttribute,
    value: String,
    is_prefix: bool,
}

enum FilterAttribute {
    /// `username` and `sub` are one thing in this pool.
    Username,
    Email,
    UserStatus,
    /// `Enabled` or `Disabled`; no account here is disabled.
    Enabled,
    Other(&'static str),
}

/// Attributes that are kept as they were given.
const OTHER_ATTRIBUTES: [&str; 5] = [
    "phone_number",
    "name",
    "given_name",
    "family_name",
    "preferred_username",
];

impl FilterAttribute {
    fn from_name(name: &str) -> Option<Self> {
        Some(match name {
            "username" | "sub" => Self::Username,
            "email" => Self::Email,
            "cognito:user_status" => Self::UserStatus,
            "status" => Self::Enabled,
            name => Self::Other(OTHER_ATTRIBUTES.into_iter().find(|other| *other == name)?),
        })
    }
}

impl Filter {
    fn parse(text: &str) -> Result<Self, PoolError> {
        let malformed = || {
            PoolError::invalid(format!(
                "Error while parsing filter {text:?}: write an attribute, = or ^=, and a value in quotes, as in email ^= \
                 \"ana\"; the attributes are username, sub, email, cognito:user_status, status, {}",
                OTHER_ATTRIBUTES.join(", ")
            ))
        };
        let (name, value) = text.split_once('=').ok_or_else(malformed)?;
        let is_prefix = name.ends_with('^');
        let name = name.trim_end_matches('^').trim().trim_matches('"');
        let attribute = FilterAttribute::from_name(name).ok_or_else(malformed)?;
        let quoted = value
            .trim()
            .strip_prefix('"')
            .and_then(|value| value.strip_suffix('"'));
        let value = quoted
            .ok_or_else(malformed)?
            .replace("\\\"", "\"")
            .replace("\\\\", "\\");
        Ok(Self {
            attribute,
            value,
            is_prefix,
        })
    }

    /// The name or address of the only account it can match.
    fn one_account(&self) -> Option<&str> {
        let is_unique = matches!(self.attribute, FilterAttribute::Username | FilterAttribute::Email);
        (is_unique && !self.is_prefix).then_some(self.value.as_str())
    }

    fn matches(&self, user: &User) -> bool {
        let has = match self.attribute {
            FilterAttribute::Username => &user.username,
            FilterAttribute::Email => &user.email,
            FilterAttribute::UserStatus => user.status.name(),
            FilterAttribute::Enabled => "Enabled",
            FilterAttribute::Other(name) => match user.attributes.get(name) {
                Some(value) => value,
                None => return false,
            },
        };
        // As the pool compares addresses.
        let (has, value) = (has.to_lowercase(), self.value.to_lowercase());
        if self.is_prefix {
            has.starts_with(&value)
        } else {
            has == value
        }
    }
}
