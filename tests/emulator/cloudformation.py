"""The built template as a stack in moto's CloudFormation: what is made of it, and every difference to what was asked.

    python cloudformation.py TEMPLATE ZIPS

The SAM transform is AWS's own (samtranslator, which CloudFormation runs as well). Every resource whose condition holds has
to be made, for each set of answers; what moto leaves out is in `KNOWN`, with the reason. Exits 1 at anything else.
"""

import json
import os
import re
import sys
import warnings
from collections import Counter
from pathlib import Path

import boto3
import yaml
from moto import mock_aws
from samtranslator.translator.transform import transform

REGION = "us-east-1"
os.environ["AWS_DEFAULT_REGION"] = REGION
ANSWERS = {
    "a first stack": {"Organization": "Example Lab", "AdminEmail": "ops@example.org"},
    "everything asked for": {
        "Organization": "Example Lab", "AdminEmail": "ops@example.org", "MonthlyBudget": "500", "Mfa": "on",
        "TeamWriters": "arn:aws:iam::123456789012:role/crew-admin,arn:aws:iam::123456789012:role/ops",
        "SesIdentityArn": "arn:aws:ses:us-east-1:123456789012:identity/example.org",
    },
    "what is there already": {
        "Organization": "Example Lab", "ExistingInputBucket": "ours-in", "ExistingOutputBucket": "ours-out",
        "ExistingUserPoolId": "us-east-1_Example", "ExistingUserPoolClientId": "client", "Alarms": "off",
    },
}
# Types that moto's CloudFormation has no model for, whatever moto's API of the same service can do: it leaves them out
# with a warning, and goes on.
KNOWN = {
    "AWS::Budgets::Budget", "AWS::CloudWatch::Alarm", "AWS::Cognito::UserPool", "AWS::Cognito::UserPoolClient",
    "AWS::Cognito::UserPoolDomain", "AWS::Lambda::EventInvokeConfig", "AWS::S3::BucketPolicy", "AWS::SNS::Subscription",
    "AWS::SNS::TopicPolicy", "AWS::SQS::QueuePolicy", "AWS::Scheduler::Schedule",
}
# Outputs that are about one of these.
WITHOUT = {"UserPoolId", "UserPoolClientId", "SignInDomain"}


class Loader(yaml.SafeLoader):
    """Writes CloudFormation's short functions out."""


def _function(loader, suffix, node):
    name = suffix if suffix in ("Ref", "Condition") else f"Fn::{suffix}"
    if isinstance(node, yaml.ScalarNode):
        value = loader.construct_scalar(node)
    elif isinstance(node, yaml.SequenceNode):
        value = loader.construct_sequence(node, deep=True)
    else:
        value = loader.construct_mapping(node, deep=True)
    if suffix == "GetAtt" and isinstance(value, str):
        value = value.split(".", 1)
    return {name: value}


Loader.add_multi_constructor("!", _function)


class NoManagedPolicies:
    """The template names none by a short name."""

    def load(self):
        return {}


def transformed(template, answers):
    template = yaml.load(Path(template).read_text(), Loader)
    for name, resource in template["Resources"].items():
        if resource["Type"] == "AWS::Serverless::Function":
            resource["Properties"]["CodeUri"] = {"Bucket": "code", "Key": f"{name}.zip"}
    return transform(template, answers, NoManagedPolicies())


def without_parameter_values(part, resources):
    """moto's SSM parameters have no attribute Value: what it would be stands in its place."""
    if isinstance(part, list):
        return [without_parameter_values(p, resources) for p in part]
    if not isinstance(part, dict):
        return part
    if "Fn::GetAtt" in part and part["Fn::GetAtt"][1] == "Value":
        return resources[part["Fn::GetAtt"][0]]["Properties"]["Value"]
    if isinstance(part.get("Fn::Sub"), str) and ".Value}" in part["Fn::Sub"]:
        names = set(re.findall(r"\$\{(\w+)\.Value\}", part["Fn::Sub"]))
        values = {f"{name}Value": resources[name]["Properties"]["Value"] for name in sorted(names)}
        return {"Fn::Sub": [re.sub(r"\$\{(\w+)\.Value\}", r"${\1Value}", part["Fn::Sub"]), values]}
    return {name: without_parameter_values(p, resources) for name, p in part.items()}


def holds(condition, template, values):
    """Whether a condition holds with these answers."""
    if isinstance(condition, (str, int)):
        return condition
    if isinstance(condition, list):
        return [holds(c, template, values) for c in condition]
    (name, of), = condition.items()
    if name == "Ref":
        return values[of]
    if name == "Condition":
        return holds(template["Conditions"][of], template, values)
    of = holds(of, template, values)
    if name == "Fn::Join":
        return of[0].join([of[1]] if isinstance(of[1], str) else of[1])
    return {"Fn::Equals": lambda: str(of[0]) == str(of[1]), "Fn::Not": lambda: not of[0],
            "Fn::And": lambda: all(of), "Fn::Or": lambda: any(of)}[name]()


def asked_for(template, answers):
    """Every resource and output that the template promises for these answers."""
    values = {name: answers.get(name, p.get("Default")) for name, p in template["Parameters"].items()}
    conditions = {name: holds({"Condition": name}, template, values) for name in template["Conditions"]}
    return tuple({name: part for name, part in template[section].items() if conditions.get(part.get("Condition"), True)}
                 for section in ("Resources", "Outputs"))


@mock_aws
def deploy(template, zips, answers):
    s3 = boto3.client("s3", REGION)
    for name in ("code", "ours-in", "ours-out"):
        s3.create_bucket(Bucket=name)
    for zip_file in Path(zips).glob("*.zip"):
        logical = "".join(part.title() for part in zip_file.stem.split("-")) + "Function"
        s3.upload_file(str(zip_file), "code", f"{logical}.zip")
    cloudformation = boto3.client("cloudformation", REGION)
    template = transformed(template, answers)
    template = without_parameter_values(template, template["Resources"])
    cloudformation.create_stack(
        StackName="groundcrew", TemplateBody=json.dumps(template, default=str), Capabilities=["CAPABILITY_IAM"],
        Parameters=[{"ParameterKey": k, "ParameterValue": v} for k, v in answers.items()],
    )
    stack = cloudformation.describe_stacks(StackName="groundcrew")["Stacks"][0]
    assert stack["StackStatus"] == "CREATE_COMPLETE", stack
    pages = cloudformation.get_paginator("list_stack_resources").paginate(StackName="groundcrew")
    made = {r["LogicalResourceId"]: r["ResourceType"] for page in pages for r in page["StackResourceSummaries"]}
    resources, outputs = asked_for(template, answers)
    given = {o["OutputKey"]: o["OutputValue"] for o in stack["Outputs"]}
    wrong = differences(made, resources)
    wrong += [f"no output {name}" for name in outputs if name not in given and name not in WITHOUT]
    wrong += [f"an output {name} that was not asked for" for name in given if name not in outputs]
    wrong += looks(given, s3)
    return wrong


def differences(made, asked):
    missing = {name: resource["Type"] for name, resource in asked.items() if name not in made}
    left_out = Counter(kind for kind in missing.values() if kind in KNOWN)
    print(f"  {len(asked)} resources asked for, {len(asked) - len(missing)} made")
    for kind, count in sorted(left_out.items()):
        print(f"  left out: {count} x {kind}")
    wrong = [f"not made: {name} ({kind})" for name, kind in missing.items() if kind not in KNOWN]
    # moto lists what it left out, without a name or a type.
    wrong += [f"made though its condition does not hold: {name} ({made[name]})" for name in made if name and name not in asked]
    return wrong + [f"moto makes {kind} now: take it out of KNOWN" for kind in KNOWN & set(made.values())]


def looks(outputs, s3):
    """What the stack is for is there: its buckets, functions with their code and queues, queues with dead letters."""
    wrong = []
    for bucket in (outputs["InputBucketName"], outputs["OutputBucketName"]):
        s3.head_bucket(Bucket=bucket)
    lambdas = boto3.client("lambda", REGION)
    functions = lambdas.list_functions()["Functions"]
    bare = [f["FunctionName"] for f in functions if f["CodeSize"] < 100_000]
    if len(functions) != 6 or bare:
        wrong.append(f"{len(functions)} functions; without their code: {bare}")
    mapped = {m["EventSourceArn"].rsplit(":", 1)[1] for m in lambdas.list_event_source_mappings()["EventSourceMappings"]}
    sqs = boto3.client("sqs", REGION)
    queues = {url.rsplit("/", 1)[1]: url for url in sqs.list_queues()["QueueUrls"]}
    for queue in sorted(mapped):
        asked = sqs.get_queue_attributes(QueueUrl=queues[queue], AttributeNames=["RedrivePolicy"])
        dead = json.loads(asked["Attributes"]["RedrivePolicy"])["deadLetterTargetArn"].rsplit(":", 1)[1]
        if dead not in queues:
            wrong.append(f"{queue} sends its dead letters to {dead}, which is not there")
    if len(mapped) != 4 or len(queues) != 8:
        wrong.append(f"functions read {sorted(mapped)} of {sorted(queues)}")
    return wrong


def main(template, zips):
    warnings.filterwarnings("ignore", "Tried to parse", UserWarning)
    failed = 0
    for name, answers in ANSWERS.items():
        print(f"{name}:")
        for wrong in deploy(template, zips, answers):
            failed += 1
            print(f"  DIFFERENT: {wrong}")
    if failed:
        sys.exit(f"{failed} differences that nothing explains")


if __name__ == "__main__":
    main(*sys.argv[1:])
