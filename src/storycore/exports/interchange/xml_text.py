"""XML as editing programs expect it: built element by element, told with its document type. Pure."""

from collections.abc import Mapping
from xml.etree import ElementTree as ET

Element = ET.Element


def add(parent: Element, tag: str, text: str | int | None = None, /, **attributes: str | int) -> Element:
    """A new element at the end of another one; an attribute `ref_` stands for `ref`."""
    made = ET.SubElement(parent, tag, {name.rstrip("_"): str(value) for name, value in attributes.items()})
    if text is not None:
        made.text = str(text)
    return made


def add_all(parent: Element, texts: Mapping[str, str | int]) -> Element:
    """New elements that hold one text each, in order; gives the parent back."""
    for tag, text in texts.items():
        add(parent, tag, text)
    return parent


def document(root: Element) -> str:
    """A whole document whose type is called like its root."""
    ET.indent(root)
    return f'<?xml version="1.0" encoding="UTF-8"?>\n<!DOCTYPE {root.tag}>\n{ET.tostring(root, encoding="unicode")}\n'


def parsed(text: str) -> Element:
    """The root of a document that was written here a moment ago."""
    return ET.fromstring(text)  # noqa: S314 - our own file, and its only entities are those of XML
