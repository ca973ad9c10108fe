"""The files that belong to the pages: style and scripts, each known by its content, so that it is fetched once."""

import hashlib
from functools import cache
from pathlib import Path
from typing import Final

from starlette.requests import Request as HttpRequest
from starlette.responses import Response

FOLDER: Final = Path(__file__).with_name("static")
SLATE: Final = FOLDER / "slate.svg"
"""What is shown of a shot that has no picture."""

PREFIX: Final = "/static/"
_TYPES: Final = {".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}
_YEAR: Final = "private, max-age=31536000, immutable"


@cache
def assets() -> "Assets":
    """All of them, as they were when the process first asked."""
    return Assets()


class Assets:
    """All of them, read once."""

    def __init__(self) -> None:
        files = [path for path in sorted(FOLDER.iterdir()) if path.suffix in _TYPES]
        self._known = {path.name: path.read_bytes() for path in files}
        self._marks = {name: hashlib.sha256(content).hexdigest()[:16] for name, content in self._known.items()}

    def address(self, name: str) -> str:
        """Where a file is; another one when it has changed."""
        return f"{PREFIX}{name}?v={self._marks[name]}"

    async def answer(self, http: HttpRequest) -> Response:
        """The file, or 404."""
        name = http.path_params["name"]
        content = self._known.get(name)
        if content is None:
            return Response("There is no such file.\n", 404, media_type="text/plain")
        kept = _YEAR if http.query_params.get("v") == self._marks[name] else "no-cache"
        headers = {"Cache-Control": kept, "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'"}
        return Response(content, headers=headers, media_type=_TYPES[Path(name).suffix])
