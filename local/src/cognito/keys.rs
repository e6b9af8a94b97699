//! The RSA key that signs tokens. It is made at the first start, and only its owner can read it.

use aws_lc_rs::encoding::{AsDer, Pkcs8V1Der};
use aws_lc_rs::rsa::{KeyPair, KeySize};
use aws_lc_rs::signature::KeyPair as _;
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::data_dir::{DataDir, read_json, write_json};
use crate::error::StackError;

pub(super) struct SigningKey {
    id: String,
    private: EncodingKey,
    public: DecodingKey,
    modulus: String,
    exponent: String,
}

impl SigningKey {
    pub(super) fn open(data: &DataDir) -> Result<Self, StackError> {
        let failed = |reason: String| StackError::Part {
            what: "the sign-in's signing key",
            reason,
        };
        let path = data.path("sign-in-key.json");
        // PKCS #8, base64.
        let key: String = match read_json(&path)? {
            Some(key) => key,
            None => {
                let made = new_key().map_err(failed)?;
                write_json(&path, &made)?;
                made
            }
        };
        Self::read(&key).map_err(|reason| StackError::Damaged {
            path,
            reason: format!("it holds no RSA key ({reason})"),
        })
    }

    fn read(key: &str) -> Result<Self, String> {
        let der = STANDARD.decode(key).map_err(|error| error.to_string())?;
        let pair = KeyPair::from_pkcs8(&der).map_err(|error| error.to_string())?;
        let public = pair.public_key();
        let modulus = URL_SAFE_NO_PAD.encode(public.modulus().big_endian_without_leading_zero());
        let exponent = URL_SAFE_NO_PAD.encode(public.exponent().big_endian_without_leading_zero());
        let pem = format!("-----BEGIN PRIVATE KEY-----\n{key}\n-----END PRIVATE KEY-----\n");
        Ok(Self {
            id: URL_SAFE_NO_PAD.encode(&Sha256::digest(modulus.as_bytes())[..12]),
            private: EncodingKey::from_rsa_pem(pem.as_bytes()).map_err(|error| error.to_string())?,
            public: DecodingKey::from_rsa_components(&modulus, &exponent)
                .map_err(|error| error.to_string())?,
            modulus,
            exponent,
        })
    }

    pub(super) fn sign(&self, claims: &impl Serialize) -> Result<String, String> {
        let mut header = Header::new(Algorithm::RS256);
        header.kid = Some(self.id.clone());
        jsonwebtoken::encode(&header, claims, &self.private).map_err(|error| error.to_string())
    }

    /// The claims of a token this key signed for this issuer.
    pub(super) fn check<T: DeserializeOwned + Clone>(&self, token: &str, issuer: &str) -> Option<T> {
        let mut validation = Validation::new(Algorithm::RS256);
        validation.set_issuer(&[issuer]);
        validation.validate_aud = false;
        // The caller has the clock that says whether it has expired.
        validation.validate_exp = false;
        jsonwebtoken::decode(token, &self.public, &validation)
            .ok()
            .map(|token| token.claims)
    }

    pub(super) fn jwks(&self) -> Value {
        json!({"keys": [{
            "alg": "RS256", "e": self.exponent, "kid": self.id, "kty": "RSA", "n": self.modulus, "use": "sig",
        }]})
    }
}

fn new_key() -> Result<String, String> {
    let pair = KeyPair::generate(KeySize::Rsa2048).map_err(|error| error.to_string())?;
    let der: Pkcs8V1Der<'_> = pair.as_der().map_err(|error| error.to_string())?;
    Ok(STANDARD.encode(der.as_ref()))
}
