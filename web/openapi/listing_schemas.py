"""The shapes of what the merchant's desk takes and gives, as JSON Schema: suggestions, bulk jobs, decisions."""

from __future__ import annotations

from search.bulk.job_rows import FAILED, MADE, OPEN
from search.bulk.job_store import CANCELLED, DONE, RECEIVING, WAITING, WORKING
from search.bulk.review import MOST_VALUE
from search.dedup.duplicate_kinds import KINDS, SAME_FILE, SAME_PICTURE
from search.listings.decision_store import ACCEPTED, CORRECTED, DECLINED
from search.query.terms import MAX_PICTURES
from web.openapi.schemas import (
    BASE64,
    COUNT,
    NUMBER,
    REQUEST_ID,
    SHA256,
    SIDE,
    TEXT,
    YES_NO,
    Schema,
    exactly,
    given,
    listed,
    nullable,
    record,
    ref,
    whole,
    words,
)

DUPLICATES = listed(
    record(
        {
            "id": TEXT,
            "kind": {"type": "string", "enum": list(KINDS)},
            "score": SIDE,
            "picture": COUNT,
            "other": SHA256,
        }
    )
)

PRODUCTS: Schema = {
    "type": "object",
    "description": "Those named as look-alikes or duplicates, by id.",
    "additionalProperties": record({"title": TEXT, "url": TEXT, "picture_url": TEXT}),
}
ROW_PRODUCTS = PRODUCTS | {
    "description": "The first look-alikes of each row and its duplicates, by id; none while the shop is not open."
}

DESK_SCHEMAS: dict[str, Schema] = {
    "Listing": given(
        {
            "pictures": listed(TEXT | {"description": BASE64}, MAX_PICTURES - 1, 1),
            "title": {"type": "string", "maxLength": 1_000},
        }
    ),
    "ListingForm": {
        "type": "object",
        "properties": {
            "pictures": listed({"type": "string", "format": "binary"}, MAX_PICTURES - 1, 1),
            "title": {"type": "string", "maxLength": 1_000},
        },
        "required": ["pictures"],
        "additionalProperties": False,
    },
    "Label": record(
        {
            "field": TEXT,
            "top": listed(record({"name": TEXT, "confidence": SIDE, "neighbours": listed(TEXT)}), 3),
            "answer": TEXT | {"description": "What can be relied on, perhaps a parent category; empty: nothing."},
            "answer_confidence": SIDE,
            "cut": NUMBER,
        }
    ),
    "Suggested": record(
        {
            "category": ref("Label"),
            "attributes": listed(ref("Label")),
            "title_words": listed(record({"word": TEXT, "agreement": NUMBER, "neighbours": listed(TEXT)})),
            "price": nullable(
                record({"low": NUMBER, "middle": NUMBER, "high": NUMBER, "currency": TEXT, "level": SIDE})
            ),
            "picture_notes": listed(
                record({"picture": COUNT, "kind": TEXT, "measure": NUMBER, "limit": NUMBER, "message": TEXT})
            ),
            "neighbours": listed(record({"id": TEXT, "score": NUMBER})),
        }
    ),
    "Suggestion": {
        "allOf": [
            ref("Suggested"),
            record(
                {
                    "duplicates": DUPLICATES,
                    "products": PRODUCTS,
                    "request_id": REQUEST_ID,
                }
            ),
        ]
    },
    "Choices": record(
        {
            "fields": {"type": "object", "additionalProperties": listed(TEXT)},
            "names": {"type": "object", "additionalProperties": TEXT},
            "values": {
                "type": "object",
                "description": "What values are called in the language of Accept-Language, where the shop tells.",
                "additionalProperties": {"type": "object", "additionalProperties": TEXT},
            },
            "request_id": REQUEST_ID,
        }
    ),
    "JobMade": given({"name": TEXT, "bytes": {"type": "integer", "minimum": 1}}, required=["bytes"]),
    "JobState": exactly({"state": {"type": "string", "enum": [WAITING, CANCELLED]}}, "state"),
    "JobStatus": record(
        {
            "id": TEXT,
            "name": TEXT,
            "created": COUNT | {"description": "Seconds since 1970."},
            "state": {"type": "string", "enum": [RECEIVING, WAITING, WORKING, DONE, CANCELLED]},
            "bytes": COUNT,
            "received": COUNT,
            **dict.fromkeys(("total", "done", "failed", "decided", "needs_review"), COUNT),
            "sure_left": COUNT | {"description": "Rows with a suggestion that can be relied on, not decided on."},
            "untitled": COUNT | {"description": "Rows accepted or corrected that have no title; feeds need one."},
            "double_ids": COUNT | {"description": "Rows whose id an earlier row has."},
            "rows_per_second": NUMBER,
        }
    ),
    "Job": {"allOf": [ref("JobStatus"), record({"request_id": REQUEST_ID})]},
    "Jobs": record({"jobs": listed(ref("JobStatus")), "request_id": REQUEST_ID}),
    "SuggestedRow": {
        "allOf": [
            ref("Suggested"),
            record(
                {
                    "duplicates": DUPLICATES,
                    "repeats_row": COUNT | {"description": "An earlier row that shows the same picture; 0: none does."},
                    "repeats_row_kind": {"type": "string", "enum": ["", SAME_FILE, SAME_PICTURE]},
                },
                optional=("duplicates", "repeats_row", "repeats_row_kind"),
            ),
        ]
    },
    "Row": record(
        {
            "number": {"type": "integer", "minimum": 1},
            "line": COUNT | {"description": "In the table; 0 where there is none."},
            "id": TEXT,
            "title": TEXT,
            "pictures": COUNT,
            "state": {"type": "string", "enum": [OPEN, MADE, FAILED]},
            "reason": TEXT,
            "suggestion": nullable(ref("SuggestedRow")),
            "confidence": SIDE,
            "sure": YES_NO,
            "same_id_as": COUNT | {"description": "The first earlier row with the same id; 0: none has it."},
            "thumbnail": TEXT | {"description": "The first picture, small: a JPEG in base64."},
            "kind": {"type": "string", "enum": ["", ACCEPTED, CORRECTED, DECLINED]},
            "decided": {"type": "object", "additionalProperties": TEXT},
        }
    ),
    "Rows": record({"rows": listed(ref("Row")), "products": ROW_PRODUCTS, "request_id": REQUEST_ID}),
    "Decision": exactly(
        {
            "row": whole(1, 2**31 - 1),
            "accept": YES_NO | {"description": "Take what is suggested for all fields that `values` leave out."},
            "values": {
                "type": "object",
                "description": "By field; `title` is the row's title from then on, and decides nothing by itself; the"
                " row's own, which may be empty, takes back the one decided before. No value holds control characters.",
                "properties": {"title": {"type": "string", "maxLength": MOST_VALUE}},
                "additionalProperties": words(MOST_VALUE),
            },
        },
        "row",
    ),
    "Decisions": {
        "description": "One of them: rows to decide on, each once; a confidence from which on all are accepted; all"
        " rows that are sure and not decided on; or a step back.",
        "oneOf": [
            exactly({"decisions": listed(ref("Decision"), 500, 1)}, "decisions"),
            exactly({"accept_above": SIDE}, "accept_above"),
            exactly({"accept_sure": {"const": True}}, "accept_sure"),
            exactly({"undo": YES_NO}, "undo"),
        ],
    },
    "Decided": record(
        {
            "job": ref("JobStatus"),
            "changed": COUNT,
            "rows": listed(ref("Row")),
            "products": ROW_PRODUCTS,
            "request_id": REQUEST_ID,
        }
    ),
}
