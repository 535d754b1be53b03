"""What the API answers, as types that pydantic turns into JSON Schema. A later version may add fields to a response."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field
from typing_extensions import NotRequired, TypedDict

from search.bulk.job_rows import FAILED, MADE, OPEN
from search.bulk.job_store import CANCELLED, DONE, RECEIVING, WAITING, WORKING
from search.dedup.duplicate_kinds import DUPLICATE_KINDS, SAME_FILE, SAME_PICTURE
from search.listings.decision_store import ACCEPTED, CORRECTED, DECLINED
from search.ops import catalogue_map
from search.ops.query_log import EMPTY, SLOW
from web.requests.validation import OneOf


def record(name: str, fields: dict[str, Any], optional: str = "") -> Any:
    """Return the type of a JSON object with these fields; those named in `optional` may be absent."""
    absent = optional.split()
    types = {field: NotRequired[kind] if field in absent else kind for field, kind in fields.items()}
    return TypedDict(name, types)  # type: ignore[operator]


def fields(kind: Any, names: str) -> dict[str, Any]:
    """Return fields of one type by their names."""
    return dict.fromkeys(names.split(), kind)


def listed(item: Any) -> Any:
    """Return the type of a list."""
    return list[item]


def mapping(value: Any) -> Any:
    """Return the type of an object whose names are data."""
    return dict[str, value]


def noted(kind: Any, description: str) -> Any:
    """Return the type with a description."""
    return Annotated[kind, Field(description=description)]


def choice(*values: str) -> Any:
    """Return the type of one of these texts."""
    return Annotated[str, OneOf(values)]


Count = Annotated[int, Field(ge=0)]
Positive = Annotated[int, Field(ge=1)]
Fraction = Annotated[float, Field(ge=0, le=1)]
Time = noted(int, "Unix time in seconds.")
Sha256 = noted(str, "SHA-256 of the picture file; empty when the file was never read.")
REQUEST = {"request_id": noted(str, "The id of the request in the server's log.")}
PRICE = {"price": noted(str | None, "An exact amount: 12.90.")}
FACTS = fields(str, "id title category brand") | PRICE | {"currency": str, "in_stock": bool}
PLACES = {"picture": Sha256, "picture_url": str, "url": str}
DEGRADED = {"degraded": noted(list[str], "Parts of the answer that were late or failed, and are missing.")}

ErrorText = record("ErrorText", fields(str, "code message hint"))
Error = record("Error", {"error": ErrorText} | REQUEST)

SCORES = {"score": float, "parts": dict[str, float]}
Hit = record("Hit", {"rank": Positive} | FACTS | SCORES | fields(list[str], "found_by duplicates") | PLACES)
FacetValue = record("FacetValue", {"value": Any, "label": str, "count": Count, "selected": bool})
FACET = {"name": str, "values": listed(FacetValue), "others": Count, "min": float, "max": float}
Facet = record("Facet", FACET, optional="min max")
VERDICT = {"kind": choice("exact", "similar", "no_match"), "probability": Fraction}
Verdict = record("Verdict", VERDICT | {"exact_probability": Fraction | None})
Box = Annotated[list[Fraction], Field(min_length=4, max_length=4)]
Region = record("Region", {"box": Box, "score": float, "hits": listed(Hit)})
Page = record(
    "Page",
    {"generation": Count, "took_ms": float}
    | DEGRADED
    | {"verdict": Verdict | None, "total": Count | None, "notes": list[str], "hits": listed(Hit)}
    | {"facets": listed(Facet), "refine": str, "regions": listed(Region)}
    | REQUEST,
    optional="regions",
)
Difference = record("Difference", fields(str, "asked found"))
Heatmap = noted(dict[str, Any] | None, "A box, its cells (0 to 255), and a picture of them.")
Why = record(
    "Why",
    {"id": str, "reasons": list[str], "agrees": dict[str, str], "differs": mapping(Difference)}
    | SCORES
    | fields(Heatmap, "asked_region found_region")
    | DEGRADED
    | PLACES
    | REQUEST,
)
Recommendation = record("Recommendation", {"rank": Positive} | FACTS | {"score": float, "reason": str} | PLACES)
Recommendations = record("Recommendations", {"items": listed(Recommendation)} | REQUEST)
EventsKept = record("EventsKept", {"kept": Count} | REQUEST)
Picture = record("Picture", {"picture": Sha256, "width": Count, "height": Count, "picture_url": str})
DETAILS = {"attributes": dict[str, str], "description": str, "url": str, "pictures": listed(Picture)}
Product = record("Product", FACTS | DETAILS | REQUEST)

DUPLICATE = {"id": str, "kind": choice(*DUPLICATE_KINDS), "score": Fraction, "picture": Count, "other": Sha256}
Duplicate = record("Duplicate", DUPLICATE)
Summary = record("Summary", fields(str, "title url picture_url"))
Value = record("Value", {"name": str, "confidence": Fraction, "neighbours": list[str]})
ANSWER = noted(str, "The reliable value, perhaps a parent category; empty when there is none.")
LABEL = {"field": str, "top": Annotated[listed(Value), Field(max_length=3)], "answer": ANSWER}
Label = record("Label", LABEL | {"answer_confidence": Fraction, "cut": float})
TitleWord = record("TitleWord", {"word": str, "agreement": float, "neighbours": list[str]})
PriceRange = record("PriceRange", fields(float, "low middle high") | {"currency": str, "level": Fraction})
PictureNote = record("PictureNote", {"picture": Count} | fields(str, "kind message") | fields(float, "measure limit"))
Neighbour = record("Neighbour", {"id": str, "score": float})
SUGGESTED = {
    "category": Label,
    "attributes": listed(Label),
    "title_words": listed(TitleWord),
    "price": PriceRange | None,
} | {"picture_notes": listed(PictureNote), "neighbours": listed(Neighbour), "duplicates": listed(Duplicate)}
PRODUCTS = {
    "products": noted(mapping(Summary), "Neighbours and duplicates by id; of rows, none until the shop is open.")
}
Suggestion = record("Suggestion", SUGGESTED | PRODUCTS | REQUEST)
LABELS = noted(mapping(dict[str, str]), "Names of values in the language of Accept-Language, where the shop has them.")
Choices = record("Choices", {"fields": mapping(list[str]), "names": dict[str, str], "values": LABELS} | REQUEST)

JOB = {
    **fields(str, "id name"),
    "created": noted(Count, "Seconds since 1970."),
    "state": choice(RECEIVING, WAITING, WORKING, DONE, CANCELLED),
    **fields(Count, "bytes received total done failed decided needs_review"),
    "sure_left": noted(Count, "Rows with a reliable suggestion and no decision."),
    "untitled": noted(Count, "Accepted or corrected rows without a title; feeds need one."),
    "double_ids": noted(Count, "Rows whose id an earlier row has."),
    "rows_per_second": float,
}
JobStatus = record("JobStatus", JOB)
Job = record("Job", JOB | REQUEST)
Jobs = record("Jobs", {"jobs": listed(JobStatus)} | REQUEST)
REPEATS = {
    "repeats_row": noted(Count, "An earlier row with the same picture; 0 when there is none."),
    "repeats_row_kind": choice("", SAME_FILE, SAME_PICTURE),
}
SuggestedRow = record("SuggestedRow", SUGGESTED | REPEATS, optional="duplicates repeats_row repeats_row_kind")
ROW = {
    "line": noted(Count, "The line in the table; 0 when there is no table."),
    "state": choice(OPEN, MADE, FAILED),
    "suggestion": SuggestedRow | None,
    "same_id_as": noted(Count, "The first earlier row with the same id; 0 when there is none."),
    "thumbnail": noted(str, "The first picture, small: a JPEG in base64."),
    "kind": choice("", ACCEPTED, CORRECTED, DECLINED),
    "decided": dict[str, str],
}
ROW |= {"number": Positive, "pictures": Count, "confidence": Fraction, "sure": bool} | fields(str, "id title reason")
Row = record("Row", ROW)
Rows = record("Rows", {"rows": listed(Row)} | PRODUCTS | REQUEST)
Decided = record("Decided", {"job": JobStatus, "changed": Count, "rows": listed(Row)} | PRODUCTS | REQUEST)

Gate = record("Gate", fields(str, "name outcome told") | fields(float, "value least"))
Recall = record("Recall", {"picture": float, "text": float | None})
Generation = record(
    "Generation",
    {"number": Count, "current": bool, "damaged": noted(str, "Why it cannot be used; empty when it can.")}
    | fields(str, "created encoder index")
    | fields(Count, "products pictures bytes")
    | {"recall": Recall, "gates": listed(Gate), "rejected": Count | None},
    optional="created encoder products pictures bytes index recall gates rejected",
)
Server = record(
    "Server",
    {"ready": bool, "live": noted(Count, "Pictures that changed since the index was built."), "degraded": list[str]}
    | fields(str, "reason encoder runtime")
    | fields(Count, "generation products pictures"),
    optional="generation products pictures live encoder runtime",
)
RejectedRow = record("RejectedRow", fields(str, "source line reason"))
Report = record(
    "Report",
    {"kind": choice("build", "update"), "at": Time, "made": noted(bool, "Whether the run made that generation.")}
    | fields(Count | None, "generation rows encoded")
    | {"seconds": float | None, "changes": dict[str, Any] | None, "gates": listed(Gate)}
    | {"rejected": Count, "rejected_rows": listed(RejectedRow)},
)
LoggedQuery = record("LoggedQuery", {"words": str, "times": Count, "at": Time, "ms": float})
LoggedQueries = record("LoggedQueries", {"kept": bool, EMPTY: listed(LoggedQuery), SLOW: listed(LoggedQuery)})
Operations = record(
    "Operations",
    {"server": Server, "generations": listed(Generation), "back_to": Count | None, "report": Report | None}
    | {"questions": LoggedQueries, "jobs": list[dict[str, Any]]}
    | REQUEST,
)
Coordinate = Annotated[int, Field(ge=0, le=catalogue_map.MAP_SIZE)]
Point = record("Point", {"id": str, "title": str, "x": Coordinate, "y": Coordinate, "top": Count})
CatalogueMap = record(
    "CatalogueMap",
    {"state": choice(catalogue_map.READY, catalogue_map.MAKING, catalogue_map.FAILED), "generation": Count}
    | {"products": noted(Count, "The points are a sample of them."), "points": listed(Point)}
    | {"categories": noted(list[str], "First-level categories; `top` of a point is an index into this list.")}
    | REQUEST,
)
RolledBack = record("RolledBack", {"left": Count, "current": Count} | REQUEST)

Health = record("Health", {"status": choice("ok")})
COUNTS = fields(Count, "generation products pictures live")
Ready = record("Ready", {"ready": Literal[True], "degraded": list[str]} | COUNTS)
NotReady = record("NotReady", {"ready": Literal[False], "error": dict[str, Any]} | REQUEST)
