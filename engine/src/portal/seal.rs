//! A stored session is sealed with a secret that only the person's browser holds: reading the bucket reveals neither names
//! nor refresh tokens.

use aws_lc_rs::aead::{AES_256_GCM, Aad, NONCE_LEN, Nonce, RandomizedNonceKey};
use aws_lc_rs::error::Unspecified;
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use sha2::{Digest, Sha256};

/// 256 random bits that are only in the browser's cookie.
pub(super) struct SessionSecret(String);

impl SessionSecret {
    pub(super) fn random() -> SessionSecret {
        let mut bytes = [0; 32];
        rand::Rng::fill(&mut rand::rng(), &mut bytes[..]);
        SessionSecret(URL_SAFE_NO_PAD.encode(bytes))
    }

    pub(super) fn from_cookie(value: &str) -> SessionSecret {
        SessionSecret(value.to_owned())
    }

    pub(super) fn cookie(&self) -> &str {
        &self.0
    }

    /// The name of the session the secret opens. The secret cannot be computed from it.
    pub(super) fn name(&self) -> String {
        hex::encode(self.derive("name"))
    }

    pub(super) fn seal(&self, text: &[u8]) -> Result<String, Unspecified> {
        let key = RandomizedNonceKey::new(&AES_256_GCM, &self.derive("seal"))?;
        let mut sealed = text.to_vec();
        let nonce = key.seal_in_place_append_tag(Aad::from(self.name()), &mut sealed)?;
        Ok(STANDARD.encode([nonce.as_ref().as_slice(), &sealed].concat()))
    }

    pub(super) fn open(&self, sealed: &str) -> Result<Vec<u8>, Unspecified> {
        let key = RandomizedNonceKey::new(&AES_256_GCM, &self.derive("seal"))?;
        let bytes = STANDARD.decode(sealed).map_err(|_| Unspecified)?;
        let (nonce, text) = bytes.split_at_checked(NONCE_LEN).ok_or(Unspecified)?;
        let mut text = text.to_vec();
        let nonce = Nonce::try_assume_unique_for_key(nonce)?;
        let opened = key.open_in_place(nonce, Aad::from(self.name()), &mut text)?;
        Ok(opened.to_vec())
    }

    fn derive(&self, purpose: &str) -> [u8; 32] {
        Sha256::digest(format!("{purpose}|{}", self.0)).into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_secret_opens_what_it_sealed() {
        let secret = SessionSecret::random();
        let sealed = secret.seal(b"token").unwrap();
        assert_eq!(secret.open(&sealed).unwrap(), b"token");
        assert!(SessionSecret::random().open(&sealed).is_err());
        assert!(secret.open(&sealed[4..]).is_err() && secret.open("").is_err());
        assert!(!sealed.contains("token") && !secret.name().contains(secret.cookie()));
    }
}
