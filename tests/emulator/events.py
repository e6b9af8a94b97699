"""Event documents as AWS publishes them, with our names in them.

S3 and SQS: the SAM CLI's own samples (`sam local generate-event`). EventBridge and Cognito, of which it has none: the
samples of the pages named below, field by field.
"""

import json
from pathlib import Path

import samcli

SAMPLES = Path(samcli.__path__[0]) / "lib" / "generated_sample_events" / "events"
ACCOUNT, REGION = "000000000000", "us-east-1"
SWEEP = {"sweep": "all"}


def sqs(queue, *bodies):
    """A batch of messages, as the event source mapping hands it over."""
    records = []
    for number, body in enumerate(bodies):
        record = json.loads((SAMPLES / "sqs" / "Sqs.json").read_text())["Records"][0]
        record["attributes"] |= {"SenderId": ACCOUNT}
        record |= {"messageId": f"19dd0b57-b21e-4ac1-bd88-{number:012}", "body": json.dumps(body), "awsRegion": REGION,
                   "md5OfBody": "098f6bcd4621d373cade4e832627b4f6",
                   "eventSourceARN": f"arn:aws:sqs:{REGION}:{ACCOUNT}:{queue}"}
        records.append(record)
    return {"Records": records}


def s3_put(bucket, *keys):
    """S3's notification; keys come in as S3 sends them (form-encoded)."""
    records = []
    for key in keys:
        record = json.loads((SAMPLES / "s3" / "S3Put.json").read_text())["Records"][0]
        record["awsRegion"] = REGION
        record["s3"]["bucket"] |= {"name": bucket, "arn": f"arn:aws:s3:::{bucket}"}
        record["s3"]["object"]["key"] = key
        records.append(record)
    return {"Records": records}


def s3_test(bucket):
    """https://docs.aws.amazon.com/AmazonS3/latest/userguide/notification-content-structure.html"""
    return {"Service": "Amazon S3", "Event": "s3:TestEvent", "Time": "2014-10-13T15:57:02.089Z", "Bucket": bucket,
            "RequestId": "5582815E1AEA5ADF", "HostId": "8cLeGAmw098X5cv4Zkwcmo8vvZa3eH3eKxsPzbB9wrR+YstdA6Knx4Ip8EXAMPLE"}


def object_created(bucket, key):
    """https://docs.aws.amazon.com/AmazonS3/latest/userguide/ev-events.html"""
    return {
        "version": "0", "id": "17793124-05d4-b198-2fde-7ededc63b103", "detail-type": "Object Created",
        "source": "aws.s3", "account": ACCOUNT, "time": "2021-11-12T00:00:00Z", "region": REGION,
        "resources": [f"arn:aws:s3:::{bucket}"],
        "detail": {
            "version": "0", "bucket": {"name": bucket},
            "object": {"key": key, "size": 5, "etag": "b1946ac92492d2347c6235b4d2611184",
                       "version-id": "IYV3p45BT0ac8hjHg1houSdS1a.Mro8e", "sequencer": "617f08299329d189"},
            "request-id": "N4N7GDK58NMKJ12R", "requester": ACCOUNT, "source-ip-address": "1.2.3.4", "reason": "PutObject",
        },
    }


def job_state_change(arn, state):
    """https://docs.aws.amazon.com/sagemaker/latest/dg/automating-sagemaker-with-eventbridge.html"""
    return {
        "version": "0", "id": "844e2571-85d4-695f-b930-0153b71dcb42",
        "detail-type": "SageMaker Ground Truth Labeling Job State Change", "source": "aws.sagemaker", "account": ACCOUNT,
        "time": "2018-10-06T12:26:13Z", "region": REGION, "resources": [arn], "detail": {"LabelingJobStatus": state},
    }


def _user_pool_event(pool, client, source, user, request, response):
    return {
        "version": "1", "region": REGION, "userPoolId": pool, "userName": user["Username"],
        "callerContext": {"awsSdkVersion": "aws-sdk-unknown-unknown", "clientId": client},
        "triggerSource": source, "request": request, "response": response,
    }


def attributes(user, status="CONFIRMED"):
    said = {a["Name"]: a["Value"] for a in user["UserAttributes"]}
    return {"sub": said["sub"], "cognito:user_status": status, "email_verified": "true", "email": said["email"]}


def pre_token_generation(pool, client, user):
    """https://docs.aws.amazon.com/cognito/latest/developerguide/user-pool-lambda-pre-token-generation.html, version 1"""
    request = {"userAttributes": attributes(user),
               "groupConfiguration": {"groupsToOverride": [], "iamRolesToOverride": [], "preferredRole": None}}
    return _user_pool_event(pool, client, "TokenGeneration_NewPasswordChallenge", user, request, {"claimsOverrideDetails": None})


def post_confirmation(pool, client, user):
    """https://docs.aws.amazon.com/cognito/latest/developerguide/user-pool-lambda-post-confirmation.html"""
    return _user_pool_event(pool, client, "PostConfirmation_ConfirmSignUp", user, {"userAttributes": attributes(user)}, {})


def custom_message(pool, client, user, team, source="CustomMessage_AdminCreateUser"):
    """https://docs.aws.amazon.com/cognito/latest/developerguide/user-pool-lambda-custom-message.html"""
    request = {"userAttributes": attributes(user, "FORCE_CHANGE_PASSWORD"), "codeParameter": "{####}", "linkParameter": "{##Click Here##}",
               "usernameParameter": "{username}", "clientMetadata": {"team": team}}
    response = {"smsMessage": None, "emailMessage": None, "emailSubject": None}
    return _user_pool_event(pool, client, source, user, request, response)
