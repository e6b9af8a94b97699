//! What CloudFormation makes before what: no circle, and nothing that is referred to and not there.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use tests::template::{Stack, template};

/// Of each resource, what has to be there before it. The events of a SAM function count as its own, which asks for
/// more than CloudFormation does: what follows from them is made after the function.
type Graph = BTreeMap<String, BTreeSet<String>>;

fn graph(template: &Value) -> Graph {
    let resources = template["Resources"].as_object().expect("resources");
    resources
        .iter()
        .map(|(name, resource)| {
            let mut needs = BTreeSet::new();
            references(&resource["Properties"], &mut needs);
            needs.extend(tests::template::strings(&resource["DependsOn"]));
            needs.retain(|n| resources.contains_key(n));
            (name.clone(), needs)
        })
        .collect()
}

/// Everything that Ref, GetAtt and Sub name, resource or not.
fn references(value: &Value, found: &mut BTreeSet<String>) {
    match value {
        Value::Array(list) => list.iter().for_each(|v| references(v, found)),
        Value::Object(map) => {
            for (key, value) in map {
                match (key.as_str(), value) {
                    ("Ref" | "Fn::GetAtt", Value::String(name)) => {
                        found.insert(name.split('.').next().unwrap_or(name).to_owned());
                    }
                    ("Fn::Sub", Value::String(text)) => found.extend(variables(text, &Value::Null)),
                    ("Fn::Sub", Value::Array(parts)) => {
                        found.extend(variables(parts[0].as_str().unwrap_or_default(), &parts[1]));
                        references(&parts[1], found);
                    }
                    _ => references(value, found),
                }
            }
        }
        _ => {}
    }
}

/// `${A.Arn}` names A, unless a value for it is given beside the text.
fn variables(text: &str, given: &Value) -> BTreeSet<String> {
    let parts = text.split("${").skip(1);
    let names = parts.filter_map(|p| p.split_once('}')).map(|(name, _)| name);
    names
        .filter(|name| given.get(*name).is_none())
        .map(|name| name.split('.').next().unwrap_or(name).to_owned())
        .collect()
}

/// A circle of resources, if there is one: takes away whatever needs nothing that is left, until nothing changes.
fn circle(mut graph: Graph) -> BTreeSet<String> {
    loop {
        let left: BTreeSet<String> = graph.keys().cloned().collect();
        graph.retain(|_, needs| needs.iter().any(|n| left.contains(n)));
        if graph.len() == left.len() {
            return left;
        }
    }
}

#[test]
fn no_resource_waits_for_itself() {
    let graph = graph(&template());
    assert!(
        graph["InputBucket"].contains("BuildManifestQueuePolicy"),
        "DependsOn counts"
    );
    assert!(
        graph["UserPool"].contains("AssignWorkerFunction"),
        "GetAtt counts"
    );
    assert!(
        graph["AssignWorkerPoolPolicy"].contains("UserPool"),
        "a value beside Sub counts"
    );
    assert_eq!(circle(graph), BTreeSet::new());
}

#[test]
fn a_circle_that_is_put_in_is_found() {
    // What everybody writes first: the trigger's role names the pool that names the function.
    let mut template = template();
    let policies = &mut template["Resources"]["AssignWorkerRole"]["Properties"]["Policies"];
    policies[0]["PolicyDocument"]["Statement"][0]["Resource"] = json!({"Fn::GetAtt": "UserPool.Arn"});
    let found = circle(graph(&template));
    for name in ["UserPool", "AssignWorkerFunction", "AssignWorkerRole"] {
        assert!(found.contains(name), "{name} is in the circle: {found:?}");
    }
}

#[test]
fn whatever_is_chosen_nothing_refers_to_what_is_not_there() {
    let arn = "arn:aws:ses:us-east-1:123456789012:identity/example.org";
    let key = "arn:aws:kms:us-east-1:123456789012:key/1";
    let choices: [&[(&str, &str)]; 8] = [
        &[],
        &[
            ("AdminEmail", "a@example.org"),
            ("SesIdentityArn", arn),
            ("SenderFrom", "a@example.org"),
        ],
        &[
            ("ExistingUserPoolId", "us-east-1_A"),
            ("ExistingUserPoolClientId", "c"),
        ],
        &[("ExistingInputBucket", "in"), ("KmsKeyArn", key)],
        &[("ExistingOutputBucket", "out")],
        &[
            ("ExistingInputBucket", "in"),
            ("ExistingOutputBucket", "out"),
            ("Alarms", "off"),
        ],
        &[
            ("Alarms", "off"),
            ("AdminEmail", "a@example.org"),
            ("SignInTriggers", "off"),
        ],
        &[
            ("PortalUrl", "https://p.example.org"),
            ("ConsoleUrl", "https://c.example.org"),
            ("DomainPrefix", "d"),
        ],
    ];
    let parameters = template()["Parameters"].as_object().expect("parameters").clone();
    for chosen in choices {
        let stack = Stack::with(chosen);
        let resources = stack["Resources"].as_object().expect("resources");
        for (section, entries) in [
            ("Resources", resources),
            ("Outputs", stack["Outputs"].as_object().expect("outputs")),
        ] {
            for (name, entry) in entries {
                let mut named = BTreeSet::new();
                references(entry, &mut named);
                let missing: Vec<&String> = named
                    .iter()
                    .filter(|n| {
                        !n.starts_with("AWS::") && !resources.contains_key(*n) && !parameters.contains_key(*n)
                    })
                    .collect();
                assert!(
                    missing.is_empty(),
                    "{chosen:?}: {section}/{name} refers to {missing:?}"
                );
            }
        }
    }
}
