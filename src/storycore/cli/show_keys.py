"""How API keys look on the terminal."""

from rich.console import Console
from rich.text import Text

from storycore.cli.tables import instant, table, words
from storycore.cli.words import command
from storycore.operations.key import KeyCreateResult, KeyListResult, KeyRevokeResult

_STATES = {"usable": ("✓", "green"), "expired": ("○", "yellow"), "revoked": ("✗", "dim")}


def show_created(result: KeyCreateResult, console: Console) -> None:
    """A new key; its secret stands on a line of its own, so that it can be copied whole."""
    console.print(Text("✓ Key made", style="green"), words(result.name))
    console.print(Text(result.key, style="bold"), soft_wrap=True)
    console.print(Text("It is shown this once and kept nowhere. Callers send it as `Authorization: Bearer …`;"))
    console.print(
        Text("commands with --server read it from STORYCORE_KEY, or from the file that STORYCORE_KEY_FILE names.")
    )
    console.print(Text(f"It allows {', '.join(result.scopes)}."))
    console.print(Text("To end it: ", style="dim"), Text(command("key", "revoke", result.key_id)), sep="")


def show_list(result: KeyListResult, console: Console) -> None:
    """Keys, one a line."""
    if not result.items:
        console.print(Text(f"No keys yet. The first one:  {command('key', 'create', 'edit suite')}"))
        return
    shown = table("Key", "Name", "State", "Last used", "Ends", "Allows")
    for key in result.items:
        mark, style = _STATES[key.state]
        state = Text(f"{mark} {key.state}", style=style)
        allows = Text(" ".join(key.scopes))
        shown.add_row(key.key_id, words(key.name), state, instant(key.last_used_at), instant(key.expires_at), allows)
    console.print(shown)


def show_revoked(result: KeyRevokeResult, console: Console) -> None:
    """The key that opens nothing any more."""
    console.print(Text("✓ Ended", style="green"), words(f"{result.name} ({result.key_id})"))
