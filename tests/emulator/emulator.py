"""One function under AWS's Lambda Runtime Interface Emulator, as the SAM CLI ships it.

The emulator starts the function with the first invocation, as Lambda does, and logs what each phase took: INIT REPORT,
process start to the first poll, and INVOKE RTDONE, event to answer. (Its line REPORT, in Lambda's form, now and then
counts the first phase into the second.)
https://github.com/aws/aws-lambda-runtime-interface-emulator
"""

import json
import os
import platform
import re
import signal
import socket
import subprocess
import tempfile
import time
import urllib.request
from pathlib import Path

import samcli

ARCHITECTURE = {"x86_64": "x86_64", "aarch64": "arm64"}[platform.machine()]
EMULATOR = Path(samcli.__path__[0]) / "local" / "rapid" / f"aws-lambda-rie-{ARCHITECTURE}"
INVOKE = "/2015-03-31/functions/function/invocations"
INIT = re.compile(r"INIT REPORT\(durationMs: ([\d.]+)\)")
ANSWERED = re.compile(r"INVOKE RTDONE\(status: success, .*?duration: ([\d.]+)ms\)")
PATIENCE = 30


class Failed(Exception):
    """The function answered with an error, or died."""


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Function:
    """`command` is the bootstrap; `environment` all that the template and Lambda give it."""

    def __init__(self, name, command, environment, memory=512, timeout=60):
        self.name = name
        self.port = free_port()
        self.log = tempfile.NamedTemporaryFile(mode="r", prefix=f"{name}-", suffix=".log")
        lambdas_own = {
            "PATH": "/usr/local/bin:/usr/bin:/bin",
            "LANG": "en_US.UTF-8",
            "TZ": ":UTC",
            "AWS_LAMBDA_FUNCTION_NAME": name,
            "AWS_LAMBDA_FUNCTION_VERSION": "1",
            "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(memory),
            "AWS_LAMBDA_FUNCTION_TIMEOUT": str(timeout),
        }
        own = ["--runtime-interface-emulator-address", f"127.0.0.1:{self.port}",
               "--runtime-api-address", f"127.0.0.1:{free_port()}"]
        with open(self.log.name, "a") as log:
            self.process = subprocess.Popen([str(EMULATOR), *own, *map(str, command)], env={**lambdas_own, **environment},
                                            stdout=log, stderr=log, stdin=subprocess.DEVNULL)
        self._wait_for_port()

    def _wait_for_port(self):
        give_up = time.monotonic() + PATIENCE
        while True:
            try:
                socket.create_connection(("127.0.0.1", self.port), timeout=1).close()
                return
            except OSError:
                if time.monotonic() > give_up or self.process.poll() is not None:
                    raise Failed(f"the emulator of {self.name} does not listen:\n{self.said()}") from None
                time.sleep(0.01)

    def invoke(self, event):
        """The answer to one event."""
        request = urllib.request.Request(f"http://127.0.0.1:{self.port}{INVOKE}", data=json.dumps(event).encode())
        with urllib.request.urlopen(request, timeout=PATIENCE * 4) as response:
            body = response.read()
        answer = json.loads(body)
        if isinstance(answer, dict) and "errorType" in answer:
            raise Failed(f"{self.name}: {answer}\n{self.said()}")
        return answer

    def init(self):
        """Process start to the first poll, in ms."""
        return float(INIT.search(self.said())[1])

    def durations(self):
        """Event to answer, of each invocation, in ms."""
        return [float(duration) for duration in ANSWERED.findall(self.said())]

    def said(self):
        return Path(self.log.name).read_text(errors="replace")

    def metrics(self):
        """{name: last value} of what the log lines hold in CloudWatch's embedded metric format."""
        found = {}
        for line in self.said().splitlines():
            if line.startswith("{") and '"CloudWatchMetrics"' in line:
                document = json.loads(line)
                for directive in document["_aws"]["CloudWatchMetrics"]:
                    found |= {metric["Name"]: document[metric["Name"]] for metric in directive["Metrics"]}
        return found

    def peak_memory(self):
        """Most memory the function's process ever held, in MB (10^6 bytes)."""
        child = self._children()[0]
        status = Path(f"/proc/{child}/status").read_text()
        return int(re.search(r"VmHWM:\s+(\d+) kB", status)[1]) * 1024 / 1e6

    def _children(self):
        return Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text().split() or [
            pid for pid in os.listdir("/proc") if pid.isdigit() and self._is_child(pid)]

    def _is_child(self, pid):
        try:
            return f"\nPPid:\t{self.process.pid}\n" in Path(f"/proc/{pid}/status").read_text()
        except OSError:
            return False

    def __enter__(self):
        return self

    def __exit__(self, *_):
        # It ends its function before itself.
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.log.close()
