"""How loud a mix will be under the limiter, for any gain, without making it.

Of each frame of the limiter two figures are kept on the disk: its true peak, from which the limiter's level follows,
and its energy as the ear weighs it. The level changes slowly beside the weighting's own memory, so the loudness of the
limited mix is that of the energies times the level; on real mixes this is right within 0.1 LU.

Source: ITU-R BS.1770-5, annex 1 (weighting, channels, gates).
"""

import math
from collections.abc import Iterator

import numpy as np

from storycore.observe.progress import Progress
from storycore.rendering.encoder import Ffmpeg, child
from storycore.rendering.gain import Curve, amplitude
from storycore.rendering.limiter import AHEAD, BEHIND, levels
from storycore.rendering.loudness import Loudness
from storycore.rendering.raw_sound import raw_input
from storycore.rendering.sounds import SAMPLE_RATE
from storycore.rendering.stem_file import StemFile
from storycore.rendering.true_peak import FRAME, true_peaks

_BLOCK = 6000  # frames: four seconds
_HOP = SAMPLE_RATE // 10 // FRAME  # frames: a hundred milliseconds
_HOPS = 4  # of the window that gates look at
_SILENCE_LUFS, _BELOW_LU = -70.0, 10.0
_OFFSET_LU = -0.691
_LOUDER = 8.0  # peaks that a gain of 18 dB more would lift over the ceiling are reckoned exactly too
_TRIES = 12
_STEEPEST = 4.0
_LEAST_LU = 0.02  # for each dB of gain
_NEAR_LU = 0.04
_WEIGHTING = (
    "biquad=b0=1.53512485958697:b1=-2.69169618940638:b2=1.19839281085285:a0=1:a1=-1.69065929318241"
    ":a2=0.73248077421585:r=f64,biquad=b0=1:b1=-2:b2=1:a0=1:a1=-1.99004745483398:a2=0.99007225036621:r=f64"
)
_SURROUND = 1.41
_CHANNELS = {1: (1.0,), 2: (1.0, 1.0), 6: (1.0, 1.0, 1.0, 0.0, _SURROUND, _SURROUND),
             8: (1.0, 1.0, 1.0, 0.0, _SURROUND, _SURROUND, _SURROUND, _SURROUND)}  # fmt: skip


class Forecast:
    """What a limiter will make of one mix.

    Args:
        source: the mix.
        found: its loudness, as measured.
        louder: the largest factor of amplitude that is likely, over the ceiling's.
        ffmpeg: weighs it.
        progress: can cancel.

    Raises:
        StoryCoreError: see `encoder.child`.
    """

    def __init__(self, source: StemFile, found: Loudness, louder: float, *, ffmpeg: Ffmpeg, progress: Progress) -> None:
        path = source.path.with_name(f"{source.path.name}.forecast")
        self._kept = StemFile(path, samples=-(-source.samples // FRAME), channels=2)
        self._exact, at = 1 / (louder * _LOUDER), 0
        for energies in _weighed(source, ffmpeg, progress):
            peaks = _peaks(source, at, len(energies), at_least=self._exact)
            self._kept.write(at, np.stack([peaks, energies], axis=1).astype(np.float32))
            at += len(energies)
        heard = found.integrated_lufs or 0.0
        self._off = 0.0
        self._off = heard - self.loudness(0.0, math.inf)

    def close(self) -> None:
        """Removes what was kept."""
        self._kept.close()
        self._kept.path.unlink(missing_ok=True)

    def peaks(self, first: int, count: int, *, at_least: float) -> Curve | None:
        """True peaks of frames of the mix, silence beyond its ends; None if those from `at_least` on are not known."""
        if at_least < self._exact:
            return None
        return self._kept.read(first, count)[:, 0].astype(np.float64)

    def loudness(self, gain_db: float, ceiling_dbtp: float) -> float:
        """Integrated loudness, in LUFS, with a gain and under a ceiling."""
        gain, ceiling = float(amplitude(gain_db)), float(amplitude(ceiling_dbtp))
        behind, ahead, last_db = BEHIND // FRAME, AHEAD // FRAME, math.inf
        hops = []
        for first in range(0, self._kept.samples, _BLOCK):
            around = self._kept.read(first - behind, behind + _BLOCK + ahead)
            energies = around[behind:-ahead, 1].astype(np.float64)
            if math.isfinite(ceiling):
                level = levels(around[:, 0].astype(np.float64) * gain, ceiling, last_db)[:_BLOCK]
                last_db = float(level[-1])
                energies *= np.power(10.0, level / 10)
            hops.append(energies.reshape(-1, _HOP).sum(axis=1))
        whole = self._kept.samples // _HOP
        return _gated(np.concatenate(hops)[:whole] * gain**2) + self._off

    def gain_db(self, target_lufs: float, ceiling_dbtp: float, start_db: float, most_db: float) -> float:
        """The gain that leads to a loudness under a ceiling, or comes nearest to it.

        Args:
            target_lufs: wanted.
            ceiling_dbtp: true peak.
            start_db: the gain that would do without a limiter.
            most_db: the largest one.
        """
        low, high = start_db, most_db
        missing, beyond, slope = target_lufs - self.loudness(low, ceiling_dbtp), 0.0, 1.0
        for _ in range(_TRIES):
            if missing <= _NEAR_LU or low >= high:
                break
            share = min(0.9, max(0.1, missing / (missing - beyond)))
            following = low + (high - low) * share if beyond else min(high, low + missing * slope)
            left = target_lufs - self.loudness(following, ceiling_dbtp)
            if left < -_NEAR_LU:
                high, beyond = following, left
                continue
            if missing - left < _LEAST_LU * (following - low):
                break  # a larger gain makes it hardly louder, only flatter
            slope = min(_STEEPEST, (following - low) / (missing - left))
            low, missing = following, left
        return low


def _gated(hops: Curve) -> float:
    """Loudness of energies of hops, through both gates."""
    if len(hops) < _HOPS:
        return _SILENCE_LUFS
    sums = np.convolve(hops, np.ones(_HOPS), "valid") / (_HOPS * _HOP * FRAME)
    loud = sums[sums > 10 ** ((_SILENCE_LUFS - _OFFSET_LU) / 10)]
    if not len(loud):
        return _SILENCE_LUFS
    kept = loud[loud > loud.mean() * 10 ** (-_BELOW_LU / 10)]
    return _OFFSET_LU + 10 * math.log10(float(kept.mean()))


def _weighed(source: StemFile, ffmpeg: Ffmpeg, progress: Progress) -> Iterator[Curve]:
    """Energies of the frames of a mix, as the ear weighs them, in blocks."""
    weights = np.sqrt(np.array(_CHANNELS[source.channels], np.float32))
    even = bool(np.all(weights == 1))
    arguments = [*raw_input(source.path, source.channels), "-af", _WEIGHTING, "-c:a", "pcm_f32le", "-f", "f32le"]
    with child(ffmpeg, [*arguments, "pipe:1"], reads=True, progress=progress) as running:
        left, size = source.samples, _BLOCK * FRAME * source.channels * 4
        while left and running.output is not None:
            data = running.output.read(size)
            if not data:
                break
            sound = np.frombuffer(data, "<f4").reshape(-1, source.channels)
            left -= len(sound)
            if len(sound) % FRAME:
                sound = np.pad(sound, ((0, -len(sound) % FRAME), (0, 0)))
            frames = (sound if even else sound * weights).reshape(-1, FRAME * source.channels)
            yield np.einsum("ij,ij->i", frames, frames)
        running.finish()


def _peaks(source: StemFile, first: int, count: int, *, at_least: float) -> Curve:
    """True peaks of some frames of a mix."""
    around = source.read((first - 1) * FRAME, (count + 2) * FRAME)
    return true_peaks(around, at_least=at_least)[1:-1]
