//! Work teams.

use serde_json::{Map, Value, json};

use super::context::Api;
use super::error::{ApiError, Result};
use super::paging::{by_time, contains, page};
use super::reply::time;
use super::{tag_list, workforces};
use crate::core::{Core, Location};
use crate::state::{StoreError, TeamRecord, keys};

/// "You can create up to 25 work teams in an account and Region." (CreateWorkteam)
const MAX_TEAMS: usize = 25;

pub(super) async fn create(api: &Api, mut request: Value) -> Result<Value> {
    let core = &api.core;
    let tags = tag_list::take(&mut request)?;
    refuse_unsupported_members(&request)?;
    check_members(&request["MemberDefinitions"])?;
    check_groups(core, &request["MemberDefinitions"]).await?;
    let name = text(&request, "WorkteamName");
    if core.documents.load::<Value>(&keys::team(&name)).await?.is_some() {
        return Err(name_in_use(&name));
    }
    if core.documents.list(keys::TEAMS).await?.len() >= MAX_TEAMS {
        return Err(ApiError::limit(format!(
            "There are {MAX_TEAMS} work teams already. Delete one that is not used."
        )));
    }
    let workforce = workforces::for_team(
        core,
        request["WorkforceName"].as_str(),
        &request["MemberDefinitions"],
    )
    .await?;
    let now = (core.clock)();
    let team = TeamRecord {
        arn: core.location.arn(&format!("workteam/private-crowd/{name}")),
        description: text(&request, "Description"),
        members: request["MemberDefinitions"].clone(),
        topic: topic(&request).flatten(),
        name,
        workforce,
        created: now,
        updated: now,
        tags,
    };
    match core.documents.create(&keys::team(&team.name), &team).await {
        Ok(_) => {}
        Err(StoreError::Changed) => return Err(name_in_use(&team.name)),
        Err(error) => return Err(error.into()),
    }
    let arn = team.arn.clone();
    core.teams.set(team);
    Ok(json!({"WorkteamArn": arn}))
}

pub(super) async fn update(api: &Api, request: Value) -> Result<Value> {
    let core = &api.core;
    refuse_unsupported_members(&request)?;
    if let Some(members) = request.get("MemberDefinitions") {
        check_members(members)?;
        check_groups(core, members).await?;
        workforces::check_members_of(core, members).await?;
    }
    let name = text(&request, "WorkteamName");
    let change = |team: &mut TeamRecord| -> Result<()> {
        if let Some(members) = request.get("MemberDefinitions") {
            team.members = members.clone();
        }
        if let Some(description) = request["Description"].as_str() {
            team.description = description.to_owned();
        }
        if let Some(topic) = topic(&request) {
            team.topic = topic;
        }
        team.updated = (core.clock)();
        Ok(())
    };
    let team = core
        .documents
        .update(&keys::team(&name), change)
        .await?
        .ok_or_else(|| unknown(&name))?
        .value;
    core.teams.set(team.clone());
    Ok(json!({"Workteam": describe_team(&core.location, &team)}))
}

pub(super) async fn describe(api: &Api, request: &Value) -> Result<Value> {
    let team = load(&api.core, request).await?;
    Ok(json!({"Workteam": describe_team(&api.core.location, &team)}))
}

pub(super) async fn delete(api: &Api, request: &Value) -> Result<Value> {
    let team = load(&api.core, request).await?;
    api.core.documents.delete(&keys::team(&team.name)).await?;
    api.core.supervisor_wake.notify_one();
    Ok(json!({"Success": true}))
}

pub(super) async fn list(api: &Api, request: &Value) -> Result<Value> {
    let teams = api
        .core
        .documents
        .read_all::<TeamRecord>(keys::TEAMS)
        .await?
        .into_iter()
        .filter(|team| contains(&team.name, request));
    let entries = teams.map(|team| {
        let key = match request["SortBy"].as_str() {
            Some("Name") => team.name.to_ascii_lowercase(),
            _ => by_time(team.created, &team.name),
        };
        (key, team)
    });
    let (teams, next) = page(entries.collect(), request)?;
    let teams: Vec<Value> = teams
        .iter()
        .map(|team| describe_team(&api.core.location, team))
        .collect();
    Ok(json!({"Workteams": teams, "NextToken": next}))
}

fn describe_team(location: &Location, team: &TeamRecord) -> Value {
    let mut description = Map::from_iter([
        ("WorkteamName".to_owned(), json!(team.name)),
        ("MemberDefinitions".to_owned(), team.members.clone()),
        ("WorkteamArn".to_owned(), json!(team.arn)),
        (
            "WorkforceArn".to_owned(),
            json!(workforces::arn(location, &team.workforce)),
        ),
        ("Description".to_owned(), json!(team.description)),
        ("SubDomain".to_owned(), json!(workforces::sub_domain(location))),
        ("CreateDate".to_owned(), time(team.created)),
        ("LastUpdatedDate".to_owned(), time(team.updated)),
    ]);
    if let Some(topic) = &team.topic {
        let notify = json!({"NotificationTopicArn": topic});
        description.insert("NotificationConfiguration".to_owned(), notify);
    }
    Value::Object(description)
}

/// The topic of the team's work notices. The inner `None` is a NotificationConfiguration without a topic, which removes the
/// old one.
fn topic(request: &Value) -> Option<Option<String>> {
    let topic = request.get("NotificationConfiguration")?["NotificationTopicArn"].as_str();
    // The model's pattern allows an ARN without a name.
    Some(topic.filter(|arn| !arn.ends_with(':')).map(str::to_owned))
}

/// A setting that is stored and not acted on would be a false promise.
fn refuse_unsupported_members(request: &Value) -> Result<()> {
    match request.get("WorkerAccessConfiguration") {
        Some(_) => Err(ApiError::validation(
            "WorkerAccessConfiguration is not supported by this labeling engine: its links to S3 objects cannot be bound to \
             an address. Leave it out.",
        )),
        None => Ok(()),
    }
}

/// Each member is a Cognito group or groups of another provider, and all members are of one kind.
fn check_members(members: &Value) -> Result<()> {
    let members = members.as_array().map(Vec::as_slice).unwrap_or_default();
    let count = |kind: &str| members.iter().filter(|member| member.get(kind).is_some()).count();
    let (cognito, oidc) = (count("CognitoMemberDefinition"), count("OidcMemberDefinition"));
    if cognito + oidc != members.len() || (cognito > 0 && oidc > 0) {
        return Err(ApiError::validation(
            "Each of MemberDefinitions needs either CognitoMemberDefinition or OidcMemberDefinition, and all of them the same one.",
        ));
    }
    Ok(())
}

/// "You must first create the user pools before you can create a work team." (CreateWorkteam)
async fn check_groups(core: &Core, members: &Value) -> Result<()> {
    let Some(groups) = &core.operator.groups else {
        return Ok(());
    };
    let cognito = members.as_array().into_iter().flatten();
    for member in cognito.filter_map(|member| member.get("CognitoMemberDefinition")) {
        let named = |name: &str| member[name].as_str().unwrap_or_default();
        let checked = groups.check(named("UserPool"), named("UserGroup"), named("ClientId"));
        checked
            .await
            .map_err(|why| ApiError::validation(format!("A CognitoMemberDefinition is wrong: {why}.")))?;
    }
    Ok(())
}

async fn load(core: &Core, request: &Value) -> Result<TeamRecord> {
    let name = text(request, "WorkteamName");
    let team = core.documents.load::<TeamRecord>(&keys::team(&name)).await?;
    team.map(|stored| stored.value).ok_or_else(|| unknown(&name))
}

fn text(request: &Value, member: &str) -> String {
    request[member].as_str().unwrap_or_default().to_owned()
}

fn name_in_use(name: &str) -> ApiError {
    ApiError::in_use(format!("A work team with the name {name} exists already."))
}

/// SageMaker says so with a ValidationException; clients look for these words.
fn unknown(name: &str) -> ApiError {
    ApiError::validation(format!("The work team {name} does not exist."))
}
