"""The metadata document on the terminal: standard output is the document and nothing else."""

from typing import TextIO

from storycore.operations.description import MetadataResult


def show_metadata(result: MetadataResult, stdout: TextIO) -> None:
    """Writes the document in the format that was asked for, ready for a file or a pipe."""
    stdout.write(result.metadata_text)
