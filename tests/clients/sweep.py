"""Every operation of AWS's models for SQS, SNS, Cognito and SageMaker, called once with the least it takes, made up.

An operation is either there, and answers or refuses what it was given by an error of its model; or it is not, and is refused
by name. A 5xx, a closed connection, or an answer that its model does not know is wrong. See day.sh.
"""

import datetime
import os
import sys
from collections import Counter

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

SERVICES = ["sqs", "sns", "cognito-idp", "sagemaker"]
CONFIG = Config(retries={"max_attempts": 0, "mode": "standard"}, parameter_validation=False, read_timeout=30)
# Names for an operation that is not there; each service has its own.
UNKNOWN = {"InvalidAction", "UnknownOperationException", "NotImplemented", "UnknownOperation", "AWS.SimpleQueueService.UnsupportedOperation",
           "UnsupportedOperation", "UnsupportedOperationException"}
# What has an answer on a stack with nothing in it; anything else that answers pretends.
ANSWERED = {"ListQueues", "CreateTopic", "DeleteTopic", "ListSubscriptions", "ListTopics", "Unsubscribe", "ListUserPools",
            "ListLabelingJobs", "ListWorkforces", "ListWorkteams"}
TEXTS = {"QueueUrl": lambda e: f"{e}/000000000000/none", "UserPoolId": lambda e: "us-east-1_none", "Email": lambda e: "a@example.org"}


def made_up(shape, name, depth=0):
    """The least that is valid of a shape: its required members."""
    kind = shape.type_name
    if depth > 6:
        return None
    if kind == "structure":
        return {m: made_up(shape.members[m], m, depth + 1) for m in shape.required_members}
    if kind == "list":
        return [made_up(shape.member, name, depth + 1)]
    if kind == "map":
        return {made_up(shape.key, name, depth + 1): made_up(shape.value, name, depth + 1)}
    if kind == "string":
        if shape.enum:
            return shape.enum[0]
        if name.lower().endswith("arn"):
            return "arn:aws:sns:us-east-1:000000000000:none"
        text = TEXTS.get(name, lambda e: "none")(os.environ["AWS_ENDPOINT_URL"])
        return text.ljust(shape.metadata.get("min", 0), "x")
    return {"integer": max(1, shape.metadata.get("min", 1)), "long": max(1, shape.metadata.get("min", 1)), "boolean": True,
            "float": 1.0, "double": 1.0, "blob": b"x", "timestamp": datetime.datetime(2026, 1, 1)}[kind]


def called(client, operation, model):
    """What came of it: answered, refused, unknown by name, or wrong, with what was said."""
    request = made_up(model.input_shape, "") if model.input_shape else {}
    method = next(m for m, o in client.meta.method_to_api_mapping.items() if o == operation)
    try:
        getattr(client, method)(**request)
        return ("answered", "") if operation in ANSWERED else ("wrong", "answered, though there is nothing to answer with")
    except ClientError as error:
        code, status = error.response["Error"].get("Code", ""), error.response["ResponseMetadata"]["HTTPStatusCode"]
        said = f"{status} {code}: {error.response['Error'].get('Message', '')}"
        if code in UNKNOWN or code.rsplit("#")[-1] in UNKNOWN:
            named = operation in said
            return ("refused by name" if named else "wrong"), said
        # Every request is signed where the model asks for it, so that a missing signature is no reason.
        if not 400 <= status < 500 or not code or "AuthenticationToken" in code:
            return "wrong", said
        return "refused for what it was given", said
    except Exception as error:  # noqa: BLE001: an answer the client cannot read is what is looked for
        return "wrong", f"{type(error).__name__}: {error}"


def main():
    wrong = 0
    for service in SERVICES:
        client = boto3.client(service, config=CONFIG)
        model = client.meta.service_model
        counts = Counter()
        for operation in model.operation_names:
            what, said = called(client, operation, model.operation_model(operation))
            counts[what] += 1
            if what == "wrong" or os.environ.get("SWEEP_VERBOSE"):
                print(f"  {service} {operation}: {what}: {said[:300]}")
        print(f"{service}: {len(model.operation_names)} operations: " + ", ".join(f"{n} {what}" for what, n in sorted(counts.items())), flush=True)
        wrong += counts["wrong"]
    sys.exit(wrong > 0)


if __name__ == "__main__":
    main()
