"""Transitions: two frames made into one."""

from collections.abc import Callable

import cv2
import numpy as np

from storycore.project.model import TransitionKind
from storycore.rendering.frame import Frame, Samples

_SOFT_EDGE = 0.04
"""Width of a wipe's edge, as a share of the side that it crosses."""

_WAYS = {
    TransitionKind.WIPE_LEFT: (1, True), TransitionKind.WIPE_RIGHT: (1, False),
    TransitionKind.WIPE_UP: (0, True), TransitionKind.WIPE_DOWN: (0, False),
    TransitionKind.SLIDE_LEFT: (1, True), TransitionKind.SLIDE_RIGHT: (1, False),
    TransitionKind.SLIDE_UP: (0, True), TransitionKind.SLIDE_DOWN: (0, False),
}  # fmt: skip
"""Axis that it goes along (1 across, 0 down), and whether towards the left or the top."""


def blend(kind: TransitionKind, before: Frame | None, after: Frame | None, way: float) -> Frame:
    """One frame of a transition.

    Args:
        kind: which one; a cut is treated as a dissolve.
        before: frame of the outgoing shot; None for what has none.
        after: frame of the incoming shot; None at the film's end, which is black.
        way: how far the transition has come, 0.0-1.0.
    """
    present = before or after
    if present is None:
        raise ValueError("a transition between nothing and nothing")
    black = Frame.filled(present.layout, present.width, present.height, present.layout.black)
    if kind in (TransitionKind.FADE_BLACK, TransitionKind.FADE_WHITE) or before is None or after is None:
        white = kind is TransitionKind.FADE_WHITE
        colour = Frame.filled(present.layout, present.width, present.height, present.layout.white) if white else black
        return _through(before or colour, after or colour, colour, way, to_the_end=after is None)
    return _DRAWN.get(kind, _dissolve)(before, after, way, kind)


def _through(before: Frame, after: Frame, colour: Frame, way: float, *, to_the_end: bool) -> Frame:
    if to_the_end:
        return _mixed(before, colour, way)
    return _mixed(before, colour, 2 * way) if way < 0.5 else _mixed(colour, after, 2 * way - 1)


def _mixed(first: Frame, second: Frame, share: float) -> Frame:
    """Both at once, `share` of the second."""
    mixed = Frame(first.layout, first.width, first.height)
    cv2.addWeighted(first.memory, 1 - share, second.memory, share, 0, dst=mixed.memory.reshape(-1, 1))
    return mixed


def _dissolve(before: Frame, after: Frame, way: float, _kind: TransitionKind) -> Frame:
    return _mixed(before, after, way)


def _wipe(before: Frame, after: Frame, way: float, kind: TransitionKind) -> Frame:
    axis, to_start = _WAYS[kind]
    result = Frame(before.layout, before.width, before.height)
    for out, first, second in zip(result.planes, before.planes, after.planes, strict=True):
        length = out.shape[axis]
        places = (np.arange(length, dtype=np.float32) + 0.5) / length
        places = 1 - places if to_start else places
        mask = np.clip((way * (1 + _SOFT_EDGE) - places) / _SOFT_EDGE, 0, 1)
        shaped = mask[None, :] if axis else mask[:, None]
        out[:] = np.rint(first + (second.astype(np.float32) - first) * shaped)
    return result


def _slide(before: Frame, after: Frame, way: float, kind: TransitionKind) -> Frame:
    """The new picture pushes the old one out."""
    axis, to_start = _WAYS[kind]
    result = Frame(before.layout, before.width, before.height)
    side = before.width if axis else before.height
    gone = 2 * round(way * side / 2)
    for out, first, second in zip(result.planes, before.planes, after.planes, strict=True):
        moved = gone * out.shape[axis] // side
        ahead, behind = (first, second) if to_start else (second, first)
        cut = moved if to_start else out.shape[axis] - moved
        joined = np.concatenate([_along(ahead, axis, cut, None), _along(behind, axis, None, cut)], axis=axis)
        out[:] = joined
    return result


def _along(plane: Samples, axis: int, begin: int | None, end: int | None) -> Samples:
    part: Samples = plane[:, begin:end] if axis else plane[begin:end]
    return part


def _zoom(before: Frame, after: Frame, way: float, _kind: TransitionKind) -> Frame:
    """The old picture comes closer while it dissolves."""
    return _mixed(_magnified(before, 1 + 0.5 * way), _magnified(after, 1.2 - 0.2 * way), way)


def _magnified(frame: Frame, zoom: float) -> Frame:
    result = Frame(frame.layout, frame.width, frame.height)
    for out, plane in zip(result.planes, frame.planes, strict=True):
        height, width = plane.shape
        matrix = np.array([[1 / zoom, 0, width / 2 * (1 - 1 / zoom)], [0, 1 / zoom, height / 2 * (1 - 1 / zoom)]])
        flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
        cv2.warpAffine(plane, matrix, (width, height), dst=out, flags=flags, borderMode=cv2.BORDER_REPLICATE)
    return result


def _blur(before: Frame, after: Frame, way: float, _kind: TransitionKind) -> Frame:
    """Out of focus, and into focus again on the new picture."""
    strength = 1 - abs(2 * way - 1)
    share = min(1.0, max(0.0, (way - 0.3) / 0.4))
    return _mixed(_unsharp(before, strength), _unsharp(after, strength), share)


def _unsharp(frame: Frame, strength: float) -> Frame:
    result = Frame(frame.layout, frame.width, frame.height)
    for out, plane in zip(result.planes, frame.planes, strict=True):
        sigma = max(0.01, strength * plane.shape[1] * 0.02)
        cv2.GaussianBlur(plane, (0, 0), sigma, dst=out, borderType=cv2.BORDER_REPLICATE)
    return result


_DRAWN: dict[TransitionKind, Callable[[Frame, Frame, float, TransitionKind], Frame]] = {
    TransitionKind.DISSOLVE: _dissolve,
    **dict.fromkeys((kind for kind in TransitionKind if kind.value.startswith("wipe")), _wipe),
    **dict.fromkeys((kind for kind in TransitionKind if kind.value.startswith("slide")), _slide),
    TransitionKind.ZOOM: _zoom,
    TransitionKind.BLUR: _blur,
}
