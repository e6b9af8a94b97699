//! RenderUiTemplate: a worker template as a worker would see it, before a job is made of it.

use std::sync::Arc;

use serde_json::{Value, json};

use super::context::Api;
use super::error::{ApiError, Result};
use crate::core::Core;
use crate::read_access;
use crate::render::Presign;

pub(super) async fn render(api: &Api, request: &Value) -> Result<Value> {
    if request.get("HumanTaskUiArn").is_some() {
        return Err(ApiError::validation(
            "HumanTaskUiArn is not supported by this labeling engine: give the template itself as UiTemplate.Content.",
        ));
    }
    let template = request["UiTemplate"]["Content"].as_str().ok_or_else(|| {
        ApiError::validation("UiTemplate is missing: give the template as UiTemplate.Content.")
    })?;
    let input: Value = serde_json::from_str(request["Task"]["Input"].as_str().unwrap_or_default())
        .map_err(|error| ApiError::validation(format!("Task.Input is not JSON: {error}.")))?;
    let rendered = crate::render::render(template, &input, presign(api.core.clone())).await;
    Ok(match rendered {
        Ok(rendered) => json!({"RenderedContent": rendered.html, "Errors": []}),
        Err(errors) => {
            let errors: Vec<Value> = errors
                .iter()
                .map(|error| json!({"Code": error.code, "Message": error.message}))
                .collect();
            json!({"RenderedContent": "", "Errors": errors})
        }
    })
}

fn presign(core: Arc<Core>) -> Presign {
    Arc::new(move |uri| {
        let core = core.clone();
        Box::pin(async move { read_access::grant(&core, &uri).await })
    })
}
