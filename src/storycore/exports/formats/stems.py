"""stems: dialogue, effects, ambience and music apart, one WAV each, all as long as the film; packed in one ZIP.

They are the parts of the mix before mastering: laid over each other they are the mix.
"""

import shutil
import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Literal

from pydantic import Field

from storycore.exports.formats.figures import Figure
from storycore.exports.formats.finished import finished
from storycore.exports.formats.format import Film, Made
from storycore.exports.formats.mixdown import film_line, mixed, sound_tags
from storycore.exports.formats.options import VoiceOptions
from storycore.exports.formats.sound_metrics import sound_metrics
from storycore.exports.packing.names import title_name
from storycore.observe.progress import Progress
from storycore.rendering import encoder
from storycore.rendering.encoder import Ffmpeg
from storycore.rendering.master import Goal, Master
from storycore.rendering.measure_sound import measure_sound
from storycore.rendering.mix import Mix
from storycore.rendering.sound_file import SoundEncoding, encode_sound
from storycore.rendering.sounds import Stem, place_sounds
from storycore.rendering.stem_file import StemFile
from storycore.storage.local import new_file

_CODECS = {24: "pcm_s24le", 32: "pcm_f32le"}
_INSTANT = (1980, 1, 1, 0, 0, 0)  # the same for all, so that the same film gives the same bytes


class StemsOptions(VoiceOptions):
    """Options of stems."""

    bit_depth: Literal[24, 32] = Field(default=32, description="Bits of a sample: 24, or 32 (floating point, exact).")
    channels: Literal[2, 6, 8] = Field(default=2, description="2, 6 (5.1) or 8 (7.1): FL FR FC LFE BL BR SL SR.")


class _Stems:
    name = "stems"
    suffix = ".stems.zip"
    media_type = "application/zip"
    options: type[StemsOptions] = StemsOptions
    figures: Mapping[str, Figure] = {}

    def nothing(self, film: Film, options: Any) -> str:
        """Why there is nothing to make of a film; empty if there is."""
        return "" if place_sounds(film.project, film_line(film, options)) else "The film has no sound."

    def write(self, film: Film, target: Path, options: Any, progress: Progress) -> Made:
        """The stems of a film."""
        ffmpeg = encoder.find(film.settings)
        line = film_line(film, options)
        with (
            new_file(target) as file,
            mixed(film, line, ffmpeg=ffmpeg, channels=options.channels, progress=progress, until=0.5) as mix,
        ):
            metrics: dict[str, Any] = {}
            progress.begin("writing stems", total=len(Stem), unit="files", until=0.99)
            with zipfile.ZipFile(file, "w") as archive:
                for stem, path in _written(mix, film, ffmpeg, options, progress):
                    facts = measure_sound(ffmpeg, path, progress)
                    metrics[stem] = sound_metrics(facts, Goal(ceiling_dbtp=0.0), line.duration)
                    _add(archive, f"{title_name(film.project.name)}_{stem}.wav", path)
                    progress.advance()
            size_bytes, sha256 = finished(file)
            return Made(size_bytes=size_bytes, sha256=sha256, metrics={"stems": metrics}, warnings=mix.warnings)


def _written(
    mix: Mix, film: Film, ffmpeg: Ffmpeg, options: StemsOptions, progress: Progress
) -> Iterator[tuple[Stem, Path]]:
    """Each stem as a file, which goes when the next is asked for; one without any sound is silence."""
    encoding = SoundEncoding(codec=("-c:a", _CODECS[options.bit_depth]), container=("-rf64", "auto", "-f", "wav"))
    for stem in Stem:
        raw = mix.stems.get(stem)
        if raw is None:
            raw = mix.path.with_name(f"{stem}.f32")
            with StemFile(raw, samples=mix.samples, channels=mix.stem_channels):
                pass
        whole = Master(path=raw, channels=mix.stem_channels, samples=mix.samples, gain_db=0.0, reduced_db=0.0)
        path = raw.with_suffix(".wav")
        encode_sound(whole, path, encoding, ffmpeg=ffmpeg, tags=sound_tags(film.project, options), progress=progress)
        yield stem, path
        path.unlink()


def _add(archive: zipfile.ZipFile, name: str, path: Path) -> None:
    entry = zipfile.ZipInfo(name, _INSTANT)
    entry.external_attr = 0o644 << 16
    entry.file_size = path.stat().st_size
    with archive.open(entry, "w") as packed, path.open("rb") as source:
        shutil.copyfileobj(source, packed, 1 << 20)


FORMAT = _Stems()
