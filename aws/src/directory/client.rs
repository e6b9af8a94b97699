//! The app client, sent again in full: UpdateUserPoolClient sets every field it is not given to its default, also those
//! that the labeling service has set itself.
//! <https://docs.aws.amazon.com/cognito-user-identity-pools/latest/APIReference/API_UpdateUserPoolClient.html>

use aws_sdk_cognitoidentityprovider::operation::update_user_pool_client::builders::UpdateUserPoolClientFluentBuilder;
use aws_sdk_cognitoidentityprovider::types::UserPoolClientType;
use shared::port::crew::ClientUrls;

/// Whether anything was missing.
pub(super) fn add(client: &mut UserPoolClientType, wanted: &ClientUrls) -> bool {
    let callback = add_to(&mut client.callback_urls, &wanted.callback);
    let logout = add_to(&mut client.logout_urls, &wanted.logout);
    callback || logout
}

fn add_to(urls: &mut Option<Vec<String>>, wanted: &[String]) -> bool {
    let mut added = false;
    for url in wanted {
        let urls = urls.get_or_insert_default();
        if !urls.contains(url) {
            urls.push(url.clone());
            added = true;
        }
    }
    added
}

/// All fields but its ids (`user_pool_id`, `client_id`, which the caller adds) and those that cannot be set
/// (`client_secret`, `creation_date`, `last_modified_date`).
pub(super) fn with_all_fields(
    call: UpdateUserPoolClientFluentBuilder,
    client: UserPoolClientType,
) -> UpdateUserPoolClientFluentBuilder {
    call.set_client_name(client.client_name)
        .refresh_token_validity(client.refresh_token_validity)
        .set_access_token_validity(client.access_token_validity)
        .set_id_token_validity(client.id_token_validity)
        .set_token_validity_units(client.token_validity_units)
        .set_read_attributes(client.read_attributes)
        .set_write_attributes(client.write_attributes)
        .set_explicit_auth_flows(client.explicit_auth_flows)
        .set_supported_identity_providers(client.supported_identity_providers)
        .set_callback_urls(client.callback_urls)
        .set_logout_urls(client.logout_urls)
        .set_default_redirect_uri(client.default_redirect_uri)
        .set_allowed_o_auth_flows(client.allowed_o_auth_flows)
        .set_allowed_o_auth_scopes(client.allowed_o_auth_scopes)
        .set_allowed_o_auth_flows_user_pool_client(client.allowed_o_auth_flows_user_pool_client)
        .set_analytics_configuration(client.analytics_configuration)
        .set_prevent_user_existence_errors(client.prevent_user_existence_errors)
        .set_enable_token_revocation(client.enable_token_revocation)
        .set_enable_propagate_additional_user_context_data(
            client.enable_propagate_additional_user_context_data,
        )
        .set_auth_session_validity(client.auth_session_validity)
        .set_refresh_token_rotation(client.refresh_token_rotation)
}
