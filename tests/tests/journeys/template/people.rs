//! The user pool: who may sign up, what a worker's client may change, and which functions a sign-in calls.

use local::wiring::{FUNCTIONS, Source, Trigger};
use serde_json::{Value, json};

use tests::template::{Stack, logical, of_type, plain};

fn with_ses() -> Value {
    let identity = "arn:aws:ses:us-east-1:123456789012:identity/example.org";
    Stack::with(&[("SesIdentityArn", identity)])
}

fn pool(stack: &Value) -> &Value {
    &stack["Resources"]["UserPool"]["Properties"]
}

fn triggers(stack: &Value) -> Vec<(String, String)> {
    let config = pool(stack)["LambdaConfig"].as_object().expect("LambdaConfig");
    config
        .iter()
        .map(|(name, arn)| (name.clone(), plain(arn)))
        .collect()
}

#[test]
fn a_sign_in_calls_the_functions_it_calls_here() {
    let mut wired: Vec<(String, String)> = FUNCTIONS
        .iter()
        .flat_map(|f| f.sources.iter().map(move |s| (f.name, s)))
        .filter_map(|(name, source)| match source {
            Source::UserPool(trigger) => Some((format!("{trigger:?}"), logical(name, "Function.Arn"))),
            _ => None,
        })
        .collect();
    let mut deployed = triggers(&with_ses());
    wired.sort();
    deployed.sort();
    assert_eq!(deployed, wired);
}

#[test]
fn cognitos_own_sender_never_gets_a_message_that_could_fail_an_invitation() {
    let custom = format!("{:?}", Trigger::CustomMessage);
    let has = |stack: &Value| triggers(stack).iter().any(|(name, _)| *name == custom);
    let default = Stack::by_default();
    assert_eq!(
        pool(&default)["EmailConfiguration"]["EmailSendingAccount"],
        "COGNITO_DEFAULT"
    );
    assert!(!has(&default));
    assert!(
        has(&Stack::with(&[("InvitationWords", "team")])),
        "who has tried it may"
    );
    let message = plain(&pool(&default)["AdminCreateUserConfig"]["InviteMessageTemplate"]["EmailMessage"]);
    for part in ["{username}", "{####}", "${Organization}"] {
        assert!(message.contains(part), "{part} is missing in {message}");
    }
}

#[test]
fn sign_in_goes_on_without_the_functions_when_they_are_switched_off() {
    let off = Stack::with(&[("SignInTriggers", "off")]);
    assert_eq!(triggers(&off), []);
}

#[test]
fn only_the_pool_may_call_its_triggers() {
    let pools = [
        (Stack::by_default(), "${UserPool}"),
        (
            Stack::with(&[
                ("ExistingUserPoolId", "us-east-1_A"),
                ("ExistingUserPoolClientId", "c"),
            ]),
            "us-east-1_A",
        ),
    ];
    for (stack, id) in pools {
        let permissions = of_type(&stack, "AWS::Lambda::Permission");
        let mut called: Vec<String> = Vec::new();
        for (name, permission) in permissions {
            assert_eq!(permission["Principal"], "cognito-idp.amazonaws.com", "{name}");
            let arn = plain(&permission["SourceArn"]);
            assert!(arn.ends_with(&format!(":userpool/{id}")), "{name}: {arn}");
            assert!(permission["SourceAccount"].is_object(), "{name}");
            called.push(plain(&permission["FunctionName"]));
        }
        called.sort();
        assert_eq!(called, ["AssignWorkerFunction", "InviteMessageFunction"]);
    }
}

#[test]
fn a_pool_that_was_there_before_is_used_and_nothing_is_made_beside_it() {
    let stack = Stack::with(&[
        ("ExistingUserPoolId", "us-east-1_A"),
        ("ExistingUserPoolClientId", "c"),
    ]);
    for kind in ["UserPool", "UserPoolClient", "UserPoolDomain"] {
        assert!(
            of_type(&stack, &format!("AWS::Cognito::{kind}")).is_empty(),
            "{kind}"
        );
    }
    let variables = &stack["Resources"]["SyncTeamFunction"]["Properties"]["Environment"]["Variables"];
    assert_eq!(variables["USER_POOL_ID"], "us-east-1_A");
    assert_eq!(variables["CLIENT_ID"], "c");
}

#[test]
fn nobody_signs_up_and_nobody_changes_the_address_that_decides_about_teams() {
    let stack = Stack::by_default();
    let pool = pool(&stack);
    assert_eq!(pool["AdminCreateUserConfig"]["AllowAdminCreateUserOnly"], true);
    assert_eq!(pool["UsernameAttributes"], json!(["email"]));
    assert_eq!(pool["UsernameConfiguration"]["CaseSensitive"], false);
    let client = &stack["Resources"]["UserPoolClient"]["Properties"];
    assert_eq!(client["WriteAttributes"], json!(["name"]));
    assert_eq!(client["AllowedOAuthFlows"], json!(["code"]));
    assert_eq!(client["PreventUserExistenceErrors"], "ENABLED");
    assert_eq!(client["GenerateSecret"], true);
    let scopes = client["AllowedOAuthScopes"].as_array().expect("scopes");
    assert!(!scopes.contains(&json!("aws.cognito.signin.user.admin")));
}

#[test]
fn forgotten_passwords_keep_some_of_the_days_mail() {
    let daily = |stack: &Value| {
        let variables = &stack["Resources"]["SyncTeamFunction"]["Properties"]["Environment"]["Variables"];
        variables["INVITATIONS_PER_DAY"].clone()
    };
    assert_eq!(daily(&Stack::by_default()), "40", "of 50");
    assert_eq!(daily(&with_ses()), "200", "finite, unless the operator says so");
    assert_eq!(
        daily(&Stack::with(&[("InvitationsPerDay", "unlimited")])),
        "unlimited"
    );
    assert_eq!(daily(&Stack::with(&[("InvitationsPerDay", "7")])), "7");
}

#[test]
fn an_operators_bounds_reach_the_function_and_none_is_set_by_default() {
    let variable = |stack: &Value, name: &str| {
        let variables = &stack["Resources"]["SyncTeamFunction"]["Properties"]["Environment"]["Variables"];
        variables[name].clone()
    };
    for (parameter, name, value) in [
        (
            "AllowedEmailDomains",
            "ALLOWED_EMAIL_DOMAINS",
            "example.org,*.lab.test",
        ),
        (
            "NetworksWithin",
            "NETWORKS_WITHIN",
            "203.0.113.0/24,2001:db8::/32",
        ),
    ] {
        assert_eq!(variable(&Stack::by_default(), name), "");
        assert_eq!(variable(&Stack::with(&[(parameter, value)]), name), value);
    }
}

#[test]
fn what_an_operator_hands_over_no_function_can_write() {
    let stack = Stack::by_default();
    for (name, resource) in stack["Resources"].as_object().expect("resources") {
        for policy in resource["Properties"]["Policies"]
            .as_array()
            .into_iter()
            .flatten()
        {
            for statement in policy["PolicyDocument"]["Statement"]
                .as_array()
                .into_iter()
                .flatten()
            {
                let text = statement.to_string();
                let writes = text.contains("s3:Put") || text.contains("s3:*");
                assert!(!(writes && text.contains("/adopted/")), "{name}: {text}");
            }
        }
    }
}

#[test]
fn an_address_for_the_portal_is_kept_by_the_template_once_it_is_known() {
    let stack = Stack::with(&[("PortalUrl", "https://x.labeling.us-east-1.sagemaker.aws")]);
    let client = &stack["Resources"]["UserPoolClient"]["Properties"];
    let known = [&client["CallbackURLs"][0], &client["LogoutURLs"][0]].map(plain);
    // Cognito compares to the letter: where the portal says people come back, sync-team and the template say too.
    let ways = [engine::SIGNED_IN_PATH, engine::SIGN_OUT_PATH];
    assert_eq!(known, ways.map(|way| format!("${{PortalUrl}}{way}")));
    let sync_team = include_str!("../../../../functions/sync-team/src/setup.rs");
    for way in ways {
        assert!(sync_team.contains(&format!("{{portal_url}}{way}")), "{way}");
    }
}

#[test]
fn codes_of_an_app_are_offered_at_sign_in_unless_switched_off() {
    let offered = |mfa: &str| {
        let stack = Stack::with(&[("Mfa", mfa)]);
        let pool = pool(&stack);
        (plain(&pool["MfaConfiguration"]), pool["EnabledMfas"].clone())
    };
    assert_eq!(pool(&Stack::by_default())["MfaConfiguration"], "OPTIONAL");
    assert_eq!(offered("on"), ("ON".to_owned(), json!(["SOFTWARE_TOKEN_MFA"])));
    assert_eq!(offered("off").0, "OFF");
}

#[test]
fn with_team_writers_given_others_may_not_write_teams() {
    let denied = |stack: &Value| {
        let policy = &stack["Resources"]["InputBucketPolicy"]["Properties"]["PolicyDocument"];
        let statements = policy["Statement"].as_array().expect("statements").clone();
        statements.into_iter().find(|s| s["Sid"] == "TeamWritersAlone")
    };
    assert_eq!(denied(&Stack::by_default()), None);
    let writer = "arn:aws:iam::123456789012:role/crew";
    let statement = denied(&Stack::with(&[("TeamWriters", writer)])).expect("a statement");
    assert_eq!(statement["Effect"], "Deny");
    assert_eq!(plain(&statement["Resource"]), "${InputBucket.Arn}/teams/*");
    assert_eq!(statement["Condition"]["ArnNotLike"]["aws:PrincipalArn"], writer);
    let actions = statement["Action"].to_string();
    assert!(actions.contains("s3:PutObject") && actions.contains("s3:DeleteObject"));
}

#[test]
fn the_labeling_role_is_for_jobs_of_this_account_and_reads_no_team_file() {
    let stack = Stack::by_default();
    let role = &stack["Resources"]["LabelingRole"]["Properties"];
    let trust = &role["AssumeRolePolicyDocument"]["Statement"][0];
    let account = &trust["Condition"]["StringEquals"]["aws:SourceAccount"];
    assert_eq!(plain(account), "AWS::AccountId", "{trust}");
    let statements = role["Policies"][0]["PolicyDocument"]["Statement"]
        .as_array()
        .expect("statements");
    let denied = statements
        .iter()
        .find(|s| s["Effect"] == "Deny")
        .expect("a denial");
    assert!(plain(&denied["Resource"]).ends_with("/teams/*"), "{denied}");
}
