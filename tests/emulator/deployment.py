"""What `template.yaml` gives a function: variables, form of the log, memory, time. Only the values are this run's."""

from pathlib import Path

import yaml

ROOT = Path(__file__).resolve().parents[2]


class Loader(yaml.SafeLoader):
    """Reads every `!Function x` as None: what a value is made of on AWS is not asked here."""


Loader.add_multi_constructor("!", lambda loader, suffix, node: None)
TEMPLATE = yaml.load((ROOT / "template.yaml").read_text(), Loader)["Resources"]


def _resource(name):
    return TEMPLATE["".join(part.title() for part in name.split("-")) + "Function"]["Properties"]


def environment(name, values, given):
    """Each variable of the template from `values`, which must know all but the endpoints, and what Lambda adds: how to
    log, the Region and the role's credentials, here with the endpoint to use instead of AWS (`given`)."""
    asked = [v for v in _resource(name)["Environment"]["Variables"] if not v.startswith("AWS_ENDPOINT_URL")]
    logging = _resource(name)["LoggingConfig"]
    log = {"AWS_LAMBDA_LOG_FORMAT": logging["LogFormat"], "AWS_LAMBDA_LOG_LEVEL": logging["ApplicationLogLevel"]}
    return {**{variable: values[variable] for variable in asked}, **log, **given}


def limits(name):
    resource = _resource(name)
    return {"memory": resource["MemorySize"], "timeout": resource["Timeout"]}
