"""Transitions, read out of the pieces of a shot."""

from fractions import Fraction

from storycore.project import aliases
from storycore.project.draft import ShotDraft
from storycore.project.fields import Fields, Found
from storycore.project.model import Transition, TransitionKind
from storycore.project.timeline import DEFAULT_OVERLAP, transition_kind


def read_transition(draft: ShotDraft, fields: Fields) -> Transition:
    """How a shot ends, as written; it is shortened when the film is placed."""
    found: Found | None = None
    if draft.transition is not None:
        own = Fields([draft.transition], fields.notes)
        found = own.first(aliases.TRANSITION_KIND)
    else:
        own, found = _named_transition(fields)
    if found is None or not isinstance(found.value, str):
        return Transition(kind=TransitionKind.CUT, duration=Fraction(0))
    name = found.value.strip()
    if not name:
        return Transition(kind=TransitionKind.CUT, duration=Fraction(0))
    kind = transition_kind(
        name, direction=own.text(aliases.TRANSITION_DIRECTION), colour=own.text(aliases.TRANSITION_COLOUR)
    )
    if kind is None:
        fields.warn(found, "transition_unknown", f"{name[:40]!r} is no transition that is known; it became a cut")
        kind = TransitionKind.CUT
    duration = own.seconds(aliases.TRANSITION_DURATION)
    if duration is None:
        duration = fields.seconds(aliases.TRANSITION_DURATION_BESIDE)
    return Transition(
        kind=kind if duration != 0 else TransitionKind.CUT,
        duration=Fraction(0) if kind is TransitionKind.CUT else DEFAULT_OVERLAP if duration is None else duration,
        easing=own.text(aliases.TRANSITION_EASING) or "linear",
        original=own.text(aliases.TRANSITION_ORIGINAL) or name,
    )


def _named_transition(fields: Fields) -> tuple[Fields, Found | None]:
    """The object that describes the transition, and where its name stands."""
    for found in fields.candidates(aliases.TRANSITION):
        if isinstance(found.value, dict):
            own = Fields([found.piece.child(found.value, *found.name.split("."))], fields.notes)
            kind = own.first(aliases.TRANSITION_KIND)
            if kind is not None:
                return own, kind
        elif isinstance(found.value, str) and found.value.strip():
            return Fields([], fields.notes), found
    return Fields([], fields.notes), None
