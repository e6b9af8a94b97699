"""`groundcrew up --bare` on free ports in a folder of its own, and a deployment beside its own: other buckets, another
topic, another job prefix. The stack runs the functions too, in its process, and hears of its own buckets and jobs alone,
so that whatever happens in this deployment, the emulated functions did.
"""

import contextlib
import json
import os
import shutil
import signal
import subprocess
import tempfile
import time
from pathlib import Path

import boto3
from botocore.config import Config

import deployment
import emulator

RELEASE = Path(os.environ["GROUNDCREW_RELEASE"])
PATIENCE = 60
SPEC = """task: text-classification
labels: [Even, Odd]
team: {team}
title: Even or odd?
description: Say whether the number is even or odd.
instructions: {{short: Look at the last digit.}}
text: {{split: file}}
workers_per_item: 1
"""


def wait_for(what, look):
    """What `look` gives as soon as it is anything; bounded."""
    give_up = time.monotonic() + PATIENCE
    while True:
        found = look()
        if found:
            return found
        if time.monotonic() > give_up:
            raise AssertionError(f"{what}: not within {PATIENCE} s; last: {found!r}")
        time.sleep(0.1)


class Stack:
    def __enter__(self):
        self.folder = Path(tempfile.mkdtemp(prefix="groundcrew-emulator-"))
        self.data, log = self.folder / "data", self.folder / "up.log"
        command = [os.environ["GROUNDCREW_BIN"], "up", "--bare", "--data", str(self.data), "--aws", "127.0.0.1:0", "--web", "127.0.0.1:0"]
        with open(log, "w") as said:
            self.process = subprocess.Popen(command, stdout=said, stderr=said, stdin=subprocess.DEVNULL)
        file = self.data / "stack.json"
        wait_for("stack.json", lambda: file.exists() or self.process.poll() is not None)
        assert self.process.poll() is None, log.read_text()
        self.info = json.loads(file.read_text())
        return self

    def __exit__(self, *_):
        self.process.send_signal(signal.SIGINT)
        try:
            self.process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        shutil.rmtree(self.folder, ignore_errors=True)

    def deployment(self, name, prefix):
        info = self.info
        keys = (info["access_key_id"], info["secret_access_key"])
        return Deployment(name, info["aws_url"], keys, prefix, pool=info["user_pool_id"], client=info["client_id"],
                          role=info["labeling_role_arn"], portal=info["web_url"])

    def mail(self, to):
        """What was sent to this address."""
        entries = [json.loads(file.read_text()) for file in (self.data / "outbox").glob("*.json")]
        return [entry for entry in entries if entry["to"] == to]


class Deployment:
    """Everything of one stack that functions get in their environment."""

    def __init__(self, name, url, keys, prefix, pool, client, role, portal):
        self.name, self.url, self.keys, self.pool, self.client_id = name, url, keys, pool, client
        self.input, self.output = f"{name}-input", f"{name}-output"
        self.s3 = self.client("s3", config=Config(s3={"addressing_style": "path"}))
        self.sns = self.client("sns")
        self.cognito = self.client("cognito-idp")
        for bucket in (self.input, self.output):
            self.s3.create_bucket(Bucket=bucket)
        self.topic = self.sns.create_topic(Name=f"{name}-notices")["TopicArn"]
        self.admin = f"admin-of-{name}@example.org"
        self.sns.subscribe(TopicArn=self.topic, Protocol="email", Endpoint=self.admin)
        self.values = {
            "INPUT_BUCKET": self.input, "OUTPUT_BUCKET": self.output, "NOTICE_TOPIC_ARN": self.topic,
            "JOB_PREFIX": prefix, "LABELING_ROLE_ARN": role, "AWS_ACCOUNT": "000000000000", "AWS_PARTITION": "aws",
            "USER_POOL_ID": pool, "CLIENT_ID": client, "INVITATIONS_PER_DAY": "40", "MAX_INVITATIONS": "3",
            "LINK_SOURCES": "", "ALLOWED_KMS_KEYS": "", "ALLOWED_TEAMS": "", "ALLOWED_TAG_KEYS": "project",
            "ITEMS_PER_DAY": "10000", "JOBS_PER_DAY": "100",
            "WORK_TOPIC_PREFIX": f"{name}-work", "CONSOLE_URL": "", "PORTAL_URL": portal,
        }

    def client(self, service, **more):
        return boto3.client(service, endpoint_url=self.url, region_name="us-east-1", aws_access_key_id=self.keys[0],
                            aws_secret_access_key=self.keys[1], **more)

    def given(self, **endpoints):
        """What Lambda adds to every function's environment, and the endpoints in place of AWS."""
        return {"AWS_REGION": "us-east-1", "AWS_DEFAULT_REGION": "us-east-1", "AWS_ACCESS_KEY_ID": self.keys[0],
                "AWS_SECRET_ACCESS_KEY": self.keys[1], "AWS_ENDPOINT_URL": self.url, **endpoints}

    @contextlib.contextmanager
    def function(self, name, **endpoints):
        """The release binary, with what the template gives it. No address may be in its log."""
        environment = deployment.environment(name, self.values, self.given(**endpoints))
        with emulator.Function(name, [RELEASE / name], environment, **deployment.limits(name)) as function:
            yield function
            assert "@example" not in function.said(), function.said()

    def drop(self, dataset, texts, team="numbers-team", ready=True):
        """A dataset with a spec and `texts` files; `_READY` cuts its batch without a quiet period. Its keys."""
        spec = SPEC.format(team=team)
        files = {f"{dataset}/labeling.yaml": spec, **{f"{dataset}/a text {n:02}.txt": f"the number {n}" for n in range(texts)}}
        for key, body in [*files.items(), *([(f"{dataset}/_READY", "")] if ready else [])]:
            self.s3.put_object(Bucket=self.input, Key=key, Body=body.encode())
        return list(files)

    def read(self, key, bucket=None):
        """The object's text, or None."""
        try:
            return self.s3.get_object(Bucket=bucket or self.output, Key=key)["Body"].read().decode()
        except self.s3.exceptions.NoSuchKey:
            return None

    def list(self, prefix):
        return [o["Key"] for o in self.s3.list_objects_v2(Bucket=self.output, Prefix=prefix).get("Contents", [])]

    def person(self, email):
        """As Cognito describes them."""
        user = self.cognito.admin_get_user(UserPoolId=self.pool, Username=email)
        return {"Username": user["Username"], "UserStatus": user["UserStatus"], "UserAttributes": user["UserAttributes"]}

    def groups(self, username):
        groups = self.cognito.admin_list_groups_for_user(UserPoolId=self.pool, Username=username)["Groups"]
        return sorted(group["GroupName"] for group in groups)
