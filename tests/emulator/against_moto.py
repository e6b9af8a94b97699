"""S3, SNS and Cognito of moto, which is another project's, in place of the embedded stack's. moto has no work teams: those
alone are the embedded stack's, with a workforce of moto's user pool.
"""

import contextlib
import json
import os
import subprocess
import urllib.error
import urllib.request

import boto3

import events
from emulator import free_port
from journeys import NOTHING_FAILED, TEAM_FILE, check, equal, invitation_has_words, sign_in, two_at_once
from stack import Deployment, wait_for

# A listing has pages of a thousand.
MORE = 1_010


def run(stack):
    make_room_for_a_workforce(stack)
    with moto() as url:
        crew = deployment(stack, url)
        queue = notices(crew)
        batch_is_cut(crew)
        two_at_once(crew)
        bad_spec_is_told(crew, queue)
        team_is_made(crew, stack)
        invitation_has_words(crew)
        people_join(crew, stack, queue)


@contextlib.contextmanager
def moto():
    port = free_port()
    server = subprocess.Popen([os.environ["MOTO_SERVER"], "-H", "127.0.0.1", "-p", str(port)],
                              stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    url = f"http://127.0.0.1:{port}"
    try:
        wait_for("moto answers", lambda: answers(url))
        yield url
    finally:
        server.terminate()
        server.wait()


def answers(url):
    try:
        return urllib.request.urlopen(f"{url}/moto-api/data.json").status == 200
    except (urllib.error.URLError, ConnectionError):
        return False


def make_room_for_a_workforce(stack):
    """An account has one; the stack's own is of the stack's own pool."""
    crew = stack.deployment("unused", "none")
    sagemaker = crew.client("sagemaker")
    sagemaker.delete_workteam(WorkteamName=stack.info["team"])
    for workforce in sagemaker.list_workforces()["Workforces"]:
        sagemaker.delete_workforce(WorkforceName=workforce["WorkforceName"])


def deployment(stack, url):
    keys = (stack.info["access_key_id"], stack.info["secret_access_key"])
    cognito = boto3.client("cognito-idp", endpoint_url=url, region_name="us-east-1", aws_access_key_id=keys[0], aws_secret_access_key=keys[1])
    pool = cognito.create_user_pool(
        PoolName="moto", UsernameAttributes=["email"], AdminCreateUserConfig={"AllowAdminCreateUserOnly": True})["UserPool"]["Id"]
    client = cognito.create_user_pool_client(
        UserPoolId=pool, ClientName="portal", GenerateSecret=True, CallbackURLs=["https://example.org/before"],
        AllowedOAuthFlows=["code"], AllowedOAuthScopes=["openid"], AllowedOAuthFlowsUserPoolClient=True,
        SupportedIdentityProviders=["COGNITO"])["UserPoolClient"]["ClientId"]
    crew = Deployment("moto", url, keys, "rie2", pool, client, stack.info["labeling_role_arn"], stack.info["web_url"])
    # moto's own account, which is in the ARNs of its topics.
    crew.values["AWS_ACCOUNT"] = crew.topic.split(":")[4]
    return crew


def notices(crew):
    """A queue that hears of every notice."""
    sqs = crew.client("sqs")
    url = sqs.create_queue(QueueName="notices")["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    crew.sns.subscribe(TopicArn=crew.topic, Protocol="sqs", Endpoint=arn)

    def heard():
        messages = sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10, WaitTimeSeconds=0).get("Messages", [])
        return [json.loads(message["Body"])["Message"] for message in messages]
    return heard


def batch_is_cut(crew):
    print("moto: S3 event through SQS -> build-manifest")
    keys = crew.drop("numbers", 5)
    with crew.function("build-manifest") as function:
        event = events.sqs("build-manifest", events.s3_put(crew.input, *(key.replace(" ", "+") for key in keys)))
        equal("no message failed", function.invoke(event), NOTHING_FAILED)
        check("a batch is there", crew.list("manifests/numbers/"), (crew.read("status/numbers.json"), function.said()))
        lines = [json.loads(line) for line in crew.read("manifests/numbers/000001.manifest").splitlines()]
        equal("the batch holds every text", sorted(line["source"] for line in lines), [f"the number {n}" for n in range(5)])
        equal("the event again is acknowledged", function.invoke(event), NOTHING_FAILED)
    with crew.function("build-manifest") as function:
        equal("another instance cuts nothing", function.invoke(events.SWEEP), {"datasets": 1, "batches": 0})
    crew.drop("more", MORE)
    with crew.function("build-manifest") as function:
        equal("two pages of files: one batch", function.invoke(events.SWEEP), {"datasets": 2, "batches": 1})
        equal("of them all", len(crew.read("manifests/more/000001.manifest").splitlines()), MORE)


def bad_spec_is_told(crew, heard):
    print("moto: a bad spec -> SNS")
    crew.s3.put_object(Bucket=crew.input, Key="bad/labeling.yaml", Body=b"task: text-clasification\n")
    with crew.function("build-manifest") as function:
        event = events.sqs("build-manifest", events.s3_put(crew.input, "bad/labeling.yaml"))
        equal("no message failed", function.invoke(event), NOTHING_FAILED)
        notices = wait_for("the notice arrives", heard)
        check("it says what is wrong", len(notices) == 1 and "labeling.yaml" in notices[0], notices)
        equal("the event again is acknowledged", function.invoke(event), NOTHING_FAILED)
        equal("and announces nothing twice", heard(), [])


def team_is_made(crew, stack):
    print("moto: EventBridge Object Created through SQS -> sync-team")
    crew.s3.put_object(Bucket=crew.input, Key="teams/emulated.yaml", Body=TEAM_FILE.encode())
    event = events.sqs("sync-team", events.object_created(crew.input, "teams/emulated.yaml"))
    with crew.function("sync-team", AWS_ENDPOINT_URL_SAGEMAKER=stack.info["aws_url"]) as function:
        answer = function.invoke(event)
        equal("no message failed", answer if answer == NOTHING_FAILED else (answer, function.said()), NOTHING_FAILED)
        roster = json.loads(crew.read("crew/emulated.json"))
        check("the roster is settled, without a problem", roster["settled"] and not roster["problems"], roster)
        crew.cognito.get_group(UserPoolId=crew.pool, GroupName="emulated")
        users = crew.cognito.list_users(UserPoolId=crew.pool)["Users"]
        equal("both are invited", [user["UserStatus"] for user in users], ["FORCE_CHANGE_PASSWORD"] * 2)
        app = crew.cognito.describe_user_pool_client(UserPoolId=crew.pool, ClientId=crew.client_id)["UserPoolClient"]
        equal("the client knows the portal, and what it knew before", sorted(app["CallbackURLs"]),
              sorted(["https://example.org/before", f"{roster['portal_url']}/oauth2/idpresponse"]))
        check("there is a topic for work notices", roster["topic_arn"].endswith(":moto-work-emulated"), roster)
        equal("the sweep finds all as it should be", function.invoke(events.SWEEP), {"teams": 1, "joined": 0, "unlisted": 0})
        equal("everyone was invited once", [m["invitations"] for m in json.loads(crew.read("crew/emulated.json"))["members"]], [1, 1])


def people_join(crew, stack, heard):
    print("moto: a password is set -> assign-worker -> sync-team")
    for email in ("ana.emulated@example.org", "ben.emulated@example.org"):
        crew.cognito.admin_set_user_password(UserPoolId=crew.pool, Username=email, Password="My 0wn passw0rd!", Permanent=True)
    heard()
    markers = sign_in(crew)
    with crew.function("sync-team", AWS_ENDPOINT_URL_SAGEMAKER=stack.info["aws_url"]) as function:
        event = events.sqs("sync-team", *(events.s3_put(crew.output, key) for key in markers))
        equal("no message failed", function.invoke(event), NOTHING_FAILED)
        notices = []
        wait_for("an admin hears of both", lambda: notices.extend(heard()) or len(notices) == 2)
        subscribed = crew.sns.list_subscriptions_by_topic(TopicArn=json.loads(crew.read("crew/emulated.json"))["topic_arn"])
        equal("both are subscribed to work notices", sorted(s["Endpoint"] for s in subscribed["Subscriptions"]),
              ["ana.emulated@example.org", "ben.emulated@example.org"])
        crew.s3.put_object(Bucket=crew.input, Key="teams/emulated.yaml", Body=TEAM_FILE.replace("  - ben.emulated@example.org\n", "").encode())
        equal("a team file without ben is taken", function.invoke(events.sqs("sync-team", events.object_created(crew.input, "teams/emulated.yaml"))), NOTHING_FAILED)
        people = crew.cognito.list_users_in_group(UserPoolId=crew.pool, GroupName="emulated")["Users"]
        equal("ben has left the group", len(people), 1)
