//! Workforces: one of them holds all work teams, and names the identity provider.

use ipnet::IpNet;
use serde_json::{Map, Value, json};

use super::context::Api;
use super::error::{ApiError, Result};
use super::paging::{by_time, contains, page};
use super::reply::time;
use super::tag_list;
use crate::core::{Core, Location};
use crate::state::{StoreError, StoredSecret, Tag, WorkforceRecord, keys};
use crate::worker::IdentityProvider;

/// The workforce made with the first work team.
const DEFAULT: &str = "default";
/// Parameters of an authentication request that the sign-in itself sets.
const SIGN_IN_PARAMETERS: [&str; 9] = [
    "client_id",
    "code_challenge",
    "code_challenge_method",
    "nonce",
    "redirect_uri",
    "response_mode",
    "response_type",
    "scope",
    "state",
];

pub(super) async fn create(api: &Api, mut request: Value) -> Result<Value> {
    let core = &api.core;
    let tags = tag_list::take(&mut request)?;
    check(&request)?;
    if request.get("CognitoConfig").is_some() == request.get("OidcConfig").is_some() {
        return Err(ApiError::validation("Give either CognitoConfig or OidcConfig."));
    }
    if stored_workforce(core).await?.is_some() {
        return Err(exists());
    }
    let name = text(&request, "WorkforceName");
    let secret = take_secret(&mut request);
    let workforce = record(core, &name, config(&request), secret, tags);
    match core.documents.create(keys::WORKFORCE, &workforce).await {
        Ok(_) => {}
        Err(StoreError::Changed) => return Err(exists()),
        Err(error) => return Err(error.into()),
    }
    core.workforce.set(Some(workforce.clone()));
    Ok(json!({"WorkforceArn": workforce.arn}))
}

pub(super) async fn update(api: &Api, mut request: Value) -> Result<Value> {
    let core = &api.core;
    check(&request)?;
    let name = text(&request, "WorkforceName");
    let secret = take_secret(&mut request);
    let has_teams = !core.documents.list(keys::TEAMS).await?.is_empty();
    let change = |workforce: &mut WorkforceRecord| -> Result<()> {
        if request.get("OidcConfig").is_some() {
            refuse_provider(workforce, has_teams)?;
            workforce.secret = secret.clone();
        }
        if let (Value::Object(known), Value::Object(new)) = (&mut workforce.config, config(&request)) {
            known.extend(new);
        }
        workforce.updated = (core.clock)();
        Ok(())
    };
    let updated = core
        .documents
        .update(&find(core, &name).await?.key, change)
        .await?
        .ok_or_else(|| unknown(&name))?
        .value;
    core.workforce.set(Some(updated.clone()));
    Ok(json!({"Workforce": describe_workforce(&core.location, &updated)}))
}

/// "You can only update your OIDC IdP configuration when there are no work teams associated with your workforce."
/// (UpdateWorkforce)
fn refuse_provider(workforce: &WorkforceRecord, has_teams: bool) -> Result<()> {
    let name = &workforce.name;
    if workforce.provider() == IdentityProvider::Cognito {
        return Err(ApiError::validation(format!(
            "The workforce {name} was made with Cognito and cannot get an OidcConfig. Delete its work teams and then the \
             workforce, and create one with OidcConfig."
        )));
    }
    if has_teams {
        return Err(ApiError::conflict(format!(
            "The OidcConfig of the workforce {name} can only be changed while it has no work teams. Delete them first."
        )));
    }
    Ok(())
}

pub(super) async fn describe(api: &Api, request: &Value) -> Result<Value> {
    let StoredWorkforce { workforce, .. } = find(&api.core, &text(request, "WorkforceName")).await?;
    Ok(json!({"Workforce": describe_workforce(&api.core.location, &workforce)}))
}

pub(super) async fn delete(api: &Api, request: &Value) -> Result<Value> {
    let StoredWorkforce { key, workforce } = find(&api.core, &text(request, "WorkforceName")).await?;
    if !api.core.documents.list(keys::TEAMS).await?.is_empty() {
        return Err(ApiError::in_use(format!(
            "The workforce {} has work teams. Delete them first.",
            workforce.name
        )));
    }
    api.core.documents.delete(&key).await?;
    api.core.workforce.set(None);
    Ok(json!({}))
}

pub(super) async fn list(api: &Api, request: &Value) -> Result<Value> {
    let all: Vec<WorkforceRecord> = api.core.documents.read_all(keys::WORKFORCES).await?;
    let matching = all
        .into_iter()
        .filter(|workforce| contains(&workforce.name, request));
    let entries = matching.map(|workforce| (by_time(workforce.created, &workforce.name), workforce));
    let (workforces, next) = page(entries.collect(), request)?;
    let workforces: Vec<Value> = workforces
        .iter()
        .map(|workforce| describe_workforce(&api.core.location, workforce))
        .collect();
    Ok(json!({"Workforces": workforces, "NextToken": next}))
}

/// The name of the workforce of a new team: the one it names, the one that exists, or a new one with the identity provider
/// of the team's members.
pub(super) async fn for_team(core: &Core, wanted: Option<&str>, members: &Value) -> Result<String> {
    let existing = stored_workforce(core).await?.map(|stored| stored.workforce);
    let workforce = match (wanted, existing) {
        (Some(wanted), existing) => existing
            .filter(|workforce| workforce.name.eq_ignore_ascii_case(wanted))
            .ok_or_else(|| unknown(wanted))?,
        (None, Some(workforce)) => workforce,
        (None, None) => create_default(core, members).await?,
    };
    check_members(&workforce, members)?;
    Ok(workforce.name)
}

/// Checks the new members of a team that exists.
pub(super) async fn check_members_of(core: &Core, members: &Value) -> Result<()> {
    stored_workforce(core)
        .await?
        .map_or(Ok(()), |stored| check_members(&stored.workforce, members))
}

/// The name of a group means something only to the provider of the group.
fn check_members(workforce: &WorkforceRecord, members: &Value) -> Result<()> {
    let provider_of = |member: &Value| match member.get("OidcMemberDefinition") {
        Some(_) => IdentityProvider::Oidc,
        None => IdentityProvider::Cognito,
    };
    let is_foreign = |member: &&Value| provider_of(member) != workforce.provider();
    match members.as_array().into_iter().flatten().find(is_foreign) {
        Some(member) => Err(ApiError::validation(format!(
            "The workforce {} signs in with {}, and a member definition is for {}. Name groups of the workforce's own provider.",
            workforce.name,
            workforce.provider().name(),
            provider_of(member).name()
        ))),
        None => Ok(()),
    }
}

async fn create_default(core: &Core, members: &Value) -> Result<WorkforceRecord> {
    let member = &members[0]["CognitoMemberDefinition"];
    if member.is_null() {
        return Err(ApiError::validation(
            "There is no workforce yet. Create one with OidcConfig before its work teams.",
        ));
    }
    let config = json!({"CognitoConfig": {"UserPool": member["UserPool"], "ClientId": member["ClientId"]}});
    let workforce = record(core, DEFAULT, config, StoredSecret::default(), Vec::new());
    let created = match core.documents.create(keys::WORKFORCE, &workforce).await {
        Ok(_) => workforce,
        // Another engine was first: its workforce is used, with the settings it has.
        Err(StoreError::Changed) => {
            let stored = stored_workforce(core).await?;
            stored.ok_or(StoreError::Changed)?.workforce
        }
        Err(error) => return Err(error.into()),
    };
    core.workforce.set(Some(created.clone()));
    Ok(created)
}

fn record(core: &Core, name: &str, config: Value, secret: StoredSecret, tags: Vec<Tag>) -> WorkforceRecord {
    let now = (core.clock)();
    WorkforceRecord {
        name: name.to_owned(),
        arn: arn(&core.location, name),
        config,
        secret,
        created: now,
        updated: now,
        tags,
    }
}

pub(super) fn arn(location: &Location, name: &str) -> String {
    location.arn(&format!("workforce/private-crowd/{name}"))
}

/// Where workers sign in, without the scheme.
pub(super) fn sub_domain(location: &Location) -> &str {
    location
        .portal_url
        .split_once("://")
        .map_or(location.portal_url.as_str(), |(_, host)| host)
}

/// The part of a workforce's configuration that descriptions of it show.
fn config(request: &Value) -> Value {
    let members = ["CognitoConfig", "OidcConfig", "SourceIpConfig"];
    let config = members
        .iter()
        .filter_map(|member| Some(((*member).to_owned(), request.get(*member)?.clone())));
    Value::Object(config.collect())
}

/// Takes the client secret out of the request: it is stored apart, and no reply contains it.
fn take_secret(request: &mut Value) -> StoredSecret {
    let config = request.get_mut("OidcConfig").and_then(Value::as_object_mut);
    let secret = config.and_then(|config| config.shift_remove("ClientSecret"));
    StoredSecret(secret.and_then(|secret| Some(secret.as_str()?.to_owned())))
}

fn describe_workforce(location: &Location, workforce: &WorkforceRecord) -> Value {
    let mut description = Map::from_iter([
        ("WorkforceName".to_owned(), json!(workforce.name)),
        ("WorkforceArn".to_owned(), json!(workforce.arn)),
        ("SubDomain".to_owned(), json!(sub_domain(location))),
        ("Status".to_owned(), json!("Active")),
        ("CreateDate".to_owned(), time(workforce.created)),
        ("LastUpdatedDate".to_owned(), time(workforce.updated)),
    ]);
    if let Value::Object(config) = &workforce.config {
        description.extend(config.clone());
    }
    Value::Object(description)
}

/// The workforce, and the key of its document.
struct StoredWorkforce {
    key: String,
    workforce: WorkforceRecord,
}

/// An error if it cannot be read: no other workforce must be made beside it.
async fn stored_workforce(core: &Core) -> Result<Option<StoredWorkforce>> {
    let Some(listed) = core.documents.list(keys::WORKFORCES).await?.into_iter().next() else {
        return Ok(None);
    };
    let stored = core.documents.load::<WorkforceRecord>(&listed.key).await?;
    Ok(stored.map(|stored| StoredWorkforce {
        key: listed.key,
        workforce: stored.value,
    }))
}

async fn find(core: &Core, name: &str) -> Result<StoredWorkforce> {
    let stored = stored_workforce(core).await?;
    stored
        .filter(|stored| stored.workforce.name.eq_ignore_ascii_case(name))
        .ok_or_else(|| unknown(name))
}

/// The key of the document of the workforce of this name.
pub(super) async fn key(core: &Core, name: &str) -> Result<String> {
    Ok(find(core, name).await?.key)
}

/// Checks what the form of the request does not.
fn check(request: &Value) -> Result<()> {
    let lacking = ["WorkforceVpcConfig", "IpAddressType"];
    if let Some(member) = lacking.into_iter().find(|member| request.get(*member).is_some()) {
        return Err(ApiError::validation(format!(
            "{member} is not supported by this labeling engine: where the portal is served decides from where it can be reached."
        )));
    }
    let extra = request["OidcConfig"]["AuthenticationRequestExtraParams"].as_object();
    if let Some(name) = extra.and_then(|extra| {
        extra
            .keys()
            .find(|name| SIGN_IN_PARAMETERS.contains(&name.as_str()))
    }) {
        return Err(ApiError::validation(format!(
            "AuthenticationRequestExtraParams has {name}, which the sign-in sets itself. Leave it out."
        )));
    }
    let cidrs = request["SourceIpConfig"]["Cidrs"].as_array();
    for cidr in cidrs.into_iter().flatten().filter_map(Value::as_str) {
        cidr.parse::<IpNet>().map_err(|_| {
            ApiError::validation(format!(
                "SourceIpConfig's Cidrs has {cidr:?}, which is not a network. Write one as in 203.0.113.0/24 or 2001:db8::/32."
            ))
        })?;
    }
    Ok(())
}

fn exists() -> ApiError {
    ApiError::validation(
        "A workforce exists already, and an account has one in each Region. Update it, or delete it first.",
    )
}

fn text(request: &Value, member: &str) -> String {
    request[member].as_str().unwrap_or_default().to_owned()
}

/// SageMaker says so with a ValidationException; clients look for these words.
fn unknown(name: &str) -> ApiError {
    ApiError::validation(format!("No workforce with the name {name} exists."))
}

#[cfg(test)]
mod tests;
