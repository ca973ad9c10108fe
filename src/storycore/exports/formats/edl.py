"""edl: the pictures of the edit as a CMX 3600 list, which nearly every program reads; clips beside it."""

from storycore.exports.formats.handoff import HandoffFile, Script
from storycore.exports.interchange import edl

FORMAT = HandoffFile(
    name="edl",
    suffix=".edl",
    media_type="text/plain",
    script=Script(write=edl.write, read=edl.read, stands_in=edl.stands_in, most_events=edl.MOST_EVENTS),
)
