"""The list of checksums of a delivery, as `sha256sum -c` reads it. Pure."""

from collections.abc import Mapping

NAME = "checksums-sha256.txt"
"""Its name in the delivery."""


def checksums(digests: Mapping[str, str]) -> bytes:
    """The list, sorted by path, the same on every system.

    Args:
        digests: path relative to the delivery, `/` between names, to 64 hex digits. No path holds a backslash or an
            end of line.

    Source: GNU coreutils manual, "md5sum invocation": digest, space, `*` or a second space, name.
    """
    return "".join(f"{digests[path]}  {path}\n" for path in sorted(digests)).encode()
