"""The API of the owner's rules of search: list, save, remove, import, export, changes. Keys need the scope "admin"."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from flask import Blueprint, Flask, Response, current_app, g, jsonify, make_response, request

from catalog.errors import BadQuery, UnknownRule
from search.hits import SearchPage
from search.merchandising.rule_csv import BadRules, read_rules_csv, rules_csv
from search.merchandising.rule_store import RuleStore
from search.merchandising.rules import check_rule
from search.ops.rule_preview import preview
from search.query.builder import QueryBuilder
from search.query.filters import folded
from web.api.search import items_json
from web.engine import get_engine
from web.errors import error_json
from web.middleware.auth import current_key
from web.middleware.response_headers import csv_file
from web.middleware.uploads import body_of
from web.requests.rule_request import ChangesPage, ImportOptions, Preview, RuleFields, RulesPage
from web.requests.search_request import DETAILED_TIMEOUT_MS, effective_timeout
from web.requests.validation import read_json, validate
from web.settings import Settings

STORE = "windowshop.rules"
bp = Blueprint("rules", __name__)


def init_app(app: Flask, settings: Settings) -> None:
    """Register the API."""
    app.extensions[STORE] = RuleStore(settings.home)
    app.register_blueprint(bp)


@bp.get("/api/v1/rules")
def rules() -> Response:
    """Return rules of search, the oldest first, and how many there are with the text `contains`."""
    page = validate(RulesPage, request.args.to_dict())
    found = [rule for rule in _store().all() if _contains(rule.question + " " + rule.target, page.contains)]
    listed = [rule.to_dict() for rule in found if (rule.id or 0) > page.after][: page.limit]
    return jsonify(rules=listed, total=len(found), request_id=g.request_id)


@bp.post("/api/v1/rules")
def save() -> Response:
    """Add a rule, or change its number and dates. The next search of every server follows it."""
    changes = _store().save([read_json(RuleFields, request).rule()], _name())
    (rule,) = (*changes.added, *changes.changed, *changes.same)
    answer = jsonify(rule=rule.to_dict(), request_id=g.request_id)
    return make_response(answer, 201 if changes.added else 200)


@bp.post("/api/v1/rules/preview")
def try_rule() -> Response:
    """Return what a question finds now, and what it would find with a rule, which is not saved."""
    body = read_json(Preview, request)
    rule = check_rule(body.rule.rule())
    text = body.text.strip() or rule.question
    if not text:
        raise BadQuery("There is no text to try the rule with.", "Send the question of a shopper as text.")
    timeout_ms = effective_timeout(None, DETAILED_TIMEOUT_MS)
    query = QueryBuilder(k=body.k, facets=True, timeout_ms=timeout_ms).text(text).build()
    now, then = preview(get_engine(), query, rule)
    return jsonify(text=text, now=_found(now), then=_found(then), request_id=g.request_id)


@bp.delete("/api/v1/rules/<rule_id>")
def remove(rule_id: str) -> Response:
    """Remove a rule. The next search of every server does without it."""
    if not (rule_id.isascii() and rule_id.isdigit() and len(rule_id) < 10):
        raise UnknownRule("That is no id of a rule.", "List the rules; each has an id.")
    _store().remove([int(rule_id)], _name())
    return make_response("", 204)


@bp.get("/api/v1/rules.csv")
def export() -> Response:
    """Return all rules as a table that can be imported. Formulas are escaped for spreadsheets."""
    return csv_file(rules_csv(_store().all()), "rules.csv")


@bp.post("/api/v1/rules.csv")
def import_table() -> Response:
    """Add and change the rules of a table, all or none; a bad line is reported, and nothing is changed."""
    options = validate(ImportOptions, request.args.to_dict())
    try:
        read = read_rules_csv(body_of(request))
    except BadRules as error:
        lines = [asdict(line) for line in error.lines]
        return make_response(jsonify(error_json(error.code, error.message, error.hint) | {"lines": lines}), 422)
    changes = _store().save(read, _name(), only=options.only, dry_run=options.dry_run)
    return jsonify(**changes.counts(), dry_run=options.dry_run, request_id=g.request_id)


@bp.get("/api/v1/rules/changes")
def changes() -> Response:
    """Return the log of changes, the newest first: when, by which key, and the rule before and after."""
    page = validate(ChangesPage, request.args.to_dict())
    entries = _store().log(page.limit, page.before)
    return jsonify(changes=[asdict(entry) for entry in entries], request_id=g.request_id)


def _store() -> RuleStore:
    store: RuleStore = current_app.extensions[STORE]
    return store


def _found(page: SearchPage) -> dict[str, Any]:
    return {"total": page.total, "redirect": page.redirect or None, "hits": items_json(page.hits)}


def _name() -> str:
    """Return the name of the request's key, for the log."""
    key = current_key()
    return key.name if key is not None else ""


def _contains(text: str, part: str) -> bool:
    return folded(part) in folded(text)
