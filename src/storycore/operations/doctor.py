"""Whether this installation can do its work: one finding for each thing that could stand in the way."""

import importlib.util
import os
import platform
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

from storycore.app import App
from storycore.database.connect import WHERE_TOLD
from storycore.errors import StoryCoreError
from storycore.observe.readiness import check_places
from storycore.operations import surroundings
from storycore.operations.finding import Finding, State, broken, fine, odd
from storycore.settings import sources, without_passwords
from storycore.storage.place import Kind, StorePlace, names_store, read_place
from storycore.units import human_bytes, human_seconds, now

_STORE_SECONDS = 10.0
_OLD_SECONDS = 24 * 60 * 60


def examine(app: App) -> list[Finding]:
    """Looks at everything; changes nothing, but a database that is missing is made.

    ComfyUI servers and stores are asked now; what stands in the database is left out where that can't be used.
    """
    looks: tuple[Callable[[App], Iterator[Finding]], ...] = (
        _system, _settings, surroundings.encoder, _letters, _marks, _extras, surroundings.extras, _places, _stores,
        _segments, _disks, _database,
    )  # fmt: skip
    findings = [finding for look in looks for finding in look(app)]
    knows = app.keeps_records and all((it.name, it.state) != ("database", State.BROKEN) for it in findings)
    remembered = (surroundings.clock, surroundings.sealing_key, _keys, surroundings.comfyui, surroundings.webhooks)
    for look in remembered if knows else (_keys,):
        try:
            findings += look(app)
        except StoryCoreError as fault:  # the database went away, or a setting of that part can't be used
            name = look.__name__.strip("_").replace("_", " ")
            findings.append(broken(name, fault.message, fault.remediation))
    return findings


def _system(_app: App) -> Iterator[Finding]:
    from storycore import __version__

    words = f"StoryCore {__version__} on Python {platform.python_version()}, {platform.system()} {platform.machine()}"
    yield fine("program", words)


def _settings(_app: App) -> Iterator[Finding]:
    read = [place for place, values in sources() if values]
    yield fine("settings", f"from {', '.join(read)}" if read else "all as they come; `storycore config` lists them")


def _letters(_app: App) -> Iterator[Finding]:
    from storycore.rendering.lettering import typesetter

    if typesetter() == "raqm":
        yield fine("letters", "of every script, laid out by raqm")
    else:
        yield Finding(
            name="letters", state=State.ODD, words="laid out plainly: Arabic and Indian letters stand apart",
            remedy="install FriBidi (Debian: libfribidi0; macOS: brew install fribidi; Windows: fribidi.dll on PATH)",
        )  # fmt: skip


def _marks(app: App) -> Iterator[Finding]:
    if importlib.util.find_spec("c2pa") is None:
        yield Finding(
            name="credentials", state=State.ODD, words="films can't be signed: c2pa-python is not installed",
            remedy="pip install c2pa-python, or set STORYCORE_CREDENTIALS=never",
        )  # fmt: skip
        return
    settings = app.settings
    if settings.signing_certificate is not None or settings.signing_key_file is not None:
        from storycore.metadata import signing_key

        try:
            signing_key.identity(settings)
        except StoryCoreError as fault:
            yield Finding(
                name="credentials", state=State.BROKEN, words=f"films can't be signed: {fault.message}",
                remedy=fault.remediation,
            )  # fmt: skip
            return
        yield fine("credentials", f"films are signed with your certificate, {settings.signing_certificate}")
    elif settings.signing_place.exists():
        yield fine("credentials", f"films are signed with the key of this installation, {settings.signing_place}")
    else:
        yield fine("credentials", "films will be signed with a key of this installation, made when first needed")


def _extras(app: App) -> Iterator[Finding]:
    there = importlib.util.find_spec("psycopg") is not None and importlib.util.find_spec("procrastinate") is not None
    wanted = app.settings.database_url.startswith("postgresql")
    if there:
        yield fine("postgres", "its driver and procrastinate are installed")
    elif wanted:
        yield Finding(
            name="postgres", state=State.BROKEN, words="the database is a Postgres, and its driver is not installed",
            remedy="pip install 'storycore[postgres]'",
        )  # fmt: skip
    else:
        yield fine("postgres", "not installed, and not needed here; for many machines: storycore[postgres]")


def _places(app: App) -> Iterator[Finding]:
    checks = check_places(app.places.roots or (), app.settings.output_roots, min_free_bytes=0)
    folders = {f"root_{number}": path for number, path in enumerate(app.places.roots or (), 1)}
    folders |= {f"output_root_{number}": path for number, path in enumerate(app.settings.output_roots, 1)}
    for name, problem in checks.items():
        if name not in folders:
            continue
        if problem:
            yield Finding(
                name=name, state=State.BROKEN, words=f"{folders[name]} {problem}",
                remedy="Correct STORYCORE_ROOTS or STORYCORE_OUTPUT_ROOTS, or make the folder.",
            )  # fmt: skip
        else:
            yield fine(name, str(folders[name]))


def _stores(app: App) -> Iterator[Finding]:
    """Whether each listed store lets us in, and what is left there of uploads that nobody will finish."""
    for number, place in enumerate(app.places.stores, 1):
        yield _store(f"store_{number}", place)


def _segments(app: App) -> Iterator[Finding]:
    """Whether the place can be used where machines share segments; without it each renders alone."""
    text, name = app.settings.segment_store, "segment_store"
    if not text:
        return
    from storycore.rendering.depot import depot_of

    try:
        depot_of(app.settings)
    except StoryCoreError as fault:
        yield broken(name, fault.message, fault.remediation)
        return
    if names_store(text):
        yield _store(name, read_place(text))
    else:
        yield from _disk(name, Path(text).expanduser(), app.settings.min_free_bytes)


def _store(name: str, place: StorePlace) -> Finding:
    from storycore.storage.objects import Bucket

    asked = ""
    try:
        bucket = Bucket(place, timeout_seconds=_STORE_SECONDS)
        asked = f" It was asked at {bucket.server}." if bucket.server else ""
        bucket.look(place.key)
        uploads = bucket.uploads(place.key)
    except StoryCoreError as fault:
        return broken(name, fault.message + asked, fault.remediation)
    old = [upload for upload in uploads or () if (now() - upload.begun_at).total_seconds() > _OLD_SECONDS]
    if old:
        return odd(
            name,
            f"{place} answers · begun more than a day ago and never finished: "
            f"{len(old)} {'upload' if len(old) == 1 else 'uploads'}",
            "Set a lifecycle rule on the bucket that aborts unfinished uploads (docs/stores.md).",
        )
    if uploads is None and place.kind is not Kind.AZURE:  # Azure forgets them by itself, within a week
        return odd(
            name,
            f"{place} answers, and does not let us list unfinished uploads",
            "Allow s3:ListBucketMultipartUploads, or set a lifecycle rule on the bucket that aborts unfinished uploads "
            "after a day (docs/stores.md).",
        )
    return fine(name, f"{place} answers")


def _disks(app: App) -> Iterator[Finding]:
    yield from _disk("cache", app.settings.cache_folder, app.settings.min_free_bytes)
    if app.settings.database_url == "" or app.settings.database_url.startswith("sqlite"):
        path = Path(app.settings.database.removeprefix("sqlite:///"))
        yield from _disk("data", path.parent, app.settings.min_free_bytes)


def _disk(name: str, folder: Path, floor: int) -> Iterator[Finding]:
    there = next((place for place in (folder, *folder.parents) if place.exists()), None)
    if there is None:
        yield Finding(
            name=name,
            state=State.BROKEN,
            words=f"{folder} can't be made",
            remedy="Name another folder in the settings.",
        )
        return
    if not (there.is_dir() and os.access(there, os.W_OK)):
        yield Finding(
            name=name,
            state=State.BROKEN,
            words=f"{there} can't be written to",
            remedy="Change its rights, or the setting.",
        )
        return
    free = shutil.disk_usage(there).free
    if free < floor:
        yield Finding(
            name=name,
            state=State.ODD,
            words=f"only {human_bytes(free)} free at {folder}",
            remedy="Make room on that disk.",
        )
    else:
        yield fine(name, f"{folder} · {human_bytes(free)} free")


def _database(app: App) -> Iterator[Finding]:
    if not app.keeps_records:
        yield Finding(
            name="database", state=State.ODD, words="there is none: nothing is remembered, and `serve` can't run",
            remedy="Leave STORYCORE_DATABASE_URL out for one of your own.",
        )  # fmt: skip
        return
    try:
        records = app.tasks.records
        counts, since = records.counts(), records.waiting_since()
    except StoryCoreError as fault:
        where = without_passwords(app.settings.database)
        yield broken("database", f"{fault.message} It is {where}.", fault.remediation.removeprefix(WHERE_TOLD))
        return
    told = ", ".join(f"{count} {status}" for status, count in counts.items() if count) or "no tasks yet"
    yield fine("database", f"{app.database.url} · {told}")
    if since is not None and (now() - since).total_seconds() > 60:
        yield Finding(
            name="queue", state=State.ODD,
            words=f"a task has waited for {human_seconds((now() - since).total_seconds())}",
            remedy="Start `storycore serve` or `storycore worker`, which do what waits.",
        )  # fmt: skip


def _keys(app: App) -> Iterator[Finding]:
    if app.settings.is_open:
        return
    try:
        usable = app.keeps_records and app.keys.any_usable()
    except StoryCoreError:
        return  # told already
    if usable:
        yield fine("keys", "callers of `serve` need one, and there is a usable one")
    else:
        yield Finding(
            name="keys", state=State.BROKEN, words="callers of `serve` need an API key, and there is no usable one",
            remedy="storycore key create NAME",
        )  # fmt: skip


def server(address: str, ask: Callable[[], str]) -> Finding:
    """Whether the server that the settings name answers; `ask` gives its version."""
    try:
        return fine("server", f"{address} answers, StoryCore {ask()}")
    except StoryCoreError as fault:
        return Finding(name="server", state=State.BROKEN, words=fault.message, remedy=fault.remediation)


def healthy(findings: list[Finding]) -> bool:
    """Whether nothing is broken."""
    return all(finding.state is not State.BROKEN for finding in findings)
