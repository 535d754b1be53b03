"""Serve the OpenAPI document to programs (/openapi.json) and as a page (/docs), which begins with how to search."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from flask import Blueprint, Response, current_app, jsonify, render_template, request

from web.i18n.language import language, offer_staff_languages
from web.i18n.messages import REFERENCE, page_messages
from web.openapi.document import document
from web.urls import absolute_url

ONE_MINUTE = "public, max-age=60"
EXTENSION = "reference pages"  # of the app: those rendered so far, as one takes 70 ms
MAX_PAGES = 8  # of 350 kB each, in memory
# In the order of the page; others follow.
TAGS = ("search", "assistant", "products", "reviews", "visitors", "catalogue", "merchant", "operator", "server")
EXAMPLES = {
    "tag": """<script src="{base}/embed.js" data-shop="{base}" defer></script>

<windowshop-search></windowshop-search>""",
    "curl": """curl -s {base}/api/v1/search -F text="red mug"
curl -s {base}/api/v1/search -F image=@photo.jpg -F text="in green\"""",
    "javascript": """const answer = await fetch("{base}/api/v1/search", {{
  method: "POST",
  headers: {{ "Content-Type": "application/json" }},
  body: JSON.stringify({{ text: "red mug", k: 12 }}),
}});
const {{ hits, total }} = await answer.json();
for (const hit of hits) console.log(hit.title, hit.price, hit.currency, hit.url);""",
    "python": """import json
from urllib.request import Request, urlopen

address = "{base}/api/v1/search"
query = json.dumps({{"text": "red mug", "k": 12}}).encode()
request = Request(address, query, {{"Content-Type": "application/json"}})
with urlopen(request) as answer:
    page = json.load(answer)
for hit in page["hits"]:
    print(hit["title"], hit["price"], hit["currency"], hit["url"])""",
}
bp = Blueprint("reference", __name__)
bp.before_request(offer_staff_languages)


@bp.get("/openapi.json")
def openapi() -> Response:
    """Return the OpenAPI 3.1 document."""
    response = jsonify(document(current_app))
    response.headers["Cache-Control"] = ONE_MINUTE
    return response


@bp.get("/docs")
def docs() -> str:
    """Render the document: every operation with its parameters, bodies and responses, and a curl command."""
    pages: dict[tuple[str, ...], str] = current_app.extensions.setdefault(EXTENSION, {})
    key = (language(), absolute_url(""), request.method, request.full_path)  # links to other languages repeat the query
    page = pages.get(key)
    if page is None:
        page = _rendered()
        if len(pages) >= MAX_PAGES:
            pages.pop(next(iter(pages)), None)  # the oldest
        pages[key] = page
    return page


def _rendered() -> str:
    described = document(current_app)
    groups: dict[str, list[dict[str, Any]]] = {tag: [] for tag in TAGS}
    base = absolute_url("")
    for path, methods in described["paths"].items():
        for method, operation in methods.items():
            curl = curl_command(method.upper(), path, operation, base)
            entry = {"method": method.upper(), "path": path, "curl": curl, **operation}
            groups.setdefault(operation["tags"][0], []).append(entry)
    groups["search"].sort(key=lambda entry: entry["path"] != "/api/v1/search")
    return render_template(
        "reference.html",
        info=described["info"],
        groups={tag: entries for tag, entries in groups.items() if entries},
        words=page_messages(REFERENCE, language()),
        minute={name: example.format(base=base) for name, example in EXAMPLES.items()},
        schemas=described["components"]["schemas"],
        shape=shape,
    )


def curl_command(method: str, path: str, operation: Mapping[str, Any], base: str) -> str:
    """Return a shell command that runs as it stands, with the API key in $KEY."""
    parts = ["curl -s"] if method == "GET" else [f"curl -s -X {method}"]
    if operation["security"] == [{"key": []}]:
        parts.append('-H "Authorization: Bearer $KEY"')
    body = operation.get("requestBody", {}).get("content", {}).get("application/json", {}).get("example")
    if body is not None:
        parts.append(f"-H 'Content-Type: application/json' -d '{json.dumps(body)}'")
    for parameter in operation["parameters"]:
        path = path.replace(f"{{{parameter['name']}}}", str(parameter.get("example", "")))
    return " ".join((*parts, f"{base}{path}"))


def shape(schema: Mapping[str, Any]) -> str:
    """Return a schema in a few words: "string", "list of Hit", "integer 12 to 30"."""
    if "$ref" in schema:
        return str(schema["$ref"]).rsplit("/", 1)[-1]
    if options := schema.get("anyOf", schema.get("oneOf")):
        return " or ".join(dict.fromkeys(map(shape, options)))
    if "enum" in schema or "const" in schema:
        return " | ".join(map(str, schema.get("enum", [json.dumps(schema.get("const"))])))
    types = schema.get("type", "anything")
    kind = " or ".join(types) if isinstance(types, list) else str(types)
    if kind == "array":
        return f"list of {shape(schema.get('items', {}))}"
    if "minimum" in schema and "maximum" in schema:
        return f"{kind} {schema['minimum']} to {schema['maximum']}"
    if "maxLength" in schema:
        return f"{kind} of at most {schema['maxLength']} characters"
    return kind
