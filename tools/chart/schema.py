"""Makes `values.schema.json`: the chart's own values here, those of the OrderService from its CRD.

So `helm install` refuses a key that the CRD does not have before anything reaches the cluster, and
a field that is added to the resource can be set in the chart. Required fields of the resource are
left to the API server, because an empty `{}` in the values means that the field is left out.
"""

import json
from pathlib import Path
from typing import Any, Final

import yaml

from orders_common.tracing_settings import SAMPLERS
from tools.go_programs import ROOT

CHART: Final = ROOT / "charts" / "orders"
Schema = dict[str, Any]

_STRING: Final[Schema] = {"type": "string"}
_BOOLEAN: Final[Schema] = {"type": "boolean"}
_MAP: Final[Schema] = {"type": "object", "additionalProperties": {"type": "string"}}
_ANY: Final[Schema] = {"type": "object"}
_LIST: Final[Schema] = {"type": "array", "items": {"type": "object"}}
_COUNT: Final[Schema] = {"type": "integer", "minimum": 0}
_PORTS: Final[Schema] = {
    "type": "array",
    "minItems": 1,
    "items": {"type": "integer", "minimum": 1, "maximum": 65535},
}
_NAME: Final[Schema] = {"type": "string", "pattern": "^([a-z0-9]([-a-z0-9]*[a-z0-9])?)?$"}
_NAMES: Final[Schema] = {
    "type": "array",
    "uniqueItems": True,
    "items": {"type": "string", "pattern": "^[a-z0-9]([-a-z0-9]*[a-z0-9])?$", "maxLength": 63},
}
_DURATION: Final[Schema] = {"type": "string", "pattern": "^[0-9]+(s|m|h)$"}
_DIGEST: Final[Schema] = {"type": "string", "pattern": "^(sha256:[0-9a-f]{64})?$"}
_FIELDS_MADE_HERE: Final = ("image", "database")


def _object(**properties: Schema) -> Schema:
    return {"type": "object", "additionalProperties": False, "properties": properties}


def _enum(*values: str) -> Schema:
    return {"enum": list(values)}


_IMAGE: Final = {
    "repository": {"type": "string", "minLength": 1},
    "tag": _STRING,
    "digest": _DIGEST,
}
_RESOURCES: Final = _object(
    requests={"type": "object"}, limits={"type": "object"}, claims={"type": "array"}
)
_SECRET_KEY: Final = _object(name=_STRING, key=_STRING)

_CHART: Final[Schema] = {
    "global": _ANY,
    "nameOverride": _STRING,
    "fullnameOverride": _STRING,
    "commonLabels": _MAP,
    "extraLabels": _MAP,
    "imagePullSecrets": {"type": "array", "items": _object(name=_STRING)},
    "crds": _object(
        upgrade=_BOOLEAN, keep=_BOOLEAN, podLabels=_MAP, podAnnotations=_MAP, resources=_RESOURCES
    ),
    "image": _object(**_IMAGE),
    "operator": _object(
        enabled=_BOOLEAN,
        replicas=_COUNT,
        image=_object(**_IMAGE, pullPolicy=_enum("Always", "IfNotPresent", "Never")),
        watchNamespaces=_NAMES,
        logLevel=_enum("DEBUG", "INFO", "WARNING", "ERROR"),
        resyncInterval=_DURATION,
        tracing=_object(
            endpoint={"type": "string", "pattern": "^(https?://.+)?$"},
            protocol=_enum("http/protobuf", "zipkin"),
            sampler=_enum("", *SAMPLERS),
            ratio={"type": ["number", "null"], "minimum": 0, "maximum": 1},
            headersSecretRef=_SECRET_KEY,
            resourceAttributes=_MAP,
        ),
        extraEnv=_LIST,
        resources=_RESOURCES,
        serviceAccount=_object(create=_BOOLEAN, name=_NAME, annotations=_MAP),
        rbac=_object(
            create=_BOOLEAN,
            aggregate=_BOOLEAN,
            embeddedDatabases=_BOOLEAN,
            metricsKeys=_BOOLEAN,
        ),
        disruptionBudget=_object(enabled=_BOOLEAN),
        networkPolicy=_object(
            **{
                "enabled": _BOOLEAN,
                "apiServerPorts": _PORTS,
                "prometheusPorts": _PORTS | {"minItems": 0},
                "from": _LIST,
                "to": _LIST,
            }
        ),
        serviceMonitor=_object(enabled=_BOOLEAN, interval=_DURATION, labels=_MAP),
        podLabels=_MAP,
        podAnnotations=_MAP,
        nodeSelector=_MAP,
        tolerations=_LIST,
        affinity=_ANY,
        topologySpreadConstraints=_LIST,
        priorityClassName=_STRING,
    ),
    "prometheusRule": _object(
        enabled=_BOOLEAN,
        labels=_MAP,
        alertLabels=_MAP,
        runbookBaseUrl={"type": "string", "pattern": "^https?://.+/$"},
        disabled={"type": "array", "items": _STRING, "uniqueItems": True},
        overrides={
            "type": "object",
            "additionalProperties": _object(
                **{
                    "expr": _STRING,
                    "for": _STRING,
                    "keep_firing_for": _STRING,
                    "labels": _MAP,
                    "annotations": _MAP,
                }
            ),
        },
    ),
    "dashboards": _object(enabled=_BOOLEAN, labels=_MAP, annotations=_MAP),
    "test": _object(
        enabled=_BOOLEAN,
        url={"type": "string", "pattern": "^(https?://.+)?$"},
        caKey={"type": "string", "pattern": "^[-._a-zA-Z0-9]+$"},
        resources=_RESOURCES,
    ),
}


def values_schema() -> str:
    """Return the text of `values.schema.json`."""
    fields = {name: _plain(field) for name, field in _spec_of_crd()["properties"].items()}
    database = {
        name: {key: value for key, value in field.items() if key != "required"}
        for name, field in fields["database"]["properties"].items()
    }
    passed: Schema = {
        name: {key: value for key, value in field.items() if key != "required"}
        for name, field in fields.items()
        if name not in _FIELDS_MADE_HERE
    }
    passed["replicas"] = {**passed["replicas"], "type": ["integer", "null"]}
    if "enum" in passed["logLevel"]:
        passed["logLevel"] = {"enum": ["", *passed["logLevel"]["enum"]]}
    database["cluster"] = _NAME
    schema = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Values of the chart orders",
        **_object(
            **_CHART,
            orderService=_object(
                enabled=_BOOLEAN,
                name={**_NAME, "maxLength": 63},
                keep=_BOOLEAN,
                labels=_MAP,
                annotations=_MAP,
                spec=_object(**fields),
            ),
            database=_object(**database),
            **passed,
        ),
    }
    return json.dumps(schema, indent=2, sort_keys=True) + "\n"


def crd_file() -> Path:
    """Return the path of the chart's CRD."""
    (file,) = (CHART / "crds").glob("*.yaml")
    return file


def _spec_of_crd() -> Schema:
    crd = yaml.safe_load(crd_file().read_text(encoding="utf-8"))
    schema = crd["spec"]["versions"][-1]["schema"]["openAPIV3Schema"]
    spec: Schema = schema["properties"]["spec"]
    return spec


def _plain(node: Schema) -> Schema:
    """Return a plain schema that is closed where the structural schema prunes."""
    result: Schema = {}
    for key, value in node.items():
        match key:
            case "description" | "default" | "format" | "nullable":
                continue
            case "properties":
                result[key] = {name: _plain(child) for name, child in value.items()}
            case "items" | "additionalProperties" if isinstance(value, dict):
                result[key] = _plain(value)
            case _ if not key.startswith("x-kubernetes-"):
                result[key] = value
    if node.get("x-kubernetes-int-or-string"):
        result.pop("anyOf")
        return {**result, "type": ["integer", "string"]}
    if "properties" in result and not node.get("x-kubernetes-preserve-unknown-fields"):
        result["additionalProperties"] = False
    if node.get("nullable") and isinstance(result.get("type"), str):
        result["type"] = [result["type"], "null"]
    return result
