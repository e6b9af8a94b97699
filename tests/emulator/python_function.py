"""What build-manifest does for a dropped file, written the straightforward way with boto3: the baseline of the figures.

It asks less than build-manifest does: every dataset is taken to be texts, no spec is read, nothing is remembered.
Runs under AWS's runtime interface client for Python: python -m awslambdaric python_function.handler
"""

import json
import os
import urllib.parse

import boto3
from botocore.config import Config

s3 = boto3.client("s3", config=Config(s3={"addressing_style": "path"}))
INPUT, OUTPUT = os.environ["INPUT_BUCKET"], os.environ["OUTPUT_BUCKET"]


def handler(event, _context):
    datasets, failed = {}, []
    for message in event["Records"]:
        for record in json.loads(message["body"]).get("Records", []):
            key = urllib.parse.unquote_plus(record["s3"]["object"]["key"])
            if record["s3"]["bucket"]["name"] == INPUT and "/" in key:
                datasets.setdefault(key.split("/")[0], message["messageId"])
    for dataset, message in datasets.items():
        try:
            cut(dataset)
        except s3.exceptions.ClientError:
            failed.append({"itemIdentifier": message})
    return {"batchItemFailures": failed}


def cut(dataset):
    prefix = f"{dataset}/"
    s3.list_multipart_uploads(Bucket=INPUT, Prefix=prefix)
    batches = objects(OUTPUT, f"manifests/{prefix}")
    covered = set()
    for batch in batches:
        for line in s3.get_object(Bucket=OUTPUT, Key=batch["Key"])["Body"].iter_lines():
            covered.add(json.loads(line)["groundcrew"]["key"])
    lines = []
    for item in objects(INPUT, prefix):
        if item["Key"].endswith(".txt") and item["Key"] not in covered and item["Size"] > 0:
            text = s3.get_object(Bucket=INPUT, Key=item["Key"])["Body"].read().decode()
            origin = {"key": item["Key"], "etag": item["ETag"].strip('"')}
            lines.append(json.dumps({"source": text.strip(), "groundcrew": origin}))
    if lines:
        s3.put_object(Bucket=OUTPUT, Key=f"manifests/{prefix}{len(batches) + 1:06}.manifest", Body="\n".join(lines).encode(),
                      IfNoneMatch="*")


def objects(bucket, prefix):
    pages = s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix)
    return [item for page in pages for item in page.get("Contents", [])]
