"""Try a rule before it is saved, and ask where a query is sent; for an open engine."""

from __future__ import annotations

from typing import TYPE_CHECKING

from search.merchandising.rule_set import rules_of
from search.merchandising.rules import Rule, check_rule

if TYPE_CHECKING:
    from search.engine import SearchEngine
    from search.hits import SearchPage
    from search.query.terms import Query


def preview(engine: SearchEngine, query: Query, rule: Rule) -> tuple[SearchPage, SearchPage]:
    """Return what a query finds now, and what it would find with one more rule, as from its first day on.

    Raises BadInput for a rule or a query that cannot be used.
    """
    tried = engine.rules.current().trying(check_rule(rule))
    return engine.search(query), engine.search_many((query,), tried)[0]


def redirect_of(engine: SearchEngine, query: Query) -> str:
    """Return the address that the shop's owner sends a query to; "" for none."""
    return rules_of(engine.rules.current(), query).redirect or ""
