"""App: what operations need, opened and closed together."""

from dataclasses import dataclass
from pathlib import Path

from storycore.project.paths import Places
from storycore.settings import Settings


@dataclass(frozen=True, slots=True)
class App:
    """What operations need.

    Attributes:
        settings: as read once.
        places: which folders the caller may use.
    """

    settings: Settings
    places: Places

    @classmethod
    def open(cls, settings: Settings, *, default_root: Path | None = None) -> "App":
        """An app whose paths are confined to the configured roots, or else to `default_root`, or else free.

        With a `default_root` relative paths are taken from the first root, since a server's own folder is nobody's
        business; without one they are taken from the current folder, as people who type them mean it.
        """
        roots = settings.roots or ((default_root,) if default_root else None)
        base = roots[0] if roots and default_root else None
        return cls(settings=settings, places=Places(roots=roots, output_roots=settings.output_roots, base=base))
