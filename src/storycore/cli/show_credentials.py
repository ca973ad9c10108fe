"""What vouches for a file, as a person wants to read it."""

from pathlib import Path
from typing import Final

from rich.console import Console
from rich.padding import Padding
from rich.text import Text

from storycore.cli.words import plain
from storycore.operations.verification import Credentials, CredentialsPart, VerifyResult

_WIDTH: Final = 80
_MOST: Final = 20
"""How many parts are shown; `--json` has them all."""
_STATES: Final = {None: "", "trusted": "signed, trusted", "valid": "signed", "invalid": "signed, but changed since"}


def show_credentials(result: VerifyResult, console: Console) -> None:
    """Prints the verdict on a file, who signed it, what is claimed, and what it is made of; 80 columns at most.

    All of it is text of strangers: control characters are shown as escapes, and nothing is taken for markup.
    """
    found = result.credentials
    _line(console, _verdict(result))
    for fault in result.faults:
        _line(console, Text.assemble(("✗ ", "red"), plain(fault.message)), indent=2)
    if found is None:
        _line(console, Text("Nothing in it tells how it was made, or whether it was changed."), indent=2)
        return
    for name, text in _facts(found):
        _line(console, Text.assemble((f"{name:<10}", "dim"), plain(text)), indent=2)
    for remark in result.warnings:
        _line(console, Text.assemble(("! ", "yellow"), plain(remark.message)), indent=2)
    if found.ingredients:
        count = len(found.ingredients)
        _line(console, Text(f"Made of {count} {'part' if count == 1 else 'parts'}:"), indent=2)
        for part in found.ingredients[:_MOST]:
            _line(console, _part(part), indent=4)
        if count > _MOST:
            _line(console, Text(f"… and {count - _MOST} more; --json lists them.", style="dim"), indent=4)


def _verdict(result: VerifyResult) -> Text:
    name = plain(Path(result.path).name)
    found = result.credentials
    if found is None:
        word = "can't be read" if result.faults and result.faults[0].reason != "no_credentials" else "not signed"
        return Text.assemble((f"✗ {word}", "bold red"), f"  {name}")
    if not result.valid:
        return Text.assemble(("✗ not valid", "bold red"), f"  {name}: not as it was signed")
    trust = {True: "signed by this installation", False: "signed by someone trusted here"}[found.signed_here]
    trust = trust if found.state == "trusted" else "not changed since it was signed"
    return Text.assemble(("✓ valid", "bold green"), f"  {name}: {trust}")


def _facts(found: Credentials) -> list[tuple[str, str]]:
    signer = found.signer or "an unknown signer"
    who = "this installation" if found.signed_here else "trusted" if found.state == "trusted" else "not known here"
    who = "this installation; others do not know its certificate" if found.self_made else who
    when = found.signed_at or "no time stamp of anybody else"
    facts = [("signed by", f"{signer} ({who})"), ("when", when)]
    facts.append(("claims", found.claim or "nothing of how it was made"))
    if found.title:
        facts.append(("title", found.title))
    if found.generator:
        facts.append(("made with", found.generator))
    if found.training_mining:
        said = {f"{use.replace('_', ' ')} {_allowed(word)}" for use, word in found.training_mining.items()}
        facts.append(("training", "; ".join(sorted(said))))
    facts.append(("stands", "in the file" if found.beside is None else f"beside it, in {Path(found.beside).name}"))
    return facts


def _allowed(word: str) -> str:
    return {"allowed": "allowed", "notAllowed": "not allowed"}.get(word, word)


def _part(part: CredentialsPart) -> Text:
    kind = part.words or _kind(part.digital_source_type)
    told = " · ".join(filter(None, (kind, _STATES[part.state])))
    return Text.assemble((plain(part.title) or "untitled", "bold"), f"  {plain(told)}" if told else "")


def _kind(source_type: str) -> str:
    return source_type.rstrip("/").rsplit("/", maxsplit=1)[-1]


def _line(console: Console, text: Text, *, indent: int = 0) -> None:
    text.overflow = "fold"
    console.print(Padding(text, (0, 0, 0, indent), expand=False), width=min(console.width, _WIDTH), highlight=False)
