//! The pool itself, described.

use serde::Deserialize;
use serde_json::json;

use super::answers::{ApiResult, check_pool, seconds};
use crate::cognito::error::PoolError;
use crate::cognito::password_policy;
use crate::cognito::pool::{Cognito, POOL_ID};
use crate::cognito::triggers::lambda_config;
use crate::info::{ACCOUNT, PARTITION, REGION};

/// The pool's name, and the prefix of its sign-in's domain on AWS.
const NAME: &str = "groundcrew";

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct DescribeUserPool {
    user_pool_id: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct ListUserPools {
    /// There is one pool, and so one page.
    #[serde(rename = "NextToken")]
    _next_token: Option<String>,
    max_results: u32,
}

impl Cognito {
    /// The pool as `template.yaml` makes one: only administrators make accounts, and the triggers call the functions.
    pub(super) fn describe_pool(&self, request: &DescribeUserPool) -> ApiResult {
        check_pool(&request.user_pool_id)?;
        let record = self.record()?;
        Ok(json!({"UserPool": {
            "Id": POOL_ID,
            "Name": NAME,
            "Arn": format!("arn:{PARTITION}:cognito-idp:{REGION}:{ACCOUNT}:userpool/{POOL_ID}"),
            "CreationDate": seconds(record.created),
            "LastModifiedDate": seconds(record.created),
            "Policies": {"PasswordPolicy": password_policy::describe()},
            "LambdaConfig": lambda_config(),
            "AdminCreateUserConfig": {
                "AllowAdminCreateUserOnly": true,
                "UnusedAccountValidityDays": password_policy::TEMPORARY_DAYS,
            },
            "AutoVerifiedAttributes": ["email"],
            "UsernameAttributes": ["email"],
            "UsernameConfiguration": {"CaseSensitive": false},
            "MfaConfiguration": "OFF",
            "DeletionProtection": "INACTIVE",
            "EmailConfiguration": {"EmailSendingAccount": "COGNITO_DEFAULT"},
            "UserPoolTags": {},
            "UserPoolTier": "ESSENTIALS",
            "Domain": NAME,
            "EstimatedNumberOfUsers": self.pool.store.view()?.count()?,
        }}))
    }

    pub(super) fn list_pools(&self, request: &ListUserPools) -> ApiResult {
        if !(1..=60).contains(&request.max_results) {
            return Err(PoolError::invalid("MaxResults is from 1 to 60"));
        }
        let record = self.record()?;
        Ok(json!({"UserPools": [{
            "Id": POOL_ID,
            "Name": NAME,
            "LambdaConfig": lambda_config(),
            "CreationDate": seconds(record.created),
            "LastModifiedDate": seconds(record.created),
        }]}))
    }
}
