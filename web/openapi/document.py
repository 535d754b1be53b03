"""The OpenAPI 3.1 document: the app's own routes, policies and docstrings, with the shapes of `openapi_*.py`."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from flask import Flask
from werkzeug.routing import Rule

from search.query.terms import MAX_K, MAX_TIMEOUT_MS
from web.middleware.auth import ALWAYS, LIGHT, OPERATOR, POLICIES, PUBLIC, SCOPES
from web.openapi.listing_schemas import DESK_SCHEMAS
from web.openapi.operator_schemas import OPS_SCHEMAS
from web.openapi.schemas import SCHEMAS, Schema, ref, whole

VERSION = "1"
FORM, JSON = "multipart/form-data", "application/json"
DESCRIBED = re.compile(r"/(api/|healthz$|readyz$|metrics$|openapi\.json$)")
_ARGUMENT = re.compile(r"<(?:\w+:)?(\w+)>")
K: Schema = {"name": "k", "in": "query", "schema": whole(1, MAX_K, 10)}
TIMEOUT: Schema = {"name": "timeout_ms", "in": "query", "schema": whole(1, MAX_TIMEOUT_MS)}
OFFSET: Schema = {"name": "offset", "in": "query", "schema": {"type": "integer", "minimum": 0, "default": 0}}
AFTER: Schema = {"name": "after", "in": "query", "schema": {"type": "integer", "minimum": 0, "default": 0}}
LIMIT: Schema = {"name": "limit", "in": "query", "schema": {"type": "integer", "minimum": 1, "default": 40}}
SHOW: Schema = {"name": "show", "in": "query", "schema": {"enum": ["all", "review", "decided", "failed"]}}
BYTES = "application/octet-stream"
TEXT_BODY: Schema = {"schema": {"type": "string"}}


@dataclass(frozen=True, slots=True)
class Operation:
    """What an operation takes and gives beside what its route and policy say.

    `takes` and `gives` map content types and statuses to names of SCHEMAS (empty: no body), `errors` are the statuses
    of its own refusals, `example` a JSON body that works in a shop with the product "red", as its path does.
    """

    tag: str
    gives: dict[int, str]
    takes: dict[str, str] = field(default_factory=dict)
    query: tuple[Schema, ...] = ()
    errors: tuple[int, ...] = ()
    example: dict[str, Any] | None = None


ASKING = (400, 404, 413, 415, 422, 503, 504)
OPERATIONS: dict[str, Operation] = {
    "api.search": Operation(
        "search",
        {200: "Page"},
        {JSON: "Search", FORM: "SearchForm"},
        errors=ASKING,
        example={"text": "red jumper", "filter": {"in_stock": True, "price": {"max": 40}}, "k": 3, "facets": True},
    ),
    "api.why": Operation(
        "search", {200: "Why"}, {JSON: "Search", FORM: "SearchForm"}, errors=ASKING, example={"text": "red"}
    ),
    "api.product": Operation("products", {200: "Product"}, errors=(404, 503)),
    "api.similar": Operation("products", {200: "Page"}, query=(K,), errors=(404, 422, 503, 504)),
    "api.substitutes": Operation("products", {200: "Recommendations"}, query=(K, TIMEOUT), errors=(404, 422, 503, 504)),
    "api.goes_with": Operation("products", {200: "Recommendations"}, query=(K, TIMEOUT), errors=(404, 422, 503, 504)),
    "api.recommend": Operation(
        "products",
        {200: "Recommendations"},
        {JSON: "Viewed"},
        errors=(400, 413, 422, 503, 504),
        example={"viewed": ["red", "green"], "k": 5},
    ),
    "api.events": Operation(
        "products",
        {202: "EventsKept"},
        {JSON: "Events"},
        errors=(400, 413, 422, 503),
        example={"visitor": "v-81f0", "events": [{"type": "view", "product_id": "red"}]},
    ),
    "catalogue.put": Operation(
        "catalogue",
        {200: "Product", 201: "Product"},
        {JSON: "ProductEdit", FORM: "ProductForm"},
        errors=(400, 413, 415, 422, 503, 507),
        example={"price": "9.90 EUR", "in_stock": True},
    ),
    "catalogue.remove": Operation("catalogue", {204: ""}, errors=(404, 422, 503)),
    "merchant.suggest": Operation(
        "merchant", {200: "Suggestion"}, {JSON: "Listing", FORM: "ListingForm"}, errors=(400, 413, 415, 422, 503, 504)
    ),
    "merchant.choices": Operation("merchant", {200: "Choices"}, errors=(422, 503)),
    "merchant.jobs": Operation("merchant", {200: "Jobs"}, errors=(503,)),
    "merchant.create": Operation(
        "merchant",
        {201: "Job"},
        {JSON: "JobMade"},
        errors=(400, 413, 415, 422, 503, 507),
        example={"name": "list.zip", "bytes": 1_048_576},
    ),
    "merchant.job": Operation("merchant", {200: "Job"}, errors=(404, 422, 503)),
    "merchant.remove": Operation("merchant", {204: ""}, errors=(404, 422, 503)),
    "merchant.receive": Operation(
        "merchant", {200: "Job"}, {BYTES: ""}, query=(OFFSET,), errors=(400, 404, 413, 422, 503, 507)
    ),
    "merchant.state": Operation(
        "merchant",
        {200: "Job"},
        {JSON: "JobState"},
        errors=(400, 404, 413, 415, 422, 503),
        example={"state": "waiting"},
    ),
    "merchant.rows": Operation("merchant", {200: "Rows"}, query=(SHOW, AFTER, LIMIT), errors=(404, 422, 503)),
    "merchant.decide": Operation(
        "merchant",
        {200: "Decided"},
        {JSON: "Decisions"},
        errors=(400, 404, 413, 415, 422, 503),
        example={"accept_above": 0.9},
    ),
    "merchant.corrected": Operation("merchant", {200: "text/csv"}, errors=(404, 422, 503)),
    "merchant.listings": Operation("merchant", {200: "text/csv"}, errors=(404, 422, 503)),
    "ops.overview": Operation("operator", {200: "Operations"}, errors=(503,)),
    "ops.catalogue_map": Operation("operator", {200: "CatalogueMap"}, errors=(503,)),
    "ops.rejected": Operation("operator", {200: "text/csv"}, errors=(503,)),
    "ops.rollback": Operation("operator", {200: "RolledBack"}, {JSON: "Rollback"}, errors=(400, 413, 415, 422, 503)),
    "api.healthz": Operation("server", {200: "Health"}),
    "api.readyz": Operation("server", {200: "Ready", 503: "NotReady"}),
    "metrics.metrics": Operation("server", {200: "text/plain"}),
    "reference.openapi": Operation("server", {200: "object"}),
}
SAID = {
    200: "Here it is.",
    201: "Made.",
    202: "Kept.",
    204: "Removed.",
    400: "The request, or its body, cannot be read.",
    401: "A key is asked for, and none that is known was sent.",
    403: "The key sent does not open this, or nobody may.",
    404: "There is none of that name.",
    413: "The request, or a picture in it, is too large.",
    415: "The body's type, or the picture's format, is not read here.",
    422: "What was asked cannot be answered; the message names the field.",
    429: "Too many requests came; Retry-After says when to try again.",
    503: "The shop cannot answer at the moment; Retry-After says when to try again.",
    504: "The answer was not ready in time.",
    507: "The shop holds as many changed pictures as it may until it is indexed again.",
}


def document(app: Flask) -> dict[str, Any]:
    """The document, of every route of the API that has an operation."""
    paths: dict[str, Any] = {}
    for rule, method in described_routes(app):
        operation = OPERATIONS.get(rule.endpoint)
        if operation is not None:
            entry = paths.setdefault(_ARGUMENT.sub(r"{\1}", rule.rule), {})
            entry[method.lower()] = _operation(app, rule, operation)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Windowshop",
            "version": VERSION,
            "description": "A visual product search engine: a photo, words, or both bring back the shop's products.",
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": "/"}],
        "paths": dict(sorted(paths.items())),
        "components": {
            "schemas": SCHEMAS | DESK_SCHEMAS | OPS_SCHEMAS,
            "securitySchemes": {
                "key": {
                    "type": "http",
                    "scheme": "bearer",
                    "description": "A key made with: python -m web key create --scope " + "|".join(SCOPES),
                }
            },
        },
    }


def described_routes(app: Flask) -> Iterator[tuple[Rule, str]]:
    """Each route of the API with each of its methods; pages and pictures are not part of it."""
    for rule in app.url_map.iter_rules():
        if DESCRIBED.match(rule.rule):
            for method in sorted((rule.methods or set()) - {"HEAD", "OPTIONS"}):
                yield rule, method


def _operation(app: Flask, rule: Rule, operation: Operation) -> dict[str, Any]:
    said = (app.view_functions[rule.endpoint].__doc__ or "").strip().split("\n\n")
    arguments = [
        {"name": name, "in": "path", "required": True, "schema": {"type": "string", "minLength": 1}}
        | ({"example": "red"} if name == "product_id" else {})
        for name in _ARGUMENT.findall(rule.rule)
    ]
    made: dict[str, Any] = {
        "operationId": rule.endpoint,
        "summary": " ".join(said[0].split()),
        "tags": [operation.tag],
        "parameters": [*arguments, *operation.query],
        "responses": _responses(rule.endpoint, operation),
    }
    if operation.takes:
        content: dict[str, Any] = {
            kind: {"schema": ref(name)} if name else {} for kind, name in operation.takes.items()
        }
        if operation.example is not None:
            content[JSON]["example"] = operation.example
        made["requestBody"] = {"required": True, "content": content}
    made["security"] = _security(POLICIES[rule.endpoint])
    return made


def _security(policy: str) -> list[dict[str, list[str]]]:
    """The keys that open it; an empty entry says that it may be open without."""
    if policy in SCOPES:
        return [{"key": []}]
    return [{}, {"key": []}] if policy in (PUBLIC, OPERATOR) else []


def _responses(endpoint: str, operation: Operation) -> dict[str, Any]:
    responses = {str(status): _given(status, name) for status, name in operation.gives.items()}
    if endpoint == "catalogue.put":  # what to do next with the product
        for answer in responses.values():
            answer["links"] = {
                name: {"operationId": name, "parameters": {"product_id": "$request.path.product_id"}}
                for name in ("api.product", "api.similar", "catalogue.remove")
            }
    refusals = set(operation.errors)
    if POLICIES[endpoint] != ALWAYS:
        refusals |= {401, 403}
    if endpoint not in LIGHT:
        refusals |= {429}
    for status in sorted(refusals - operation.gives.keys()):
        responses[str(status)] = _given(status, "Error")
    return responses


def _given(status: int, name: str) -> dict[str, Any]:
    answer: dict[str, Any] = {"description": SAID[status]}
    if name.startswith("text/"):
        answer["content"] = {name: TEXT_BODY}
    elif name == "object":
        answer["content"] = {JSON: {"schema": {"type": "object"}}}
    elif name:
        answer["content"] = {JSON: {"schema": ref(name)}}
    if status in (429, 503) and name == "Error":
        answer["headers"] = {"Retry-After": {"schema": {"type": "string"}, "description": "Seconds."}}
    return answer
