"""A storyboard as one web page that needs nothing else: words are only words, pictures stand in it. Pure."""

import base64
import hashlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from html import escape

from storycore.exports.documents.letters import clean
from storycore.exports.documents.panels import Panel

_STYLE = """
:root{color-scheme:light dark;
--ground:light-dark(#fbfbfa,#18181a);--card:light-dark(#fff,#222225);--ink:light-dark(#1c1c1e,#f0f0ee);
--quiet:light-dark(#5f5f64,#a6a6ab);--line:light-dark(#d4d4d2,#3a3a3e);--lamp:#ffb04a}
*{box-sizing:border-box}
body{margin:0 auto;max-width:72rem;padding:40px 24px;background:var(--ground);color:var(--ink);
font:16px/1.5 system-ui,sans-serif;overflow-wrap:anywhere}
h1{font-size:2rem;line-height:1.2;margin:0}
h1::after{content:"";display:block;width:5.5rem;height:4px;margin:16px 0;background:var(--lamp)}
h2{font-size:1.25rem;margin:40px 0 8px}
.shot{font-size:1rem;font-weight:400;margin:0;display:flex;gap:8px;align-items:baseline}
.shot b,.time{font-variant-numeric:tabular-nums}
.title{flex:1}
.facts,dt,.time{color:var(--quiet);font-size:13px}
.facts{display:flex;flex-wrap:wrap;gap:4px 24px;margin:16px 0 0}
nav ul{padding:0;margin:24px 0 0;list-style:none;columns:16rem}
a{color:inherit}
.panels{display:grid;grid-template-columns:repeat(auto-fill,minmax(min(20rem,100%),1fr));gap:24px;margin-top:16px}
article{background:var(--card);border:1px solid var(--line);border-radius:4px;overflow:hidden;break-inside:avoid}
article:target{outline:2px solid var(--lamp)}
.words{padding:8px 16px 16px}
img,.none{display:block;width:100%;background:#000}
.none{display:grid;place-items:center;background:var(--ground);color:var(--quiet);font-size:13px}
dl{margin:8px 0 0;font-size:14px}
dd{margin:0 0 4px;white-space:pre-line}
.empty{margin-top:40px;padding:24px;border:1px solid var(--line);border-radius:4px;background:var(--card)}
@media print{:root{color-scheme:light;--ground:#fff;--card:#fff}body{max-width:none;padding:0;font-size:10pt}
.panels{grid-template-columns:repeat(3,1fr);gap:8pt}article{border-radius:0}h2{break-after:avoid;margin-top:16pt}
.words{padding:4pt 6pt 6pt}.shot{font-size:9pt}dl{font-size:8pt;margin-top:4pt}.time,.facts,dt{font-size:8pt}
dt{float:left;clear:left;margin-right:4pt}dd{margin:0 0 2pt}nav{display:none}@page{margin:12mm}}
"""
_LABELS = (
    ("action", "Action"), ("camera", "Camera"), ("notes", "Notes"), ("transition", "Transition"), ("prompt", "Prompt"),
)  # fmt: skip
_EMPTY = (
    '<p class="empty">There are no shots yet. As soon as the project has some, each has a panel here, with its '
    "picture and its words.</p>"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Face:
    """What the page says of the film.

    Attributes:
        title: of the film.
        logline: may be empty.
        facts: in words.
        language: BCP 47 tag.
        aspect: width and height of a picture, in any unit.
    """

    title: str
    logline: str
    facts: Sequence[str]
    language: str
    aspect: tuple[int, int]


def beginning(face: Face, scenes: Sequence[tuple[int, str]]) -> str:
    """The page up to its first panel.

    Args:
        face: of the film.
        scenes: number of the first shot, and heading, of each.
    """
    facts = "".join(f"<span>{words(fact)}</span>" for fact in face.facts)
    style = f"{_STYLE}.none{{aspect-ratio:{face.aspect[0]}/{face.aspect[1]}}}\n"
    links = "".join(f'<li><a href="#shot-{number}" dir="auto">{words(name)}</a></li>' for number, name in scenes)
    return (
        f'<!DOCTYPE html>\n<html lang="{words(face.language)}">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{escape(_policy(style))}">\n'
        '<meta name="viewport" content="width=device-width">\n<meta name="referrer" content="no-referrer">\n'
        f'<meta name="color-scheme" content="light dark">\n<title>{words(face.title)} · Storyboard</title>\n'
        f"<style>{style}</style>\n</head>\n<body>\n<header>\n"
        f'<h1 dir="auto">{words(face.title)}</h1>\n'
        + (f'<p dir="auto">{words(face.logline)}</p>\n' if face.logline else "")
        + f'<p class="facts">{facts}</p>\n</header>\n'
        + (f'<nav aria-label="Scenes"><ul>{links}</ul></nav>\n' if len(scenes) > 1 else "")
        + "<main>\n"
    )


def shots(panels: Sequence[Panel], fields: Sequence[str], picture: Callable[[int], bytes | None]) -> Iterator[str]:
    """Each panel's part of the page, scenes' headings between them.

    Args:
        panels: of the film.
        fields: what is told of a shot.
        picture: gives the JPEG of the panel of an index, or None.
    """
    if not panels:
        yield _EMPTY
        return
    level = 2
    for index, panel in enumerate(panels):
        if panel.scene or not index:
            yield "</div>\n" if index else ""
            yield f'<h2 dir="auto">{words(panel.scene)}</h2>\n' if panel.scene else ""
            yield '<div class="panels">\n'
        level = 3 if panel.scene else level
        yield _panel(panel, fields, picture(index), level)
    yield "</div>\n"


END = "</main>\n</body>\n</html>\n"


def words(text: str) -> str:
    """Text as text of a page, whatever it looks like; without characters that no page may hold."""
    return escape(clean(text))


def _policy(style: str) -> str:
    """What a browser lets the page do: show its own style and pictures, and nothing else."""
    told = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    return f"default-src 'none'; style-src 'sha256-{told}'; img-src data:; base-uri 'none'; form-action 'none'"


def _panel(panel: Panel, fields: Sequence[str], picture: bytes | None, level: int) -> str:
    number = f"<b>{panel.number}</b>" if "number" in fields else ""
    duration = f'<span class="time">{panel.duration}</span>' if "duration" in fields else ""
    told = "".join(
        f'<dt>{label}</dt><dd dir="auto">{words(text)}</dd>'
        for name, label in _LABELS
        if name in fields and (text := getattr(panel, name))
    )
    said = "".join(
        '<dd dir="auto">' + (f"<b>{words(line.who)}</b>: " if line.who else "") + f"{words(line.text)}</dd>"
        for line in panel.dialogue
    )
    dialogue = f"<dt>Dialogue</dt>{said}" if said and "dialogue" in fields else ""
    return (
        f'<article id="shot-{panel.number}">{_picture(panel, picture)}<div class="words">'
        f'<h{level} class="shot">{number}'
        f'<span class="title" dir="auto">{words(panel.title)}</span>{duration}</h{level}>'
        + (f"<dl>{dialogue}{told}</dl>" if dialogue or told else "")
        + "</div></article>\n"
    )


def _picture(panel: Panel, picture: bytes | None) -> str:
    if picture is None:
        why = "Its picture is missing" if panel.missing else "No picture yet"
        return f'<div class="none" role="img" aria-label="{words(panel.alt)}">{why}</div>'
    data = base64.b64encode(picture).decode()
    return f'<img alt="{words(panel.alt)}" src="data:image/jpeg;base64,{data}">'
