//! Signed calls to sign-in and notices, whose SDKs the journeys would need for nothing else.

use std::time::SystemTime;

use anyhow::{Context, Result, ensure};
use aws_credential_types::Credentials;
use aws_sigv4::http_request::{SignableBody, SignableRequest, SigningSettings, sign};
use aws_sigv4::sign::v4;
use serde_json::{Value, json};

use crate::app::App;

const SIGN_IN: &str = "AWSCognitoIdentityProviderService";

/// The keys and the address of a running app.
pub struct Aws {
    url: String,
    region: String,
    credentials: Credentials,
}

impl Aws {
    pub fn of(app: &App) -> Self {
        let (key, secret) = (app.text("access_key_id"), app.text("secret_access_key"));
        Self {
            url: format!("{}/", app.text("aws_url")),
            region: app.text("region").to_owned(),
            credentials: Credentials::new(key, secret, None, None, "tests"),
        }
    }

    /// An operation of a JSON service, such as `AWSCognitoIdentityProviderService.AdminGetUser` of `cognito-idp`.
    pub async fn json(&self, service: &str, target: &str, body: &Value) -> Result<Value> {
        let headers = [
            ("content-type", "application/x-amz-json-1.1"),
            ("x-amz-target", target),
        ];
        let answer = self.call(service, &headers, body.to_string()).await?;
        serde_json::from_str(&answer).with_context(|| format!("{target} answered {answer}"))
    }

    /// An operation of a service that takes forms, such as SNS.
    pub async fn form(&self, service: &str, fields: &[(&str, &str)]) -> Result<String> {
        let mut body = reqwest::Url::parse(&self.url)?;
        body.query_pairs_mut().extend_pairs(fields);
        let headers = [("content-type", "application/x-www-form-urlencoded")];
        self.call(service, &headers, body.query().unwrap_or_default().to_owned())
            .await
    }

    /// A person with a password of their own, in the first team.
    pub async fn hire(&self, app: &App, person: (&str, &str)) -> Result<()> {
        self.hire_into(app, app.text("team"), person).await
    }

    /// The same, in a group that is there.
    pub async fn hire_into(&self, app: &App, group: &str, (email, password): (&str, &str)) -> Result<()> {
        let pool = app.text("user_pool_id");
        let user = |more: Value| {
            let mut request = json!({"UserPoolId": pool, "Username": email});
            for (name, value) in more.as_object().into_iter().flatten() {
                request[name] = value.clone();
            }
            request
        };
        let verified = json!([
            {"Name": "email", "Value": email},
            {"Name": "email_verified", "Value": "true"},
        ]);
        for (operation, request) in [
            (
                "AdminCreateUser",
                user(json!({"MessageAction": "SUPPRESS", "UserAttributes": verified})),
            ),
            (
                "AdminSetUserPassword",
                user(json!({"Password": password, "Permanent": true})),
            ),
            ("AdminAddUserToGroup", user(json!({"GroupName": group}))),
        ] {
            self.json("cognito-idp", &format!("{SIGN_IN}.{operation}"), &request)
                .await?;
        }
        Ok(())
    }

    /// A work team and the group of its people, both of this name.
    pub async fn found_team(&self, app: &App, name: &str) -> Result<()> {
        let pool = app.text("user_pool_id");
        let group = json!({"UserPoolId": pool, "GroupName": name});
        self.json("cognito-idp", &format!("{SIGN_IN}.CreateGroup"), &group)
            .await?;
        let member = json!({"UserPool": pool, "UserGroup": name, "ClientId": app.text("client_id")});
        let team = json!({
            "WorkteamName": name, "Description": "made by a test",
            "MemberDefinitions": [{"CognitoMemberDefinition": member}],
        });
        self.json("sagemaker", "SageMaker.CreateWorkteam", &team)
            .await
            .map(drop)
    }

    /// A person's id at the sign-in.
    pub async fn sub(&self, app: &App, email: &str) -> Result<String> {
        let request = json!({"UserPoolId": app.text("user_pool_id"), "Username": email});
        let user = self
            .json("cognito-idp", &format!("{SIGN_IN}.AdminGetUser"), &request)
            .await?;
        Ok(user["Username"].as_str().context("a user has a name")?.to_owned())
    }

    /// Mail for programs: it carries a notice's attributes, and so its id.
    pub async fn subscribe(&self, app: &App, address: &str) -> Result<()> {
        let topic = app.text("topic_arn");
        let fields = [
            ("Action", "Subscribe"),
            ("TopicArn", topic),
            ("Protocol", "email-json"),
            ("Endpoint", address),
        ];
        self.form("sns", &fields).await.map(drop)
    }

    async fn call(&self, service: &str, headers: &[(&str, &str)], body: String) -> Result<String> {
        let identity = self.credentials.clone().into();
        let signing = v4::SigningParams::builder()
            .identity(&identity)
            .region(&self.region)
            .name(service)
            .time(SystemTime::now())
            .settings(SigningSettings::default())
            .build()?
            .into();
        let bytes = SignableBody::Bytes(body.as_bytes());
        let signable = SignableRequest::new("POST", &self.url, headers.iter().copied(), bytes)?;
        let (signature, _) = sign(signable, &signing)?.into_parts();
        let mut request = reqwest::Client::new().post(&self.url);
        for (name, value) in headers.iter().copied().chain(signature.headers()) {
            request = request.header(name, value);
        }
        let answer = request.body(body).send().await?;
        let status = answer.status();
        let text = answer.text().await?;
        ensure!(status.is_success(), "{service} answered {status}: {text}");
        Ok(text)
    }
}
