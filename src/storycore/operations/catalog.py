"""Every operation as plain data: listing it loads nothing.

HTTP routes, command line commands, the OpenAPI document and the reference pages are made from this list.
"""

from typing import NamedTuple


class Operation(NamedTuple):
    """One public name.

    Attributes:
        name: dotted, as callers know it.
        method: "GET" for looking, "POST" for everything else.
        function: `module:function`; takes `(app, request)`, and a `Progress` third if `long`.
        request: `module:RequestType`.
        summary: one line.
        examples: command lines that work, for `--help`.
        long: whether it can take more than a moment: it tells its progress and can be cancelled.
        stream: `module:function` that writes the product to an open file instead, or "".
        dry_run: dotted name of the operation that tells what this one would do, or "".
    """

    name: str
    method: str
    function: str
    request: str
    summary: str
    examples: tuple[str, ...] = ()
    long: bool = False
    stream: str = ""
    dry_run: str = ""

    @property
    def words(self) -> tuple[str, ...]:
        """How it is said on the command line: the dotted name without `storycore` and `integration`."""
        return tuple(word.replace("_", "-") for word in self.name.split(".")[1:] if word != "integration")


_EXPORT = "storycore.operations.export"
_PROJECT = "storycore.operations.project"

OPERATIONS: tuple[Operation, ...] = (
    Operation(
        "storycore.export.package", "POST", f"{_EXPORT}:package", f"{_EXPORT}:PackageRequest",
        "Pack a project into one ZIP that anyone can verify",
        (
            "storycore export package film/",
            "storycore export package film/ -o delivery/ --include-source",
            "storycore export package film/ -o - | ssh archive 'cat > film.zip'",
        ),
        long=True, stream=f"{_EXPORT}:stream_package", dry_run="storycore.export.plan",
    ),
    Operation(
        "storycore.export.format", "POST", f"{_EXPORT}:convert", f"{_EXPORT}:FormatRequest",
        "Write a project in a format: zip or json",
        ("storycore export format film/ --to json", "storycore export format film/ --to zip,json -o delivery/"),
        long=True,
    ),
    Operation(
        "storycore.export.metadata", "POST", f"{_EXPORT}:metadata", f"{_EXPORT}:MetadataRequest",
        "Describe a project for people and machines, as JSON, XML or YAML",
        ("storycore export metadata film/", "storycore export metadata film/ --format xml > film.xml"),
        long=True,
    ),
    Operation(
        "storycore.export.verify", "POST", f"{_EXPORT}:verify", f"{_EXPORT}:VerifyRequest",
        "Check a package down to the last byte",
        ("storycore export verify film.zip", "storycore export verify film.zip --unpack-to film-copy/"),
        long=True,
    ),
    Operation(
        "storycore.export.plan", "POST", f"{_EXPORT}:plan", f"{_EXPORT}:PlanRequest",
        "Tell what an export would hold, without writing anything",
        ("storycore export plan film/",),
    ),
    Operation(
        "storycore.project.inspect", "GET", f"{_PROJECT}:inspect", f"{_PROJECT}:InspectRequest",
        "Show a project: its shots, its sound, and what is missing",
        ("storycore project inspect film/", "storycore project inspect film/ --json"),
    ),
    Operation(
        "storycore.project.list", "GET", f"{_PROJECT}:list_projects", f"{_PROJECT}:ListRequest",
        "List the projects in a folder",
        ("storycore project list", "storycore project list ~/films"),
    ),
)  # fmt: skip


GROUPS = {
    "export": "Pack, convert, describe and verify a project",
    "project": "Look at projects",
}
"""What the operations of a group do together, by their first word."""


def find(name: str) -> Operation | None:
    """The operation of a dotted name."""
    return next((operation for operation in OPERATIONS if operation.name == name), None)
