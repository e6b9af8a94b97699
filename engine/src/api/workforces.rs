//! Workforces: one of them holds all work teams, and names the identity provider.

use serde_json::{Map, Value, json};

use super::Api;
use super::error::{ApiError, Result};
use super::paging::{by_time, contains, page};
use super::reply::time;
use super::tags;
use crate::core::{Core, Place};
use crate::state::{StoreError, WorkforceRecord, keys};

/// The workforce made with the first work team.
const DEFAULT: &str = "default";

pub(super) async fn create(api: &Api, mut request: Value) -> Result<Value> {
    let core = &api.core;
    let tags = tags::take(&mut request)?;
    refuse_network(&request)?;
    if request.get("CognitoConfig").is_some() == request.get("OidcConfig").is_some() {
        return Err(ApiError::validation("Give either CognitoConfig or OidcConfig."));
    }
    if !core.documents.list(keys::WORKFORCES).await?.is_empty() {
        return Err(ApiError::validation(
            "A workforce exists already; there is one in an account and Region. Update it, or delete it first.",
        ));
    }
    let name = text(&request, "WorkforceName");
    let workforce = store(core, &name, config(&request), tags).await?;
    Ok(json!({"WorkforceArn": workforce.arn}))
}

pub(super) async fn update(api: &Api, request: Value) -> Result<Value> {
    refuse_network(&request)?;
    let name = text(&request, "WorkforceName");
    let change = |workforce: &mut WorkforceRecord| -> Result<()> {
        if let (Value::Object(known), Value::Object(new)) = (&mut workforce.config, config(&request)) {
            if new.contains_key("OidcConfig") && known.contains_key("CognitoConfig") {
                return Err(ApiError::validation(
                    "A workforce made with Cognito cannot get an OidcConfig.",
                ));
            }
            known.extend(new);
        }
        workforce.updated = (api.core.clock)();
        Ok(())
    };
    let updated = api
        .core
        .documents
        .update(&keys::workforce(&name), change)
        .await?
        .ok_or_else(|| unknown(&name))?;
    Ok(json!({"Workforce": describe_workforce(&api.core.place, &updated.value)}))
}

pub(super) async fn describe(api: &Api, request: &Value) -> Result<Value> {
    let workforce = load(&api.core, request).await?;
    Ok(json!({"Workforce": describe_workforce(&api.core.place, &workforce)}))
}

pub(super) async fn delete(api: &Api, request: &Value) -> Result<Value> {
    let workforce = load(&api.core, request).await?;
    if !api.core.documents.list(keys::TEAMS).await?.is_empty() {
        return Err(ApiError::in_use(format!(
            "The workforce {} has work teams; delete them first.",
            workforce.name
        )));
    }
    api.core
        .documents
        .delete(&keys::workforce(&workforce.name))
        .await?;
    Ok(json!({}))
}

pub(super) async fn list(api: &Api, request: &Value) -> Result<Value> {
    let all: Vec<WorkforceRecord> = api.core.read_all(keys::WORKFORCES).await?;
    let asked_for = all
        .into_iter()
        .filter(|workforce| contains(&workforce.name, request));
    let entries = asked_for.map(|workforce| (by_time(workforce.created, &workforce.name), workforce));
    let (workforces, next) = page(entries.collect(), request)?;
    let workforces: Vec<Value> = workforces
        .iter()
        .map(|workforce| describe_workforce(&api.core.place, workforce))
        .collect();
    Ok(json!({"Workforces": workforces, "NextToken": next}))
}

/// The name of the workforce a new team belongs to: the one it names, the one there is, or a new one made of the identity
/// provider that the team's members come from.
pub(super) async fn for_team(core: &Core, wanted: Option<&str>, members: &Value) -> Result<String> {
    let all: Vec<WorkforceRecord> = core.read_all(keys::WORKFORCES).await?;
    match (wanted, all.first()) {
        (Some(wanted), _) => all
            .iter()
            .find(|workforce| workforce.name.eq_ignore_ascii_case(wanted))
            .map(|workforce| workforce.name.clone())
            .ok_or_else(|| unknown(wanted)),
        (None, Some(workforce)) => Ok(workforce.name.clone()),
        (None, None) => Ok(make_default(core, members).await?.name),
    }
}

async fn make_default(core: &Core, members: &Value) -> Result<WorkforceRecord> {
    let member = &members[0]["CognitoMemberDefinition"];
    if member.is_null() {
        return Err(ApiError::validation(
            "There is no workforce yet; create one with OidcConfig before its work teams.",
        ));
    }
    let config = json!({"CognitoConfig": {"UserPool": member["UserPool"], "ClientId": member["ClientId"]}});
    store(core, DEFAULT, config, Vec::new()).await
}

async fn store(
    core: &Core,
    name: &str,
    config: Value,
    tags: Vec<crate::state::Tag>,
) -> Result<WorkforceRecord> {
    let now = (core.clock)();
    let arn = arn(&core.place, name);
    let workforce = WorkforceRecord {
        name: name.to_owned(),
        arn,
        config,
        created: now,
        updated: now,
        tags,
    };
    match core.documents.create(&keys::workforce(name), &workforce).await {
        Ok(_) | Err(StoreError::Changed) => Ok(workforce),
        Err(error) => Err(error.into()),
    }
}

pub(super) fn arn(place: &Place, name: &str) -> String {
    place.arn(&format!("workforce/private-crowd/{name}"))
}

/// Where workers sign in, without the scheme.
pub(super) fn sub_domain(place: &Place) -> &str {
    place
        .portal_url
        .split_once("://")
        .map_or(place.portal_url.as_str(), |(_, host)| host)
}

/// What is kept of a workforce's configuration; a client secret is not.
fn config(request: &Value) -> Value {
    let members = ["CognitoConfig", "OidcConfig"];
    let mut config: Map<String, Value> = members
        .iter()
        .filter_map(|member| Some(((*member).to_owned(), request.get(*member)?.clone())))
        .collect();
    if let Some(Value::Object(oidc)) = config.get_mut("OidcConfig") {
        oidc.shift_remove("ClientSecret");
    }
    Value::Object(config)
}

fn describe_workforce(place: &Place, workforce: &WorkforceRecord) -> Value {
    let mut answer = Map::from_iter([
        ("WorkforceName".to_owned(), json!(workforce.name)),
        ("WorkforceArn".to_owned(), json!(workforce.arn)),
        ("SubDomain".to_owned(), json!(sub_domain(place))),
        ("Status".to_owned(), json!("Active")),
        ("CreateDate".to_owned(), time(workforce.created)),
        ("LastUpdatedDate".to_owned(), time(workforce.updated)),
    ]);
    if let Value::Object(config) = &workforce.config {
        answer.extend(config.clone());
    }
    Value::Object(answer)
}

async fn load(core: &Core, request: &Value) -> Result<WorkforceRecord> {
    let name = text(request, "WorkforceName");
    let workforce = core
        .documents
        .load::<WorkforceRecord>(&keys::workforce(&name))
        .await?;
    workforce.map(|stored| stored.value).ok_or_else(|| unknown(&name))
}

fn refuse_network(request: &Value) -> Result<()> {
    match ["WorkforceVpcConfig", "IpAddressType", "SourceIpConfig"]
        .into_iter()
        .find(|member| request.get(*member).is_some())
    {
        Some(member) => Err(ApiError::validation(format!(
            "{member} is not supported by this labeling engine: where the portal can be reached from is set where it is served."
        ))),
        None => Ok(()),
    }
}

fn text(request: &Value, member: &str) -> String {
    request[member].as_str().unwrap_or_default().to_owned()
}

/// SageMaker says so with a ValidationException; clients look for these words.
fn unknown(name: &str) -> ApiError {
    ApiError::validation(format!("No workforce with the name {name} exists."))
}
