"""Documents from anywhere: everything that is not plainly a document is refused."""

import random

import pytest

from fixtures.documents import TRAPS
from storycore.metadata.read import BadDocument, read
from storycore.metadata.write import write

DOCUMENT = {"texts": list(TRAPS), "numbers": [1, 2.5, None, True], "deep": {"a": {"b": [{}]}}}
HEAD = (
    '<metadata xmlns="urn:storycore:metadata:1" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" '
    'xsi:type="object">'
)
ENTITIES = "".join(f'<!ENTITY {new} "{f"&{old};" * 10}">' for old, new in zip("abcdefgh", "bcdefghi", strict=True))

XML = {
    "entity bomb": f'<!DOCTYPE m [<!ENTITY a "aaaaaaaaaa">{ENTITIES}]>{HEAD}'
    '<member name="a" xsi:type="string">&i;</member></metadata>',
    "long entity": f'<!DOCTYPE m [<!ENTITY a "{"x" * 50_000}">]>{HEAD}'
    f'<member name="a" xsi:type="string">{"&a;" * 5000}</member></metadata>',
    "external entity": f'<!DOCTYPE m [<!ENTITY a SYSTEM "file:///etc/passwd">]>{HEAD}'
    '<member name="a" xsi:type="string">&a;</member></metadata>',
    "external document type": f'<!DOCTYPE m SYSTEM "http://127.0.0.1:9/x.dtd">{HEAD}</metadata>',
    "parameter entity": f'<!DOCTYPE m [<!ENTITY % a SYSTEM "file:///etc/passwd"> %a;]>{HEAD}</metadata>',
    "unknown entity": f'{HEAD}<member name="a" xsi:type="string">&nbsp;</member></metadata>',
    "processing instruction": f'<?xml-stylesheet href="x"?>{HEAD}</metadata>',
    "other namespace": HEAD.replace("metadata:1", "metadata:2") + "</metadata>",
    "other root": '<html xmlns="http://www.w3.org/1999/xhtml"/>',
    "no type": f'{HEAD}<member name="a">1</member></metadata>',
    "unknown type": f'{HEAD}<member name="a" xsi:type="date">1</member></metadata>',
    "no name": f'{HEAD}<member xsi:type="null"/></metadata>',
    "name on an item": f'{HEAD}<member name="a" xsi:type="array"><item name="b" xsi:type="null"/></member></metadata>',
    "item in an object": f'{HEAD}<item xsi:type="null"/></metadata>',
    "text between": f'{HEAD}stray<member name="a" xsi:type="null"/></metadata>',
    "twice": f'{HEAD}<member name="a" xsi:type="null"/><member name="a" xsi:type="null"/></metadata>',
    "element in text": f'{HEAD}<member name="a" xsi:type="string">x<item xsi:type="null"/></member></metadata>',
    "not a number": f'{HEAD}<member name="a" xsi:type="number">INF</member></metadata>',
    "huge exponent": f'{HEAD}<member name="a" xsi:type="number">1e999</member></metadata>',
    "endless digits": f'{HEAD}<member name="a" xsi:type="integer">{"9" * 10_000}</member></metadata>',
    "not a whole number": f'{HEAD}<member name="a" xsi:type="integer">1.0</member></metadata>',
    "not a truth value": f'{HEAD}<member name="a" xsi:type="boolean">1</member></metadata>',
    "null with text": f'{HEAD}<member name="a" xsi:type="null">x</member></metadata>',
    "too deep": HEAD + '<member name="a" xsi:type="object">' * 100 + "</member>" * 100 + "</metadata>",
    "another attribute": f'{HEAD}<member name="a" xsi:type="null" href="x"/></metadata>',
    "cut short": HEAD,
    "nothing": "",
}

YAML = {
    "exponent without a point": '"a": 1e3\n',
    "plus sign": '"a": +1\n',
    "alias bomb": '"a": &a ["x","x"]\n"b": &b [*a,*a]\n"c": [*b,*b]\n',
    "anchor alone": '"a": &a "x"\n',
    "merge key": '<<: {"a": 1}\n',
    "object tag": '"a": !!python/object/apply:os.system ["true"]\n',
    "local tag": '"a": !secret "x"\n',
    "string tag": '"a": !!str 5\n',
    "bare key": "a: 1\n",
    "bare text": '"a": text\n',
    "norway": '"a": no\n',
    "octal": '"a": 0o17\n',
    "old octal": '"a": 017\n',
    "clock": '"a": 12:30:45\n',
    "day": '"a": 2026-11-24\n',
    "infinity": '"a": .inf\n',
    "huge exponent": '"a": 1.0e+999\n',
    "key that is a list": '? ["a"]\n: 1\n',
    "twice": '"a": 1\n"a": 2\n',
    "two documents": '"a": 1\n---\n"b": 2\n',
    "list on top": '- "a"\n',
    "text on top": '"a"\n',
    "nothing": "",
    "too deep": "[" * 200 + "]" * 200,
    "endless": '"a": ' + "[" * 100_000,
    "control character": '"a": "\x00"\n',
}

JSON = {
    "not a number": '{"a": NaN}',
    "infinity": '{"a": 1e999}',
    "twice": '{"a": 1, "a": 2}',
    "half a pair": '{"a": "\\ud800"}',
    "too deep": '{"a":' * 100 + "1" + "}" * 100,
    "list on top": "[]",
    "two documents": "{} {}",
    "nothing": "",
}


@pytest.mark.timeout(20)
@pytest.mark.parametrize(
    ("form", "text"),
    [
        pytest.param(form, text, id=f"{form} {name}")
        for form, cases in (("xml", XML), ("yaml", YAML), ("json", JSON))
        for name, text in cases.items()
    ],
)
def test_what_is_not_plainly_a_document_is_refused(form, text):
    with pytest.raises(BadDocument):
        read(text, form)


@pytest.mark.parametrize("form", ["json", "xml", "yaml"])
def test_a_document_larger_than_any_is_refused(form):
    with pytest.raises(BadDocument, match="larger than"):
        read(bytes(65 * 1024 * 1024), form)


@pytest.mark.parametrize("form", ["json", "xml", "yaml"])
def test_a_broken_document_is_refused_and_breaks_nothing(form):
    chance = random.Random(form)
    data = write(DOCUMENT, form).encode()
    for _ in range(200):
        broken = bytearray(data)
        broken[chance.randrange(len(broken))] = chance.randrange(256)
        try:
            found = read(bytes(broken[: chance.randrange(len(broken))] if chance.random() < 0.5 else broken), form)
        except BadDocument:
            continue
        assert isinstance(found, dict)


def test_comments_and_prefixes_in_xml_are_no_harm():
    text = (
        '<!-- by hand --><m:metadata xmlns:m="urn:storycore:metadata:1" '
        'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:type="m:object">'
        '<m:member name="a" xsi:type="m:string">x<!-- inside -->y</m:member></m:metadata>'
    )
    assert read(text, "xml") == {"a": "xy"}
