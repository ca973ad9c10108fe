"""What a media file says about itself in its headers: size of the picture, length, codecs.

Our own readers, because they are asked for thousands of files at once and must stay harmless on hostile ones: at most
512 KiB and 4,096 places of a file are read, whatever it declares; every size in it is checked before it is followed;
what can't be understood is a `HeaderFault` and nothing else. Nothing is decoded.
"""

import os
import struct
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

from storycore.project.content import HEAD_BYTES, media_type, open_regular
from storycore.project.headers.aiff import read_aiff
from storycore.project.headers.ebml import read_matroska
from storycore.project.headers.exr import read_exr
from storycore.project.headers.facts import HeaderFault as HeaderFault
from storycore.project.headers.facts import MediaFacts as MediaFacts
from storycore.project.headers.facts import kind_of
from storycore.project.headers.flac import read_flac
from storycore.project.headers.isobmff import read_iso
from storycore.project.headers.jpeg import read_jpeg
from storycore.project.headers.mpeg_audio import read_adts, read_mp3
from storycore.project.headers.ogg import read_ogg
from storycore.project.headers.pictures import read_bmp, read_gif, read_png, read_psd, read_webp
from storycore.project.headers.pnm import read_pnm
from storycore.project.headers.riff import read_avi, read_wav
from storycore.project.headers.tiff import read_tiff
from storycore.project.headers.window import Window

VERSION = 2
"""Goes up when a reader learns something, so that what was remembered from an older one is read again."""

_READERS: dict[str, Callable[[Window, str], MediaFacts]] = {
    "image/png": read_png,
    "image/jpeg": read_jpeg,
    "image/webp": read_webp,
    "image/gif": read_gif,
    "image/bmp": read_bmp,
    "image/tiff": read_tiff,
    "image/x-exr": read_exr,
    "image/x-portable-anymap": read_pnm,
    "image/vnd.adobe.photoshop": read_psd,
    "image/avif": read_iso,
    "image/heic": read_iso,
    "audio/wav": read_wav,
    "audio/flac": read_flac,
    "audio/mpeg": read_mp3,
    "audio/aac": read_adts,
    "audio/ogg": read_ogg,
    "video/ogg": read_ogg,
    "audio/aiff": read_aiff,
    "audio/mp4": read_iso,
    "video/mp4": read_iso,
    "video/quicktime": read_iso,
    "video/webm": read_matroska,
    "video/x-matroska": read_matroska,
    "video/x-msvideo": read_avi,
}


def read_facts(path: Path) -> MediaFacts | None:
    """What the headers of a file say, or None if it is no picture, sound or video.

    Raises:
        HeaderFault: it begins like one, but its headers are broken.
        OSError: it can't be opened, or it is not a regular file.
    """
    with open_regular(path) as file:
        return facts_of(file)


def facts_of(file: BinaryIO) -> MediaFacts | None:
    """Like `read_facts`, of an open file that can seek; its position is left anywhere.

    A kind of media that we know by its first bytes only (MPEG transport streams, for example) gives facts without
    numbers.

    Raises:
        HeaderFault: it begins like one, but its headers are broken.
        OSError: it can't be read.
    """
    size = file.seek(0, os.SEEK_END)
    window = Window(file, size)
    found = media_type(window.head(HEAD_BYTES))
    kind = kind_of(found)
    if found is None or kind is None:
        return None
    reader = _READERS.get(found)
    if reader is None:
        return MediaFacts(media_type=found, kind=kind)
    try:
        return reader(window, found)
    except (struct.error, ValueError, IndexError, ArithmeticError) as fault:
        # The readers check what they follow; this is the net under them.
        raise HeaderFault(str(fault) if isinstance(fault, HeaderFault) else "the headers make no sense") from fault
