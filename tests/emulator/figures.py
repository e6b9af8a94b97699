"""Cold start, warm latency and peak memory under the emulator, beside a bare function of the same profile and a Python
function that does build-manifest's job. Rounds are interleaved: a busy moment of the machine falls on all of them.
"""

import os
import statistics
from pathlib import Path

import emulator
import events
from journeys import NOTHING_FAILED
from stack import RELEASE

ROUNDS = 15
WARM = 20
TEXTS = 10
TRIGGERS = ("assign-worker", "invite-message")
QUEUED = ("build-manifest", "start-job", "notify", "sync-team")


def run(stack):
    crew = stack.deployment("figures", "rie3")
    user = {"Username": "8f4d", "UserAttributes": [{"Name": "sub", "Value": "8f4d"}, {"Name": "email", "Value": "ana@example.org"}]}
    nothing = events.sqs("q", events.s3_test(crew.input))
    password = events.custom_message(crew.pool, crew.client_id, user, "none", "CustomMessage_ForgotPassword")
    code = events.post_confirmation(crew.pool, crew.client_id, user) | {"triggerSource": "CustomEmailSender_SignUp"}
    asked = {"hello": nothing, "python": nothing, "assign-worker": code, "invite-message": password}
    built = [name for name in (*QUEUED, *TRIGGERS) if (RELEASE / name).is_file()]
    functions = ("hello", *built, "python")
    print("not built, not measured:", ", ".join({*QUEUED, *TRIGGERS} - {*built}) or "none")
    table("first answer, no AWS call in it", functions, ROUNDS, lambda name, _: (crew, asked.get(name, nothing)), "hello")

    def dropped(name, round_):
        dataset = f"{name}-{round_}"
        keys = crew.drop(dataset, TEXTS)
        return crew, events.sqs("build-manifest", events.s3_put(crew.input, keys[1].replace(" ", "+")))
    table(f"a batch of {TEXTS} texts cut", ("build-manifest", "python"), ROUNDS, dropped, "python")


def start(crew, name):
    if name == "hello":
        return emulator.Function(name, [RELEASE / name], crew.given())
    if name == "python":
        here = Path(__file__).parent
        values = {variable: crew.values[variable] for variable in ("INPUT_BUCKET", "OUTPUT_BUCKET")}
        # What it imports was compiled when it was installed, which favours it.
        given = crew.given(PYTHONPATH=str(here), LAMBDA_TASK_ROOT=str(here), PYTHONDONTWRITEBYTECODE="1", **values)
        command = [os.environ["FUNCTION_PYTHON"], "-m", "awslambdaric", "python_function.handler"]
        return emulator.Function(name, command, given, memory=1024)
    return crew.function(name)


def table(title, functions, rounds, prepare, baseline):
    cold, warm, memory = ({name: [] for name in functions} for _ in range(3))
    for round_ in range(rounds):
        for name in functions:
            crew, event = prepare(name, round_)
            with start(crew, name) as function:
                answer = function.invoke(event)
                assert name == "hello" or "Records" not in event or answer == NOTHING_FAILED, (name, answer, function.said())
                for _ in range(WARM):
                    function.invoke(event)
                durations = function.durations()
                cold[name].append(function.init() + durations[0])
                warm[name].append(statistics.median(durations[1:]))
                memory[name].append(function.peak_memory())
    print(f"\n{title}: median of {rounds} starts; warm: the same event {WARM} times more; x is to {baseline}")
    print(f"{'function':<16} {'cold ms':>8} {'x':>6} {'warm ms':>8} {'peak MB':>8}")
    of = statistics.median(cold[baseline])
    for name in functions:
        first = statistics.median(cold[name])
        print(f"{name:<16} {first:>8.1f} {first / of:>6.2f} {statistics.median(warm[name]):>8.2f} {max(memory[name]):>8.1f}", flush=True)
