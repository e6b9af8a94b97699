"""From a dropped file to a notice, and from a team file to a group in a token: each step by one emulated function."""

import concurrent.futures
import json
import urllib.parse

import events
from stack import wait_for

TEAM_FILE = """organization: Emulated Lab
contact: boss@example.org
description: People under an emulator
notify_workers: true
workers:
  - ana.emulated@example.org
  - ben.emulated@example.org
"""
NOTHING_FAILED = {"batchItemFailures": []}


def check(what, truth, shown=None):
    assert truth, f"{what}: {shown!r}"
    print(f"  {what}", flush=True)


def equal(what, found, wanted):
    check(what, found == wanted, f"found {found!r}, wanted {wanted!r}")


def run(stack):
    crew = stack.deployment("emulated", "rie1")
    batch_is_cut(crew)
    arn = job_starts(crew)
    notice_is_written(stack, crew, arn)
    sweeps(crew)
    team_is_made(crew)
    invitation_has_words(crew)
    sign_in_joins(stack, crew)
    broken_events_are_distinguished(crew)
    two_at_once(crew)


def batch_is_cut(crew):
    print("S3 event through SQS -> build-manifest")
    keys = crew.drop("numbers", 5)
    encoded = [urllib.parse.quote_plus(key, safe="/") for key in keys]
    with crew.function("build-manifest") as function:
        answer = function.invoke(events.sqs("build-manifest", events.s3_put(crew.input, *encoded[:2]),
                                            events.s3_put(crew.input, *encoded[2:]), events.s3_test(crew.input)))
        equal("no message failed", answer, NOTHING_FAILED)
        check("a batch is there", crew.list("manifests/numbers/"), (crew.read("status/numbers.json"), function.said()))
        lines = [json.loads(line) for line in crew.read("manifests/numbers/000001.manifest").splitlines()]
        equal("the batch holds every text", sorted(line["source"] for line in lines), [f"the number {n}" for n in range(5)])
        equal("and names the files", sorted(line["groundcrew"]["key"] for line in lines), sorted(keys[1:]))
        again = function.invoke(events.sqs("build-manifest", events.s3_put(crew.input, encoded[1])))
        equal("the same event again is acknowledged", again, NOTHING_FAILED)
        equal("and cuts nothing", crew.list("manifests/numbers/"), ["manifests/numbers/000001.manifest"])


def two_at_once(crew):
    """Five datasets, two instances: the second finds the batch made, by If-None-Match alone."""
    datasets = [f"race-{n}" for n in range(5)]
    for dataset in datasets:
        crew.drop(dataset, 5)
    with crew.function("build-manifest") as one, crew.function("build-manifest") as other:
        with concurrent.futures.ThreadPoolExecutor() as pool:
            answers = list(pool.map(lambda function: function.invoke(events.SWEEP), [one, other]))
        equal("two instances at once cut each batch once", sum(answer["batches"] for answer in answers), len(datasets))
        equal("and leave one for each dataset", [crew.list(f"manifests/{d}/") for d in datasets], [[f"manifests/{d}/000001.manifest"] for d in datasets])


def job_starts(crew):
    print("S3 event through SQS -> start-job")
    event = events.sqs("start-job", events.s3_put(crew.output, "manifests/numbers/000001.manifest"))
    with crew.function("start-job") as function:
        equal("no message failed", function.invoke(event), NOTHING_FAILED)
        started = json.loads(crew.read("jobs/numbers/000001/started"))
        look = lambda: crew.client("sagemaker").describe_labeling_job(LabelingJobName=started["job"])
        equal("the labeling job is there", look()["LabelingJobArn"], started["arn"])
        # The batch is read while the job is Initializing.
        wait_for("with every item", lambda: look()["LabelCounters"]["Unlabeled"] == 5)
        equal("a second event is acknowledged", function.invoke(event), NOTHING_FAILED)
        names = [j["LabelingJobName"] for j in crew.client("sagemaker").list_labeling_jobs(NameContains="rie1")["LabelingJobSummaryList"]]
        equal("and starts no second job", names, [started["job"]])
    return started["arn"]


def notice_is_written(stack, crew, arn):
    print("EventBridge job state change through SQS -> notify, start-job")
    sagemaker = crew.client("sagemaker")
    name = arn.rsplit("/", 1)[1]
    sagemaker.stop_labeling_job(LabelingJobName=name)
    wait_for("the job is stopped", lambda: sagemaker.describe_labeling_job(LabelingJobName=name)["LabelingJobStatus"] == "Stopped")
    event = events.job_state_change(arn, "Stopped")
    with crew.function("notify") as function:
        equal("no message failed", function.invoke(events.sqs("notify", event)), NOTHING_FAILED)
        summary = json.loads(crew.read("results/numbers/000001/summary.json"))
        equal("the summary says how it ended", (summary["dataset"], summary["state"]), ("numbers", "Stopped"))
        sent = wait_for("the notice arrives", lambda: stack.mail(crew.admin))
        equal("one notice went out", len(sent), 1)
        check("it names the dataset", "numbers" in sent[0]["text"], sent[0])
        equal("the event again is acknowledged", function.invoke(events.sqs("notify", event)), NOTHING_FAILED)
        equal("and announces nothing twice", len(stack.mail(crew.admin)), 1)
    with crew.function("start-job") as function:
        equal("start-job acknowledges the open slot", function.invoke(events.sqs("start-job", event)), NOTHING_FAILED)


def sweeps(crew):
    print('Schedule {"sweep": "all"} -> everything events missed')
    crew.drop("forgotten", 3)
    with crew.function("build-manifest") as function:
        equal("build-manifest cuts the batch", function.invoke(events.SWEEP), {"datasets": 2, "batches": 1})
    with crew.function("start-job") as function:
        equal("start-job starts its job", function.invoke(events.SWEEP), {"without_job": 1, "started": 1, "waiting": 0})
        equal("and has nothing to do the second time", function.invoke(events.SWEEP), {"without_job": 0, "started": 0, "waiting": 0})
        equal("each time it counts what waits", function.metrics(), {"BatchesWaiting": 0, "OldestWaitingMinutes": 0})
    with crew.function("notify") as function:
        equal("notify finds nothing unannounced", function.invoke(events.SWEEP), {"ended": 0, "announced": 0})
        equal("and counts no job past its time", function.metrics(), {"JobsOverdue": 0})


def team_is_made(crew):
    print("EventBridge Object Created through SQS -> sync-team")
    crew.s3.put_object(Bucket=crew.input, Key="teams/emulated.yaml", Body=TEAM_FILE.encode())
    event = events.sqs("sync-team", events.object_created(crew.input, "teams/emulated.yaml"))
    with crew.function("sync-team") as function:
        equal("no message failed", function.invoke(event), NOTHING_FAILED)
        team = crew.client("sagemaker").describe_workteam(WorkteamName="emulated")["Workteam"]
        members = team["MemberDefinitions"][0]["CognitoMemberDefinition"]
        equal("the work team has the group", (members["UserPool"], members["UserGroup"]), (crew.pool, "emulated"))
        check("and a topic for work notices", "emulated-work" in team["NotificationConfiguration"]["NotificationTopicArn"], team)
        crew.cognito.get_group(UserPoolId=crew.pool, GroupName="emulated")
        roster = json.loads(crew.read("crew/emulated.json"))
        equal("both are invited", [m["state"] for m in roster["members"]], ["invited", "invited"])
        for email in ("ana.emulated@example.org", "ben.emulated@example.org"):
            equal(f"{email.split('.')[0]} with a temporary password", crew.person(email)["UserStatus"], "FORCE_CHANGE_PASSWORD")
        equal("the sweep finds all as it should be", function.invoke(events.SWEEP), {"teams": 1, "joined": 0, "unlisted": 0})
        equal("and counts the invitations left", function.metrics(), {"InvitationsLeftToday": 38})


def invitation_has_words(crew):
    print("Cognito CustomMessage -> invite-message")
    user = crew.person("ana.emulated@example.org")
    asked = events.custom_message(crew.pool, crew.client_id, user, "emulated")
    with crew.function("invite-message") as function:
        answer = function.invoke(asked)
        words = answer["response"].pop("emailMessage")
        subject = answer["response"].pop("emailSubject")
        check("the words name organization, contact, portal and both placeholders",
              all(part in words for part in ("Emulated Lab", "boss@example.org", crew.values["PORTAL_URL"], "{username}", "{####}")), words)
        check("so does the subject", "Emulated Lab" in subject, subject)
        for answered in ("emailMessage", "emailSubject"):
            asked["response"].pop(answered)
        equal("all else of the event is as it was", answer, asked)
        other = events.custom_message(crew.pool, crew.client_id, user, "emulated", "CustomMessage_ForgotPassword")
        equal("a forgotten password is the pool's own", function.invoke(other), other)


def sign_in(crew):
    """Both people of the team get their groups; the markers that this leaves."""
    ana, ben = crew.person("ana.emulated@example.org"), crew.person("ben.emulated@example.org")
    with crew.function("assign-worker") as function:
        asked = events.pre_token_generation(crew.pool, crew.client_id, ana)
        answer = function.invoke(asked)
        details = answer["response"].get("claimsOverrideDetails") or {}
        equal("the token has the group", details.get("groupOverrideDetails", function.said()), {
            "groupsToOverride": ["emulated"], "iamRolesToOverride": []})
        equal("all else of the event is as it was", {**answer, "response": None}, {**asked, "response": None})
        equal("the person is in the group", crew.groups(ana["Username"]), ["emulated"])
        asked = events.post_confirmation(crew.pool, crew.client_id, ben)
        equal("a confirmation is answered with itself", function.invoke(asked), asked)
        equal("and puts into the group", crew.groups(ben["Username"]), ["emulated"])
    markers = crew.list("joined/emulated/")
    equal("each leaves a marker", len(markers), 2)
    return markers


def sign_in_joins(stack, crew):
    print("Cognito PreTokenGeneration and PostConfirmation -> assign-worker; its marker through SQS -> sync-team")
    before = len(stack.mail(crew.admin))
    markers = sign_in(crew)
    with crew.function("sync-team") as function:
        event = events.sqs("sync-team", *(events.s3_put(crew.output, urllib.parse.quote_plus(key, safe="/")) for key in markers))
        equal("no message failed", function.invoke(event), NOTHING_FAILED)
    roster = json.loads(crew.read("crew/emulated.json"))
    equal("the roster says that both have joined", [m["state"] for m in roster["members"]], ["joined", "joined"])
    wait_for("an admin hears of both", lambda: len(stack.mail(crew.admin)) == before + 2)


def broken_events_are_distinguished(crew):
    print("Events that should not be sent")
    unknown = {"version": "0", "detail-type": "Something New", "source": "aws.s3", "resources": [], "detail": {}}
    somebody_elses = events.job_state_change("arn:aws:sagemaker:us-east-1:000000000000:labeling-job/theirs-1", "Completed")
    foreign = events.s3_put("another-bucket", "numbers/x.txt")
    for name in ("build-manifest", "start-job", "notify", "sync-team"):
        theirs = somebody_elses if name == "notify" else foreign
        with crew.function(name) as function:
            answer = function.invoke(events.sqs(name, theirs, unknown))
            failed = [f["itemIdentifier"][-1] for f in answer["batchItemFailures"]]
            equal(f"{name} drops what belongs to another stack, and fails the unknown one alone", failed, ["1"])
            equal("and counts it", function.metrics(), {"DroppedForeignEvents": 1})
    user = crew.person("ana.emulated@example.org")
    for name, asked in (("assign-worker", events.pre_token_generation("us-east-1_theirs", "c", user)),
                        ("invite-message", events.custom_message("us-east-1_theirs", "c", user, None))):
        with crew.function(name) as function:
            equal(f"{name} answers another pool's event with itself", function.invoke(asked), asked)
            equal("and counts it", function.metrics(), {"DroppedForeignEvents": 1})
