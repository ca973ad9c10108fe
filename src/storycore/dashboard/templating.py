"""Pages from templates; the only door to Jinja2. All text is escaped, whoever wrote it."""

from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined, pass_context
from jinja2.runtime import Context

from storycore.dashboard import drawings, words
from storycore.json_text import write
from storycore.units import now

FOLDER = Path(__file__).with_name("templates")


class Templates:
    """The templates of the dashboard, each read and compiled once in a process.

    Args:
        asset: gives the address of a file that belongs to the pages.
    """

    def __init__(self, asset: Callable[[str], str]) -> None:
        self._environment = _environment(asset)

    def whole(self, name: str, values: Mapping[str, Any]) -> str:
        """The page."""
        return self._environment.get_template(name).render({**values, "now": now()})

    def live(self, name: str, values: Mapping[str, Any]) -> str:
        """Its part that changes while somebody looks."""
        template = self._environment.get_template(name)
        context = template.new_context({**values, "now": now()})
        return "".join(template.blocks["live"](context))


@cache
def _environment(asset: Callable[[str], str]) -> Environment:
    made = Environment(
        loader=FileSystemLoader(FOLDER), autoescape=True, undefined=StrictUndefined, trim_blocks=True,
        lstrip_blocks=True, auto_reload=False, cache_size=200,
    )  # fmt: skip
    made.globals |= {"asset": asset, "words": words, "drawings": drawings}
    made.filters |= {
        "size": words.size, "grouped": words.grouped, "span": words.length,
        "exact_time": words.exact_time, "glyph": words.glyph, "ago": _ago, "as_json": write,
    }  # fmt: skip
    made.globals["parts"] = made.get_template("parts.html").module
    return made


@pass_context
def _ago(context: Context, text: str) -> str:
    return words.ago(text, context.get("now") or now())
