//! CloudFormation's DescribeStacks, as one signed request: the SDK for it would be compiled for this call alone.
//!
//! <https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_DescribeStacks.html>

use std::collections::BTreeMap;
use std::time::{Duration, SystemTime};

use anyhow::{Context as _, anyhow};
use aws_config::Region;
use aws_credential_types::Credentials;
use aws_sigv4::http_request::{SignableBody, SignableRequest, SigningSettings, sign};
use aws_sigv4::sign::v4;
use reqwest::header::{CONTENT_TYPE, HeaderName, HeaderValue};
use reqwest::{Client, Request, StatusCode};
use serde::Deserialize;
use shared::shell;

const VERSION: &str = "2010-05-15";
const FORM: &str = "application/x-www-form-urlencoded";
const TIMEOUT: Duration = Duration::from_secs(20);

/// The parts of a stack that are used.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Stack {
    pub(super) name: String,
    /// `CREATE_COMPLETE` and the like.
    pub(super) status: String,
    pub(super) outputs: BTreeMap<String, String>,
    /// As deployed, defaults included.
    pub(super) parameters: BTreeMap<String, String>,
}

pub(super) async fn describe_stack(
    name: &str,
    region: &Region,
    credentials: &Credentials,
    endpoint: Option<&str>,
) -> anyhow::Result<Stack> {
    let url = match std::env::var("AWS_ENDPOINT_URL_CLOUDFORMATION") {
        Ok(url) if !url.is_empty() => url,
        _ => endpoint.map_or_else(
            || format!("https://cloudformation.{region}.amazonaws.com/"),
            str::to_owned,
        ),
    };
    let client = Client::builder().timeout(TIMEOUT).build()?;
    let form = [
        ("Action", "DescribeStacks"),
        ("Version", VERSION),
        ("StackName", name),
    ];
    let mut request = client.post(&url).form(&form).build()?;
    request
        .headers_mut()
        .insert(CONTENT_TYPE, HeaderValue::from_static(FORM));
    add_signature(&mut request, region, credentials, SystemTime::now())?;
    let unreachable = || format!("CloudFormation does not answer at {url}");
    let answer = client.execute(request).await.with_context(unreachable)?;
    let status = answer.status();
    let text = answer.text().await.with_context(unreachable)?;
    if status.is_success() {
        parse_stack(&text)
    } else {
        Err(refusal(status, &text, name, region))
    }
}

fn add_signature(
    request: &mut Request,
    region: &Region,
    credentials: &Credentials,
    at: SystemTime,
) -> anyhow::Result<()> {
    let identity = credentials.clone().into();
    let parameters = v4::SigningParams::builder()
        .identity(&identity)
        .region(region.as_ref())
        .name("cloudformation")
        .time(at)
        .settings(SigningSettings::default())
        .build()?
        .into();
    let body = request
        .body()
        .and_then(|body| body.as_bytes())
        .unwrap_or_default();
    let headers = std::iter::once(("content-type", FORM));
    let signable = SignableRequest::new("POST", request.url().as_str(), headers, SignableBody::Bytes(body))?;
    let (signature, _) = sign(signable, &parameters)?.into_parts();
    for (name, value) in signature.headers() {
        let mut value = HeaderValue::from_str(value)?;
        value.set_sensitive(true);
        request
            .headers_mut()
            .insert(HeaderName::from_bytes(name.as_bytes())?, value);
    }
    Ok(())
}

#[derive(Deserialize)]
struct DescribeStacksResponse {
    #[serde(rename = "DescribeStacksResult")]
    result: DescribeStacksResult,
}

#[derive(Deserialize)]
struct DescribeStacksResult {
    #[serde(rename = "Stacks")]
    stacks: Members<StackXml>,
}

/// A list, as the Query protocol writes it.
#[derive(Deserialize)]
struct Members<T> {
    #[serde(default = "Vec::new")]
    member: Vec<T>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct StackXml {
    stack_name: String,
    stack_status: String,
    outputs: Option<Members<Output>>,
    parameters: Option<Members<Parameter>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Output {
    output_key: String,
    #[serde(default)]
    output_value: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Parameter {
    parameter_key: String,
    #[serde(default)]
    parameter_value: String,
}

fn parse_stack(text: &str) -> anyhow::Result<Stack> {
    let response: DescribeStacksResponse =
        quick_xml::de::from_str(text).context("the answer is not one of CloudFormation's")?;
    let stack = response.result.stacks.member.into_iter().next();
    let stack = stack.context("CloudFormation answered without a stack")?;
    let outputs = stack.outputs.map(|outputs| outputs.member).unwrap_or_default();
    let parameters = stack.parameters.map(|all| all.member).unwrap_or_default();
    Ok(Stack {
        name: stack.stack_name,
        status: stack.stack_status,
        outputs: outputs
            .into_iter()
            .map(|output| (output.output_key, output.output_value))
            .collect(),
        parameters: parameters
            .into_iter()
            .map(|parameter| (parameter.parameter_key, parameter.parameter_value))
            .collect(),
    })
}

#[derive(Deserialize)]
struct ErrorResponse {
    #[serde(rename = "Error")]
    error: ErrorXml,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct ErrorXml {
    code: String,
    #[serde(default)]
    message: String,
}

fn refusal(status: StatusCode, text: &str, name: &str, region: &Region) -> anyhow::Error {
    let Ok(ErrorResponse { error }) = quick_xml::de::from_str(text) else {
        return anyhow!("CloudFormation answered {status} without an error code");
    };
    let ErrorXml { code, message } = error;
    match code.as_str() {
        "ValidationError" if message.contains("does not exist") => anyhow!(
            "there is no stack `{name}` in {region} in the account these credentials are for: name \
             another Region with --region, or list the stacks with\n  aws cloudformation list-stacks --region {}",
            shell::word(region.as_ref())
        ),
        "AccessDenied" | "AccessDeniedException" => {
            anyhow!("these credentials lack the permission cloudformation:DescribeStacks: {message}")
        }
        "InvalidClientTokenId"
        | "UnrecognizedClientException"
        | "SignatureDoesNotMatch"
        | "ExpiredToken"
        | "ExpiredTokenException"
        | "RequestExpired"
        | "IncompleteSignature" => anyhow!("AWS does not accept these credentials ({code}): {message}"),
        _ => anyhow!("CloudFormation answered {code}: {message}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ANSWER: &str = r#"<DescribeStacksResponse xmlns="http://cloudformation.amazonaws.com/doc/2010-05-15/">
      <DescribeStacksResult><Stacks><member>
        <StackId>arn:aws:cloudformation:eu-west-1:000000000000:stack/crew/1</StackId>
        <Outputs>
          <member><Description>x</Description><OutputKey>InputBucketName</OutputKey><OutputValue>in</OutputValue></member>
          <member><OutputKey>JobsConsole</OutputKey><OutputValue>https://x?a=1&amp;b=2#/jobs</OutputValue></member>
        </Outputs>
        <Parameters><member><ParameterKey>A</ParameterKey><ParameterValue>b</ParameterValue></member></Parameters>
        <StackName>crew</StackName><StackStatus>UPDATE_COMPLETE</StackStatus><Tags/>
      </member></Stacks></DescribeStacksResult>
      <ResponseMetadata><RequestId>1</RequestId></ResponseMetadata></DescribeStacksResponse>"#;

    fn refusal_text(code: &str, message: &str) -> String {
        let text = format!(
            "<ErrorResponse xmlns=\"http://cloudformation.amazonaws.com/doc/2010-05-15/\"><Error><Type>Sender</Type>\
             <Code>{code}</Code><Message>{message}</Message></Error><RequestId>1</RequestId></ErrorResponse>"
        );
        refusal(
            StatusCode::BAD_REQUEST,
            &text,
            "crew",
            &Region::from_static("eu-west-1"),
        )
        .to_string()
    }

    #[test]
    fn a_stacks_outputs_are_read_by_their_names() {
        let stack = parse_stack(ANSWER).unwrap();
        assert_eq!(
            (stack.name.as_str(), stack.status.as_str()),
            ("crew", "UPDATE_COMPLETE")
        );
        assert_eq!(stack.outputs["InputBucketName"], "in");
        assert_eq!(stack.outputs["JobsConsole"], "https://x?a=1&b=2#/jobs");
        assert_eq!(stack.outputs.len(), 2, "parameters are not outputs");
        assert_eq!(
            stack.parameters,
            BTreeMap::from([("A".to_owned(), "b".to_owned())])
        );
        let bare =
            ANSWER.split("<Outputs>").next().unwrap().to_owned() + ANSWER.split("</Outputs>").nth(1).unwrap();
        assert!(parse_stack(&bare).unwrap().outputs.is_empty());
    }

    #[test]
    fn a_refusal_says_what_to_do() {
        let absent = refusal_text("ValidationError", "Stack with id crew does not exist");
        assert!(
            absent.contains("`crew` in eu-west-1") && absent.contains("--region"),
            "{absent}"
        );
        let denied = refusal_text("AccessDenied", "User: x is not authorized");
        assert!(
            denied.contains("cloudformation:DescribeStacks") && denied.contains("User: x"),
            "{denied}"
        );
        let expired = refusal_text("ExpiredToken", "The security token has expired");
        assert!(
            expired.starts_with("AWS does not accept these credentials"),
            "{expired}"
        );
        let other = refusal_text("Throttling", "Rate exceeded");
        assert_eq!(other, "CloudFormation answered Throttling: Rate exceeded");
    }

    #[test]
    fn the_signature_covers_host_time_and_token() {
        let credentials = Credentials::new("AKIDEXAMPLE", "secret", Some("token".into()), None, "test");
        let mut request = Client::new()
            .post("https://cloudformation.eu-west-1.amazonaws.com/")
            .form(&[("Action", "DescribeStacks")])
            .build()
            .unwrap();
        let at = SystemTime::UNIX_EPOCH + Duration::from_secs(1_795_305_600);
        add_signature(&mut request, &Region::from_static("eu-west-1"), &credentials, at).unwrap();
        let headers = request.headers();
        assert_eq!(headers["x-amz-security-token"], "token");
        let authorization = headers["authorization"].to_str().unwrap();
        let scope = "Credential=AKIDEXAMPLE/20261122/eu-west-1/cloudformation/aws4_request";
        let covered = "SignedHeaders=content-type;host;x-amz-date;x-amz-security-token";
        assert!(
            authorization.contains(scope) && authorization.contains(covered),
            "{authorization}"
        );
    }
}
