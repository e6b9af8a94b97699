"""What a user of boto3 does against the endpoint: buckets, odd keys, jobs, topics, queues, people. Exits 1 on the first lie.

Run by `tests/tests/journeys/clients.rs` with the endpoint and credentials in the environment.
"""

import base64
import hmac
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
cognito = boto3.client("cognito-idp", endpoint_url=ENDPOINT, config=config)
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
    sns.subscribe(TopicArn=topic, Protocol="email", Endpoint="person@example.com")
    body = json.dumps({"default": "{}", "email": "Hello"})
    assert sns.publish(TopicArn=topic, Subject="Hi", Message=body, MessageStructure="json")["MessageId"]
    refused(sns.publish, "InvalidParameter", TopicArn=topic, Message="no json", MessageStructure="json")
    sns.delete_topic(TopicArn=topic)


def queues():
    urls = sqs.list_queues()["QueueUrls"]
    names = sorted(u.rsplit("/", 1)[1] for u in urls)
    assert [n for n in names if n.endswith("-dlq")] == ["build-manifest-dlq", "notify-dlq", "start-job-dlq", "sync-team-dlq"], names
    for url in urls:
        attributes = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]
        assert int(attributes["ApproximateNumberOfMessages"]) >= 0


def people():
    pool = cognito.list_user_pools(MaxResults=10)["UserPools"][0]["Id"]
    described = cognito.describe_user_pool(UserPoolId=pool)["UserPool"]
    assert described["AdminCreateUserConfig"]["AllowAdminCreateUserOnly"] is True, described
    client = cognito.list_user_pool_clients(UserPoolId=pool, MaxResults=10)["UserPoolClients"][0]["ClientId"]
    secret = cognito.describe_user_pool_client(UserPoolId=pool, ClientId=client)["UserPoolClient"]["ClientSecret"]
    invited = cognito.admin_create_user(
        UserPoolId=pool, Username="Boto@example.org", DesiredDeliveryMediums=["EMAIL"], TemporaryPassword="Temp0rary!",
        UserAttributes=[{"Name": "email", "Value": "boto@example.org"}, {"Name": "email_verified", "Value": "true"}])["User"]
    assert invited["UserStatus"] == "FORCE_CHANGE_PASSWORD" and invited["UserCreateDate"].year > 2000, invited
    refused(cognito.admin_create_user, "UsernameExistsException", UserPoolId=pool, Username="boto@EXAMPLE.org",
            DesiredDeliveryMediums=["EMAIL"])
    refused(cognito.sign_up, "NotAuthorizedException", ClientId=client, Username="x@example.org", Password="My own passw0rd",
            SecretHash=secret_hash(secret, "x@example.org", client))
    tokens = first_sign_in(client, secret, "boto@example.org")
    assert cognito.get_user(AccessToken=tokens["AccessToken"])["Username"] == invited["Username"]
    refused(cognito.initiate_auth, "NotAuthorizedException", ClientId=client, AuthFlow="USER_PASSWORD_AUTH", AuthParameters={
        "USERNAME": "boto@example.org", "PASSWORD": "wrong", "SECRET_HASH": secret_hash(secret, "boto@example.org", client)})
    cognito.create_group(UserPoolId=pool, GroupName="clients-smoke", Description="Made by boto3")
    cognito.admin_add_user_to_group(UserPoolId=pool, Username="boto@example.org", GroupName="clients-smoke")
    pages = cognito.get_paginator("list_users").paginate(UserPoolId=pool, PaginationConfig={"PageSize": 1})
    users = [u["Username"] for page in pages for u in page["Users"]]
    assert invited["Username"] in users and len(users) == len(set(users)) >= 2, users
    pages = cognito.get_paginator("list_groups").paginate(UserPoolId=pool)
    assert "clients-smoke" in [g["GroupName"] for page in pages for g in page["Groups"]]
    members = cognito.list_users_in_group(UserPoolId=pool, GroupName="clients-smoke")["Users"]
    assert [u["Username"] for u in members] == [invited["Username"]], members
    cognito.global_sign_out(AccessToken=tokens["AccessToken"])
    refused(cognito.get_user, "NotAuthorizedException", AccessToken=tokens["AccessToken"])
    cognito.delete_group(UserPoolId=pool, GroupName="clients-smoke")
    cognito.admin_delete_user(UserPoolId=pool, Username="boto@example.org")
    refused(cognito.admin_get_user, "UserNotFoundException", UserPoolId=pool, Username="boto@example.org")
    refused(cognito.create_user_pool, "UnsupportedOperationException", PoolName="second")


def first_sign_in(client, secret, email):
    proof = {"USERNAME": email, "SECRET_HASH": secret_hash(secret, email, client)}
    challenge = cognito.initiate_auth(ClientId=client, AuthFlow="USER_PASSWORD_AUTH",
                                      AuthParameters={**proof, "PASSWORD": "Temp0rary!"})
    assert challenge["ChallengeName"] == "NEW_PASSWORD_REQUIRED", challenge
    answer = {"ClientId": client, "ChallengeName": "NEW_PASSWORD_REQUIRED", "Session": challenge["Session"]}
    refused(cognito.respond_to_auth_challenge, "InvalidPasswordException", **answer,
            ChallengeResponses={**proof, "NEW_PASSWORD": "weak"})
    result = cognito.respond_to_auth_challenge(**answer, ChallengeResponses={**proof, "NEW_PASSWORD": "My own passw0rd"})
    tokens = result["AuthenticationResult"]
    fresh = cognito.initiate_auth(ClientId=client, AuthFlow="REFRESH_TOKEN_AUTH", AuthParameters={
        "REFRESH_TOKEN": tokens["RefreshToken"], "SECRET_HASH": proof["SECRET_HASH"]})["AuthenticationResult"]
    assert fresh["AccessToken"] and "RefreshToken" not in fresh, fresh.keys()
    return tokens


def secret_hash(secret, name, client):
    return base64.b64encode(hmac.digest(secret.encode(), (name + client).encode(), "sha256")).decode()


def strangers():
    wrong = boto3.client("s3", endpoint_url=ENDPOINT, config=config, aws_secret_access_key="wrong",
                         aws_access_key_id=os.environ["AWS_ACCESS_KEY_ID"])
    refused(wrong.list_buckets, "SignatureDoesNotMatch")
    wrong = boto3.client("sagemaker", endpoint_url=ENDPOINT, config=config, aws_secret_access_key="wrong",
                         aws_access_key_id=os.environ["AWS_ACCESS_KEY_ID"])
    refused(wrong.list_labeling_jobs, "InvalidSignatureException")


for part in [objects, labeling, notices, queues, people, strangers]:
    part()
    print(f"{part.__name__}: ok")
sys.exit(0)
