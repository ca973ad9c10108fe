"""The typesetter: a process that makes one PDF of a template, and ends. The only door to typst.

It runs apart because a page can need much memory, and because templates of strangers are programs: they may run on
without end. It is told what to do in JSON on its stdin, and answers so on its stdout. Templates see only the folder of
their own job; packages come from nowhere.

Started as `python -m storycore.exports.documents.typesetter`.
"""

import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import typst


def main() -> None:
    """Makes one document."""
    order = json.loads(sys.stdin.read())
    sys.stdout.write(json.dumps(_made(order)))


def _made(order: Mapping[str, Any]) -> dict[str, Any]:
    folder = Path(order["folder"])
    nowhere = str(folder / "packages")
    try:
        compiler = typst.Compiler(
            str(folder / order["template"]),
            root=str(folder),
            font_paths=order["fonts"],
            ignore_system_fonts=True,
            package_path=nowhere,
            package_cache_path=nowhere,
        )
        _, warnings = compiler.compile_with_warnings(
            output=str(folder / order["output"]),
            format="pdf",
            pdf_standards=order["standards"],
            timestamp=order["timestamp"],
        )
    except typst.TypstError as fault:
        return {"error": fault.message, "hints": list(fault.hints), "where": fault.diagnostic}
    return {"warnings": [warning.message for warning in warnings]}


if __name__ == "__main__":
    main()
