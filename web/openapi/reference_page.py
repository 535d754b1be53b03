"""The API told to programs (/openapi.json) and to people (/docs): one document, drawn here, without any script."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from flask import Blueprint, Response, current_app, jsonify, render_template

from web.openapi.document import document

A_MINUTE = "public, max-age=60"
bp = Blueprint("reference", __name__)


@bp.get("/openapi.json")
def openapi() -> Response:
    """The OpenAPI 3.1 document."""
    answer = jsonify(document(current_app))
    answer.headers["Cache-Control"] = A_MINUTE
    return answer


@bp.get("/docs")
def docs() -> str:
    """The document as a page: every operation with what it takes and gives, and a line for the shell."""
    told = document(current_app)
    operations = [
        {"method": method.upper(), "path": path, **operation, "curl": curl_of(method.upper(), path, operation)}
        for path, methods in told["paths"].items()
        for method, operation in methods.items()
    ]
    tags = list(dict.fromkeys(operation["tags"][0] for operation in operations))
    groups = {tag: [each for each in operations if each["tags"][0] == tag] for tag in tags}
    schemas = told["components"]["schemas"]
    return render_template("reference.html", info=told["info"], groups=groups, schemas=schemas, shape=shape_of)


def curl_of(method: str, path: str, operation: Mapping[str, Any]) -> str:
    """A line for the shell that works as it stands, but for the key."""
    parts = ["curl -s"]
    if method != "GET":
        parts.append(f"-X {method}")
    if operation["security"] == [{"key": []}]:
        parts.append('-H "Authorization: Bearer $KEY"')
    body = operation.get("requestBody", {}).get("content", {}).get("application/json", {}).get("example")
    if body is not None:
        parts.append(f"-H 'Content-Type: application/json' -d '{json.dumps(body)}'")
    for argument in operation["parameters"]:
        path = path.replace(f"{{{argument['name']}}}", str(argument.get("example", "")))
    return " ".join((*parts, f"http://127.0.0.1:8000{path}"))


def shape_of(schema: Mapping[str, Any]) -> str:
    """A schema in a few words: "text", "list of Hit", "12 to 30"."""
    if "$ref" in schema:
        return str(schema["$ref"]).rsplit("/", 1)[-1]
    for several in ("anyOf", "oneOf"):
        if several in schema:
            return " or ".join(dict.fromkeys(shape_of(each) for each in schema[several]))
    if "enum" in schema:
        return " | ".join(map(str, schema["enum"]))
    if "const" in schema:
        return json.dumps(schema["const"])
    kinds = schema.get("type", "anything")
    kind = " or ".join(kinds) if isinstance(kinds, list) else str(kinds)
    if kind == "array":
        return f"list of {shape_of(schema.get('items', {}))}"
    if "minimum" in schema and "maximum" in schema:
        return f"{kind} {schema['minimum']} to {schema['maximum']}"
    if "maxLength" in schema:
        return f"{kind} of at most {schema['maxLength']} characters"
    return kind
