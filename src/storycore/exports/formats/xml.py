"""xml: the edit as Final Cut Pro 7 XML, for Premiere Pro and DaVinci Resolve; clips beside it."""

from storycore.exports.formats.handoff import HandoffFile, Script
from storycore.exports.interchange import fcp7

FORMAT = HandoffFile(
    name="xml",
    suffix=".xml",
    media_type="application/xml",
    script=Script(write=fcp7.write, read=fcp7.read, stands_in=fcp7.stands_in),
)
