"""otio: the edit in OpenTimelineIO, for DaVinci Resolve and tools around it; clips beside it."""

from storycore.exports.formats.handoff import HandoffFile, Script
from storycore.exports.interchange import otio_text

FORMAT = HandoffFile(
    name="otio",
    suffix=".otio",
    media_type="application/vnd.opentimelineio+json",
    script=Script(write=otio_text.write, read=otio_text.read, stands_in=otio_text.stands_in, needs=otio_text.library),
)
