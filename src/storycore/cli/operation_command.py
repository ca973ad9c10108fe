"""One command for one operation: its options are the fields of its request."""

from typing import Any

import click

from storycore.cli.call import Call
from storycore.cli.command_line import with_examples
from storycore.cli.options import parameters, to_values
from storycore.loading import load
from storycore.operations.catalog import Operation, find
from storycore.operations.request import Request


def build(operation: Operation) -> click.Command:
    """The click command of an operation."""
    request_type: type[Request[Any]] = load(operation.request)
    own = [
        click.Option(["--json", "as_json"], is_flag=True, help="Print the whole answer as JSON."),
        click.Option(["-q", "--quiet"], is_flag=True, help="Show no progress and no summary."),
        click.Option(["--server"], metavar="URL", help="Let a running server do it.  [default: this process]"),
    ]
    if operation.answer == "file":
        own.append(
            click.Option(["-o", "--output"], metavar="PATH", help="New file, or a folder.  [default: this folder]")
        )
    if operation.dry_run:
        own.append(click.Option(["--dry-run", "plan_only"], is_flag=True, help="Only tell what it would do."))

    def callback(as_json: bool, quiet: bool, server: str | None, plan_only: bool = False, **options: Any) -> int:
        given = {name: value for name, value in options.items() if value is not None}
        place = {"output": given.pop("output")} if "output" in given else {}
        planned = find(operation.dry_run) if plan_only else None
        if planned is None:
            call = Call(operation, request_type, as_json=as_json, quiet=quiet, server=server)
            return call.make(lambda: {**to_values(request_type, given), **place})
        kind: type[Request[Any]] = load(planned.request)

        def values() -> dict[str, Any]:
            found = to_values(request_type, given)
            request_type(**found)  # what would be refused is refused now
            return {name: value for name, value in found.items() if name in kind.model_fields}

        return Call(planned, kind, as_json=as_json, quiet=quiet, server=server).make(values)

    return click.Command(
        operation.words[-1],
        params=[*parameters(request_type, streams=bool(operation.stream)), *own],
        callback=callback,
        help=with_examples(operation.summary, operation.examples),
        short_help=operation.summary,
        context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    )
