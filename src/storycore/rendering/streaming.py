"""A picture or a sound cut into pieces that players fetch one after the other, without encoding anything again."""

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

from storycore.errors import DependencyFailed, Reason
from storycore.observe.progress import Progress
from storycore.rendering.codecs import timescale
from storycore.rendering.encoder import Ffmpeg, run, url
from storycore.rendering.film import Rendered
from storycore.rendering.joining import picture_arguments
from storycore.rendering.playlists import Piece, pieces

_PLAYLIST, _HEAD = "index.m3u8", "init.mp4"
_BLOCK = 1 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Stream:
    """One rendition, cut.

    Attributes:
        folder: where its files are.
        pieces: in order.
        sizes: bytes of each.
    """

    folder: Path
    pieces: tuple[Piece, ...]
    sizes: tuple[int, ...]

    @property
    def files(self) -> list[Path]:
        """All of its files, in the order in which players fetch them."""
        names = (_PLAYLIST, _HEAD, *(piece.name for piece in self.pieces))
        return [self.folder / name for name in names]

    @property
    def peak_bps(self) -> int:
        """Most bits per second of any piece."""
        rates = (size * 8 / piece.duration for size, piece in zip(self.sizes, self.pieces, strict=True))
        return round(max(rates, default=Fraction(0)))

    @property
    def average_bps(self) -> int:
        """Bits per second of the whole."""
        return round(sum(self.sizes) * 8 / sum((piece.duration for piece in self.pieces), Fraction(0)))

    def joined(self, target: Path) -> Path:
        """Writes all of it into one file, as a player puts it together, to be measured."""
        with target.open("wb") as out:
            for path in self.files[1:]:
                with path.open("rb") as file:
                    while block := file.read(_BLOCK):
                        out.write(block)
        return target

    def codec(self) -> str:
        """The codec of its picture, as RFC 6381 and ISO/IEC 14496-15 write it, read from its head."""
        head = (self.folder / _HEAD).read_bytes()
        at = head.find(b"avcC")
        return f"avc1.{head[at + 5 : at + 8].hex()}"


def cut_picture(ffmpeg: Ffmpeg, rendered: Rendered, seconds: Fraction, folder: Path, progress: Progress) -> Stream:
    """Cuts a rendered picture at its keyframes.

    Args:
        ffmpeg: that copies.
        rendered: the picture, without B-frames.
        seconds: least length of a piece.
        folder: new, for its files.
        progress: can cancel.

    Raises:
        StoryCoreError: see `rendering.encoder.run`.
    """
    inputs, outputs = picture_arguments(rendered, "mp4")
    scale, _ = timescale(rendered.picture.canvas.rate)
    # `hls` passes this on to the muxer of its pieces; it is what keeps times exact.
    options = f"video_track_timescale={scale}"
    return _cut(ffmpeg, [*inputs, *outputs, "-hls_segment_options", options], seconds, folder, progress)


def cut_sound(ffmpeg: Ffmpeg, sound: Path, seconds: Fraction, folder: Path, progress: Progress) -> Stream:
    """Cuts an encoded sound.

    Args:
        ffmpeg: that copies.
        sound: its file.
        seconds: least length of a piece.
        folder: new, for its files.
        progress: can cancel.

    Raises:
        StoryCoreError: see `rendering.encoder.run`.
    """
    return _cut(ffmpeg, ["-i", url(sound), "-map", "0:a:0", "-c:a", "copy"], seconds, folder, progress)


def _cut(ffmpeg: Ffmpeg, arguments: Sequence[str], seconds: Fraction, folder: Path, progress: Progress) -> Stream:
    folder.mkdir(parents=True)
    how = [
        *("-map_metadata", "-1", "-map_chapters", "-1", "-fflags", "+bitexact", "-avoid_negative_ts", "disabled"),
        *("-f", "hls", "-hls_time", f"{float(seconds):.6f}", "-hls_playlist_type", "vod"),
        *("-hls_flags", "independent_segments", "-hls_segment_type", "fmp4", "-hls_fmp4_init_filename", _HEAD),
        *("-hls_segment_filename", "%05d.m4s", _PLAYLIST),
    ]
    run(ffmpeg, [*arguments, *how], progress=progress, folder=folder)
    found = pieces((folder / _PLAYLIST).read_text(encoding="utf-8"))
    if not found:
        raise DependencyFailed("A stream was not cut.", reason=Reason.ENCODER_FAILED)
    sizes = tuple((folder / piece.name).stat().st_size for piece in found)
    return Stream(folder=folder, pieces=tuple(found), sizes=sizes)
