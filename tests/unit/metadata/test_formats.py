"""JSON, XML and YAML carry the same document, there and back."""

import itertools
import shutil
import subprocess
from pathlib import Path

import pytest
import xmlschema
from hypothesis import given, settings
from lxml import etree

import storycore.metadata
from fixtures.documents import NUMBERS, OTHERS, TRAPS, documents, typed
from storycore.metadata.document import clean
from storycore.metadata.read import READERS, read
from storycore.metadata.write import WRITERS, write

FORMATS = ("json", "xml", "yaml")
XSD = Path(storycore.metadata.__file__).with_name("metadata.xsd")
LXML = etree.XMLSchema(etree.parse(XSD))
XMLSCHEMA = xmlschema.XMLSchema(XSD)

ALL_TRAPS = {
    "texts": list(TRAPS),
    "keys": {text: index for index, text in enumerate(TRAPS)},
    "numbers": [number or abs(number) for number in NUMBERS],
    "empty": {"list": [], "object": {}, "nested": [[], {}, [[]]]},
    "plain": [None, True, False],
}


def test_there_is_a_reader_for_every_writer():
    assert tuple(READERS) == tuple(WRITERS) == FORMATS


@pytest.mark.slow
@given(documents)
@settings(max_examples=1000, deadline=None)
def test_a_document_is_the_same_after_every_pair_of_conversions_and_to_every_reader(dirty):
    document = clean(dirty).document
    expected = typed(document)
    texts = {form: write(document, form) for form in FORMATS}
    for first, second in itertools.permutations(FORMATS, 2):
        once = read(texts[first], first)
        again = write(once, second)
        assert typed(once) == expected
        assert again == texts[second]
        assert typed(read(again, second)) == expected
    for form, reader in OTHERS.values():
        assert typed(reader(texts[form])) == expected
    assert LXML.validate(etree.fromstring(texts["xml"].encode())), LXML.error_log


@given(documents)
@settings(max_examples=40, deadline=None)
def test_the_published_schema_accepts_every_document(dirty):
    text = write(clean(dirty).document, "xml")
    assert LXML.validate(etree.fromstring(text.encode())), LXML.error_log
    XMLSCHEMA.validate(text)


@pytest.mark.skipif(shutil.which("xmllint") is None, reason="xmllint is not installed")
def test_the_published_schema_is_read_by_xmllint_of_any_age(tmp_path):
    document = tmp_path / "document.xml"
    document.write_text(write(ALL_TRAPS | {"long": [10**24, -(10**24), 10**299]}, "xml"), encoding="utf-8")
    run = subprocess.run(
        ["xmllint", "--noout", "--schema", str(XSD), str(document)], capture_output=True, text=True, timeout=60
    )
    assert run.returncode == 0, run.stderr


@pytest.mark.parametrize("text", ["", "x", "01", "+1", "1.0", "1e3", "0" * 30, "1" * 30 + "x"])
def test_the_published_schema_refuses_what_is_no_whole_number(text):
    document = write({"a": 7}, "xml").replace(">7<", f">{text}<")
    assert not XMLSCHEMA.is_valid(document)
    assert not LXML.validate(etree.fromstring(document.encode()))


@pytest.mark.parametrize("form", FORMATS)
def test_every_trap_survives(form):
    text = write(ALL_TRAPS, form)
    assert typed(read(text, form)) == typed(ALL_TRAPS)
    assert typed(read(text.encode(), form)) == typed(ALL_TRAPS)


@pytest.mark.parametrize("name", OTHERS)
def test_every_trap_survives_in_readers_that_we_did_not_write(name):
    form, reader = OTHERS[name]
    assert typed(reader(write(ALL_TRAPS, form))) == typed(ALL_TRAPS)


@pytest.mark.parametrize("form", FORMATS)
def test_the_order_of_keys_does_not_matter(form):
    assert write({"b": 1, "a": {"d": 2, "c": 3}}, form) == write({"a": {"c": 3, "d": 2}, "b": 1}, form)


def test_yaml_quotes_every_key_and_every_text():
    assert write({"no": "yes", "n": [1, None, "12:30:45"]}, "yaml") == (
        '"n":\n  - 1\n  - null\n  - "12:30:45"\n"no": "yes"\n'
    )


def test_xml_says_the_type_of_every_node():
    document = {"a": "5", "b": [5, 5.0, None], "c": ""}
    assert write(document, "xml") == (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        '<metadata xmlns="urn:storycore:metadata:1" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"'
        ' xsi:type="object">\n'
        '  <member name="a" xsi:type="string">5</member>\n'
        '  <member name="b" xsi:type="array">\n'
        '    <item xsi:type="integer">5</item>\n'
        '    <item xsi:type="number">5.0</item>\n'
        '    <item xsi:type="null"/>\n'
        "  </member>\n"
        '  <member name="c" xsi:type="string"></member>\n'
        "</metadata>\n"
    )
