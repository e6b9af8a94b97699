"""The usual day of other people's S3 clients: make a bucket, copy there and back, list, move, sync, remove. See day.sh."""

import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

WORK, TOOLS = Path(os.environ["DAY_WORK"]), Path(os.environ["DAY_TOOLS"])
ENDPOINT = os.environ["AWS_ENDPOINT_URL"]
HOST = ENDPOINT.split("://")[1]
KEY, SECRET = os.environ["AWS_ACCESS_KEY_ID"], os.environ["AWS_SECRET_ACCESS_KEY"]
NAMES = ["a.txt", "sub/b c+d.txt", "sub/é ключ.txt"]
BIG = 20 * 1024 * 1024


def folder(name):
    """Three small files with names that get encoded, and one that goes up in parts."""
    root = WORK / name
    for path in NAMES:
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(path)
    (root / "big.bin").write_bytes(bytes(range(256)) * (BIG // 256))
    return root


def same(one, other):
    digests = [{str(p.relative_to(r)): hashlib.sha256(p.read_bytes()).hexdigest() for p in r.rglob("*") if p.is_file()}
               for r in (one, other)]
    assert digests[0] == digests[1], digests


def sh(*words, **more):
    done = subprocess.run([str(w) for w in words], capture_output=True, text=True, timeout=300, **more)
    assert done.returncode == 0, f"{words[0]}: {done.stdout[-500:]}{done.stderr[-1500:]}"
    return done.stdout


def there_and_back(run, up, down, listing):
    """Steps most command lines have: (name, call) each."""
    source = folder("source-" + run)
    back = WORK / ("back-" + run)
    back.mkdir()
    yield "up", lambda: up(source)
    yield "list", lambda: assert_in(["a.txt", "b c+d.txt", "big.bin"], listing())
    yield "back, the same bytes", lambda: (down(back), same(source, back))


def assert_in(names, text):
    missing = [n for n in names if n not in text]
    assert not missing, f"{missing} not in {text[-800:]}"


def aws_cli():
    aws, b = TOOLS / "day/bin/aws", "s3://day-aws"
    yield "mb", lambda: sh(aws, "s3", "mb", b)
    yield from there_and_back("aws", lambda s: sh(aws, "s3", "cp", "--recursive", s, f"{b}/in/"),
                              lambda d: sh(aws, "s3", "sync", f"{b}/in/", d),
                              lambda: sh(aws, "s3", "ls", "--recursive", b))
    yield "mv", lambda: sh(aws, "s3", "mv", f"{b}/in/a.txt", f"{b}/moved.txt")
    yield "sync deletes", lambda: sh(aws, "s3", "sync", "--delete", WORK / "source-aws/sub", f"{b}/in/")
    yield "presign", lambda: sh("curl", "-sf", sh(aws, "s3", "presign", f"{b}/moved.txt").strip())
    yield "put once", lambda: sh(aws, "s3api", "put-object", "--bucket", "day-aws", "--key", "once", "--if-none-match", "*")
    yield "rm", lambda: sh(aws, "s3", "rm", "--recursive", b)
    yield "rb", lambda: sh(aws, "s3", "rb", b)


def s3cmd():
    config = WORK / "s3cfg"
    config.write_text(f"[default]\naccess_key = {KEY}\nsecret_key = {SECRET}\nhost_base = {HOST}\nhost_bucket = {HOST}\n"
                      "use_https = False\nsignature_v2 = False\nbucket_location = us-east-1\n")
    cmd, b = (sys.executable, TOOLS / "day/bin/s3cmd", "-c", config, "--no-progress"), "s3://day-s3cmd"
    yield "mb", lambda: sh(*cmd, "mb", b)
    yield from there_and_back("s3cmd", lambda s: sh(*cmd, "sync", f"{s}/", f"{b}/in/"),
                              lambda d: sh(*cmd, "sync", f"{b}/in/", f"{d}/"),
                              lambda: sh(*cmd, "ls", "--recursive", b))
    yield "info", lambda: sh(*cmd, "info", f"{b}/in/a.txt")
    yield "cp", lambda: sh(*cmd, "cp", f"{b}/in/a.txt", f"{b}/copy.txt")
    yield "mv", lambda: sh(*cmd, "mv", f"{b}/copy.txt", f"{b}/moved.txt")
    yield "du", lambda: assert_in([str(BIG)[:3]], sh(*cmd, "du", b))
    yield "rb", lambda: sh(*cmd, "rb", "--recursive", "--force", b)


def rclone():
    if not shutil.which("rclone"):
        raise LookupError("rclone is not installed (Debian has it)")
    # Debian's rclone cannot load a bundle of certificates from the environment, and needs none here.
    environment = {name: value for name, value in os.environ.items() if name != "AWS_CA_BUNDLE"}
    environment.update(RCLONE_CONFIG_GC_TYPE="s3", RCLONE_CONFIG_GC_PROVIDER="Other", RCLONE_CONFIG_GC_ENDPOINT=ENDPOINT,
                       RCLONE_CONFIG_GC_ACCESS_KEY_ID=KEY, RCLONE_CONFIG_GC_SECRET_ACCESS_KEY=SECRET,
                       RCLONE_CONFIG_GC_REGION="us-east-1", RCLONE_CONFIG=str(WORK / "rclone.conf"))
    run = lambda *words: sh("rclone", *words, env=environment)
    yield "mkdir", lambda: run("mkdir", "gc:day-rclone")
    yield from there_and_back("rclone", lambda s: run("copy", s, "gc:day-rclone/in"), lambda d: run("copy", "gc:day-rclone/in", d),
                              lambda: run("lsf", "-R", "gc:day-rclone"))
    yield "check", lambda: run("check", WORK / "source-rclone", "gc:day-rclone/in")
    yield "moveto", lambda: run("moveto", "gc:day-rclone/in/a.txt", "gc:day-rclone/moved.txt")
    yield "sync deletes", lambda: run("sync", WORK / "source-rclone/sub", "gc:day-rclone/in")
    yield "cat", lambda: assert_in(["a.txt"], run("cat", "gc:day-rclone/moved.txt"))
    yield "purge", lambda: run("purge", "gc:day-rclone")


def boto3_client():
    import boto3
    s3 = boto3.client("s3")
    source = folder("source-boto3")
    yield "create_bucket", lambda: s3.create_bucket(Bucket="day-boto3")
    yield "upload_file", lambda: [s3.upload_file(str(source / n), "day-boto3", n) for n in [*NAMES, "big.bin"]]
    yield "download_file", lambda: (s3.download_file("day-boto3", "big.bin", str(WORK / "big")),
                                    assert_in([str(BIG)], str((WORK / "big").stat().st_size)))
    yield "list_objects_v2", lambda: assert_in(["a.txt"], str(s3.list_objects_v2(Bucket="day-boto3", Delimiter="/")))
    yield "copy", lambda: s3.copy({"Bucket": "day-boto3", "Key": "big.bin"}, "day-boto3", "copy.bin")
    yield "metadata", lambda: (s3.put_object(Bucket="day-boto3", Key="m", Body=b"", Metadata={"who": "ana"}),
                               assert_in(["ana"], str(s3.head_object(Bucket="day-boto3", Key="m")["Metadata"])))
    yield "delete_objects", lambda: s3.delete_objects(
        Bucket="day-boto3", Delete={"Objects": [{"Key": k} for k in [*NAMES, "big.bin", "copy.bin", "m"]]})
    yield "delete_bucket", lambda: s3.delete_bucket(Bucket="day-boto3")


S3FS = """
import sys, s3fs
step, root, back, endpoint = sys.argv[1:]
fs = s3fs.S3FileSystem(endpoint_url=endpoint)
def read_parts():
    with fs.open("day-s3fs/in/big.bin", "rb") as f:
        f.seek(5); assert f.read(3) == bytes([5, 6, 7])
{"mkdir": lambda: fs.mkdir("day-s3fs"),
 "up": lambda: fs.put(root, "day-s3fs/in/", recursive=True),
 "back": lambda: fs.get("day-s3fs/in/", back, recursive=True),
 "list": lambda: print(fs.find("day-s3fs")),
 "read in the middle": read_parts,
 "move": lambda: fs.mv("day-s3fs/in/a.txt", "day-s3fs/moved.txt"),
 "remove": lambda: fs.rm("day-s3fs", recursive=True)}[step]()
"""


def s3fs():
    back = WORK / "back-s3fs"
    run = lambda step, root="": sh(TOOLS / "s3fs/bin/python", "-c", S3FS, step, f"{root}/", f"{back}/", ENDPOINT)
    yield "mkdir", lambda: run("mkdir")
    yield from there_and_back("s3fs", lambda s: run("up", s), lambda d: run("back"), lambda: run("list"))
    for step in ("read in the middle", "move", "remove"):
        yield step, lambda step=step: run(step)


JS = """
const { S3, GetObjectCommand } = require("@aws-sdk/client-s3");
const { Upload } = require("@aws-sdk/lib-storage");
const fs = require("fs");
const [step, endpoint, big] = process.argv.slice(1);
const s3 = new S3({ endpoint, forcePathStyle: true, region: "us-east-1" });
const Bucket = "day-js";
const steps = {
  createBucket: () => s3.createBucket({ Bucket }),
  putObject: () => s3.putObject({ Bucket, Key: "sub/b c+d.txt", Body: "text", Metadata: { who: "ana" } }),
  getObject: async () => { if (await (await s3.getObject({ Bucket, Key: "sub/b c+d.txt" })).Body.transformToString() !== "text") throw "other text"; },
  upload: () => new Upload({ client: s3, params: { Bucket, Key: "big.bin", Body: fs.createReadStream(big) } }).done(),
  listObjectsV2: async () => { const l = await s3.listObjectsV2({ Bucket }); if (l.KeyCount !== 2) throw l; },
  refused: async () => { try { await s3.getObject({ Bucket, Key: "none" }); } catch (e) { if (e.name === "NoSuchKey") return; throw e; } throw "found"; },
  deleteObjects: () => s3.deleteObjects({ Bucket, Delete: { Objects: [{ Key: "sub/b c+d.txt" }, { Key: "big.bin" }] } }),
  deleteBucket: () => s3.deleteBucket({ Bucket }),
};
steps[step]().catch((e) => { console.error(e); process.exit(1); });
"""


def javascript():
    if not shutil.which("node"):
        raise LookupError("node is not installed")
    folder("source-js")
    environment = dict(os.environ, NODE_PATH=str(TOOLS / "js/node_modules"))
    for step in ("createBucket", "putObject", "getObject", "upload", "listObjectsV2", "refused", "deleteObjects", "deleteBucket"):
        yield step, lambda step=step: sh("node", "-e", JS, "--", step, ENDPOINT, WORK / "source-js/big.bin", env=environment)


CLIENTS = {"boto3": boto3_client, "AWS CLI": aws_cli, "s3cmd": s3cmd, "s3fs": s3fs, "rclone": rclone, "JavaScript SDK v3": javascript}


def main():
    failed = 0
    for name, client in CLIENTS.items():
        good, bad = 0, []
        try:
            for step, call in client():
                try:
                    call()
                    good += 1
                except Exception as error:  # noqa: BLE001: whatever a client says is what is reported
                    bad.append(f"{step}: {error}")
        except LookupError as error:
            print(f"{name}: skipped, {error}")
            continue
        print(f"{name}: {good} passed, {len(bad)} failed", flush=True)
        for line in bad:
            print(f"  {line}")
        failed += len(bad)
    sys.exit(failed > 0)


if __name__ == "__main__":
    main()
