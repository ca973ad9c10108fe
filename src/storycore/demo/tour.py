"""The tour: what a user would do with a film project, one command after the other, on a film made for it."""

import contextlib
import secrets
import sys
import tempfile
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TypeVar

from rich.console import Console
from rich.table import Table
from rich.text import Text

from storycore.cli.bar import follow
from storycore.cli.show import show
from storycore.cli.words import command
from storycore.demo.delivery import Hearing, hearing
from storycore.demo.film import make_film
from storycore.errors import Conflict, DependencyFailed, Reason, Unexpected
from storycore.library import StoryCore
from storycore.operations.conversion import FormatRequest, FormatResult
from storycore.operations.description import MetadataRequest
from storycore.operations.package import PackageRequest, PackageResult
from storycore.operations.project import InspectRequest
from storycore.operations.request import Request, Result
from storycore.operations.verification import VerifyRequest
from storycore.operations.webhook import WebhookDeleteRequest, WebhookRegisterRequest, WebhookUpdateRequest
from storycore.settings import Settings
from storycore.storage.local import new_file, new_folder
from storycore.units import human_bytes

R = TypeVar("R", bound=Result)

GoOn = Callable[[Path, Settings], None]
"""What follows the tour: takes the folder of it all, and the settings under which messages go on to its receiver."""

_FORMATS = ("mp4", "webm", "wav", "mp3", "srt", "poster", "pdf")
_OPTIONS = {"effort": "fast", "loudness_lufs": -16.0}
_METADATA = ("json", "xml", "yaml")


def tour(folder: Path | None, go_on: GoOn | None = None) -> None:
    """Makes the film in `folder` (a new one; `demo-film` here if None), works on it and tells what it does.

    With `go_on`, the receiver listens until that returns, and is told of everything.

    Raises:
        Conflict: output_exists: the folder named is there already.
        Unexpected: the independent checker disagrees with us.
    """
    place = _new_folder(folder)
    film, deliveries = place / "film", place / "delivered"
    console = Console(file=sys.stdout, highlight=False, width=None if sys.stdout.isatty() else 80)
    _say(console, "1", "A film project is drawn, sounded and written; code stands in for the generator", f"{film}")
    with new_folder(film) as making:
        make_film(making)
    settings = Settings.read()
    with hearing(secrets.token_urlsafe(24)) as heard:
        settings = settings.model_copy(update={"webhook_allow": (*settings.webhook_allow, heard.place)})
        with StoryCore(settings) as core:
            made = _work(core, console, film, deliveries)
            if settings.database_url == "none":
                _tell_where(console, place, made)
                return
            _say(console, "7", "Told to another system, signed", command("webhook", "register", f"{heard.url}"))
            if go_on:
                with _told(core, heard) as webhook_id:
                    _tell_others(core, console, heard, made[0])
                    _tell_where(console, place, made)
                    core.run(WebhookUpdateRequest(webhook_id=webhook_id, event_types=["*"]))
                    go_on(place, settings)
                return
        with _apart(settings) as alone, _told(alone, heard):
            _tell_others(alone, console, heard, made[0])
        _tell_where(console, place, made)


@contextlib.contextmanager
def _apart(settings: Settings) -> Iterator[StoryCore]:
    """With records of its own, so that no server and no other demo on this machine takes what is to be sent."""
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        url = f"sqlite:///{Path(folder, 'demo.db')}"
        with StoryCore(settings.model_copy(update={"database_url": url})) as core:
            yield core


def _work(core: StoryCore, console: Console, film: Path, deliveries: Path) -> list[Path]:
    """What a user would do with the film; gives the files that came of it, the package first."""
    _say(console, "2", "What is in it", command("project", "inspect", film))
    show("storycore.project.inspect", core.run(InspectRequest(project_path=str(film))), quiet=False, err=False)

    _say(console, "3", "Packed into one ZIP", command("export", "package", film, "-o", deliveries, "--include-source"))
    packed = _follow(core, PackageRequest(project_path=str(film), output_path=str(deliveries), include_source=True))
    show("storycore.export.package", packed, quiet=False, err=False)

    _say(console, "4", "Checked down to the last byte", command("export", "verify", packed.export_path))
    verified = _follow(core, VerifyRequest(package_path=packed.export_path))
    show("storycore.export.verify", verified, quiet=False, err=False)
    _check_independently(console, packed)

    _say(
        console,
        "5",
        "Rendered: a film, its sound, its captions and its storyboard; every figure measured in the finished files",
        command("export", "format", film, "--to", ",".join(_FORMATS), "-o", deliveries),
    )
    rendered = _follow(
        core,
        FormatRequest(
            project_path=str(film), target_format=list(_FORMATS), output_path=str(deliveries),
            conversion_options=_OPTIONS,
        ),
    )  # fmt: skip
    show("storycore.export.format", rendered, quiet=False, err=False)
    _check_films(console, rendered)

    _say(console, "6", "Described three ways", command("export", "metadata", film, "--format", "xml"))
    described = [_describe(core, film, deliveries, metadata_format) for metadata_format in _METADATA]
    return [Path(packed.export_path), *(Path(output.output_path) for output in rendered.outputs), *described]


def _new_folder(folder: Path | None) -> Path:
    if folder is not None:
        if folder.exists():
            raise Conflict(f"{folder} is there already.", remediation="Name a new folder, or remove this one.")
        return folder.absolute()
    names = ("demo-film", *(f"demo-film-{number}" for number in range(2, 10_000)))
    return next(Path(name) for name in names if not Path(name).exists()).absolute()


def _follow(core: StoryCore, request: Request[R]) -> R:
    with follow(quiet=False) as listener:
        return core.run(request, progress=listener)


def _check_independently(console: Console, packed: PackageResult) -> None:
    """Unpacks with Python's own zipfile and checks with bagit-python, neither of which we wrote."""
    try:
        import bagit
    except ImportError:
        raise DependencyFailed(
            "The independent checker is not installed.",
            reason=Reason.LIBRARY_MISSING,
            remediation='Install it with: python -m pip install "storycore[demo]"',
        ) from None
    with tempfile.TemporaryDirectory() as folder:
        with zipfile.ZipFile(packed.export_path) as package:
            package.extractall(folder)
            top = package.namelist()[0].split("/")[0]
        try:
            bagit.Bag(str(Path(folder, top))).validate(processes=1)
        except bagit.BagError as fault:
            raise Unexpected(f"bagit-python does not accept the package: {fault}") from fault
    console.print(Text("✓ ", style="green") + Text("bagit-python, which is not ours, says the same"))


def _check_films(console: Console, rendered: FormatResult) -> None:
    """Compares what was measured with what was to come out."""
    judged = [
        (output.target_format, name, told)
        for output in rendered.outputs
        for name, told in output.quality_metrics.items()
        if isinstance(told, dict) and name in ("frames", "duration", "audio_duration", "integrated_loudness")
    ]
    missed = [
        f"{where}: {name} {told['value']} {told['unit']}"
        for where, name, told in judged
        if told.get("verdict") not in (None, "within target")
    ]
    if missed:
        raise Unexpected(f"The films are not what was asked for: {'; '.join(missed)}")
    console.print(Text("✓ ", style="green") + Text(f"{len(judged)} figures were measured; all are within target"))


@contextlib.contextmanager
def _told(core: StoryCore, heard: Hearing) -> Iterator[str]:
    """The id of a webhook that tells the receiver of checks; it ends with the block."""
    hook = core.run(WebhookRegisterRequest(url=heard.url, event_types=["qa.*"], secret=heard.secret))
    try:
        yield hook.webhook_id
    finally:
        core.run(WebhookDeleteRequest(webhook_id=hook.webhook_id))


def _tell_others(core: StoryCore, console: Console, heard: Hearing, package: Path) -> None:
    """Checks the package once more, and shows what came of that."""
    core.run(VerifyRequest(package_path=str(package)))
    waiting = core.send_first(seconds=10)
    came = heard.came()
    if waiting or len(came) != 2 or not all(entry.verified for entry in came):
        raise Unexpected("The messages about the check did not come as they were sent.")
    for entry in came:
        console.print(
            Text("✓ ", style="green") + Text(f"{entry.id} came, its signature holds; answered {entry.status}")
        )


def _describe(core: StoryCore, film: Path, folder: Path, metadata_format: str) -> Path:
    request = MetadataRequest.model_validate({"project_path": str(film), "metadata_format": metadata_format})
    path = folder / f"metadata.{metadata_format}"
    with new_file(path) as file:
        file.write(core.run(request).metadata_text.encode())
    return path


def _say(console: Console, number: str, what: str, how: str) -> None:
    console.print()
    console.print(Text(f"{number} ", style="dark_orange"), Text(what, style="bold"), sep="")
    console.print(Text(f"  {how}", style="dim"), soft_wrap=True)


def _tell_where(console: Console, place: Path, paths: list[Path]) -> None:
    table = Table(box=None, pad_edge=False, show_header=False)
    for path in paths:
        table.add_row(Text("✓", style="green"), human_bytes(path.stat().st_size), Text(str(path.relative_to(place))))
    console.print()
    console.print(table)
    console.print()
    console.print(Text("Everything is in ", style="bold"), Text(str(place)), sep="", soft_wrap=True)
    console.print("Try next:")
    film = place / "film"
    for line in (
        command("export", "plan", film),
        command("export", "deliver", film, "--template", "festival"),
        command("serve", "--root", place),
    ):
        console.print(Text(f"  {line}"), soft_wrap=True)
