//! A request signed with version 4, of which every part can be chosen wrongly.

use std::time::SystemTime;

use anyhow::Result;
use aws_credential_types::Credentials;
use aws_sigv4::http_request::{
    PayloadChecksumKind, PercentEncodingMode, SignableBody, SignableRequest, SigningSettings,
    UriPathNormalizationMode, sign,
};
use aws_sigv4::sign::v4;

use crate::app::App;
use crate::raw::{self, RawResponse};

/// What is signed. Change what is sent after [`Call::sign`] to tamper with it.
#[derive(Clone, Debug)]
pub struct Call {
    pub service: &'static str,
    pub method: &'static str,
    /// Path and query.
    pub target: String,
    pub headers: Vec<(String, String)>,
    pub body: String,
    pub at: SystemTime,
    pub key: String,
    pub secret: String,
    url: String,
    region: String,
}

impl Call {
    /// As the app's own clients would make it, now.
    pub fn new(app: &App, service: &'static str, method: &'static str, target: &str) -> Self {
        let url = app.text("aws_url").to_owned();
        Self {
            service,
            method,
            target: target.to_owned(),
            headers: vec![("host".to_owned(), raw::authority(&url).to_owned())],
            body: String::new(),
            at: SystemTime::now(),
            key: app.text("access_key_id").to_owned(),
            secret: app.text("secret_access_key").to_owned(),
            url,
            region: app.text("region").to_owned(),
        }
    }

    /// An operation of a JSON service.
    pub fn json(app: &App, service: &'static str, target: &str, body: &str) -> Self {
        Self::new(app, service, "POST", "/")
            .header("content-type", "application/x-amz-json-1.1")
            .header("x-amz-target", target)
            .body(body)
    }

    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    pub fn body(mut self, body: &str) -> Self {
        self.body = body.to_owned();
        self
    }

    /// Adds the signature's headers.
    pub fn sign(mut self) -> Result<Self> {
        let identity = Credentials::new(&self.key, &self.secret, None, None, "tests").into();
        let mut settings = SigningSettings::default();
        if self.service == "s3" {
            settings.percent_encoding_mode = PercentEncodingMode::Single;
            settings.uri_path_normalization_mode = UriPathNormalizationMode::Disabled;
            settings.payload_checksum_kind = PayloadChecksumKind::XAmzSha256;
        }
        let parameters = v4::SigningParams::builder()
            .identity(&identity)
            .region(&self.region)
            .name(self.service)
            .time(self.at)
            .settings(settings)
            .build()?
            .into();
        let address = format!("{}{}", self.url, self.target);
        let headers = self
            .headers
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()));
        let body = SignableBody::Bytes(self.body.as_bytes());
        let signable = SignableRequest::new(self.method, &address, headers, body)?;
        let (signature, _) = sign(signable, &parameters)?.into_parts();
        for (name, value) in signature.headers() {
            self.headers.push((name.to_owned(), value.to_owned()));
        }
        Ok(self)
    }

    /// Byte by byte, without tidying.
    pub async fn send(&self) -> Result<RawResponse> {
        let headers: Vec<(&str, &str)> = self
            .headers
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()))
            .collect();
        raw::request(&self.url, self.method, &self.target, &headers, &self.body).await
    }
}
