//! The paths of the portal to which the identity provider sends people back. They are Ground Truth's paths, and must be
//! registered with the app client.

/// After signing in.
pub const SIGNED_IN_PATH: &str = "/oauth2/idpresponse";
/// After signing out.
pub const SIGN_OUT_PATH: &str = "/logout";
