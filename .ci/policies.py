"""Every IAM policy of template.yaml, with its functions resolved as for one stack, through parliament: actions that do
not exist, resources and conditions an action does not know, wildcards. Exits 1 on a finding that is not explained here.

    python policies.py template.yaml
"""

import json
import sys

import parliament
import yaml

# What parliament says, and why it may: (two parts of the finding's text), the reason above each.
EXPLAINED = [
    # parliament's list is of the time when Unsubscribe took no resource. AWS's service reference names the topic, and
    # AWS's own policy for Ground Truth's streaming jobs scopes it so.
    ("sns:Unsubscribe", "RESOURCE_MISMATCH"),
]

PSEUDO = {
    "AWS::Partition": "aws",
    "AWS::Region": "us-east-1",
    "AWS::AccountId": "123456789012",
    "AWS::NoValue": None,
    "AWS::StackId": "arn:aws:cloudformation:us-east-1:123456789012:stack/groundcrew/51af3dc0-da77-11e4-872e-1234567db123",
}
# What a Ref or GetAtt of a resource of this type gives, as an ARN.
ARNS = {
    "AWS::S3::Bucket": "arn:aws:s3:::{}",
    "AWS::SQS::Queue": "arn:aws:sqs:us-east-1:123456789012:{}",
    "AWS::SNS::Topic": "arn:aws:sns:us-east-1:123456789012:{}",
    "AWS::IAM::Role": "arn:aws:iam::123456789012:role/{}",
    "AWS::Logs::LogGroup": "arn:aws:logs:us-east-1:123456789012:log-group:{}:*",
}


class Loader(yaml.SafeLoader):
    """Reads `!Sub x` as {"Fn::Sub": x}."""


def function(loader, suffix, node):
    name = suffix if suffix in ("Ref", "Condition") else f"Fn::{suffix}"
    if isinstance(node, yaml.ScalarNode):
        return {name: loader.construct_scalar(node)}
    if isinstance(node, yaml.SequenceNode):
        return {name: loader.construct_sequence(node, deep=True)}
    return {name: loader.construct_mapping(node, deep=True)}


Loader.add_multi_constructor("!", function)


class Stack:
    """One stack: every optional thing asked for, everything made by the template."""

    def __init__(self, template):
        self.resources = template["Resources"]
        self.parameters = {name: p.get("Default") or name.lower() for name, p in template["Parameters"].items()}
        self.parameters["KmsKeyArn"] = "arn:aws:kms:us-east-1:123456789012:key/a-key"
        self.parameters["LinkSources"] = "s3://pictures/,s3://texts/good/"

    def value(self, name):
        if name in PSEUDO:
            return PSEUDO[name]
        if name in self.parameters:
            return str(self.parameters[name])
        resource, _, attribute = name.partition(".")
        kind = self.resources[resource]["Type"]
        if kind == "AWS::Cognito::UserPool" and not attribute:
            return "us-east-1_Example"
        if kind == "AWS::SSM::Parameter":
            return resource.lower()
        return ARNS[kind].format(resource.lower())

    def resolve(self, node):
        if isinstance(node, list):
            return [r for r in map(self.resolve, node) if r is not None]
        if not isinstance(node, dict):
            return node
        if len(node) == 1:
            (key, value), = node.items()
            if key == "Ref" or key == "Fn::GetAtt":
                return self.value(value)
            if key == "Fn::If":
                # The way with something in it: a statement that is there only sometimes is linted too.
                return self.resolve(value[1])
            if key == "Fn::Sub":
                return self.substitute(value)
            if key == "Fn::Join":
                return value[0].join(self.resolve(value[1]))
            if key == "Fn::Split":
                return self.resolve(value[1]).split(value[0])
        return {key: r for key, value in node.items() if (r := self.resolve(value)) is not None}

    def substitute(self, value):
        text, local = (value, {}) if isinstance(value, str) else (value[0], self.resolve(value[1]))
        out, rest = "", text
        while "${" in rest:
            before, _, rest = rest.partition("${")
            name, _, rest = rest.partition("}")
            out += before + (local[name] if name in local else self.value(name))
        return out + rest

    def policies(self):
        for name, resource in self.resources.items():
            properties = resource.get("Properties", {})
            for policy in properties.get("Policies", []) if resource["Type"] == "AWS::IAM::Role" else []:
                yield f"{name}/{policy['PolicyName']}", policy["PolicyDocument"]
            if resource["Type"] in ("AWS::IAM::Policy", "AWS::IAM::ManagedPolicy"):
                yield name, properties["PolicyDocument"]


def main(path):
    with open(path, encoding="utf-8") as file:
        stack = Stack(yaml.load(file, Loader))
    bad = checked = 0
    for name, document in stack.policies():
        checked += 1
        analysed = parliament.analyze_policy_string(json.dumps(stack.resolve(document)))
        for finding in analysed.findings:
            text = f"{finding.issue} {finding.detail} {finding.location}"
            if not any(all(part in text for part in parts) for parts in EXPLAINED):
                bad += 1
                print(f"{name}: {text}")
    print(f"{checked} policies, {bad} findings")
    # A parser that finds nothing would always pass.
    return 1 if bad or checked < 8 else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
