"""otioz: the edit in OpenTimelineIO with its clips and sounds, all in one file."""

from storycore.exports.formats.handoff import HandoffFile, Script
from storycore.exports.interchange import otio_text

FORMAT = HandoffFile(
    name="otioz",
    suffix=".otioz",
    media_type="application/vnd.opentimelineio.bundle+zip",
    script=Script(write=otio_text.write, read=otio_text.read, stands_in=otio_text.stands_in, needs=otio_text.library),
    bundle=(otio_text.CONTENT, otio_text.VERSION),
)
