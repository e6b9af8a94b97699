//! A sign-in step by step, with every cookie in hand: what an attacker would take, plant or mix up.

use anyhow::{Context, Result, ensure};
use reqwest::redirect::Policy;
use reqwest::{Client, Response, Url};

pub const PENDING: &str = "groundcrew-sign-in";
pub const SESSION: &str = "groundcrew-session";

/// On the way to the provider.
#[derive(Clone)]
pub struct PendingSignIn {
    /// What the browser keeps for the way back.
    pub pending: String,
    /// The provider's form.
    pub form: Url,
}

/// A client that goes nowhere by itself and keeps no cookies.
pub fn client() -> Result<Client> {
    Ok(Client::builder().redirect(Policy::none()).build()?)
}

pub async fn begin(portal: &str) -> Result<PendingSignIn> {
    let start = client()?.get(format!("{portal}/login")).send().await?;
    let pending = cookie(&start, PENDING).context("the portal remembers the sign-in")?;
    let asked = client()?.get(onward(&start)?).send().await?;
    Ok(PendingSignIn {
        pending,
        form: onward(&asked)?,
    })
}

/// What the provider answers to the form.
pub async fn pass(form: &Url, (email, password): (&str, &str)) -> Result<Response> {
    let fields = [("username", email), ("password", password)];
    Ok(client()?.post(form.clone()).form(&fields).send().await?)
}

/// What the portal answers to a request with this address and this cookie.
pub async fn back(address: Url, pending: &str) -> Result<Response> {
    let ask = client()?
        .get(address)
        .header("cookie", format!("{PENDING}={pending}"));
    Ok(ask.send().await?)
}

/// The value of the session cookie of a whole sign-in.
pub async fn session(portal: &str, person: (&str, &str)) -> Result<String> {
    let begun = begin(portal).await?;
    let passed = pass(&begun.form, person).await?;
    let entered = back(onward(&passed)?, &begun.pending).await?;
    cookie(&entered, SESSION).with_context(|| format!("a session: {}", entered.status()))
}

/// Where an answer sends the browser.
pub fn onward(answer: &Response) -> Result<Url> {
    let location = answer.headers().get("location");
    ensure!(
        location.is_some(),
        "{} leads nowhere: {}",
        answer.url(),
        answer.status()
    );
    let location = location.context("a location")?.to_str()?;
    Ok(answer.url().join(location)?)
}

/// The value an answer sets a cookie to.
pub fn cookie(answer: &Response, name: &str) -> Option<String> {
    let set = answer.headers().get_all("set-cookie");
    set.iter()
        .filter_map(|value| value.to_str().ok()?.split_once('='))
        .find(|(named, _)| *named == name)
        .and_then(|(_, rest)| rest.split(';').next())
        .filter(|value| !value.is_empty())
        .map(str::to_owned)
}
