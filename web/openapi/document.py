"""The OpenAPI 3.1 document: the app's routes, policies and docstrings, the models of requests, and two data files.

`base.json` holds the head of the document and the JSON Schemas of responses and forms, which no code validates.
`operations.json` holds what a route and its policy do not say: tag, parameters, bodies, responses, and the statuses of
its own refusals. Bodies and responses name a schema; a response may be a content type of text, an inline schema, or
null for an empty body. A later version of the API may add fields to a response.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

from flask import Flask
from pydantic.json_schema import GenerateJsonSchema, models_json_schema
from werkzeug.routing import Rule

from web.assistant.requests import AssistantRequest
from web.conversations.requests import MessageCorrection, PersonAnswer, ThreadsOf, ThreadsPage, ThreadState
from web.experiments.requests import ExperimentFields, ExperimentState
from web.middleware.policies import ALWAYS, OPERATOR, POLICIES, PUBLIC, SCOPES, UNLIMITED_ENDPOINTS
from web.prices.alert_requests import NewPriceAlert, VisitorAlertsParameters
from web.prices.merchant.requests import PriceAdviceParameters, PriceListParameters
from web.prices.requests import PriceParameters
from web.questions.requests import AskParameters, QuestionsPage, SentQuestion, ShopAnswer
from web.requests.job_request import Decisions, FilePart, JobState, NewJob, PublishRows, RowsPage
from web.requests.listing_request import ListingRequest
from web.requests.operator_request import ModelRollback, Rollback, RollbackParameters
from web.requests.product_request import ProductBatch, ProductFields
from web.requests.recommend_request import (
    EventParameters,
    Events,
    FeedParameters,
    RecommendationParameters,
    SimilarParameters,
    Viewed,
)
from web.requests.rule_request import ChangesPage, ImportOptions, Preview, RuleFields, RulesPage
from web.requests.search_models import Search
from web.requests.speech_request import SpeechParameters
from web.requests.suggest_request import SuggestParameters
from web.requests.validation import non_null
from web.reviews.api.requests import (
    ReviewBatch,
    ReviewDecisions,
    ReviewListParameters,
    ReviewQueueParameters,
    ReviewReply,
    ReviewVote,
    SentReview,
    SimilarPhotoParameters,
)

JSON = "application/json"
SCHEMA_REF = "#/components/schemas/{model}"
DESCRIBED_PATHS = re.compile(r"/(api/|healthz$|readyz$|metrics$|openapi\.json$)")
_JOBS = (NewJob, JobState, Decisions, PublishRows)
_EXPERIMENTS = (ExperimentFields, ExperimentState)
_CONVERSATIONS = (MessageCorrection, PersonAnswer, ThreadState)
_ROLLBACKS = (Rollback, ModelRollback)
_OWN = (*_JOBS, *_EXPERIMENTS, *_ROLLBACKS, ListingRequest, ProductBatch, ProductFields, RuleFields, Preview)
_QUESTIONS = (NewPriceAlert, SentQuestion, ShopAnswer)
_REVIEWS = (ReviewBatch, ReviewDecisions, ReviewReply, ReviewVote, SentReview)
_BODIES = (Search, Viewed, Events, AssistantRequest, *_CONVERSATIONS, *_OWN, *_REVIEWS, *_QUESTIONS)
_LISTS = (ChangesPage, FilePart, ImportOptions, RowsPage, RulesPage, ThreadsOf, ThreadsPage)
_RECOMMENDATIONS = (EventParameters, FeedParameters, RecommendationParameters, SimilarParameters)
_PRODUCT_PARAMETERS = (AskParameters, PriceParameters, QuestionsPage)
_MERCHANT_PRICES = (PriceAdviceParameters, PriceListParameters)
_REVIEW_LISTS = (ReviewListParameters, ReviewQueueParameters, SimilarPhotoParameters)
_PAGES = (
    *_LISTS,
    *_PRODUCT_PARAMETERS,
    *_RECOMMENDATIONS,
    *_MERCHANT_PRICES,
    *_REVIEW_LISTS,
    RollbackParameters,
    SpeechParameters,
    SuggestParameters,
    VisitorAlertsParameters,
)
BODY_MODELS = {model.__name__: model for model in _BODIES}
PARAMETERS = {model.__name__: model for model in _PAGES}
BASE_DOCUMENT = Path(__file__).with_name("base.json").read_text(encoding="utf-8")
_DATA = json.loads(Path(__file__).with_name("operations.json").read_text(encoding="utf-8"))
OPERATIONS: dict[str, dict[str, Any]] = _DATA["operations"]
STATUS_TEXTS: dict[str, str] = _DATA["statuses"]
_TEXT, _INTEGER = {"type": "string", "minLength": 1}, {"type": "integer", "minimum": 0}
_ARGUMENT = re.compile(r"<(?:(\w+):)?(\w+)>")
_EXAMPLES = {"product_id": "red", "table": "questions"}  # of arguments in paths


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
    described: dict[str, Any] = json.loads(BASE_DOCUMENT)
    schemas = described["components"]["schemas"]
    for name, schema in schemas.items():
        schema["title"] = name
    schemas.update(_body_schemas())
    for rule, method in sorted(described_routes(app), key=lambda route: route[0].rule):
        if rule.endpoint in OPERATIONS:
            path = described["paths"].setdefault(_ARGUMENT.sub(r"{\2}", rule.rule), {})
            path[method.lower()] = _operation(app, rule)
    return described


def described_routes(app: Flask) -> Iterator[tuple[Rule, str]]:
    """Yield each route of the API with each of its methods; pages and pictures are not part of the API."""
    for rule in app.url_map.iter_rules():
        if DESCRIBED_PATHS.match(rule.rule):
            for method in sorted((rule.methods or set()) - {"HEAD", "OPTIONS"}):
                yield rule, method


@cache
def _body_schemas() -> dict[str, Any]:
    models: Any = [(body, "validation") for body in BODY_MODELS.values()]
    schemas: dict[str, Any] = models_json_schema(models, ref_template=SCHEMA_REF, schema_generator=_Generator)[1][
        "$defs"
    ]
    return schemas


def _operation(app: Flask, rule: Rule) -> dict[str, Any]:
    operation = OPERATIONS[rule.endpoint]
    summary = (app.view_functions[rule.endpoint].__doc__ or "").strip().split("\n\n")[0]
    parameters = [
        {"name": name, "in": "path", "required": True, "schema": _INTEGER if kind == "int" else _TEXT}
        | ({"example": _EXAMPLES[name]} if name in _EXAMPLES else {})
        for kind, name in _ARGUMENT.findall(rule.rule)
    ]
    if "parameters" in operation:
        query = PARAMETERS[operation["parameters"]].model_json_schema(schema_generator=_Generator)
        for name, schema in query["properties"].items():
            needed = {"required": True} if name in query.get("required", ()) else {}
            parameters.append({"name": name, "in": "query", **needed, "schema": non_null(schema)})
    described: dict[str, Any] = {
        "operationId": rule.endpoint,
        "summary": " ".join(summary.split()),
        "tags": [operation["tag"]],
        "parameters": parameters,
        "responses": _responses(rule.endpoint, operation),
        "security": _security(POLICIES[rule.endpoint]),
    }
    if body := operation.get("body"):
        content = {kind: {"schema": _schema(name)} if name else {} for kind, name in body.items()}
        if JSON in body and (model := BODY_MODELS[body[JSON]]).runnable:
            content[JSON]["example"] = json.loads(model.example)
        described["requestBody"] = {"required": True, "content": content}
    return described


def _security(policy: str) -> list[dict[str, list[str]]]:
    """Return the keys that open an operation; an empty entry says that it may be open without a key."""
    if policy in SCOPES:
        return [{"key": []}]
    return [{}, {"key": []}] if policy in (PUBLIC, OPERATOR) else []


def _responses(endpoint: str, operation: dict[str, Any]) -> dict[str, Any]:
    described = {status: _response(status, body) for status, body in operation["responses"].items()}
    if "links" in operation:  # what to do next with the product
        path = {"product_id": "$request.path.product_id"}
        links = {name: {"operationId": name, "parameters": path} for name in operation["links"]}
        for response in described.values():
            response["links"] = links
    refusals = {*operation.get("errors", ())}
    if operation["tag"] != "server":
        refusals.add(503)
    if POLICIES[endpoint] != ALWAYS:
        refusals |= {401, 403}
    if endpoint not in UNLIMITED_ENDPOINTS:
        refusals |= {429, 503}
    for status in map(str, sorted(refusals)):
        described.setdefault(status, _response(status, "Error"))
    return described


def _response(status: str, body: Any) -> dict[str, Any]:
    response: dict[str, Any] = {"description": STATUS_TEXTS[status]}
    if body is not None and "/" in body:
        response["content"] = {body: {"schema": {"type": "string"}}}
    elif body is not None:
        response["content"] = {JSON: {"schema": _schema(body)}}
    if status in ("429", "503") and body == "Error":
        response["headers"] = {"Retry-After": {"schema": {"type": "string"}, "description": "Seconds."}}
    return response


def _schema(body: Any) -> dict[str, Any]:
    return {"$ref": SCHEMA_REF.format(model=body)} if isinstance(body, str) else body
