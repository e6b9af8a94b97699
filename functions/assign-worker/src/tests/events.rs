//! What the pool asks, in all its forms.

use proptest::prelude::*;
use serde_json::{Map, Value, json};

use super::{ANA, World, groups, marker};
use crate::handle;

#[tokio::test]
async fn a_first_sign_in_has_its_groups_in_that_very_token() {
    let world = World::new(&["letters", "numbers"]);
    let answer = world.answer(world.event(&[])).await;
    assert_eq!(*groups(&answer), json!(["letters", "numbers"]));
    assert_eq!(world.directory.groups_of(ANA), ["letters", "numbers"]);
    assert_eq!(world.markers(), [marker("letters"), marker("numbers")]);
    let joined = world.store.output(&marker("numbers")).unwrap();
    assert!(
        joined.contains(&world.ana.sub) && !joined.contains('@'),
        "{joined}"
    );
    // Everything but the answer is as it was asked.
    let mut asked = world.event(&[]);
    asked["response"] = answer["response"].clone();
    assert_eq!(answer, asked);
}

#[tokio::test]
async fn an_ordinary_sign_in_costs_one_read() {
    let world = World::new(&["numbers"]);
    world.passes(world.event(&["numbers", "others"])).await;
    assert_eq!(world.store.reads().len(), 1);
}

#[tokio::test]
async fn a_password_that_is_still_temporary_does_nothing() {
    let world = World::new(&["numbers"]);
    let mut event = world.event(&[]);
    event["request"]["userAttributes"]["cognito:user_status"] = json!("FORCE_CHANGE_PASSWORD");
    world.passes(event).await;
    assert!(world.store.reads().is_empty());
}

#[tokio::test]
async fn any_source_of_a_token_will_do() {
    for source in [
        "TokenGeneration_HostedAuth",
        "TokenGeneration_Authentication",
        "TokenGeneration_RefreshTokens",
        "TokenGeneration_AuthenticateDevice",
        "TokenGeneration_SomethingNew",
    ] {
        let world = World::new(&["numbers"]);
        let mut event = world.event(&[]);
        event["triggerSource"] = json!(source);
        assert_eq!(
            *groups(&world.answer(event).await),
            json!(["numbers"]),
            "{source}"
        );
    }
}

#[tokio::test]
async fn other_sources_and_other_shapes_pass_untouched() {
    let world = World::new(&["numbers"]);
    let event = |pointer: &str, value: Value| {
        let mut event = world.event(&[]);
        *event.pointer_mut(pointer).unwrap() = value;
        event
    };
    for event in [
        event("/triggerSource", json!("PostAuthentication_Authentication")),
        event("/triggerSource", json!("CustomMessage_AdminCreateUser")),
        event("/triggerSource", json!(7)),
        event("/request/userAttributes", json!("none")),
        event("/request/userAttributes/sub", json!(null)),
        event("/request", json!([])),
        event("/response", json!("something")),
        event("/userPoolId", json!({})),
        event("/userName", json!("")),
        // Machine to machine: no person signs in.
        json!({"version": "3", "triggerSource": "TokenGeneration_ClientCredentials", "userPoolId": "p",
            "userName": "client1", "request": {"scopes": []}, "response": {}}),
        json!(null),
        json!([1, 2]),
        json!({}),
    ] {
        world.passes(event).await;
    }
}

#[tokio::test]
async fn old_groups_roles_and_the_preferred_role_are_repeated() {
    let world = World::new(&["numbers"]);
    let mut event = world.event(&["others"]);
    let role = "arn:aws:iam::000000000000:role/others";
    event["request"]["groupConfiguration"]["iamRolesToOverride"] = json!([role]);
    event["request"]["groupConfiguration"]["preferredRole"] = json!(role);
    let answer = world.answer(event).await;
    assert_eq!(
        answer["response"]["claimsOverrideDetails"]["groupOverrideDetails"],
        json!({"groupsToOverride": ["others", "numbers"], "iamRolesToOverride": [role], "preferredRole": role})
    );
}

#[tokio::test]
async fn what_another_trigger_has_set_is_kept() {
    let world = World::new(&["numbers"]);
    let mut event = world.event(&["others"]);
    event["response"] = json!({"claimsOverrideDetails": {
        "claimsToAddOrOverride": {"a": "b"}, "claimsToSuppress": ["c"],
        "groupOverrideDetails": {"groupsToOverride": ["renamed"]},
    }, "more": 1});
    let answer = world.answer(event).await;
    assert_eq!(
        answer["response"],
        json!({"claimsOverrideDetails": {
            "claimsToAddOrOverride": {"a": "b"}, "claimsToSuppress": ["c"],
            "groupOverrideDetails": {"groupsToOverride": ["renamed", "numbers"], "iamRolesToOverride": []},
        }, "more": 1})
    );
}

#[tokio::test]
async fn later_versions_are_answered_in_their_own_form() {
    for version in [json!("2"), json!("3"), json!(2)] {
        let world = World::new(&["numbers"]);
        let mut event = world.event(&["others"]);
        event["version"] = version.clone();
        event["request"]["scopes"] = json!(["openid"]);
        event["response"] =
            json!({"claimsAndScopeOverrideDetails": {"idTokenGeneration": {"claimsToSuppress": ["x"]}}});
        let answer = world.answer(event).await;
        assert_eq!(
            answer["response"],
            json!({"claimsAndScopeOverrideDetails": {
                "idTokenGeneration": {"claimsToSuppress": ["x"]},
                "groupOverrideDetails": {"groupsToOverride": ["others", "numbers"], "iamRolesToOverride": []},
            }}),
            "{version}"
        );
    }
}

#[tokio::test]
async fn a_confirmed_account_gets_its_groups_and_the_event_comes_back_as_it_was() {
    for source in [
        "PostConfirmation_ConfirmSignUp",
        "PostConfirmation_ConfirmForgotPassword",
    ] {
        let world = World::new(&["numbers"]);
        let mut event = world.event(&[]);
        event["triggerSource"] = json!(source);
        event["request"]
            .as_object_mut()
            .unwrap()
            .remove("groupConfiguration");
        event["response"] = json!({});
        assert_eq!(world.answer(event.clone()).await, event, "{source}");
        assert_eq!(world.directory.groups_of(ANA), ["numbers"]);
        assert_eq!(world.markers(), [marker("numbers")]);
    }
}

#[tokio::test]
async fn an_unlisted_person_gets_no_team_and_is_announced_once() {
    let world = World::new(&["numbers"]);
    let mut event = world.event(&[]);
    event["request"]["userAttributes"]["email"] = json!("eve@example.org");
    let sub = "aaaa-bbbb";
    event["request"]["userAttributes"]["sub"] = json!(sub);
    for source in ["TokenGeneration_HostedAuth", "PostConfirmation_ConfirmSignUp"] {
        event["triggerSource"] = json!(source);
        assert_eq!(world.answer(event.clone()).await, event, "{source}");
    }
    assert_eq!(world.markers(), [shared::layout::unlisted_join_marker(sub)]);
    assert_eq!(world.directory.faults.calls(), []);
}

#[tokio::test]
async fn an_unlisted_person_in_a_group_is_not_announced() {
    let world = World::new(&["numbers"]);
    let mut event = world.event(&["admins"]);
    event["request"]["userAttributes"]["email"] = json!("boss@example.org");
    world.passes(event).await;
}

#[tokio::test]
async fn an_unlisted_person_who_resets_a_password_is_not_announced() {
    let world = World::new(&["numbers"]);
    let mut event = world.event(&[]);
    event["triggerSource"] = json!("PostConfirmation_ConfirmForgotPassword");
    event["request"]["userAttributes"]["email"] = json!("boss@example.org");
    world.passes(event).await;
}

#[tokio::test]
async fn a_person_removed_from_every_team_is_left_alone() {
    let world = World::new(&["numbers"]);
    world.list(ANA, &[], |_| {});
    world.passes(world.event(&[])).await;
}

#[tokio::test]
async fn the_same_event_twice_changes_nothing_more() {
    let world = World::new(&["numbers"]);
    let first = world.answer(world.event(&[])).await;
    let writes = world.store.writes();
    let second = world.answer(world.event(&[])).await;
    assert_eq!(first, second);
    assert_eq!(world.store.writes(), writes);
    assert_eq!(world.directory.groups_of(ANA), ["numbers"]);
}

fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        "[a-zA-Z0-9_@. ]{0,12}".prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 24, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::btree_map("[a-zA-Z]{1,8}", inner, 0..4)
                .prop_map(|fields| Value::Object(Map::from_iter(fields))),
        ]
    })
}

/// Everything in the event that is read or written, by JSON pointer.
const PLACES: [&str; 15] = [
    "/version",
    "/triggerSource",
    "/userPoolId",
    "/userName",
    "/request",
    "/request/userAttributes",
    "/request/userAttributes/sub",
    "/request/userAttributes/email",
    "/request/userAttributes/email_verified",
    "/request/groupConfiguration",
    "/request/groupConfiguration/groupsToOverride",
    "/request/groupConfiguration/iamRolesToOverride",
    "/request/groupConfiguration/preferredRole",
    "/response",
    "/response/claimsOverrideDetails",
];

proptest! {
    #[test]
    fn no_event_whatever_it_holds_fails_or_changes_outside_its_answer(
        changes in prop::collection::vec((0..PLACES.len(), any_json()), 0..4),
        whole in prop::option::weighted(0.1, any_json()),
    ) {
        let world = World::new(&["numbers"]);
        let mut event = world.event(&["others"]);
        for (place, value) in changes {
            if let Some(found) = event.pointer_mut(PLACES[place]) {
                *found = value;
            }
        }
        let event = whole.unwrap_or(event);
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
        let mut answer = runtime.block_on(handle(&world.deps, event.clone())).unwrap();
        if let (Some(answer), Some(event)) = (answer.as_object_mut(), event.as_object()) {
            match event.get("response") {
                Some(response) => answer.insert("response".to_owned(), response.clone()),
                None => answer.remove("response"),
            };
        }
        prop_assert_eq!(answer, event);
    }
}
