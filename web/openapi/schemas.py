"""The shapes of what the API takes and gives, as JSON Schema; limits come from the code that enforces them."""

from __future__ import annotations

from typing import Any

from search.live.picture_store import MOST as MOST_PICTURES
from search.live.product_edit import MAX_ATTRIBUTE, MAX_ATTRIBUTES, MAX_TEXT
from search.query.filters import MAX_PARTS, MAX_VALUE
from search.query.terms import MAX_K, MAX_PICTURES, MAX_REACH, MAX_TERMS, MAX_TIMEOUT_MS, SORTS
from search.query.terms import MAX_TEXT as MAX_WORDS
from search.recommend.event_log import KINDS, MAX_EVENTS, MAX_PRODUCT_ID, MAX_QUERY_ID, MAX_RANK, MAX_VISITOR
from web.requests.search_request import MOST_LIKED, MOST_VIEWED

Schema = dict[str, Any]

TEXT: Schema = {"type": "string"}
NUMBER: Schema = {"type": "number"}
COUNT: Schema = {"type": "integer", "minimum": 0}
YES_NO: Schema = {"type": "boolean"}
SHA256: Schema = {"type": "string", "description": "SHA-256 of the picture file; empty when it was never read."}
WEIGHT: Schema = {"type": "number", "minimum": -10, "maximum": 10}
SIDE: Schema = {"type": "number", "minimum": 0, "maximum": 1}
BASE64 = "A picture file in base64: JPEG, PNG, WebP, AVIF, GIF, or HEIC where that is installed."


def ref(name: str) -> Schema:
    """Where the schema of that name stands."""
    return {"$ref": f"#/components/schemas/{name}"}


def listed(items: Schema, most: int | None = None, least: int = 0) -> Schema:
    """A list of these."""
    return {"type": "array", "items": items} | ({} if most is None else {"minItems": least, "maxItems": most})


def record(properties: dict[str, Schema], optional: tuple[str, ...] = ()) -> Schema:
    """An object that has all of these properties but the optional ones, and may come to have more."""
    required = [name for name in properties if name not in optional]
    return {"type": "object", "properties": properties, "required": required}


def given(properties: dict[str, Schema], **more: Any) -> Schema:
    """An object that is sent: nothing else is taken; null is the same as leaving it out."""
    return {
        "type": "object",
        "properties": {name: nullable(each) for name, each in properties.items()},
        "additionalProperties": {"type": "null"},
        **more,
    }


def exactly(properties: dict[str, Schema], *required: str) -> Schema:
    """An object that is sent: nothing else is taken, not even null."""
    return {"type": "object", "properties": properties, "required": list(required), "additionalProperties": False}


def nullable(schema: Schema) -> Schema:
    """This, or null."""
    return {"anyOf": [schema, {"type": "null"}]}


def either(*schemas: Schema) -> Schema:
    """One of these."""
    return {"anyOf": list(schemas)}


def words(most: int, **more: Any) -> Schema:
    """Text that is not blank."""
    return {"type": "string", "minLength": 1, "maxLength": most, "pattern": r"\S", **more}


def whole(least: int, most: int, default: int | None = None) -> Schema:
    """A whole number."""
    told = {} if default is None else {"default": default}
    return {"type": "integer", "minimum": least, "maximum": most, **told}


CROP: Schema = listed(SIDE, 4, 4) | {
    "description": "Left, top, right, bottom in fractions of the upright picture; left < right, top < bottom."
}
FACTS: dict[str, Schema] = {
    "id": TEXT,
    "title": TEXT,
    "category": TEXT,
    "brand": TEXT,
    "price": {"type": ["string", "null"], "description": "An exact amount: 12.90."},
    "currency": TEXT,
    "in_stock": YES_NO,
}
PLACES: dict[str, Schema] = {"picture": SHA256, "picture_url": TEXT, "url": TEXT}
REQUEST_ID: Schema = {"type": "string", "description": "To find the request in the server's log."}
DEGRADED: Schema = listed(TEXT) | {"description": "Parts of the answer that were late or broke, and are left out."}
ONE_OR_MORE: Schema = either(
    {"type": "string", "maxLength": MAX_VALUE}, listed({"type": "string", "maxLength": MAX_VALUE}, MAX_PARTS, 1)
)
BOUNDS: Schema = {
    "type": "object",
    "properties": {"min": NUMBER, "max": NUMBER, "currency": TEXT},
    "additionalProperties": False,
}
HIT: Schema = record(
    {
        "rank": {"type": "integer", "minimum": 1},
        **FACTS,
        "score": NUMBER,
        "parts": {"type": "object", "additionalProperties": NUMBER},
        "found_by": listed(TEXT),
        "duplicates": listed(TEXT),
        **PLACES,
    }
)
CUT: dict[str, Schema] = {
    "k": whole(1, MAX_K, 10),
    "offset": whole(0, MAX_REACH - 1, 0),
    "sort": {"type": "string", "enum": list(SORTS)},
    "filter": ref("Filter"),
    "facets": YES_NO | {"default": False},
    "collapse": YES_NO | {"default": True},
    "timeout_ms": whole(1, MAX_TIMEOUT_MS),
}
IDS: Schema = listed(words(MAX_PRODUCT_ID), MOST_LIKED)
ASKED: dict[str, Schema] = {
    "text": words(MAX_WORDS, examples=["in green, not striped, cheaper"]),
    "product_id": words(MAX_PRODUCT_ID),
    "terms": listed(ref("Term"), MAX_TERMS, 1),
    "weights": exactly({"image": WEIGHT, "text": WEIGHT, "product_id": WEIGHT}),
    "crop": CROP,
    "regions": YES_NO | {"default": False, "description": "Find the things in the picture, each with its own hits."},
    "refine": {"type": "string", "description": "The `refine` of an answer, to go on from it."},
    "more_like": IDS,
    "less_like": IDS,
    **CUT,
}
EVENT: dict[str, Schema] = {
    "type": {"type": "string", "enum": list(KINDS)},
    "product_id": words(MAX_PRODUCT_ID),
    "visitor": words(MAX_VISITOR),
    "query_id": words(MAX_QUERY_ID),
    "rank": whole(1, MAX_RANK),
}
FORM_TYPES = ("string", "integer", "boolean")
OVERLAY: Schema = nullable({"type": "object"}) | {"description": "A box, its cells (0 to 255), and a picture of them."}

SCHEMAS: dict[str, Schema] = {
    "Error": record({"error": record({"code": TEXT, "message": TEXT, "hint": TEXT}), "request_id": REQUEST_ID}),
    "Filter": {
        "type": "object",
        "description": "What holds for every product found; values of one field are alternatives.",
        "properties": {
            "category": ONE_OR_MORE,
            "brand": ONE_OR_MORE,
            "colour": ONE_OR_MORE,
            "price": BOUNDS,
            "in_stock": YES_NO,
            "attributes": {"type": "object", "additionalProperties": either(ONE_OR_MORE, BOUNDS)},
            "id": ONE_OR_MORE,
            "not": ref("Filter"),
            "any": listed(ref("Filter"), MAX_PARTS, 1),
        },
        "additionalProperties": False,
    },
    "Term": {
        "description": "One picture (base64), words or product, with its weight.",
        "oneOf": [
            exactly({"image": TEXT, "crop": nullable(CROP), "weight": WEIGHT}, "image"),
            exactly({"text": words(MAX_WORDS), "weight": WEIGHT}, "text"),
            exactly({"product_id": words(MAX_PRODUCT_ID), "weight": WEIGHT}, "product_id"),
        ],
    },
    "Search": given(
        {
            "image": either(
                {"type": "string", "description": BASE64}, listed(TEXT | {"description": BASE64}, MAX_PICTURES, 1)
            ),
            **ASKED,
        }
    )
    | {"minProperties": 1},
    "SearchForm": {
        "type": "object",
        "description": "As Search; fields that hold objects or lists are JSON texts, `image` is one or more files.",
        "properties": {
            "image": listed({"type": "string", "format": "binary"}, MAX_PICTURES, 1),
            **{name: each if each.get("type") in FORM_TYPES else TEXT for name, each in ASKED.items()},
        },
        "additionalProperties": False,
        "minProperties": 1,
    },
    "Hit": HIT,
    "Facet": record(
        {
            "name": TEXT,
            "values": listed(record({"value": {}, "label": TEXT, "count": COUNT, "selected": YES_NO})),
            "others": COUNT,
            "min": NUMBER,
            "max": NUMBER,
        },
        ("min", "max"),
    ),
    "Verdict": record(
        {
            "kind": {"type": "string", "enum": ["exact", "similar", "no_match"]},
            "probability": SIDE,
            "exact_probability": nullable(SIDE),
        }
    ),
    "Page": record(
        {
            "generation": COUNT,
            "took_ms": NUMBER,
            "degraded": DEGRADED,
            "verdict": nullable(ref("Verdict")),
            "total": nullable(COUNT),
            "notes": listed(TEXT),
            "hits": listed(ref("Hit")),
            "facets": listed(ref("Facet")),
            "refine": TEXT,
            "regions": listed(record({"box": listed(SIDE, 4, 4), "score": NUMBER, "hits": listed(ref("Hit"))})),
            "request_id": REQUEST_ID,
        },
        ("regions",),
    ),
    "Why": record(
        {
            "id": TEXT,
            "score": NUMBER,
            "parts": {"type": "object", "additionalProperties": NUMBER},
            "reasons": listed(TEXT),
            "agrees": {"type": "object", "additionalProperties": TEXT},
            "differs": {"type": "object", "additionalProperties": record({"asked": TEXT, "found": TEXT})},
            "asked_region": OVERLAY,
            "found_region": OVERLAY,
            "degraded": DEGRADED,
            **PLACES,
            "request_id": REQUEST_ID,
        }
    ),
    "Recommendations": record(
        {
            "items": listed(
                record({"rank": {"type": "integer", "minimum": 1}, **FACTS, "score": NUMBER, "reason": TEXT, **PLACES})
            ),
            "request_id": REQUEST_ID,
        }
    ),
    "Viewed": given(
        {
            "viewed": listed(words(MAX_PRODUCT_ID), MOST_VIEWED) | {"description": "Ids, the oldest first."},
            "k": whole(1, MAX_K, 20),
            "timeout_ms": whole(1, MAX_TIMEOUT_MS),
        }
    ),
    "Event": exactly(EVENT, "type", "product_id"),
    "Events": {
        "description": "`visitor` stands here for all events, or in each; only a keyed hash of it is kept.",
        "anyOf": [
            exactly(
                {"visitor": words(MAX_VISITOR), "events": listed(ref("Event"), MAX_EVENTS, 1)}, "visitor", "events"
            ),
            exactly({"events": listed(exactly(EVENT, "type", "product_id", "visitor"), MAX_EVENTS, 1)}, "events"),
        ],
    },
    "EventsKept": record({"kept": COUNT, "request_id": REQUEST_ID}),
    "Picture": record({"picture": SHA256, "width": COUNT, "height": COUNT, "picture_url": TEXT}),
    "Product": record(
        {
            **FACTS,
            "attributes": {"type": "object", "additionalProperties": TEXT},
            "description": TEXT,
            "url": TEXT,
            "pictures": listed(ref("Picture")),
            "request_id": REQUEST_ID,
        }
    ),
    "ProductEdit": given(
        {
            "id": {"type": "string", "description": "If sent, the id of the address."},
            "title": words(1_000),
            "category": {"type": "string", "maxLength": MAX_TEXT["category"], "examples": ["Apparel > Topwear"]},
            "price": {"type": ["string", "number"], "description": "12.90, or 12.90 EUR."},
            "currency": TEXT,
            "in_stock": YES_NO,
            "brand": {"type": "string", "maxLength": MAX_TEXT["brand"]},
            "attributes": {
                "type": "object",
                "maxProperties": MAX_ATTRIBUTES,
                "additionalProperties": either({"type": "string", "maxLength": MAX_ATTRIBUTE}, NUMBER),
            },
            "description": {"type": "string", "maxLength": MAX_TEXT["description"]},
            "pictures": listed(TEXT | {"description": BASE64}, MOST_PICTURES, 1),
        }
    ),
    "ProductForm": {
        "type": "object",
        "description": "As ProductEdit; `attributes` is JSON text, `pictures` are files.",
        "properties": {
            "id": TEXT,
            **dict.fromkeys(("title", "category", "price", "currency", "brand", "description", "attributes"), TEXT),
            "in_stock": {"type": "string", "enum": ["true", "false"]},
            "pictures": listed({"type": "string", "format": "binary"}, MOST_PICTURES, 1),
        },
        "additionalProperties": False,
    },
    "Health": record({"status": {"const": "ok"}}),
    "Ready": record(
        {
            "ready": {"const": True},
            "generation": COUNT,
            "products": COUNT,
            "pictures": COUNT,
            "live": COUNT,
            "degraded": listed(TEXT),
        }
    ),
    "NotReady": record({"ready": {"const": False}, "error": {"type": "object"}, "request_id": REQUEST_ID}),
}
