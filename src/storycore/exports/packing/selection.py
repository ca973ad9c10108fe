"""Which files of a project a package holds."""

from collections.abc import Iterator
from dataclasses import dataclass

from storycore.project.files import Listing, Role
from storycore.project.model import Media, Project, ProjectWarning

_PROJECT, _SOURCE = Role.PROJECT, Role.SOURCE  # by its class, a member takes five times as long to be found


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """What is wanted beside the project itself and the data of the film, which are always packed.

    Attributes:
        source: workflows, scripts, prompts, editor files.
        assets: pictures, clips and sound.
        reports: QA reports.
    """

    source: bool = False
    assets: bool = True
    reports: bool = True

    @property
    def roles(self) -> frozenset[Role]:
        """The roles that are packed."""
        wanted = {Role.SOURCE: self.source, Role.MEDIA: self.assets, Role.REPORT: self.reports}
        return frozenset({Role.PROJECT, Role.STORYBOARD} | {role for role, is_wanted in wanted.items() if is_wanted})


def select(listing: Listing, project: Project, selection: Selection) -> Listing:
    """The files that are wanted; the film itself decides what they are for, their names only where it is silent.

    What the film shows or plays is media wherever it stands, and what the project was read from is data of the film.
    A file that the film shows but that is never packed (in a cache, or hidden) is told in `skipped`.
    """
    media, data = {item.path for item in shown(project) if item.found}, frozenset(project.side_files)
    files, wanted = [], selection.roles
    for file in listing.files:
        role = _role(file.path, file.role, media, data)
        if role in wanted:
            files.append(file if role is file.role else file._replace(role=role))
    lost = _lost(media, listing) if selection.assets else ()
    return Listing(tuple(files), (*listing.skipped, *lost))


def shown(project: Project) -> Iterator[Media]:
    """Every media file that the film shows or plays, in film order; some more than once."""
    for shot in project.shots:
        yield from _present(shot.image, shot.clip, *(track.media for track in shot.audio))
    yield from _present(*(track.media for track in project.audio))
    yield from _present(*(character.reference_image for character in project.characters))


def missing(project: Project) -> list[str]:
    """Media that the film names but that are not there, each once, in film order."""
    return list(dict.fromkeys(item.path for item in shown(project) if not item.found))


def _present(*media: Media | None) -> Iterator[Media]:
    return (item for item in media if item is not None)


def _role(path: str, role: Role, media: set[str], data: frozenset[str]) -> Role:
    if role is _PROJECT:
        return role
    if path in media:
        return Role.MEDIA
    return Role.STORYBOARD if role is _SOURCE and path in data else role


def _lost(media: set[str], listing: Listing) -> Iterator[ProjectWarning]:
    known = {file.path for file in listing.files} | {item.file for item in listing.skipped}
    for path in sorted(media - known):
        if not path.startswith("data:"):
            yield ProjectWarning(
                file=path,
                pointer="",
                reason="left_out",
                message="The film shows it, but it is in a place that is never packed.",
            )
