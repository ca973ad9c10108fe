"""The painter: a process that draws pieces and hands them to encoders, one after the other.

It is told what to do in lines of JSON on its stdin, and answers so on its stdout. It leads a process group with the
ffmpegs that it starts, so that one kill ends all of them; and it ends itself as soon as nobody talks to it any more.

Started as `python -m storycore.rendering.painter FFMPEG VERSION MARK`.
"""

import contextlib
import json
import os
import queue
import signal
import sys
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

_TELL_SECONDS = 0.2


def main(words: Sequence[str]) -> None:
    """Paints until stdin ends."""
    jobs: queue.SimpleQueue[str | None] = queue.SimpleQueue()
    threading.Thread(target=_hear, args=(jobs,), daemon=True).start()
    os.environ["OPENCV_IO_MAX_IMAGE_PIXELS"] = str(1 << 28)
    import cv2

    from storycore.rendering.drawing import Gallery
    from storycore.rendering.encoder import Ffmpeg

    cv2.setNumThreads(1)
    ffmpeg = Ffmpeg(path=Path(words[0]), version=words[1], mark=words[2])
    gallery = Gallery(ffmpeg)
    while (line := jobs.get()) is not None:
        job = json.loads(line)
        _tell(_done(job, ffmpeg, gallery))


def _done(job: Mapping[str, Any], ffmpeg: Any, gallery: Any) -> dict[str, Any]:
    from storycore.errors import StoryCoreError, Unavailable

    started = time.process_time()
    try:
        figures = _paint(job, ffmpeg, gallery)
    except StoryCoreError as fault:
        return {"job": job["job"], "error": fault.as_dict()}
    except MemoryError:
        return {"job": job["job"], "error": Unavailable("No memory left to draw with.").as_dict()}
    except OSError as fault:
        from storycore.storage.local import from_system

        known = from_system(fault)
        if known is None:
            raise
        return {"job": job["job"], "error": known.as_dict()}
    spent = time.process_time() - started
    told = {"figures": figures, "bent": gallery.bent, "ends": gallery.ends}
    return {"job": job["job"], "cpu_seconds": spent, **told}


def _paint(job: Mapping[str, Any], ffmpeg: Any, gallery: Any) -> list[Mapping[str, Any]]:
    """Draws one piece into each of its outputs; gives what each of them measured."""
    from storycore.rendering import drawing, likeness
    from storycore.rendering.look import canvas_from, piece_from

    canvas, piece = canvas_from(job["canvas"]), piece_from(job["piece"])
    told, drawn = time.monotonic(), 0
    with _encoders(job["outputs"], ffmpeg) as encoders:
        for number, frame in enumerate(drawing.frames(piece, canvas, gallery), start=1):
            data = frame.encoded()
            for encoder in encoders:
                try:
                    encoder.input.write(data)
                except OSError:
                    encoder.fail()
            if time.monotonic() - told > _TELL_SECONDS:
                _tell({"job": job["job"], "frames": number - drawn})
                told, drawn = time.monotonic(), number
        for encoder in encoders:
            encoder.finish()
    _tell({"job": job["job"], "frames": piece.frames - drawn})
    return [likeness.read(encoder.lines) for encoder in encoders]


@contextlib.contextmanager
def _encoders(outputs: Sequence[Mapping[str, Any]], ffmpeg: Any) -> Iterator[list[Any]]:
    from storycore.rendering.encoder import child

    with contextlib.ExitStack() as stack:
        yield [
            stack.enter_context(
                child(
                    ffmpeg,
                    output["arguments"],
                    writes=True,
                    group=False,
                    level="info" if output["measures"] else "warning",
                )
            )
            for output in outputs
        ]


def _hear(jobs: "queue.SimpleQueue[str | None]") -> None:
    """Takes orders; when there will be none any more, ends this process and what it started."""
    for line in sys.stdin:
        jobs.put(line)
    if os.name != "nt" and os.getpgrp() == os.getpid():
        os.killpg(0, signal.SIGKILL)
    os._exit(0)


def _tell(message: Mapping[str, Any]) -> None:
    sys.stdout.write(json.dumps(message) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main(sys.argv[1:])
