"""zip: the whole project as a package that anyone can verify, as `export package` makes it."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any

from pydantic import Field, Strict

from storycore.exports.formats.figures import Figure
from storycore.exports.formats.format import Film, FormatOptions, Made
from storycore.exports.formats.options import MarkOptions
from storycore.exports.package import write_package
from storycore.exports.packing.contents import Contents, documented, plan
from storycore.exports.packing.selection import Selection
from storycore.observe.progress import Progress

_Switch = Annotated[bool, Strict()]


class ZipOptions(MarkOptions):
    """Options of zip, with the defaults of a package."""

    include_source: _Switch = Field(default=False, description="Pack workflows, scripts, prompts and editor files.")
    include_assets: _Switch = Field(default=True, description="Pack pictures, clips and sound.")
    include_reports: _Switch = Field(default=True, description="Pack QA reports.")
    compression_level: Annotated[int, Strict()] = Field(
        default=6, ge=0, le=9, description="0 stored, 1-3 fast, 4-9 smaller."
    )


class _Zip:
    name = "zip"
    suffix = ".zip"
    media_type = "application/zip"
    options: type[FormatOptions] = ZipOptions
    figures: Mapping[str, Figure] = {
        "files": Figure(words="the number of files"),
        "content_bytes": Figure(words="the size, unpacked"),
        "size_ratio": Figure(words="the size, packed, as a share"),
    }

    def write(self, film: Film, target: Path, options: Any, progress: Progress) -> Made:
        """The package of a film."""
        contents = documented(self.contents(film, options), film.project, film.settings)
        contents = replace(contents, documents={**contents.documents, **film.enclosed})
        package = write_package(contents, target, level=options.compression_level, progress=progress)
        metrics = {
            "files": len(package.files),
            "content_bytes": sum(file.size_bytes for file in package.files),
            "size_ratio": round(package.size_bytes / max(1, sum(file.size_bytes for file in package.files)), 4),
        }
        return Made(size_bytes=package.size_bytes, sha256=package.sha256, metrics=metrics)

    def contents(self, film: Film, options: Any) -> Contents:
        """The files that it holds."""
        selection = Selection(
            source=options.include_source, assets=options.include_assets, reports=options.include_reports
        )
        return plan(film.project, film.listing, selection)


FORMAT = _Zip()
