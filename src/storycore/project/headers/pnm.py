"""Headers of the portable anymap family, P1 to P6, text and binary.

Source: the Netpbm formats pbm(5), pgm(5), ppm(5).
"""

from storycore.project.headers.facts import HeaderFault, MediaFacts, picture
from storycore.project.headers.window import Window

_SPACE = b" \t\n\v\f\r"
_LONGEST = 64 * 1024
_COLORS = {b"1": "mono", b"4": "mono", b"2": "grey", b"5": "grey", b"3": "rgb", b"6": "rgb"}


def read_pnm(window: Window, media_type: str) -> MediaFacts:
    """Size, depth and colour; comments may stand anywhere before the pixels."""
    head = window.head(_LONGEST)
    kind = head[1:2]
    bitmap = kind in (b"1", b"4")
    width, height, *rest = _numbers(head, 2 if bitmap else 3)
    highest = 1 if bitmap else rest[0]
    if not 0 < highest < 65536:
        raise HeaderFault(f"an anymap whose highest value is {highest}")
    return picture(media_type, width, height, bit_depth=highest.bit_length(), color=_COLORS[kind])


def _numbers(head: bytes, count: int) -> list[int]:
    found: list[int] = []
    at = 2
    while len(found) < count:
        if at >= len(head):
            raise HeaderFault("an anymap whose header does not end")
        if head[at] in _SPACE:
            at += 1
        elif head[at : at + 1] == b"#":
            at = _line_end(head, at)
        else:
            end = at
            while end < len(head) and head[end : end + 1].isdigit():
                end += 1
            if not 0 < end - at <= 9:
                raise HeaderFault("an anymap whose header is not numbers")
            found.append(int(head[at:end]))
            at = end
    return found


def _line_end(head: bytes, at: int) -> int:
    ends = [end for end in (head.find(b"\n", at), head.find(b"\r", at)) if end >= 0]
    return min(ends, default=len(head))
