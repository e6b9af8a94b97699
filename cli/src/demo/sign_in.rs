//! Signs in as a person does: from the portal to the hosted sign-in, through its form, and back.

use anyhow::{bail, ensure};
use reqwest::Client;

/// A client whose cookies hold the portal's session.
pub(crate) async fn sign_in(portal: &str, email: &str, password: &str) -> anyhow::Result<Client> {
    let client = Client::builder().cookie_store(true).build()?;
    let form = client
        .get(format!("{portal}/login"))
        .send()
        .await?
        .error_for_status()?;
    let address = form.url().clone();
    let page = form.text().await?;
    ensure!(
        page.contains("name=\"password\""),
        "{address} shows no form for a password"
    );
    // The form posts to the address of its own page, which carries the portal's parameters.
    let answer = client
        .post(address)
        .form(&[("username", email), ("password", password)])
        .send()
        .await?;
    if !answer.status().is_success() {
        bail!("the sign-in answered {}", answer.status());
    }
    client
        .get(format!("{portal}/api/me"))
        .send()
        .await?
        .error_for_status()?;
    Ok(client)
}
