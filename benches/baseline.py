"""The straightforward way to build a manifest with boto3, as the baseline of the benchmark.

The same steps build-manifest takes, one after the other: list open multipart uploads, list the dataset, read the
batches there are, fetch every text, put one JSON line for each into a manifest, and create it with
If-None-Match. Prints one JSON object: objects and seconds.
"""

import json
import sys
import time

import boto3
from botocore.config import Config

endpoint, in_bucket, out_bucket, dataset = sys.argv[1:5]
s3 = boto3.client("s3", endpoint_url=endpoint, region_name="us-east-1",
                  config=Config(s3={"addressing_style": "path"}))

start = time.monotonic()
prefix = f"{dataset}/"
s3.list_multipart_uploads(Bucket=in_bucket, Prefix=prefix)

covered = set()
batches = 0
for page in s3.get_paginator("list_objects_v2").paginate(Bucket=out_bucket, Prefix=f"manifests/{prefix}"):
    for item in page.get("Contents", []):
        batches += 1
        for line in s3.get_object(Bucket=out_bucket, Key=item["Key"])["Body"].iter_lines():
            covered.add(json.loads(line)["groundcrew"]["key"])

lines = []
for page in s3.get_paginator("list_objects_v2").paginate(Bucket=in_bucket, Prefix=prefix):
    for item in page.get("Contents", []):
        key = item["Key"]
        if key.endswith(".txt") and key not in covered and item["Size"] > 0:
            text = s3.get_object(Bucket=in_bucket, Key=key)["Body"].read().decode()
            origin = {"key": key, "etag": item["ETag"].strip('"')}
            lines.append(json.dumps({"source": text.strip(), "groundcrew": origin}))

s3.put_object(Bucket=out_bucket, Key=f"manifests/{prefix}{batches + 1:06}.manifest",
              Body="\n".join(lines).encode(), IfNoneMatch="*")
print(json.dumps({"objects": len(lines), "seconds": time.monotonic() - start}))
