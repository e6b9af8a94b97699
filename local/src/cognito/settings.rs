//! What the pool itself is set to: everything UpdateUserPool sets, and resets where it is not repeated.
//! <https://docs.aws.amazon.com/cognito-user-identity-pools/latest/APIReference/API_UpdateUserPool.html>

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::error::PoolError;
use super::policy::Policy;
use super::triggers::LambdaConfig;

/// The pool's record.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct PoolRecord {
    pub(super) created: Timestamp,
    pub(super) modified: Timestamp,
    /// Prefix of the sign-in's domain on AWS; here a name and no more.
    pub(super) domain: Option<String>,
    /// Where the portal was when it was last started.
    pub(super) portal: String,
    pub(super) settings: PoolSettings,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default, deny_unknown_fields)]
pub(super) struct PoolSettings {
    pub(super) pool_name: Option<String>,
    pub(super) policies: Policies,
    pub(super) lambda_config: LambdaConfig,
    pub(super) admin_create_user_config: AdminCreateUserConfig,
    pub(super) email_verification_message: Option<String>,
    pub(super) email_verification_subject: Option<String>,
    pub(super) verification_message_template: Option<VerificationTemplate>,
    pub(super) mfa_configuration: Option<String>,
    // Said back as they were given; nothing here depends on them.
    pub(super) auto_verified_attributes: Option<Vec<String>>,
    pub(super) deletion_protection: Option<String>,
    pub(super) email_configuration: Option<Value>,
    pub(super) user_pool_tags: Option<Value>,
    pub(super) account_recovery_setting: Option<Value>,
    pub(super) user_attribute_update_settings: Option<Value>,
    pub(super) user_pool_tier: Option<String>,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default, deny_unknown_fields)]
pub(super) struct Policies {
    pub(super) password_policy: Policy,
    /// Passwords alone are what this stack knows.
    pub(super) sign_in_policy: Option<Value>,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default, deny_unknown_fields)]
pub(super) struct AdminCreateUserConfig {
    pub(super) allow_admin_create_user_only: bool,
    /// The old name of the policy's TemporaryPasswordValidityDays.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) unused_account_validity_days: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) invite_message_template: Option<InviteTemplate>,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default, deny_unknown_fields)]
pub(super) struct InviteTemplate {
    #[serde(rename = "SMSMessage", skip_serializing_if = "Option::is_none")]
    pub(super) sms_message: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) email_message: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) email_subject: Option<String>,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default, deny_unknown_fields)]
pub(super) struct VerificationTemplate {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) sms_message: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) email_message: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) email_subject: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) email_message_by_link: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) email_subject_by_link: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) default_email_option: Option<String>,
}

impl PoolSettings {
    /// As `template.yaml` sets up a pool: nobody signs up alone, and the functions are called.
    pub(super) fn first() -> Self {
        Self {
            pool_name: Some("groundcrew".to_owned()),
            lambda_config: LambdaConfig::of_the_functions(),
            admin_create_user_config: AdminCreateUserConfig {
                allow_admin_create_user_only: true,
                ..AdminCreateUserConfig::default()
            },
            auto_verified_attributes: Some(vec!["email".to_owned()]),
            ..Self::default()
        }
    }

    pub(super) fn name(&self) -> &str {
        self.pool_name.as_deref().unwrap_or("groundcrew")
    }

    /// How long an invitation's password is good.
    pub(super) fn temporary_life(&self) -> SignedDuration {
        SignedDuration::from_hours(24 * i64::from(self.policies.password_policy.validity_days()))
    }

    /// The texts of a mailed code, where the pool has its own: subject, message.
    pub(super) fn code_texts(&self) -> (Option<&str>, Option<&str>) {
        let template = self.verification_message_template.as_ref();
        let subject = template.and_then(|template| template.email_subject.as_deref());
        let message = template.and_then(|template| template.email_message.as_deref());
        (
            subject.or(self.email_verification_subject.as_deref()),
            message.or(self.email_verification_message.as_deref()),
        )
    }

    pub(super) fn check(&self) -> Result<(), PoolError> {
        self.lambda_config.check()?;
        self.policies.password_policy.check()?;
        if !matches!(self.mfa_configuration.as_deref(), None | Some("OFF")) {
            return Err(PoolError::unsupported(
                "a second factor is not supported by the sign-in of this stack: leave MfaConfiguration OFF",
            ));
        }
        let invite = self.admin_create_user_config.invite_message_template.as_ref();
        let texts = [
            invite.and_then(|invite| invite.email_message.as_deref()),
            self.code_texts().1,
        ];
        let both = texts[0].is_none_or(|text| text.contains("{username}") && text.contains("{####}"));
        if !both || texts[1].is_some_and(|text| !text.contains("{####}")) {
            return Err(PoolError::invalid(
                "an invitation's EmailMessage contains {username} and {####}, a code's contains {####}",
            ));
        }
        Ok(())
    }
}
