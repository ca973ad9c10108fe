"""What StoryCore leans on: the encoder, the clock, the key of secrets, ComfyUI servers, receivers of webhooks."""

import importlib.util
from collections.abc import Iterator
from datetime import timedelta
from typing import Final

from storycore.app import App
from storycore.comfyui.backend import Status
from storycore.errors import StoryCoreError
from storycore.operations.finding import Finding, broken, fine, odd
from storycore.storage.secret_file import others_may_read
from storycore.units import human_seconds, now

CLOCK_SECONDS: Final = 60.0
"""By how much clocks may differ; receivers of webhooks take messages that are up to five minutes old."""

_MOST_WEBHOOKS = 1000
_SOUND: Final = {"aac": "aac", "mp3": "libmp3lame", "opus": "libopus", "vorbis": "libvorbis", "flac": "flac"}
"""Codecs of sound → what ffmpeg calls the encoders that formats ask for."""

_EXTRAS: Final = {
    "mcp": ("mcp", "agents are answered by `storycore mcp`", "for agents"),
    "otel": ("opentelemetry.exporter.otlp.proto.http",
             "servers and workers send traces where OTEL_EXPORTER_OTLP_ENDPOINT says", "for traces"),
}  # fmt: skip
"""Extra → what it brings, what that does, and what it would do."""


def encoder(app: App) -> Iterator[Finding]:
    """Whether there is an ffmpeg, and what it lacks."""
    from storycore.rendering.codecs import CODECS
    from storycore.rendering.encoder import encoders, find

    try:
        ffmpeg = find(app.settings)
        there = encoders(ffmpeg)
    except StoryCoreError as fault:
        yield broken("encoder", f"films can't be made: {fault.message}", fault.remediation)
        return
    lacking = [codec.title for codec in CODECS.values() if there.isdisjoint(codec.encoders)]
    lacking += [name for name, wanted in _SOUND.items() if wanted not in there]
    told = f"ffmpeg {ffmpeg.version}, {ffmpeg.path}"
    if lacking:
        yield odd(
            "encoder", f"{told} · it can't make {', '.join(lacking)}",
            "Leave STORYCORE_FFMPEG out for the one that comes with StoryCore, or name one that can.",
        )  # fmt: skip
    else:
        yield fine("encoder", f"{told} · makes all {len(CODECS) + len(_SOUND)} codecs")


def extras(_app: App) -> Iterator[Finding]:
    """What is installed beside StoryCore."""
    for extra, (module, does, would) in _EXTRAS.items():
        if _is_there(module):
            yield fine(extra, f"installed: {does}")
        else:
            yield fine(extra, f"not installed, and not needed here; {would}: pip install 'storycore[{extra}]'")


def _is_there(module: str) -> bool:
    try:
        return importlib.util.find_spec(module) is not None
    except ModuleNotFoundError:  # not even what it stands in
        return False


def sealing_key(app: App) -> Iterator[Finding]:
    """Whether the key of secrets can be used, and by nobody else."""
    if app.settings.secret_key.get_secret_value():
        yield fine("sealing key", "from STORYCORE_SECRET_KEY")
        return
    place, sealed = app.settings.sealing_key_place, app.endpoints.page(before=None, limit=1)
    if not place.exists() and not sealed:
        yield fine("sealing key", f"made when it is first needed, {place}")
        return
    try:
        if place.exists() and others_may_read(place):
            yield broken("sealing key", f"others on this machine may read {place}", f"chmod 600 '{place}'")
            return
        for webhook in sealed:
            app.vault.open(webhook.secrets[0].sealed, webhook.id)
        app.vault.check()
    except OSError as fault:
        yield broken("sealing key", f"{place} can't be read: {fault.strerror}", "Correct the rights of its folder.")
    except StoryCoreError as fault:
        yield broken("sealing key", fault.message, fault.remediation)
    else:
        yield fine("sealing key", f"{place}, for you alone")


def clock(app: App) -> Iterator[Finding]:
    """Whether this machine's clock is behind those that have written to the database."""
    newest = app.tasks.records.page(before=None, limit=1)
    ahead = (newest[0].created_at - now()).total_seconds() if newest else 0.0
    if ahead > CLOCK_SECONDS:
        yield odd(
            "clock", f"it says {now():%Y-%m-%d %H:%M} UTC; the newest task was accepted {human_seconds(ahead)} later",
            "Set the clock by NTP: receivers refuse webhooks that come from another time.",
        )  # fmt: skip
    else:
        yield fine("clock", f"{now():%Y-%m-%d %H:%M} UTC")


def comfyui(app: App) -> Iterator[Finding]:
    """Whether each ComfyUI server that is known answers now."""
    servers = app.comfyui
    if not servers.records.backends():
        return
    servers.do(servers.look_at_all())
    for number, backend in enumerate(servers.records.backends(), 1):
        name, address = f"comfyui_{number}", backend.address.name
        if backend.status is Status.DOWN:
            yield odd(
                name, f"{address}: {backend.error}",
                f"Start it, or forget it:  storycore comfyui disconnect {backend.id}",
            )  # fmt: skip
        elif not backend.takes_work(now()):
            why = "is given nothing new" if backend.status is Status.DRAINING else "died under runs, and is left alone"
            yield odd(name, f"{address} answers, but {why}", f"storycore comfyui connect {address}")
        else:
            yield fine(name, f"{address} answers, ComfyUI {backend.version or 'of unknown version'}")


def webhooks(app: App) -> Iterator[Finding]:
    """Whether webhooks were switched off because they failed, or fail now."""
    known = app.endpoints.page(before=None, limit=_MOST_WEBHOOKS)
    if not known:
        return
    for it in known:
        if not it.active and it.disabled_reason:
            gone = "its receiver said that it is gone" if it.disabled_reason == "gone" else "it failed for too long"
            yield odd(
                it.id, f"switched off: {gone}",
                f"When it is well:  storycore webhook update {it.id} --active  (then `webhook recover`)",
            )  # fmt: skip
        elif it.active and it.failing_since and now() - it.failing_since > timedelta(minutes=10):
            since = human_seconds((now() - it.failing_since).total_seconds())
            yield odd(
                it.id, f"has failed for {since}, {it.failures} times in a row",
                f"What its receiver says:  storycore webhook deliveries --webhook {it.id} --attempts",
            )  # fmt: skip
    waiting = app.deliveries.waiting()
    active = sum(it.active for it in known)
    yield fine("webhooks", f"{active} of {len(known)} are active · {waiting} deliveries wait")
