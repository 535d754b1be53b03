"""The OpenAPI 3.1 document: the app's routes, policies and docstrings with the models of requests and responses."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from typing import Any, Literal

from flask import Flask
from pydantic import TypeAdapter
from pydantic.json_schema import GenerateJsonSchema
from werkzeug.routing import Rule

from web.middleware.auth import ALWAYS, LIGHT, OPERATOR, POLICIES, PUBLIC, SCOPES
from web.openapi import responses
from web.requests.job_request import Decisions, FilePart, JobState, NewJob, RowsPage
from web.requests.listing_request import Listing, ListingForm
from web.requests.operator_request import Rollback
from web.requests.product_request import ProductFields, ProductForm
from web.requests.recommend_request import Events, RecommendationParameters, SimilarParameters, Viewed
from web.requests.search_models import Search, SearchForm
from web.requests.validation import non_null

VERSION = "1"
FORM, JSON, CSV = "multipart/form-data", "application/json", "text/csv"
BYTES = "application/octet-stream"
REF = "#/components/schemas/{model}"
DESCRIBED = re.compile(r"/(api/|healthz$|readyz$|metrics$|openapi\.json$)")
_ARGUMENT = re.compile(r"<(?:\w+:)?(\w+)>")


@dataclass(frozen=True, slots=True)
class Operation:
    """What the route and its policy do not say about an operation.

    `responses` maps statuses to types, content types of text, or None for an empty body; `body` maps content types to
    models; `parameters` is the model of the address. `errors` are the statuses of its own refusals; every operation
    but those of the server may answer 503 too.
    """

    tag: str
    responses: dict[int, Any]
    body: dict[str, Any] = field(default_factory=dict)
    parameters: Any = None
    errors: tuple[int, ...] = ()


FOUND = (404, 422)
READ = (400, 413, 422)
PRODUCT = {JSON: ProductFields, FORM: ProductForm}
SEARCH, SEARCHED = {JSON: Search, FORM: SearchForm}, (*READ, 404, 415, 504)
RECOMMENDED = {200: responses.Recommendations}
JOB, ROLLED_BACK = {200: responses.Job}, {200: responses.RolledBack}
OPERATIONS: dict[str, Operation] = {
    "api.search": Operation("search", {200: responses.Page}, SEARCH, errors=SEARCHED),
    "api.why": Operation("search", {200: responses.Why}, SEARCH, errors=SEARCHED),
    "api.product": Operation("products", {200: responses.Product}, errors=(404,)),
    "api.similar": Operation("products", {200: responses.Page}, {}, SimilarParameters, (*FOUND, 504)),
    "api.substitutes": Operation("products", RECOMMENDED, {}, RecommendationParameters, (*FOUND, 504)),
    "api.goes_with": Operation("products", RECOMMENDED, {}, RecommendationParameters, (*FOUND, 504)),
    "api.recommend": Operation("products", RECOMMENDED, {JSON: Viewed}, errors=(*READ, 504)),
    "api.events": Operation("products", {202: responses.EventsKept}, {JSON: Events}, errors=READ),
    "catalogue.put": Operation(
        "catalogue", dict.fromkeys((200, 201), responses.Product), PRODUCT, errors=(*READ, 415, 507)
    ),
    "catalogue.remove": Operation("catalogue", {204: None}, errors=FOUND),
    "merchant.suggest": Operation(
        "merchant", {200: responses.Suggestion}, {JSON: Listing, FORM: ListingForm}, errors=(*READ, 415, 504)
    ),
    "merchant.choices": Operation("merchant", {200: responses.Choices}, errors=(422,)),
    "merchant.jobs": Operation("merchant", {200: responses.Jobs}),
    "merchant.create": Operation("merchant", {201: responses.Job}, {JSON: NewJob}, errors=(*READ, 415, 507)),
    "merchant.job": Operation("merchant", JOB, errors=FOUND),
    "merchant.remove": Operation("merchant", {204: None}, errors=FOUND),
    "merchant.receive": Operation("merchant", JOB, {BYTES: None}, FilePart, (*READ, 404, 507)),
    "merchant.state": Operation("merchant", JOB, {JSON: JobState}, errors=(*READ, 404, 415)),
    "merchant.rows": Operation("merchant", {200: responses.Rows}, {}, RowsPage, FOUND),
    "merchant.decide": Operation("merchant", {200: responses.Decided}, {JSON: Decisions}, errors=(*READ, 404, 415)),
    "merchant.corrected": Operation("merchant", {200: CSV}, errors=FOUND),
    "merchant.listings": Operation("merchant", {200: CSV}, errors=FOUND),
    "ops.overview": Operation("operator", {200: responses.Operations}),
    "ops.catalogue_map": Operation("operator", {200: responses.CatalogueMap}),
    "ops.rejected": Operation("operator", {200: CSV}),
    "ops.rollback": Operation("operator", ROLLED_BACK, {JSON: Rollback}, errors=(*READ, 415)),
    "api.healthz": Operation("server", {200: responses.Health}),
    "api.readyz": Operation("server", {200: responses.Ready, 503: responses.NotReady}),
    "metrics.metrics": Operation("server", {200: "text/plain"}),
    "reference.openapi": Operation("server", {200: dict[str, Any]}),
}
STATUS_TEXTS = {
    200: "OK.",
    201: "Created.",
    202: "Accepted.",
    204: "Deleted.",
    400: "The request or its body cannot be parsed.",
    401: "The request needs a valid API key.",
    403: "The API key has another scope, or the address is closed.",
    404: "Not found.",
    413: "The request or a picture in it is too large.",
    415: "The content type or the picture format is not supported.",
    422: "The request is invalid; the message names the field.",
    429: "Too many requests; Retry-After gives the seconds to wait.",
    503: "The shop cannot answer now; Retry-After gives the seconds to wait.",
    504: "The answer was not ready before the timeout.",
    507: "The shop holds the maximum of changed pictures until it is indexed again.",
}


class _Generator(GenerateJsonSchema):
    """Leaves out titles made of names, and defaults that stand for an absent field."""

    def field_title_should_be_set(self, schema: Any) -> bool:
        return False

    def default_schema(self, schema: Any) -> dict[str, Any]:
        if schema.get("default") in (None, "", []):
            return self.generate_inner(schema["schema"])
        return super().default_schema(schema)


def document(app: Flask) -> dict[str, Any]:
    """Return the document of every route of the API that has an operation."""
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
            "description": "A visual product search engine: find the products of a shop by photo, text, or both.",
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": "/"}],
        "paths": dict(sorted(paths.items())),
        "components": {
            "schemas": _schemas()[1],
            "securitySchemes": {
                "key": {
                    "type": "http",
                    "scheme": "bearer",
                    "description": "Create a key with: python -m web key create --scope " + "|".join(SCOPES),
                }
            },
        },
    }


def described_routes(app: Flask) -> Iterator[tuple[Rule, str]]:
    """Yield each route of the API with each of its methods; pages and pictures are not part of the API."""
    for rule in app.url_map.iter_rules():
        if DESCRIBED.match(rule.rule):
            for method in sorted((rule.methods or set()) - {"HEAD", "OPTIONS"}):
                yield rule, method


@cache
def _schemas() -> tuple[dict[int, Any], dict[str, Any]]:
    """Return the JSON Schema of each type in OPERATIONS by its `id`, and the components that these refer to."""
    types = [responses.Error]
    for operation in OPERATIONS.values():
        types += [*operation.responses.values(), *operation.body.values()]
    kinds = {id(kind): kind for kind in types if kind is not None and not isinstance(kind, str)}
    inputs: list[tuple[int, Literal["validation"], TypeAdapter[Any]]]
    inputs = [(number, "validation", TypeAdapter(kind)) for number, kind in kinds.items()]
    schemas, components = TypeAdapter.json_schemas(inputs, ref_template=REF, schema_generator=_Generator)
    return {number: schema for (number, _), schema in schemas.items()}, components["$defs"]


def _schema(kind: Any) -> dict[str, Any]:
    return {"type": "string"} if isinstance(kind, str) else _schemas()[0][id(kind)]


def _operation(app: Flask, rule: Rule, operation: Operation) -> dict[str, Any]:
    summary = (app.view_functions[rule.endpoint].__doc__ or "").strip().split("\n\n")[0]
    parameters = [
        {"name": name, "in": "path", "required": True, "schema": {"type": "string", "minLength": 1}}
        | ({"example": "red"} if name == "product_id" else {})
        for name in _ARGUMENT.findall(rule.rule)
    ]
    if operation.parameters is not None:
        model = operation.parameters.model_json_schema(schema_generator=_Generator)
        for name, schema in model["properties"].items():
            parameters.append({"name": name, "in": "query", "schema": non_null(schema)})
    described: dict[str, Any] = {
        "operationId": rule.endpoint,
        "summary": " ".join(summary.split()),
        "tags": [operation.tag],
        "parameters": parameters,
        "responses": _responses(rule.endpoint, operation),
        "security": _security(POLICIES[rule.endpoint]),
    }
    if operation.body:
        content = {kind: {"schema": _schema(model)} if model else {} for kind, model in operation.body.items()}
        model = operation.body.get(JSON)
        if getattr(model, "runnable", True) and model is not None:
            content[JSON]["example"] = json.loads(model.example)
        described["requestBody"] = {"required": True, "content": content}
    return described


def _security(policy: str) -> list[dict[str, list[str]]]:
    """Return the keys that open an operation; an empty entry says that it may be open without a key."""
    if policy in SCOPES:
        return [{"key": []}]
    return [{}, {"key": []}] if policy in (PUBLIC, OPERATOR) else []


def _responses(endpoint: str, operation: Operation) -> dict[str, Any]:
    answers = {str(status): _response(status, kind) for status, kind in operation.responses.items()}
    if endpoint == "catalogue.put":  # what to do next with the product
        for answer in answers.values():
            answer["links"] = {
                name: {"operationId": name, "parameters": {"product_id": "$request.path.product_id"}}
                for name in ("api.product", "api.similar", "catalogue.remove")
            }
    refusals = {*operation.errors, 503} if operation.tag != "server" else set()
    if POLICIES[endpoint] != ALWAYS:
        refusals |= {401, 403}
    if endpoint not in LIGHT:
        refusals |= {429}
    for status in sorted(refusals - operation.responses.keys()):
        answers[str(status)] = _response(status, responses.Error)
    return answers


def _response(status: int, kind: Any) -> dict[str, Any]:
    response: dict[str, Any] = {"description": STATUS_TEXTS[status]}
    if kind is not None:
        response["content"] = {kind if isinstance(kind, str) else JSON: {"schema": _schema(kind)}}
    if status in (429, 503) and kind is responses.Error:
        response["headers"] = {"Retry-After": {"schema": {"type": "string"}, "description": "Seconds."}}
    return response
