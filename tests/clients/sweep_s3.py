"""Every operation of botocore's S3 model, once: answered, or refused by its name with nothing changed. Exits 1 otherwise.

Run by `tests/tests/journeys/clients.rs` with the endpoint and credentials in the environment.
"""

import os
import sys

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

BUCKET, KEY = "clients-sweep", "kept/object"
s3 = boto3.client("s3", endpoint_url=os.environ["AWS_ENDPOINT_URL"], config=Config(
    region_name="us-east-1", retries={"total_max_attempts": 1}, s3={"addressing_style": "path"}))
model = s3.meta.service_model
# Answered, with the parameters that the model does not require; the order keeps what the others need.
ANSWERED = {
    "CreateBucket": {}, "HeadBucket": {}, "ListBuckets": {}, "GetBucketLocation": {}, "GetBucketVersioning": {},
    "PutObject": {"Body": b"kept", "Metadata": {"a": "1"}, "Tagging": "b=2"}, "GetObject": {}, "HeadObject": {},
    "PutObjectTagging": {"Tagging": {"TagSet": [{"Key": "b", "Value": "2"}]}}, "GetObjectTagging": {},
    "ListObjects": {}, "ListObjectsV2": {}, "ListMultipartUploads": {},
    "PutBucketCors": {"CORSConfiguration": {"CORSRules": [{"AllowedMethods": ["GET"], "AllowedOrigins": ["http://a"]}]}},
    "GetBucketCors": {}, "DeleteBucketCors": {},
}
# Answered too, each in its place below.
ELSEWHERE = {"CopyObject", "CreateMultipartUpload", "UploadPart", "UploadPartCopy", "ListParts", "CompleteMultipartUpload",
             "AbortMultipartUpload", "DeleteObjectTagging", "DeleteObject", "DeleteObjects", "DeleteBucket"}
# Two names of the model for one request.
SAME = {"GetBucketLifecycle": "GetBucketLifecycleConfiguration", "GetBucketNotification": "GetBucketNotificationConfiguration",
        "PutBucketLifecycle": "PutBucketLifecycleConfiguration", "PutBucketNotification": "PutBucketNotificationConfiguration"}


def sample(shape, name=""):
    """The least that the model lets pass."""
    if name == "Bucket":
        return BUCKET
    if name == "Key":
        return KEY
    kind = shape.type_name
    if kind == "structure":
        if getattr(shape, "is_tagged_union", False):
            member = next(iter(shape.members))
            return {member: sample(shape.members[member], member)}
        return {member: sample(shape.members[member], member) for member in shape.required_members}
    if kind == "list":
        return [sample(shape.member)]
    if kind == "string":
        least = shape.metadata.get("min", 0)
        return shape.enum[0] if shape.enum else "value".ljust(least, "x")
    return {"integer": 1, "long": 1, "boolean": True, "blob": b"replaced", "timestamp": 1700000000, "map": {}}[kind]


def call(name, **parameters):
    return s3._make_api_call(name, parameters)


def state():
    got = s3.get_object(Bucket=BUCKET, Key=KEY)
    return (got["Body"].read(), got["ETag"], got["LastModified"], got["Metadata"], got["ContentType"],
            s3.get_object_tagging(Bucket=BUCKET, Key=KEY)["TagSet"],
            [o["Key"] for o in s3.list_objects_v2(Bucket=BUCKET)["Contents"]],
            [b["Name"] for b in s3.list_buckets()["Buckets"]])


def refused(name, parameters, code="NotImplemented", says=None):
    before = state()
    try:
        call(name, **parameters)
    except ClientError as error:
        assert error.response["Error"]["Code"] == code, f"{name}: {error}"
        assert (says or SAME.get(name, name)) in error.response["Error"]["Message"], f"{name}: {error}"
    else:
        raise AssertionError(f"{name}({parameters}) went through")
    assert state() == before, f"{name} changed something"


def operations():
    for name, parameters in ANSWERED.items():
        required = {} if name == "ListBuckets" else sample(model.operation_model(name).input_shape)
        call(name, **{**required, **parameters})
    count = 0
    for name in model.operation_names:
        if name in ANSWERED or name in ELSEWHERE:
            continue
        shape = model.operation_model(name).input_shape
        parameters = sample(shape)
        # botocore puts a route for these before the host, which no endpoint has.
        if name == "WriteGetObjectResponse":
            continue
        # The body is what would be stored, where the operation is taken for PutObject.
        payload = shape.serialization.get("payload")
        if payload and payload not in parameters:
            parameters[payload] = sample(shape.members[payload])
        if name == "ListDirectoryBuckets":
            parameters["MaxDirectoryBuckets"] = 5
        refused(name, parameters)
        count += 1
    return count


def wishes():
    """What is asked of an operation that is here, and is not done."""
    put = {"Bucket": BUCKET, "Key": KEY, "Body": b"replaced"}
    for member, value in {
        "ACL": "public-read", "GrantRead": "uri=x", "GrantFullControl": "id=x", "ObjectLockMode": "GOVERNANCE",
        "ObjectLockLegalHoldStatus": "ON", "StorageClass": "GLACIER", "WebsiteRedirectLocation": "/x",
        "ServerSideEncryption": "aws:kms", "SSEKMSKeyId": "x", "BucketKeyEnabled": True,
        "SSEKMSEncryptionContext": "e30=", "WriteOffsetBytes": 1, "ChecksumSHA512": "x", "ChecksumXXHASH64": "x",
    }.items():
        header = model.operation_model("PutObject").input_shape.members[member].serialization["name"]
        refused("PutObject", {**put, member: value}, says=header)
    refused("DeleteObject", {"Bucket": BUCKET, "Key": KEY, "MFA": "x 1"}, says="x-amz-mfa")
    for name in ["GetObject", "PutObject", "DeleteObject", "ListObjectsV2", "CreateMultipartUpload", "DeleteBucket"]:
        members = model.operation_model(name).input_shape.required_members
        owned = {**{m: {"Bucket": BUCKET, "Key": KEY}[m] for m in members}, "ExpectedBucketOwner": "111122223333"}
        refused(name, owned, code="AccessDenied", says="owned by")
    s3.get_object(Bucket=BUCKET, Key=KEY, ExpectedBucketOwner="000000000000")
    create = {"Bucket": "clients-sweep-other"}
    region = {"CreateBucketConfiguration": {"LocationConstraint": "eu-west-1"}}
    refused("CreateBucket", {**create, **region}, code="IllegalLocationConstraintException", says="eu-west-1")
    tags = {"CreateBucketConfiguration": {"Tags": [{"Key": "a", "Value": "b"}]}}
    refused("CreateBucket", {**create, **tags}, says="Tags")
    for member, value in {"ACL": "public-read", "ObjectLockEnabledForBucket": True, "ObjectOwnership": "ObjectWriter"}.items():
        header = model.operation_model("CreateBucket").input_shape.members[member].serialization["name"]
        refused("CreateBucket", {**create, member: value}, says=header)


def rest():
    here = {"Bucket": BUCKET, "Key": "part"}
    source = f"{BUCKET}/{KEY}"
    call("CopyObject", Bucket=BUCKET, Key="copy", CopySource=source)
    upload = {**here, "UploadId": call("CreateMultipartUpload", **here)["UploadId"]}
    call("UploadPart", **upload, PartNumber=1, Body=bytes(5 << 20))
    call("UploadPartCopy", **upload, PartNumber=2, CopySource=source)
    parts = [{"PartNumber": p["PartNumber"], "ETag": p["ETag"]} for p in call("ListParts", **upload)["Parts"]]
    done = call("CompleteMultipartUpload", **upload, MultipartUpload={"Parts": parts})
    again = call("CompleteMultipartUpload", **upload, MultipartUpload={"Parts": parts})
    assert done["ETag"] == again["ETag"], again
    upload["UploadId"] = call("CreateMultipartUpload", **here)["UploadId"]
    call("AbortMultipartUpload", **upload)
    call("DeleteObjectTagging", Bucket=BUCKET, Key=KEY)
    call("DeleteObject", **here)
    call("DeleteObjects", Bucket=BUCKET, Delete={"Objects": [{"Key": KEY}, {"Key": "copy"}]})
    call("DeleteBucket", Bucket=BUCKET)


refusals = operations()
wishes()
rest()
print(f"{len(ANSWERED) + len(ELSEWHERE)} operations answered, {refusals} refused by name")
sys.exit(0)
