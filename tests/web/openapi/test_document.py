"""S13: the API does what its OpenAPI document says: every route is in it, examples work, and fuzzing finds no gap."""

import ast
import html
import json
import re
from pathlib import Path

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis.errors import Unsatisfiable
from schemathesis.checks import negative_data_rejection, not_a_server_error
from schemathesis.generation import GenerationMode
from schemathesis.specs.openapi.checks import positive_data_acceptance

from search.bulk.job_rows import ROW_FAILED, ROW_SUGGESTED, ROW_WAITING
from search.bulk.job_store import CANCELLED, DONE, RECEIVING, WAITING, WORKING
from search.dedup.duplicate_kinds import DUPLICATE_KINDS, SAME_FILE, SAME_PICTURE
from search.listings.decision_store import ACCEPTED, CORRECTED, DECLINED
from search.ops import catalogue_map
from tests.fake_encoder import FakeEncoder
from tests.web.shop_fixtures import ADMIN_KEY, make_shop
from web.engine import holder_of
from web.openapi import reference_page
from web.openapi.document import OPERATIONS, described_routes, document
from web.openapi.reference_page import EXTENSION, MAX_PAGES
from web.requests.listing_request import ListingRequest
from web.requests.product_request import ProductFields
from web.requests.search_models import Search
from web.settings import Settings

# A form that is refused half-way leaves its files to the garbage collector, which closes them.
pytestmark = pytest.mark.filterwarnings("ignore:.*SpooledTemporaryFile:pytest.PytestUnraisableExceptionWarning")
COMMITTED = Path(__file__).parents[3] / "docs" / "openapi.json"
OPERATOR = {"Authorization": f"Bearer {ADMIN_KEY}"}
# What JSON Schema cannot say is told by messages there: whether base64 is a picture, a token one of ours, a new product
# whole, a text a filter, and text printable.
MEANING = {"api.search", "api.why", "api.events", "catalogue.put", "catalogue.put_batch", "speech.recognise"}
MEANING |= {
    name
    for name in OPERATIONS
    if name.startswith(
        ("merchant.", "rules.", "visitors.", "experiments.", "review_api.", "merchant_reviews.", "threads.")
    )
}
MEANING |= {name for name in OPERATIONS if name.startswith("price_alerts.")}  # who may be guessed, what is lower
MEANING |= {"product_questions.send", "product_questions.answer"}  # no control characters, no blanks alone
MEANING |= {"assistant.answer", "ops.preview", "ops.rollback", "ops.fit_models", "ops.roll_back_models", "feed.feed"}
FUZZED = [name for name in OPERATIONS if name != "reference.openapi"]  # the document itself is what it is read from
FEW, MANY = 10, 200  # requests an operation; few are the same ones each time, so that a run repeats
REFUSALS = ["400", "401", "403", "404", "405", "413", "415", "422", "501", "504", "507"]


@pytest.fixture(scope="module")
def fuzzed(tmp_path_factory, make_app):
    """An app of its own, since products are put and removed."""
    home = tmp_path_factory.mktemp("fuzzed")
    make_shop(home, FakeEncoder())
    limits = {"reads_per_minute": 0, "writes_per_minute": 0, "uploads_per_minute": 0, "assistant_per_minute": 0}
    limits |= {"reviews_sent_per_minute": 0, "reviews_per_day": 0}
    app = make_app(Settings(home=home, timeout_ms=20_000, **limits))
    holder_of(app).wait(300)
    return app


@pytest.fixture(scope="module")
def schema(fuzzed):
    config = {"checks": {"negative_data_rejection": {"expected-statuses": REFUSALS}}}
    return schemathesis.openapi.from_wsgi("/openapi.json", fuzzed, config=schemathesis.Config.from_dict(config))


def never_breaks(context, response, case):
    """5xx only where the document tells why: too little time was allowed, or no room is left."""
    assert response.status_code < 500 or response.status_code in (501, 504, 507), response.text


def validated(case, name):
    left_out = [not_a_server_error, *([positive_data_acceptance] if name in MEANING else [])]
    if any(value == [] for value in case.query.values()):  # a parameter without values is not sent
        left_out.append(negative_data_rejection)
    if case.media_type == "multipart/form-data":  # everything is text in it: null is the word, a list of one its item
        left_out.append(negative_data_rejection)
    case.call_and_validate(headers=OPERATOR, excluded_checks=left_out, additional_checks=[never_breaks])


@pytest.fixture(scope="module")
def operations(schema):
    """Every operation by its id, read once."""
    found = [each.ok() for each in schema.get_all_operations()]
    return {operation.definition.raw["operationId"]: operation for operation in found}


def fuzz(operation, name, examples):
    for mode in (GenerationMode.POSITIVE, GenerationMode.NEGATIVE):
        how = settings(
            max_examples=examples,
            derandomize=examples == FEW,
            deadline=None,
            database=None,
            phases=[Phase.explicit, Phase.generate],
            suppress_health_check=list(HealthCheck),
        )
        run = how(given(case=operation.as_strategy(generation_mode=mode))(lambda case: validated(case, name)))
        try:
            run()
        except Unsatisfiable:  # nothing that could be sent to it is invalid
            assert mode == GenerationMode.NEGATIVE
        except ValueError as error:  # schemathesis cannot spoil a file that it made; what it tried before was checked
            if "Unsupported type: 'Binary'" not in str(error):
                raise


def limits(schema):
    return {name: value for name, value in schema.items() if name not in ("description", "default", "examples")}


def stateful(schema, examples):
    class Machine(schema.as_state_machine()):
        def get_call_kwargs(self, case):
            return {"headers": OPERATOR}

        def validate_response(self, response, case, **more):
            left_out = [not_a_server_error, positive_data_acceptance]
            case.validate_response(response, excluded_checks=left_out, additional_checks=[never_breaks], **more)

    Machine.run(
        settings=settings(
            max_examples=examples,
            derandomize=examples == 10,
            stateful_step_count=8,
            deadline=None,
            database=None,
            suppress_health_check=list(HealthCheck),
        )
    )


@pytest.mark.promise("S13")
def test_every_route_of_the_api_has_an_operation(app):
    described = {rule.endpoint for rule, _ in described_routes(app)}
    assert described == set(OPERATIONS)
    told = document(app)["paths"]
    assert sum(map(len, told.values())) == len(list(described_routes(app)))
    assert {"/api/v1/search", "/healthz", "/readyz", "/metrics", "/openapi.json"} <= set(told)


@pytest.mark.promise("S13")
def test_the_committed_document_is_what_the_code_says(app):
    assert json.loads(COMMITTED.read_text(encoding="utf-8")) == document(app), (
        "write it anew: python -m web openapi > docs/openapi.json"
    )


def test_every_reference_has_a_schema_and_every_schema_a_reference(app):
    described = document(app)
    referenced = set(re.findall(r'"#/components/schemas/(\w+)"', json.dumps(described)))
    assert referenced == described["components"]["schemas"].keys()


@pytest.mark.parametrize(
    ("schema", "field", "values"),
    [
        ("CatalogueMap", "state", {catalogue_map.READY, catalogue_map.MAKING, catalogue_map.FAILED}),
        ("Duplicate", "kind", set(DUPLICATE_KINDS)),
        ("JobStatus", "state", {RECEIVING, WAITING, WORKING, DONE, CANCELLED}),
        ("Job", "state", {RECEIVING, WAITING, WORKING, DONE, CANCELLED}),
        ("Row", "state", {ROW_WAITING, ROW_SUGGESTED, ROW_FAILED}),
        ("Row", "kind", {"", ACCEPTED, CORRECTED, DECLINED}),
        ("SuggestedRow", "repeats_row_kind", {"", SAME_FILE, SAME_PICTURE}),
    ],
)
def test_the_values_of_a_field_are_those_of_the_code(app, schema, field, values):
    assert set(document(app)["components"]["schemas"][schema]["properties"][field]["enum"]) == values


@pytest.mark.parametrize(
    ("form", "body"), [("SearchForm", Search), ("ProductForm", ProductFields), ("ListingForm", ListingRequest)]
)
def test_a_form_has_the_fields_of_the_json_body(app, form, body):
    assert document(app)["components"]["schemas"][form]["properties"].keys() == body.model_fields.keys()


def test_the_fields_of_a_search_form_have_the_limits_of_the_json_body(app):
    schemas = document(app)["components"]["schemas"]
    body = schemas["Search"]["properties"]
    for name, field in schemas["SearchForm"]["properties"].items():
        if field.get("type") in ("integer", "boolean") or "maxLength" in field or "enum" in field:
            (same,) = [option for option in body[name].get("anyOf", [body[name]]) if option != {"type": "null"}]
            assert limits(field) == limits(same)


@pytest.mark.promise("S13")
def test_every_example_works_as_it_stands(fuzzed):
    client = fuzzed.test_client()
    tried = 0
    for path, methods in document(fuzzed)["paths"].items():
        for method, operation in methods.items():
            takes = operation.get("requestBody", {}).get("content", {})
            no_example = takes and "example" not in takes.get("application/json", {})
            left_out = (
                "{job_id}" in path or "{sha256}" in path or "/experiments/" in path or path.endswith("/recommender/fit")
            )
            left_out = left_out or "/threads/" in path or "/generations/{number}/" in path
            if method == "delete" or left_out or no_example:
                continue
            address = path
            for name, example in (("product_id", "red"), ("table", "questions")):
                address = address.replace(f"{{{name}}}", example)
            body = operation.get("requestBody", {}).get("content", {}).get("application/json", {}).get("example")
            given = {} if body is None else {"json": body}
            needed = [parameter for parameter in operation["parameters"] if parameter["in"] == "query"]
            query = {one["name"]: one["schema"]["examples"][0] for one in needed if one.get("required")}
            given |= {"query_string": query} if query else {}
            answer = client.open(address, method=method.upper(), headers=OPERATOR, **given)
            assert str(answer.status_code) in operation["responses"] and answer.status_code < 300, answer.text
            tried += 1
    assert tried >= 14


@pytest.mark.promise("S13", "10 valid and 10 invalid requests an operation, all checks")
@pytest.mark.parametrize("name", FUZZED)
def test_the_api_does_what_its_document_says(operations, name):
    fuzz(operations[name], name, FEW)


@pytest.mark.promise("S13", "10 sequences of 8 requests")
def test_sequences_of_requests_do_too(schema):
    stateful(schema, 10)


@pytest.mark.promise("S13", "200 valid and 200 invalid requests an operation, all checks")
@pytest.mark.torture
@pytest.mark.timeout(3000)
@pytest.mark.parametrize("name", FUZZED)
def test_the_api_does_what_its_document_says_at_length(operations, name):
    fuzz(operations[name], name, MANY)


@pytest.mark.promise("S13", "100 sequences of 8 requests")
@pytest.mark.torture
@pytest.mark.timeout(3000)
def test_sequences_of_requests_do_too_at_length(schema):
    stateful(schema, 100)


def test_the_page_begins_with_search_tells_of_every_operation_and_asks_nobody(app, client):
    page = client.get("/docs")
    assert page.status_code == 200
    for path in document(app)["paths"]:
        assert path in page.text
    titles = re.findall(r"<h[23][^>]*>(.+?)</h", page.text)
    assert titles[0] == "Search in one minute" and "Try it" in titles
    assert titles.index("<b>POST</b> /api/v1/search") == titles.index("Search") + 1
    assert not re.search(r"<script(?! type=\"module\" src=)| style=| onclick", page.text)
    fetched = re.findall(r'(?:src|href)="([^"#]+)"', page.text)
    assert fetched and all(address.startswith(("/", "?lang=")) for address in fetched)
    anchors = re.findall(r'href="#([^"]+)"', page.text)
    assert anchors and all(f'id="{anchor}"' in page.text for anchor in anchors)


def test_the_page_is_rendered_once_for_each_language_and_query(client, monkeypatch):
    addresses = [f"/docs?lang={code}&number={number}" for number in range(MAX_PAGES) for code in ("en", "zh")]
    first = [client.get(address).text for address in addresses]
    assert len(set(first)) == len(addresses)
    assert "number=3&amp;lang=zh" in first[6] and '<html lang="zh-Hans">' in first[7]
    monkeypatch.setattr(reference_page, "document", lambda app: pytest.fail("rendered again"))
    assert [client.get(address).text for address in addresses[-MAX_PAGES:]] == first[-MAX_PAGES:]
    assert len(client.application.extensions[EXTENSION]) <= MAX_PAGES


def test_the_first_examples_of_the_page_and_its_form_search(client):
    page = client.get("/docs").text
    example = html.unescape(re.search(r"<pre[^>]*>(import json.*?)</pre>", page, re.DOTALL)[1])
    ast.parse(example)
    asked = ast.literal_eval(re.search(r"dumps\((.+?)\)", example)[1])
    address = re.search(r'address = "http://localhost(.+)"', example)[1]
    answer = client.post(address, json=asked)
    assert answer.status_code == 200
    assert (
        set(re.findall(r'hit\["(\w+)"\]', example))
        == {"title", "price", "currency", "url"}
        <= answer.json["hits"][0].keys()
    )
    action = re.search(r'<form action="([^"]+)"', page)[1]
    # As browsers send it without scripts, where no photo was chosen.
    parts = {"text": "red", 'image"; filename="': ""}
    lines = [
        f'--end\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n' for name, value in parts.items()
    ]
    form = "".join([*lines, "--end--\r\n"]).encode()
    answer = client.post(action, data=form, content_type="multipart/form-data; boundary=end")
    assert answer.status_code == 200 and answer.json["hits"][0]["id"] == "red"
