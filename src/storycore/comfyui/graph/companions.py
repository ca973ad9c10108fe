"""Controls that ComfyUI's page puts after others: they take a place in the saved values, and are never sent."""

from storycore.comfyui.graph.node_class import Field

_RANDOM_NAMES = ("seed", "noise_seed")
_BOX = ("x", "y", "width", "height")


def companions(field: Field) -> tuple[str, ...]:
    """Names of the controls that the page puts after that of a field; their values are saved but not sent."""
    kind, flag = field.control, field.facts.get("control_after_generate")
    called = flag if isinstance(flag, str) and kind != "COMBO" else "control_after_generate"
    if kind == "INT":
        return (called,) if (flag if flag is not None else field.name in _RANDOM_NAMES) else ()
    if kind == "FLOAT":
        return (called,) if flag else ()
    if kind == "COMBO":
        remote = field.facts.get("remote")
        refresh = ("Auto-refresh after generation",) if isinstance(remote, dict) else ()
        button = ("refresh",) if isinstance(remote, dict) and remote.get("refresh_button") else ()
        lists = () if field.facts.get("multi_select") else ("control_filter_list",)
        return (*refresh, *button, *((called, *lists) if flag else ()))
    if kind == "BOUNDING_BOX":
        return _BOX
    return ("record",) if kind == "AUDIO_RECORD" else ()
