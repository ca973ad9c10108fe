"""Metadata on the terminal."""

import io

from storycore.cli.show_metadata import show_metadata
from storycore.operations.description import MetadataResult


def test_standard_output_is_the_document_and_nothing_else():
    result = MetadataResult(
        metadata_content={"a": 1},
        metadata_format="yaml",
        generation_time_ms=1.0,
        metadata_size_bytes=7,
        sections_included=[],
        metadata={},
        metadata_text='"a": 1\n',
        warnings=[],
    )
    stdout = io.StringIO()
    show_metadata(result, stdout)
    assert stdout.getvalue() == '"a": 1\n'
