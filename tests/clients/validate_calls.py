"""Checks recorded requests and answers (groundcrew up --record) against AWS's published API models, as botocore ships
them: types, required members, lengths, ranges, patterns, enumerations, unknown members; answers are also read by
botocore's own parsers. Prints JSON: {"checked": n, "operations": {caller: [[operation, resource], ...]}, "violations": [...]}.

Usage: validate_calls.py RECORDING
"""

import base64
import json
import re
import sys
from datetime import datetime
from functools import lru_cache
from urllib.parse import parse_qs, parse_qsl, unquote, urlsplit

import botocore.parsers
import botocore.session
import regex

TARGETS = {
    "SageMaker": "sagemaker",
    "AWSCognitoIdentityProviderService": "cognito-idp",
    "AmazonSQS": "sqs",
}
# What every client adds, whatever the operation.
COMMON_HEADERS = re.compile(
    r"^(x-amz-(date|content-sha256|user-agent|security-token|sdk-.*|decoded-content-length|trailer|te|checksum-mode|target"
    r"|checksum-.*|sdk-checksum-algorithm)|x-amzn-.*)$"
)
session = botocore.session.get_session()


@lru_cache
def model(service):
    return session.get_service_model(service)


# ---- one value against its shape ----------------------------------------------------------------------------------

def check(shape, value, where, out, answer=False):
    kind = shape.type_name
    types = {
        "structure": dict, "map": dict, "list": list, "string": str, "boolean": bool, "blob": (str, bytes),
        "timestamp": (int, float, str), "integer": int, "long": int, "float": (int, float), "double": (int, float),
    }
    if not isinstance(value, types[kind]) or (isinstance(value, bool) and kind not in ("boolean",)):
        out.append(f"{where}: {kind} expected, {type(value).__name__} sent")
        return
    meta = shape.metadata
    if kind == "structure":
        structure(shape, value, where, out, answer)
    elif kind == "list":
        length(meta, len(value), where, out)
        for index, one in enumerate(value):
            check(shape.member, one, f"{where}[{index}]", out, answer)
    elif kind == "map":
        length(meta, len(value), where, out)
        for key, one in value.items():
            check(shape.key, key, f"{where} key", out, answer)
            check(shape.value, one, f"{where}.{key}", out, answer)
    elif kind == "string":
        # An answer may hold values newer than this model; a request may not.
        length(meta, len(value), where, out)
        if getattr(shape, "enum", None) and value not in shape.enum:
            out.append(f"{where}: `{value}` is none of {shape.enum}")
        pattern = meta.get("pattern")
        if pattern and not regex.fullmatch(python_pattern(pattern), value):
            out.append(f"{where}: does not match {pattern}")
    elif kind in ("integer", "long", "float", "double"):
        length(meta, value, where, out)


def python_pattern(pattern):
    """Java's patterns; botocore's are not anchored when they do not say so."""
    return pattern.replace("\\p{Punct}", "[!-/:-@\\[-`{-~]")


def structure(shape, value, where, out, answer):
    for name in shape.required_members:
        if name not in value:
            out.append(f"{where}.{name}: missing")
    for name, one in value.items():
        if one is None and answer:
            continue
        if name not in shape.members:
            out.append(f"{where}.{name}: no such member")
        else:
            check(shape.members[name], one, f"{where}.{name}", out, answer)


def length(meta, size, where, out):
    if "min" in meta and size < meta["min"]:
        out.append(f"{where}: {size} is less than {meta['min']}")
    if "max" in meta and size > meta["max"]:
        out.append(f"{where}: {size} is more than {meta['max']}")


# ---- one call ------------------------------------------------------------------------------------------------------

def caller(line):
    found = re.search(r"\bapp/([A-Za-z0-9-]+)", line["headers"].get("user-agent", ""))
    return found.group(1) if found else None


def body(line, name):
    return None if line[name] is None else base64.b64decode(line[name])


def is_form(line):
    return line["headers"].get("content-type", "").startswith("application/x-www-form-urlencoded")


def parsed_answer(service, operation, line):
    """Read as boto3 would; a refusal is an answer as well."""
    raw = body(line, "response_body")
    if raw is None:
        return None
    parser = botocore.parsers.create_parser(service.metadata.get("protocol"))
    headers = {name.title(): value for name, value in line["response_headers"].items()}
    headers = botocore.awsrequest.HeadersDict(headers)
    answer = {"status_code": line["status"], "headers": headers, "body": raw}
    return parser.parse(answer, operation.output_shape)


def check_json(line, name, operation_name, out):
    service = model(name)
    if operation_name not in service.operation_names:
        out.append("no such operation")
        return
    operation = service.operation_model(operation_name)
    request = json.loads(body(line, "body") or b"{}")
    check(operation.input_shape, request, "request", out)
    parsed = parsed_answer(service, operation, line)
    check_error(service, line, parsed, out)
    raw = body(line, "response_body")
    if line["status"] < 300 and operation.output_shape is not None:
        check(operation.output_shape, json.loads(raw or b"{}"), "answer", out, answer=True)
    return request


def check_error(service, line, parsed, out):
    if line["status"] < 300:
        return
    if parsed is None or "Error" not in parsed or not parsed["Error"].get("Code"):
        out.append(f"answer: {line['status']} without an error code botocore can read")


def check_query(line, out):
    service = model("sns")
    fields = dict(parse_qsl(body(line, "body").decode(), keep_blank_values=True))
    name = fields.pop("Action")
    fields.pop("Version", None)
    if name not in service.operation_names:
        out.append("no such operation")
        return name, fields
    operation = service.operation_model(name)
    request = unflatten(operation.input_shape, fields, "", out)
    check(operation.input_shape, request, "request", out)
    check_error(service, line, parsed_answer(service, operation, line), out)
    return name, request


def unflatten(shape, fields, prefix, out):
    """Query protocol: Attributes.entry.1.key=..., Tags.member.1.Key=..."""
    request = {}
    used = set()
    for name, member in shape.members.items():
        own = {key: value for key, value in fields.items() if key == name or key.startswith(name + ".")}
        if not own:
            continue
        used |= set(own)
        if member.type_name == "map":
            entries = {}
            for key, value in own.items():
                found = re.match(rf"^{name}\.entry\.(\d+)\.(key|value|Name|Value)(.*)$", key)
                if not found:
                    out.append(f"request.{key}: not a map entry")
                    continue
                entry = entries.setdefault(found.group(1), {"value": {}})
                if found.group(2) in ("key", "Name"):
                    entry["key"] = value
                elif found.group(3):
                    entry["value"][found.group(3).lstrip(".")] = value
                else:
                    entry["value"] = value
            request[name] = {entry["key"]: entry["value"] for entry in entries.values()}
        elif member.type_name == "list":
            items = {}
            for key, value in own.items():
                found = re.match(rf"^{name}\.member\.(\d+)(?:\.(.*))?$", key)
                if not found:
                    out.append(f"request.{key}: not a list member")
                elif found.group(2):
                    items.setdefault(found.group(1), {})[found.group(2)] = value
                else:
                    items[found.group(1)] = value
            request[name] = list(items.values())
        elif member.type_name == "boolean":
            request[name] = own[name] == "true"
        else:
            request[name] = own[name]
    for key in fields:
        if key not in used:
            out.append(f"request.{key}: no such member")
    return request


# ---- S3: the operation is in the method, the path and the query ------------------------------------------------------

def s3_operation(method, key, query, headers):
    flags = set(query)
    table = {
        ("GET", False): [("uploads", "ListMultipartUploads"), ("cors", "GetBucketCors"), ("location", "GetBucketLocation"),
                         ("notification", "GetBucketNotificationConfiguration"), ("list-type", "ListObjectsV2")],
        ("GET", True): [("uploadId", "ListParts"), ("attributes", "GetObjectAttributes"), ("", "GetObject")],
        ("HEAD", True): [("", "HeadObject")],
        ("HEAD", False): [("", "HeadBucket")],
        ("PUT", True): [("partNumber", "UploadPart"), ("", "PutObject")],
        ("PUT", False): [("cors", "PutBucketCors"), ("", "CreateBucket")],
        ("POST", True): [("uploads", "CreateMultipartUpload"), ("uploadId", "CompleteMultipartUpload")],
        ("POST", False): [("delete", "DeleteObjects")],
        ("DELETE", True): [("uploadId", "AbortMultipartUpload"), ("", "DeleteObject")],
        ("DELETE", False): [("", "DeleteBucket")],
    }
    for flag, name in table.get((method, bool(key)), []):
        if flag == "" or flag in flags:
            copy = name == "PutObject" and "x-amz-copy-source" in headers
            return "CopyObject" if copy else name
    return None


def check_s3(line, out):
    uri = urlsplit(line["uri"])
    bucket, _, key = uri.path.lstrip("/").partition("/")
    bucket, key = unquote(bucket), unquote(key)
    query = parse_qs(uri.query, keep_blank_values=True)
    headers = line["headers"]
    name = s3_operation(line["method"], key, query, headers)
    resource = f"{bucket}/{key}" if key else bucket
    if name is None:
        if not bucket and line["method"] == "GET":
            name = "ListBuckets"
        else:
            out.append(f"{line['method']} {uri.path}?{uri.query} is no operation of S3")
            return None, resource
    service = model("s3")
    operation = service.operation_model(name)
    shape = operation.input_shape
    if shape is not None:
        known = {member.serialization.get("name", n).lower(): (n, member)
                 for n, member in shape.members.items()
                 if member.serialization.get("location") in ("header", "querystring")}
        for header, value in headers.items():
            if not header.startswith("x-amz-") or COMMON_HEADERS.match(header) or header.startswith("x-amz-meta-"):
                continue
            check_text(known.get(header), value, f"header {header}", out)
        fixed = set(parse_qs(urlsplit(operation.http["requestUri"]).query, keep_blank_values=True))
        for parameter, values in query.items():
            if parameter in fixed or parameter == "x-id" or parameter.lower().startswith("x-amz-"):
                continue
            check_text(known.get(parameter.lower()), values[0], f"parameter {parameter}", out)
        for required in shape.required_members:
            member = shape.members[required]
            if member.serialization.get("location") in ("header", "querystring"):
                there = member.serialization["name"].lower()
                if there not in headers and there not in {p.lower() for p in query}:
                    out.append(f"request.{required}: missing")
    parsed = parsed_answer(service, operation, line)
    if line["method"] != "HEAD" and line["status"] not in (304,):
        check_error(service, line, parsed, out)
    return name, resource


def check_text(known, value, where, out):
    if known is None:
        out.append(f"request: {where} is not of this operation")
        return
    name, member = known
    kind = member.type_name
    try:
        if kind in ("integer", "long"):
            value = int(value)
        elif kind == "boolean":
            value = {"true": True, "false": False}[value]
        elif kind == "timestamp":
            value = datetime.now().timestamp()
    except (ValueError, KeyError):
        out.append(f"request.{name}: {kind} expected, `{value}` sent")
        return
    check(member, value, f"request.{name}", out)


# ---- all of them -----------------------------------------------------------------------------------------------------

def check_line(line):
    out = []
    target = line["headers"].get("x-amz-target")
    if target:
        prefix, name = target.split(".")
        service = TARGETS.get(prefix)
        if service is None:
            return "unknown:" + target, "", ["no such service"]
        request = check_json(line, service, name, out) or {}
        return f"{service}:{name}", resource_of(service, request), out
    if is_form(line) and line["method"] == "POST":
        name, request = check_query(line, out)
        return f"sns:{name}", next((request[n] for n in ("TopicArn", "SubscriptionArn", "Name") if n in request), ""), out
    if "Action=" in (urlsplit(line["uri"]).query or ""):
        return "sns:link", "", out
    name, resource = check_s3(line, out)
    return f"s3:{name}", resource, out


def resource_of(service, request):
    names = ("LabelingJobName", "ResourceArn", "WorkteamName", "WorkforceName", "UserPoolId", "QueueUrl")
    return next((request[name] for name in names if name in request), "")


def main(path):
    operations, violations, checked = {}, [], 0
    with open(path, encoding="utf-8") as recording:
        for number, text in enumerate(recording, 1):
            line = json.loads(text)
            operation, resource, out = check_line(line)
            checked += 1
            # The sender of a request that is wrong on purpose says so: a client that tries what is refused.
            by = caller(line)
            if by is not None:
                operations.setdefault(by, set()).add((operation, resource))
            violations += [
                {"line": number, "caller": by, "operation": operation, "what": what, "status": line["status"]} for what in out
            ]
    operations = {by: sorted(map(list, calls)) for by, calls in operations.items()}
    json.dump({"checked": checked, "operations": operations, "violations": violations}, sys.stdout, indent=1)


main(sys.argv[1])
