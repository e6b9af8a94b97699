//! The pool itself and its domain: described, and updated as Cognito updates it, which resets what is not repeated.

use serde::Deserialize;
use serde_json::{Value, json};

use super::{Answer, check_pool, seconds, unreadable};
use crate::cognito::error::PoolError;
use crate::cognito::settings::{PoolRecord, PoolSettings};
use crate::cognito::store::Changes;
use crate::cognito::{POOL, POOL_ID, SignIn};
use crate::info::{ACCOUNT, PARTITION, REGION};

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(super) struct OnePool {
    user_pool_id: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(super) struct ListUserPools {
    /// There is one pool, and so one page.
    #[serde(rename = "NextToken")]
    _next_token: Option<String>,
    max_results: u32,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(super) struct Domain {
    domain: String,
    user_pool_id: String,
    managed_login_version: Option<u32>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(super) struct DescribeDomain {
    domain: String,
}

impl SignIn {
    pub(super) fn describe_pool(&self, request: &OnePool) -> Answer {
        check_pool(&request.user_pool_id)?;
        let record = self.record()?;
        let settings = &record.settings;
        let mut pool = serde_json::to_value(settings).map_err(PoolError::internal)?;
        if let Some(fields) = pool.as_object_mut() {
            fields.remove("PoolName");
            fields.retain(|_, value| !value.is_null());
        }
        for (name, value) in [
            ("Id", json!(POOL_ID)),
            ("Name", json!(settings.name())),
            (
                "Arn",
                json!(format!(
                    "arn:{PARTITION}:cognito-idp:{REGION}:{ACCOUNT}:userpool/{POOL_ID}"
                )),
            ),
            ("CreationDate", json!(seconds(record.created))),
            ("LastModifiedDate", json!(seconds(record.modified))),
            ("UsernameAttributes", json!(["email"])),
            ("UsernameConfiguration", json!({"CaseSensitive": false})),
            ("MfaConfiguration", json!("OFF")),
            ("EstimatedNumberOfUsers", json!(self.pool.store.view()?.count()?)),
        ] {
            pool[name] = value;
        }
        let defaults = [
            ("DeletionProtection", json!("INACTIVE")),
            (
                "EmailConfiguration",
                json!({"EmailSendingAccount": "COGNITO_DEFAULT"}),
            ),
            ("UserPoolTags", json!({})),
            ("UserPoolTier", json!("ESSENTIALS")),
        ];
        for (name, value) in defaults {
            if pool[name].is_null() {
                pool[name] = value;
            }
        }
        let days = settings.policies.password_policy.validity_days();
        pool["AdminCreateUserConfig"]["UnusedAccountValidityDays"] = json!(days);
        if let Some(domain) = &record.domain {
            pool["Domain"] = json!(domain);
        }
        Ok(json!({"UserPool": pool}))
    }

    pub(super) fn list_pools(&self, request: &ListUserPools) -> Answer {
        if !(1..=60).contains(&request.max_results) {
            return Err(PoolError::invalid("MaxResults is from 1 to 60"));
        }
        let record = self.record()?;
        Ok(json!({"UserPools": [{
            "Id": POOL_ID,
            "Name": record.settings.name(),
            "LambdaConfig": record.settings.lambda_config,
            "CreationDate": seconds(record.created),
            "LastModifiedDate": seconds(record.modified),
        }]}))
    }

    /// The request is the new state: what it leaves out goes back to Cognito's default, the triggers included.
    pub(super) async fn update_pool(&self, mut request: Value) -> Answer {
        let id = request
            .as_object_mut()
            .and_then(|fields| fields.remove("UserPoolId"));
        check_pool(id.as_ref().and_then(Value::as_str).unwrap_or_default())?;
        let settings: PoolSettings = serde_json::from_value(request).map_err(|error| unreadable(&error))?;
        settings.check()?;
        self.change_pool(move |record| {
            let name = record.settings.pool_name.take();
            record.settings = PoolSettings {
                pool_name: settings.pool_name.clone().or(name),
                ..settings
            };
            Ok(())
        })
        .await
    }

    pub(super) async fn create_domain(&self, request: Domain) -> Answer {
        check_pool(&request.user_pool_id)?;
        if request.managed_login_version.is_some_and(|version| version != 1) {
            return Err(PoolError::unsupported(
                "ManagedLoginVersion 2 is not supported by the sign-in of this stack: 1 is",
            ));
        }
        let well_formed = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
        if !(1..=63).contains(&request.domain.len()) || !request.domain.chars().all(well_formed) {
            return Err(PoolError::invalid(
                "Domain: up to 63 lower-case letters, digits and dashes",
            ));
        }
        self.change_pool(move |record| {
            if record.domain.is_some() {
                return Err(PoolError::invalid("User pool already has a domain configured."));
            }
            record.domain = Some(request.domain);
            Ok(())
        })
        .await
    }

    pub(super) fn describe_domain(&self, request: &DescribeDomain) -> Answer {
        let record = self.record()?;
        if record.domain.as_deref() != Some(request.domain.as_str()) {
            return Ok(json!({"DomainDescription": {}}));
        }
        Ok(json!({"DomainDescription": {
            "UserPoolId": POOL_ID,
            "AWSAccountId": ACCOUNT,
            "Domain": request.domain,
            "Status": "ACTIVE",
            "CustomDomainConfig": {},
            "ManagedLoginVersion": 1,
        }}))
    }

    pub(super) async fn delete_domain(&self, request: Domain) -> Answer {
        check_pool(&request.user_pool_id)?;
        self.change_pool(move |record| {
            if record.domain.as_deref() != Some(request.domain.as_str()) {
                return Err(PoolError::invalid("No such domain or user pool exists."));
            }
            record.domain = None;
            Ok(())
        })
        .await
    }

    async fn change_pool(
        &self,
        change: impl FnOnce(&mut PoolRecord) -> Result<(), PoolError> + Send + 'static,
    ) -> Answer {
        let now = self.pool.time.now();
        let write = move |changes: &mut Changes<'_>| {
            let mut record: PoolRecord = changes
                .setting(POOL)?
                .ok_or_else(|| PoolError::internal("the pool's own record is missing"))?;
            change(&mut record)?;
            record.modified = now;
            changes.put_setting(POOL, &record)
        };
        self.pool.store.write(write).await?;
        Ok(json!({}))
    }
}
