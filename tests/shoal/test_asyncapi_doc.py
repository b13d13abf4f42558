from pathlib import Path

import msgspec

from segments.changes import Membership, SegmentChange
from shoal.asyncapi_doc import document, render

DOCUMENT = Path(__file__).parents[2] / "docs" / "asyncapi.json"


def test_the_document_is_what_the_code_says() -> None:
    assert DOCUMENT.read_text() == render(), "run `make docs`"


def test_every_field_of_the_published_messages_is_in_the_document() -> None:
    messages = document()["components"]["messages"]
    for name, struct in (("segment-change", SegmentChange), ("segment-membership", Membership)):
        schema = messages[name]["payload"]
        definition = schema["$defs"][struct.__name__]
        assert set(definition["properties"]) == {
            field.encode_name for field in msgspec.structs.fields(struct)
        }


def test_every_reference_leads_somewhere() -> None:
    whole = document()

    def references(node: object) -> list[str]:
        if isinstance(node, dict):
            found = [node["$ref"]] if isinstance(node.get("$ref"), str) else []
            return found + [ref for value in node.values() for ref in references(value)]
        if isinstance(node, list):
            return [ref for value in node for ref in references(value)]
        return []

    outer = [ref for ref in references(whole) if not ref.startswith("#/$defs/")]
    assert outer
    for reference in outer:
        node: object = whole
        for part in reference.removeprefix("#/").split("/"):
            assert isinstance(node, dict)
            node = node[part]
