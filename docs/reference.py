"""Writes the reference pages from the code; `python3 run.py fix` runs it, and a test compares the pages with it."""

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args

from storycore.api.document import document
from storycore.cli.options import parameters
from storycore.errors import REASONS
from storycore.events import OWN_TYPES, TYPES, schema
from storycore.exports.delivery.template import Part, templates
from storycore.exports.formats.registry import FORMATS
from storycore.exports.gates import Gate
from storycore.exports.presets import presets
from storycore.json_text import write
from storycore.loading import load
from storycore.mcp.tools import offers, tool_name
from storycore.operations.catalog import NOT_FOR_AGENTS, OPERATIONS, Operation
from storycore.settings import Settings

HERE = Path(__file__).parent / "reference"
MADE = "<!-- Made from the code by docs/reference.py; change the code, then run `python3 run.py fix`. -->\n\n"

_DEFAULTS = {
    "cache_folder": "the user's cache folder",
    "generated_folder": "`generated` in the user's data folder",
    "render_workers": "one for each processor, at most 16",
    "workers": "one for each processor, at most 4",
}
"""Of settings, where it depends on the machine."""


def pages() -> dict[str, str]:
    """File name → content of every page."""
    return {
        "operations.md": MADE + "\n".join(_operations()),
        "errors.md": MADE + "\n".join(_errors()),
        "settings.md": MADE + "\n".join(_settings()),
        "formats.md": MADE + "\n".join(_formats()),
        "presets.md": MADE + "\n".join(_presets()),
        "events.md": MADE + "\n".join(_events()),
        "agents.md": MADE + "\n".join(_agents()),
        "openapi.json": write(document()),
        **{f"events/{kind}.schema.json": write(schema(kind)) for kind in (*TYPES, *OWN_TYPES)},
    }


def _operations() -> Iterator[str]:
    yield "# Operations\n"
    yield "Each operation has one dotted name and its spellings: the command line, HTTP, the library, agents.\n"
    for operation in OPERATIONS:
        yield from _operation(operation)


def _operation(operation: Operation) -> Iterator[str]:
    request = load(operation.request)
    result = request.result_type()
    yield f"## `{operation.name}`\n\n{operation.summary}.\n"
    yield f"- Command line: `storycore {' '.join(operation.words)}`"
    yield f"- HTTP: `{operation.method} /v1/{operation.name}`"
    if operation.name not in NOT_FOR_AGENTS:
        yield f"- Agents: `{tool_name(operation)}`"
    yield f"- Library: `sc.run({request.__name__}(…)) -> {result.__name__}`\n"
    yield "```sh\n" + "\n".join(operation.examples) + "\n```\n"
    yield "| field | command line | default | meaning |\n|---|---|---|---|"
    options = parameters(request, streams=bool(operation.stream))
    for (name, field), option in zip(request.model_fields.items(), options, strict=True):
        spelled = option.opts[0] if option.param_type_name == "option" else option.make_metavar(_context())
        default = "needed" if field.is_required() else f"`{_shown(field.default)}`"
        yield f"| `{name}` | `{spelled}` | {default} | {field.description} |"
    yield "\n| result | meaning |\n|---|---|"
    for name, field in result.model_fields.items():
        yield f"| `{name}` | {field.description or name.replace('_', ' ')} |"
    yield ""


def _agents() -> Iterator[str]:
    yield "# Tools for agents\n"
    yield "What `storycore mcp`, and `/mcp` of `storycore serve --mcp`, offer ([how](../agents.md)). Those that only"
    yield "look are what `--read-only` leaves. What goes in and comes out stands with the [operations](operations.md);"
    yield "long work takes `wait_seconds` too, and answers with its task.\n"
    yield "| tool | operation | what it does | only looks | ends or replaces | same again | speaks outside | long |"
    yield "|---|---|---|---|---|---|---|---|"
    for name, offer in offers(read_only=False).items():
        hints = offer.tool.annotations
        facts = (hints.read_only_hint, hints.destructive_hint, hints.idempotent_hint, hints.open_world_hint)
        marks = " | ".join("yes" if fact else "" for fact in (*facts, offer.operation.long))
        yield f"| `{name}` | `{offer.operation.name}` | {offer.operation.summary} | {marks} |"
    yield ""


def _context() -> Any:
    import click

    return click.Context(click.Command("x"))


def _shown(value: Any) -> str:
    return json.dumps(value) if value is None or isinstance(value, (bool, dict)) else str(value)


def _errors() -> Iterator[str]:
    yield "# Errors\n"
    yield "`error.code` is the family, `details.reason` the stable word; `exit` is the command line's exit code.\n"
    yield "| code | reason | HTTP | exit | worth retrying | what to do |\n|---|---|---|---|---|---|"
    for reason, facts in REASONS.items():
        again = "yes" if facts.retryable else "no"
        yield f"| {facts.code} | `{reason}` | {facts.http_status} | {facts.exit_code} | {again} | {facts.remediation} |"
    yield ""


def _settings() -> Iterator[str]:
    yield "# Settings\n"
    yield "Highest first: flags, environment, `./storycore.toml`, `storycore/storycore.toml` in the user's config"
    yield "folder, defaults. In the environment a list of paths is parted like `PATH`, a list of names by commas.\n"
    yield "| storycore.toml | environment | default | meaning |\n|---|---|---|---|"
    for name, field in Settings.model_fields.items():
        default = _DEFAULTS[name] if field.default_factory else f"`{_plain(field.default)}`"
        yield f"| `{name}` | `STORYCORE_{name.upper()}` | {default} | {field.description} |"
    yield ""


def _events() -> Iterator[str]:
    yield "# Events\n"
    yield "What webhooks can be registered for, and what stands in `data`. Each kind has a JSON Schema that stays as it"
    yield "is; fields may be added, none is taken away or changes its meaning.\n"
    for kind, model in (*TYPES.items(), *OWN_TYPES.items()):
        yield f"## `{kind}`\n\n{(model.__doc__ or '').strip()} [Schema](events/{kind}.schema.json)\n"
        yield "| field | needed | meaning |\n|---|---|---|"
        for name, field in model.model_fields.items():
            needed = "yes" if field.is_required() else ""
            yield f"| `{name}` | {needed} | {field.description or _parts(field.annotation)} |"
        yield ""


def _parts(annotation: Any) -> str:
    """What a field holds that is an object itself."""
    model = next(it for it in (annotation, *get_args(annotation)) if hasattr(it, "model_fields"))
    return ", ".join(f"`{name}`" for name in model.model_fields)


def _plain(value: Any) -> str:
    return "[]" if value == () else str(value)


def _formats() -> Iterator[str]:
    yield "# Formats\n"
    yield "What `storycore export format --to` can write.\n"
    yield "| name | suffix | media type | what it is |\n|---|---|---|---|"
    for name in sorted(FORMATS):
        found = load(FORMATS[name])
        summary = (sys.modules[FORMATS[name].partition(":")[0]].__doc__ or "").splitlines()[0].removeprefix(f"{name}: ")
        yield f"| `{name}` | `{found.suffix}` | `{found.media_type}` | {summary} |"
    yield "\n## Options\n"
    yield "What `conversion_options`, or `-O name=value`, can hold. An option that no asked format knows is refused.\n"
    yield "| option | values | default | formats | meaning |\n|---|---|---|---|---|"
    for (option, values, default, meaning), known in sorted(_options().items()):
        formats = "all" if len(known) == len(FORMATS) else ", ".join(f"`{name}`" for name in known)
        yield f"| `{option}` | {values} | {default} | {formats} | {meaning} |"
    yield "\n## Figures\n"
    yield "In `quality_metrics`, and so what gates of presets can ask for.\n"
    yield "| figure | what it is | kind | of |\n|---|---|---|---|"
    every = {name: load(FORMATS[name]).figures for name in sorted(FORMATS)}
    for key, figure in sorted({key: figure for figures in every.values() for key, figure in figures.items()}.items()):
        of = ", ".join(name for name, figures in every.items() if key in figures)
        needs = f"; with `{figure.needs[0]}={str(figure.needs[1]).lower()}`" if figure.needs else ""
        yield f"| `{key}` | {figure.words}{needs} | {figure.kind.value} | {of} |"
    yield ""


def _presets() -> Iterator[str]:
    yield "# Presets and delivery templates\n"
    yield "Those that come with StoryCore. A user's own stand in `presets/` and `deliveries/` of the user's config"
    yield "folder or of the project.\n"
    yield "## Presets\n"
    yield "What `storycore export format --preset` takes.\n"
    yield "| preset | for | makes | what its files must hold | source | date |\n|---|---|---|---|---|---|"
    for it in (it for it in presets() if it.origin == "storycore"):
        gates = "; ".join(_gate(gate) for gate in it.gates)
        made = ", ".join(f"`{name}`" for name in it.formats)
        yield f"| `{it.name}` | {it.title} | {made} | {gates} | {it.source} | {it.date} |"
    yield "\n## Delivery templates\n"
    yield "What `storycore export deliver --template` takes."
    for template in (it for it in templates() if it.origin == "storycore"):
        yield f"\n### `{template.name}`\n\n{template.title}. Source: {template.source}; {template.date}."
        yield f"{template.note}\n" if template.note else ""
        yield "| part | folder | made as | what its files must hold | may be left out |\n|---|---|---|---|---|"
        for part in template.parts:
            gates = "; ".join(_gate(gate) for gate in part.gates)
            yield f"| {part.title} | {part.folder} | {_made(part)} | {gates} | {'yes' if part.optional else ''} |"
    yield ""


def _made(part: Part) -> str:
    preset = "" if part.preset is None else f"preset `{part.preset.name}`: "
    named = ", ".join(f"`{item.format.name}`" for item in part.wanted())
    options = ", ".join(f"`{name}={_shown(value)}`" for name, value in part.options.items() if name != "naming")
    return f"{preset}{named}" + (f" with {options}" if options else "")


def _gate(gate: Gate) -> str:
    asked = {"=": gate.equals, "≥": gate.at_least, "≤": gate.at_most}
    told = [f"{sign} {_shown(value)}" for sign, value in asked.items() if value is not None]
    return f"`{gate.figure}` {' and '.join(told) or 'as planned'}"


def _options() -> dict[tuple[str, str, str, str], list[str]]:
    """Name, values, default and meaning of each option → the formats that know it so."""
    found: dict[tuple[str, str, str, str], list[str]] = {}
    for name in sorted(FORMATS):
        for option, told in load(FORMATS[name]).options.model_json_schema()["properties"].items():
            default = "" if told.get("default") in (None, "") else f"`{_shown(told['default'])}`"
            row = (option, _values(told), default, told["description"])
            found.setdefault(row, []).append(name)
    return found


def _values(told: dict[str, Any]) -> str:
    """What an option can be, as its JSON Schema says."""
    kinds = [kind for kind in told.get("anyOf", [told]) if kind.get("type") != "null"]
    listed = [value for kind in kinds for value in kind.get("enum", [kind["const"]] if "const" in kind else [])]
    if listed:
        return ", ".join(f"`{value}`" for value in listed)
    return " or ".join(_kind(kind) for kind in kinds)


def _kind(told: dict[str, Any]) -> str:
    words = {"integer": "whole number", "boolean": "true, false", "array": "list", "string": "text"}
    word = words.get(told["type"], told["type"])
    low, high = told.get("minimum"), told.get("maximum")
    return word if low is None or high is None else f"{word}, {low} – {high}"


if __name__ == "__main__":
    HERE.mkdir(exist_ok=True)
    for name, text in pages().items():
        (HERE / name).parent.mkdir(exist_ok=True)
        (HERE / name).write_text(text, encoding="utf-8", newline="\n")
    sys.exit(0)
