"""The shapes of the operator's API, as JSON Schema."""

from __future__ import annotations

from search.ops.catalogue_map import FAILED, MAKING, MAP_SIZE, READY
from search.ops.query_log import EMPTY, SLOW
from web.openapi.schemas import COUNT, NUMBER, TEXT, YES_NO, Schema, exactly, listed, nullable, record

PLACE: Schema = {"type": "integer", "minimum": 0, "maximum": MAP_SIZE}
TIME: Schema = {"type": "integer", "description": "Unix time in seconds."}
GATE: Schema = record({"name": TEXT, "outcome": TEXT, "value": NUMBER, "least": NUMBER, "told": TEXT})
GENERATION: Schema = record(
    {
        "number": COUNT,
        "current": YES_NO,
        "damaged": TEXT | {"description": "Why it cannot be used; empty when it can."},
        "created": TEXT,
        "encoder": TEXT,
        "products": COUNT,
        "pictures": COUNT,
        "bytes": COUNT,
        "index": TEXT,
        "recall": record({"picture": NUMBER, "text": nullable(NUMBER)}),
        "gates": listed(GATE),
        "rejected": nullable(COUNT),
    },
    ("created", "encoder", "products", "pictures", "bytes", "index", "recall", "gates", "rejected"),
)
SERVER: Schema = record(
    {
        "ready": YES_NO,
        "reason": TEXT,
        "generation": COUNT,
        "products": COUNT,
        "pictures": COUNT,
        "live": COUNT | {"description": "Pictures that changed since the index was built, kept beside it."},
        "encoder": TEXT,
        "runtime": TEXT,
        "degraded": listed(TEXT),
    },
    ("generation", "products", "pictures", "live", "encoder", "runtime"),
)
REPORT: Schema = record(
    {
        "kind": {"enum": ["build", "update"]},
        "at": TIME,
        "generation": nullable(COUNT),
        "made": YES_NO | {"description": "Whether it made that generation."},
        "rows": nullable(COUNT),
        "encoded": nullable(COUNT),
        "seconds": nullable(NUMBER),
        "changes": nullable({"type": "object"}),
        "gates": listed(GATE),
        "rejected": COUNT,
        "rejected_rows": listed(record({"source": TEXT, "line": TEXT, "reason": TEXT})),
    }
)
ASKED: Schema = listed(record({"words": TEXT, "times": COUNT, "at": TIME, "ms": NUMBER}))
GOES_TO: Schema = {"type": "integer", "minimum": 1, "description": "The generation before the current one."}

OPS_SCHEMAS: dict[str, Schema] = {
    "Operations": record(
        {
            "server": SERVER,
            "generations": listed(GENERATION),
            "back_to": nullable(COUNT),
            "report": nullable(REPORT),
            "questions": record({"kept": YES_NO, EMPTY: ASKED, SLOW: ASKED}),
            "jobs": listed({"type": "object"}),
            "request_id": TEXT,
        }
    ),
    "CatalogueMap": record(
        {
            "state": {"enum": [READY, MAKING, FAILED]},
            "generation": COUNT,
            "products": COUNT | {"description": "Of which the points are a sample."},
            "categories": listed(TEXT) | {"description": "Of the first level; `top` of a point counts from 0 here."},
            "points": listed(record({"id": TEXT, "title": TEXT, "x": PLACE, "y": PLACE, "top": COUNT})),
            "request_id": TEXT,
        }
    ),
    "Rollback": exactly({"generation": GOES_TO}, "generation"),
    "RolledBack": record({"left": COUNT, "current": COUNT, "request_id": TEXT}),
}
