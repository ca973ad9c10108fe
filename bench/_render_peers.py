"""The same film by others: ffmpeg's own filter graph, MoviePy 2 and melt, as their users drive them."""

import os
import shutil
import subprocess
from pathlib import Path

from _render_film import FPS, OVERLAP, SECONDS, still

D, T = round(SECONDS * FPS), round(OVERLAP * FPS)
W, H = 1920, 1080
GAIN = 0.15
X264 = ["-c:v", "libx264", "-preset", "veryfast", "-crf", "20", "-pix_fmt", "yuv420p", "-bf", "2", "-g", "48"]


def zoompan(ffmpeg: Path, film: Path, shots: int, out: Path) -> list[str]:
    """One filter graph: zoompan, xfade, sidechaincompress, loudnorm."""
    inputs, graph = [], []
    for n in range(shots):
        inputs += ["-i", str(still(film, n))]
        zoom = f"1+{GAIN}*on/{D - 1}" if n % 2 == 0 else f"{1 + GAIN}-{GAIN}*on/{D - 1}"
        graph.append(
            f"[{n}:v]zoompan=z='{zoom}':x='iw/2-iw/zoom/2':y='ih/2-ih/zoom/2':d={D}:s={W}x{H}:fps={FPS},"
            f"format=yuv420p,settb=1/{FPS}[v{n}]"
        )
    last = "v0"
    for n in range(1, shots):
        offset = n * (D - T) / FPS
        graph.append(f"[{last}][v{n}]xfade=transition=fade:duration={T / FPS}:offset={offset:.6f}[x{n}]")
        last = f"x{n}"
    end = (shots * (D - T) + T) / FPS
    inputs += ["-i", str(film / "assets/music.wav"), "-i", str(film / "assets/dialogue.wav")]
    graph.append(
        f"[{shots}:a]volume=0.8,afade=t=in:d=1,afade=t=out:st={end - 2}:d=2[m];[{shots + 1}:a]asplit[d1][d2];"
        "[m][d1]sidechaincompress=threshold=0.05:ratio=6:release=300[mc];"
        "[mc][d2]amix=inputs=2:normalize=0:duration=longest,loudnorm=I=-16:TP=-1.5:LRA=11,aresample=48000[a]"
    )
    sound = ["-c:a", "aac", "-b:a", "192k"]
    return [
        *(str(ffmpeg), "-hide_banner", "-nostdin", "-y", "-loglevel", "error", *inputs),
        *("-filter_complex", ";".join(graph), "-map", f"[{last}]", "-map", "[a]", *X264, *sound),
        *("-shortest", "-movflags", "+faststart", str(out)),
    ]


MOVIEPY = f"""
import os, sys
from moviepy import AudioFileClip, CompositeAudioClip, CompositeVideoClip, ImageClip, afx, vfx
film, shots, out = sys.argv[1], int(sys.argv[2]), sys.argv[3]
D, T, FPS, W, H, GAIN = {D}, {T}, {FPS}, {W}, {H}, {GAIN}
clips = []
for n in range(shots):
    zoom = (lambda t, n=n: 1 + GAIN * t * FPS / (D - 1) if n % 2 == 0 else 1 + GAIN - GAIN * t * FPS / (D - 1))
    clip = ImageClip(f"{{film}}/assets/{{n:02d}}.png").with_duration(D / FPS)
    base = W / clip.w
    clip = clip.resized(lambda t, z=zoom: base * z(t)).with_position(("center", "center"))
    clip = CompositeVideoClip([clip], size=(W, H)).with_duration(D / FPS).with_start(n * (D - T) / FPS)
    clips.append(clip.with_effects([vfx.CrossFadeIn(T / FPS)]) if n else clip)
video = CompositeVideoClip(clips, size=(W, H))
end = (shots * (D - T) + T) / FPS
effects = [afx.MultiplyVolume(.8), afx.AudioFadeIn(1), afx.AudioFadeOut(2)]
music = AudioFileClip(f"{{film}}/assets/music.wav").with_effects(effects)
voice = AudioFileClip(f"{{film}}/assets/dialogue.wav")
sound = CompositeAudioClip([music, voice]).with_effects([afx.AudioNormalize()]).with_duration(end)
video = video.with_audio(sound).with_duration(end)
video.write_videofile(out, fps=FPS, codec="libx264", preset="veryfast", audio_codec="aac", audio_bitrate="192k",
                      ffmpeg_params=["-crf", "20", "-bf", "2", "-g", "48", "-pix_fmt", "yuv420p"], logger=None,
                      temp_audiofile_path=os.path.dirname(out))
"""


def moviepy(film: Path, shots: int, out: Path) -> list[str] | None:
    """MoviePy, of a Python that STORYCORE_BENCH_MOVIEPY names; no ducking, peaks normalised instead of loudness."""
    python = os.environ.get("STORYCORE_BENCH_MOVIEPY", "")
    if not python or subprocess.run([python, "-c", "import moviepy"], capture_output=True).returncode:
        return None
    return [python, "-c", MOVIEPY, str(film), str(shots), str(out)]


def melt(film: Path, shots: int, out: Path) -> list[str] | None:
    """melt, of the system; no ducking, its own loudness filter."""
    if shutil.which("melt") is None:
        return None
    project = out.with_suffix(".mlt")
    project.write_text(_mlt(film, shots), encoding="utf-8")
    return [
        *("melt", "-silent", str(project), "-consumer", f"avformat:{out}", "vcodec=libx264", "preset=veryfast"),
        *("crf=20", "g=48", "bf=2", "pix_fmt=yuv420p", "acodec=aac", "ab=192k", "ar=48000", "channels=2"),
        *("real_time=-2", "movflags=+faststart", "threads=0", "terminate_on_pause=1"),
    ]


def _mlt(film: Path, shots: int) -> str:
    total = shots * D - (shots - 1) * T
    profile = (
        f'<profile width="{W}" height="{H}" progressive="1" sample_aspect_num="1" sample_aspect_den="1" '
        f'display_aspect_num="16" display_aspect_den="9" frame_rate_num="{FPS}" frame_rate_den="1" colorspace="709"/>'
    )
    parts = [f"<mlt>{profile}"]
    for n in range(shots):
        begin, end = (1, 1 + GAIN) if n % 2 == 0 else (1 + GAIN, 1)
        keys = ";".join(f"{at}={-W * (z - 1) / 2} {-H * (z - 1) / 2} {W * z} {H * z} 1"
                        for at, z in ((0, begin), (D - 1, end)))  # fmt: skip
        parts.append(
            f'<producer id="p{n}" in="0" out="{D - 1}"><property name="mlt_service">pixbuf</property>'
            f'<property name="resource">{still(film, n)}</property><property name="length">{D}</property>'
            f'<filter><property name="mlt_service">affine</property><property name="transition.rect">{keys}</property>'
            "</filter></producer>"
        )
    for name, file in (("music", "music"), ("voice", "dialogue")):
        parts.append(f'<producer id="{name}"><property name="resource">{film}/assets/{file}.wav</property></producer>')
    tracks, ends = [[], []], [0, 0]
    for n in range(shots):
        which, start = n % 2, n * (D - T)
        if start > ends[which]:
            tracks[which].append(f'<blank length="{start - ends[which]}"/>')
        tracks[which].append(f'<entry producer="p{n}" in="0" out="{D - 1}"/>')
        ends[which] = start + D
    parts += [f'<playlist id="t{which}">{"".join(tracks[which])}</playlist>' for which in (0, 1)]
    parts += [f'<playlist id="l{name}"><entry producer="{name}" in="0" out="{total - 1}"/></playlist>'
              for name in ("music", "voice")]  # fmt: skip
    parts.append('<tractor id="t"><track producer="t0"/><track producer="t1"/><track producer="lmusic"/>'
                 '<track producer="lvoice"/>')  # fmt: skip
    for n in range(1, shots):
        start = n * (D - T)
        reverse = "" if n % 2 else '<property name="reverse">1</property>'
        parts.append(
            f'<transition in="{start}" out="{start + T - 1}"><property name="mlt_service">luma</property>{reverse}'
            '<property name="a_track">0</property><property name="b_track">1</property></transition>'
        )
        if n % 2:
            parts.append(
                f'<transition in="{start + T}" out="{start + D - T - 1}"><property name="mlt_service">composite'
                '</property><property name="a_track">0</property><property name="b_track">1</property></transition>'
            )
    parts += [
        f'<transition in="0" out="{total - 1}"><property name="mlt_service">mix</property><property name="a_track">0'
        f'</property><property name="b_track">{track}</property><property name="sum">1</property>'
        '<property name="always_active">1</property></transition>'
        for track in (2, 3)
    ]
    return "\n".join([*parts, "</tractor></mlt>"])
