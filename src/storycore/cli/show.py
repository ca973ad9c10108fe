"""Results on the terminal, by operation; without a special form, facts one a line."""

import sys
from typing import TYPE_CHECKING, Any

from storycore.cli.words import plain
from storycore.loading import load
from storycore.operations.request import Result

if TYPE_CHECKING:
    from rich.console import Console

_SHOWN = {
    "storycore.export.package": "storycore.cli.show_export:show_package",
    "storycore.export.format": "storycore.cli.show_export:show_format",
    "storycore.export.deliver": "storycore.cli.show_delivery:show_delivery",
    "storycore.export.presets": "storycore.cli.show_export:show_presets",
    "storycore.export.plan": "storycore.cli.show_export:show_plan",
    "storycore.export.metadata": "storycore.cli.show_metadata:show_metadata",
    "storycore.export.verify": "storycore.cli.show_verify:show_verify",
    "storycore.integration.comfyui.connect": "storycore.cli.show_generated:show_connect",
    "storycore.integration.comfyui.workflow": "storycore.cli.show_generated:show_workflow",
    "storycore.integration.comfyui.generate_video": "storycore.cli.show_generated:show_workflow",
    "storycore.integration.comfyui.batch": "storycore.cli.show_generated:show_batch",
    "storycore.integration.comfyui.backends": "storycore.cli.show_generated:show_backends",
    "storycore.project.pick": "storycore.cli.show_generated:show_pick",
    "storycore.integration.comfyui.convert": "storycore.cli.show_comfyui:show_convert",
    "storycore.integration.comfyui.check": "storycore.cli.show_comfyui:show_check",
    "storycore.integration.webhook.list": "storycore.cli.show_webhooks:show_list",
    "storycore.integration.webhook.deliveries": "storycore.cli.show_webhooks:show_deliveries",
    "storycore.project.inspect": "storycore.cli.show_project:show_inspect",
    "storycore.project.list": "storycore.cli.show_project:show_list",
    "storycore.task.status": "storycore.cli.show_tasks:show_status",
    "storycore.task.list": "storycore.cli.show_tasks:show_list",
    "storycore.artifact.list": "storycore.cli.show_tasks:show_artifacts",
    "storycore.artifact.download": "storycore.cli.show_tasks:show_download",
    "storycore.key.create": "storycore.cli.show_keys:show_created",
    "storycore.key.list": "storycore.cli.show_keys:show_list",
    "storycore.key.revoke": "storycore.cli.show_keys:show_revoked",
    "storycore.integration.webhook.register": "storycore.cli.show_webhooks:show_registered",
    "storycore.integration.webhook.rotate_secret": "storycore.cli.show_webhooks:show_rotated",
    "storycore.integration.webhook.ping": "storycore.cli.show_webhooks:show_attempt",
    "storycore.integration.webhook.trigger": "storycore.cli.show_webhooks:show_attempt",
    "storycore.event.list": "storycore.cli.show_webhooks:show_events",
}
_DATA = {"storycore.export.metadata", "storycore.integration.comfyui.convert"}
"""Operations whose result is data for stdout, whatever `--quiet` says."""


def show(name: str, result: Result, *, quiet: bool, err: bool) -> None:
    """Shows the result of the operation `name` on stdout, or on stderr if stdout carries the product."""
    if quiet and name not in _DATA:
        return
    stream = sys.stderr if err else sys.stdout
    if name in _DATA:
        load(_SHOWN[name])(result, stream)
        return
    from rich.console import Console  # it takes longer to load than a quiet command takes to run

    console = Console(file=stream, highlight=False, markup=False, emoji=False, width=None if stream.isatty() else 80)
    if name in _SHOWN:
        load(_SHOWN[name])(result, console)
    else:
        facts(result.model_dump(), console)


def facts(values: dict[str, Any], console: "Console") -> None:
    """One fact a line, names aligned."""
    from rich.text import Text

    width = max(map(len, values), default=0)
    for name, value in values.items():
        console.print(Text(f"{name.replace('_', ' '):<{width}}  ", style="dim") + Text(plain(str(value))))
