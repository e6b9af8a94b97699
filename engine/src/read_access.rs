//! Links to objects for workers' browsers (`grant_read_access`). Rendering makes sure that the task names the object; this
//! file decides what the operator lets tasks show at all.

use crate::core::Core;
use crate::state::Address;

/// A short-lived link to an object, or a sentence for the worker that says why there is none.
pub(crate) async fn grant(core: &Core, uri: &str) -> Result<String, String> {
    let at = Address::parse(uri).ok_or("It is not the address of an object in S3 (s3://bucket/key).")?;
    if core.documents.contain(&at) {
        return Err("It is in the labeling engine's own bucket, which tasks cannot show.".into());
    }
    let readable = &core.operator.readable;
    if !readable.iter().any(|part| part.contains(&at.bucket, &at.key)) {
        return Err(
            "It is outside of what labeling tasks may show. The operator sets what they may show.".into(),
        );
    }
    // A browser removes such steps from the address; the link would be for another object than the one named.
    if at.key.split('/').any(|step| step == "." || step == "..") {
        return Err("Its key has a step \".\" or \"..\", which browsers cannot fetch.".into());
    }
    let link = core.objects.presign(&at).await;
    link.map_err(|error| {
        tracing::warn!(bucket = at.bucket, %error, "failed to make a link to an object");
        "A link to it could not be made. Please try again.".into()
    })
}
