"""What a user of boto3 does against the endpoint: buckets, odd keys, jobs, topics, queues. Exits 1 on the first lie.

Run by `tests/tests/clients.rs` with the endpoint and credentials in the environment.
"""

import json
import os
import sys
import urllib.request

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

ENDPOINT = os.environ["AWS_ENDPOINT_URL"]
config = Config(region_name="us-east-1", s3={"addressing_style": "path"})
s3 = boto3.client("s3", endpoint_url=ENDPOINT, config=config)
sagemaker = boto3.client("sagemaker", endpoint_url=ENDPOINT, config=config)
sns = boto3.client("sns", endpoint_url=ENDPOINT, config=config)
sqs = boto3.client("sqs", endpoint_url=ENDPOINT, config=config)
BUCKET = "clients-smoke"


def refused(call, code, **kwargs):
    try:
        call(**kwargs)
    except ClientError as error:
        assert error.response["Error"]["Code"] == code, error
        return error
    raise AssertionError(f"{call.__name__}({kwargs}) went through; expected {code}")


def objects():
    s3.create_bucket(Bucket=BUCKET)
    keys = ["a", "a/b", "a//b", "../etc/passwd", "red flower+1.txt", "ключ/고양이.txt", "é.txt", "e\u0301.txt", "q\"'&<>.txt"]
    for key in keys:
        s3.put_object(Bucket=BUCKET, Key=key, Body=key.encode())
    listed = [o["Key"] for page in s3.get_paginator("list_objects_v2").paginate(Bucket=BUCKET, PaginationConfig={"PageSize": 2})
              for o in page["Contents"]]
    assert listed == sorted(keys, key=lambda k: k.encode()), listed
    for key in keys:
        assert s3.get_object(Bucket=BUCKET, Key=key)["Body"].read() == key.encode(), key
    folders = s3.list_objects_v2(Bucket=BUCKET, Delimiter="/")
    assert [p["Prefix"] for p in folders["CommonPrefixes"]] == ["../", "a/", "ключ/"], folders
    refused(s3.put_object, "PreconditionFailed", Bucket=BUCKET, Key="a", Body=b"2", IfNoneMatch="*")
    etag = s3.head_object(Bucket=BUCKET, Key="a")["ETag"]
    s3.put_object(Bucket=BUCKET, Key="a", Body=b"2", IfMatch=etag)
    refused(s3.put_object, "PreconditionFailed", Bucket=BUCKET, Key="a", Body=b"3", IfMatch=etag)
    assert s3.get_object(Bucket=BUCKET, Key="a//b", Range="bytes=1-2")["Body"].read() == b"//"
    url = s3.generate_presigned_url("get_object", Params={"Bucket": BUCKET, "Key": "red flower+1.txt"})
    assert urllib.request.urlopen(url).read() == b"red flower+1.txt"
    s3.copy_object(Bucket=BUCKET, Key="copy", CopySource={"Bucket": BUCKET, "Key": "a"})
    assert s3.get_object(Bucket=BUCKET, Key="copy")["Body"].read() == b"2"
    multipart()
    s3.delete_objects(Bucket=BUCKET, Delete={"Objects": [{"Key": k} for k in [*keys, "copy", "big"]]})
    s3.delete_bucket(Bucket=BUCKET)
    refused(s3.list_objects_v2, "NoSuchBucket", Bucket=BUCKET)


def multipart():
    part = os.urandom(5 * 1024 * 1024)
    upload = s3.create_multipart_upload(Bucket=BUCKET, Key="big")["UploadId"]
    assert [u["Key"] for u in s3.list_multipart_uploads(Bucket=BUCKET)["Uploads"]] == ["big"]
    tags = [s3.upload_part(Bucket=BUCKET, Key="big", UploadId=upload, PartNumber=n, Body=body)["ETag"]
            for n, body in [(1, part), (2, b"end")]]
    s3.complete_multipart_upload(Bucket=BUCKET, Key="big", UploadId=upload, MultipartUpload={
        "Parts": [{"PartNumber": n + 1, "ETag": tag} for n, tag in enumerate(tags)]})
    assert s3.get_object(Bucket=BUCKET, Key="big")["Body"].read() == part + b"end"


def labeling():
    assert isinstance(sagemaker.list_labeling_jobs()["LabelingJobSummaryList"], list)
    team = sagemaker.describe_workteam(WorkteamName="numbers-team")["Workteam"]
    assert team["WorkteamArn"].endswith(":workteam/private-crowd/numbers-team"), team
    refused(sagemaker.describe_labeling_job, "ResourceNotFound", LabelingJobName="no-such-job")
    refused(sagemaker.create_workteam, "ValidationException", WorkteamName="no spaces", Description="x",
            MemberDefinitions=[{"CognitoMemberDefinition": {"UserPool": "us-east-1_x", "UserGroup": "g", "ClientId": "c"}}])


def notices():
    topic = sns.create_topic(Name="clients-smoke")["TopicArn"]
    assert topic in [t["TopicArn"] for t in sns.list_topics()["Topics"]]
    sns.subscribe(TopicArn=topic, Protocol="email", Endpoint="somebody@example.com")
    body = json.dumps({"default": "{}", "email": "Hello"})
    assert sns.publish(TopicArn=topic, Subject="Hi", Message=body, MessageStructure="json")["MessageId"]
    refused(sns.publish, "InvalidParameter", TopicArn=topic, Message="no json", MessageStructure="json")
    sns.delete_topic(TopicArn=topic)


def queues():
    urls = sqs.list_queues()["QueueUrls"]
    names = sorted(u.rsplit("/", 1)[1] for u in urls)
    assert [n for n in names if n.endswith("-dlq")] == ["build-manifest-dlq", "notify-dlq", "start-job-dlq"], names
    for url in urls:
        attributes = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]
        assert int(attributes["ApproximateNumberOfMessages"]) >= 0


def strangers():
    wrong = boto3.client("s3", endpoint_url=ENDPOINT, config=config, aws_secret_access_key="wrong",
                         aws_access_key_id=os.environ["AWS_ACCESS_KEY_ID"])
    refused(wrong.list_buckets, "SignatureDoesNotMatch")
    wrong = boto3.client("sagemaker", endpoint_url=ENDPOINT, config=config, aws_secret_access_key="wrong",
                         aws_access_key_id=os.environ["AWS_ACCESS_KEY_ID"])
    refused(wrong.list_labeling_jobs, "InvalidSignatureException")


for part in [objects, labeling, notices, queues, strangers]:
    part()
    print(f"{part.__name__}: ok")
sys.exit(0)
