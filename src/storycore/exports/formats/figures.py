"""Figures in results: each with its unit, how it was found, and what it should be."""

from typing import Any


def figure(
    value: float | str | bool | None, unit: str, method: str, *, target: Any = None, verdict: str | None = None
) -> dict[str, Any]:
    """One measured figure.

    Args:
        value: as measured.
        unit: "px", "frames", "s", "bps", …; "" for words.
        method: what measured it.
        target: what it should be, if anything was asked for.
        verdict: "within target", or how far off, in words.
    """
    told: dict[str, Any] = {"value": value, "unit": unit, "method": method}
    if target is not None:
        told["target"] = target
        told["verdict"] = verdict or ("within target" if value == target else "off target")
    return told
