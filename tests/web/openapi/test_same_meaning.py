"""The document means what it meant when its schemas were written by hand: only descriptions and names may differ."""

import json
from pathlib import Path

import pytest

from web.openapi.document import document

BEFORE = Path(__file__).with_name("openapi_before.json")
# Keys without a meaning for a client; `defaults` compares defaults.
IGNORED = {"title", "description", "examples", "example", "default"}
OF_TYPE = {  # the JSON Schema keywords that limit values of one type
    "string": {"minLength", "maxLength", "pattern", "format"},
    "integer": {"minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"},
    "array": {"items", "minItems", "maxItems", "uniqueItems"},
    "object": {"properties", "required", "additionalProperties", "minProperties", "maxProperties"},
}
OF_TYPE["number"] = OF_TYPE["integer"]
LIMITS = set().union(*OF_TYPE.values())


class Normaliser:
    """Turns schemas that accept the same values into equal plain data."""

    def __init__(self, document):
        self._schemas = document["components"]["schemas"]
        self._open = []  # references being resolved; a recursive one is unrolled once

    def schema(self, schema):
        schema = {name: value for name, value in schema.items() if name not in IGNORED}
        if name := schema.pop("$ref", "").rpartition("/")[2]:
            if self._open.count(name) > 1:
                return "recursive"
            self._open.append(name)
            resolved = self.schema(merged([self._schemas[name], schema]))
            self._open.pop()
            return resolved
        if "allOf" in schema:
            parts = [self._resolved(part) for part in schema.pop("allOf")]
            return self.schema(merged([*parts, schema]))
        for choice in ("anyOf", "oneOf"):
            if choice in schema:
                options = schema.pop(choice)
                return self._alternatives([self.schema(merged([option, schema])) for option in options])
        if isinstance(schema.get("type"), list):
            return self._alternatives([self.schema(schema | {"type": kind}) for kind in schema["type"]])
        return self._plain(schema)

    def _resolved(self, schema):
        if "$ref" not in schema:
            return schema
        target = self._resolved(self._schemas[schema["$ref"].rpartition("/")[2]])
        if "allOf" in target:
            return merged([self._resolved(part) for part in target["allOf"]])
        return target

    def _alternatives(self, options):
        flat = []
        for option in options:
            flat += option["any"] if isinstance(option, dict) and "any" in option else [option]
        unique = sorted({json.dumps(option, sort_keys=True) for option in flat})
        return {"any": [json.loads(option) for option in unique]} if len(unique) > 1 else json.loads(unique[0])

    def _plain(self, schema):
        if "const" in schema:
            schema["enum"] = [schema.pop("const")]
        if "enum" in schema:
            return {"enum": sorted(schema["enum"], key=str)}
        kind = schema.get("type")
        if prefix := schema.pop("prefixItems", None):
            assert all(item == prefix[0] for item in prefix)
            schema["items"] = prefix[0]
        kept = {name: value for name, value in schema.items() if name not in LIMITS or name in OF_TYPE.get(kind, ())}
        for name in ("minItems", "minProperties"):
            if kept.get(name) == 0:
                del kept[name]
        if kind == "array":
            kept["items"] = self.schema(kept.get("items", {}))
        if kind == "object":
            properties = kept.get("properties", {})
            kept["properties"] = {name: self.schema(value) for name, value in properties.items()}
            kept["required"] = sorted(kept.get("required", []))
            more = kept.get("additionalProperties", True)
            kept["additionalProperties"] = (self.schema(more) or True) if isinstance(more, dict) else more
        return kept


def merged(schemas):
    """One schema of several that all hold."""
    whole = {}
    for schema in schemas:
        for name, value in schema.items():
            if name == "properties":
                whole[name] = whole.get(name, {}) | value
            elif name == "required":
                whole[name] = [*whole.get(name, []), *value]
            else:
                whole[name] = value
    return whole


def meaning(document):
    """Every operation as plain data: parameters, bodies, answers, keys."""
    normaliser = Normaliser(document)

    def content(body):
        return {kind: normaliser.schema(media.get("schema", {})) for kind, media in body.get("content", {}).items()}

    operations = {}
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            body = operation.get("requestBody", {})
            operations[f"{method} {path}"] = {
                "id": operation["operationId"],
                "tags": operation["tags"],
                "security": operation["security"],
                "parameters": {
                    f"{parameter['in']} {parameter['name']}": {
                        "required": parameter.get("required", False),
                        "schema": normaliser.schema(parameter["schema"]),
                    }
                    for parameter in operation["parameters"]
                },
                "body": {"required": body.get("required", False), "content": content(body)},
                "answers": {
                    status: {
                        "content": content(answer),
                        "headers": sorted(answer.get("headers", {})),
                        "links": sorted(answer.get("links", {})),
                    }
                    for status, answer in operation["responses"].items()
                },
            }
    return operations


def defaults(document):
    """The defaults of parameters and of the fields of bodies."""
    found = {}

    def add(name, schema):
        for option in [schema, *schema.get("anyOf", [])]:
            if option.get("default") is not None:
                found[name] = option["default"]

    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            for parameter in operation["parameters"]:
                add((method, path, parameter["name"]), parameter["schema"])
            for kind, media in operation.get("requestBody", {}).get("content", {}).items():
                body = media.get("schema", {}).get("$ref", "").rpartition("/")[2]
                fields = document["components"]["schemas"][body].get("properties", {}) if body else {}
                for name, field in fields.items():
                    add((method, path, kind, name), field)
    return found


@pytest.fixture(scope="module")
def written_by_hand():
    return json.loads(BEFORE.read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def before(written_by_hand):
    return meaning(written_by_hand)


def test_a_default_that_was_stated_is_stated(app, written_by_hand):
    stated = defaults(written_by_hand)
    assert len(stated) > 12 and stated.items() <= defaults(document(app)).items()


def test_the_document_describes_the_same_operations_and_later_ones(app, before):
    assert before.keys() <= meaning(document(app)).keys()


@pytest.mark.parametrize("name", meaning(json.loads(BEFORE.read_text(encoding="utf-8"))))
def test_an_operation_means_what_it_meant(app, before, name):
    assert meaning(document(app))[name] == before[name]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({"type": ["string", "null"]}, {"anyOf": [{"type": "string", "title": "A"}, {"type": "null"}]}),
        ({"$ref": "#/components/schemas/A"}, {"allOf": [{"$ref": "#/components/schemas/A"}]}),
        ({"const": "a"}, {"type": "string", "enum": ["a"]}),
        (
            {"type": "array", "items": {"type": "number"}, "minItems": 2, "maxItems": 2},
            {"type": "array", "prefixItems": [{"type": "number"}] * 2, "minItems": 2, "maxItems": 2},
        ),
    ],
)
def test_equal_schemas_are_equal(one, other):
    normaliser = Normaliser({"components": {"schemas": {"A": {"type": "object", "properties": {"a": {}}}}}})
    assert normaliser.schema(one) == normaliser.schema(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({"type": "string"}, {"type": ["string", "null"]}),
        ({"type": "integer", "maximum": 9}, {"type": "integer", "maximum": 8}),
        ({"type": "object"}, {"type": "object", "additionalProperties": False}),
        ({"type": "object", "required": ["a"]}, {"type": "object"}),
    ],
)
def test_different_schemas_are_different(one, other):
    normaliser = Normaliser({"components": {"schemas": {}}})
    assert normaliser.schema(one) != normaliser.schema(other)
