"""fcpxml: the edit for Final Cut Pro, and for DaVinci Resolve; clips beside it."""

from storycore.exports.formats.handoff import HandoffFile, Script
from storycore.exports.interchange import fcpx

FORMAT = HandoffFile(
    name="fcpxml",
    suffix=".fcpxml",
    media_type="application/xml",
    script=Script(write=fcpx.write, read=fcpx.read, stands_in=fcpx.stands_in),
)
