"""What a package will hold, settled before its first byte."""

import pytest

from fixtures.packages import project_in
from fixtures.projects import make_project
from storycore.errors import AccessDenied, Reason
from storycore.exports.packing.contents import documented, plan
from storycore.exports.packing.selection import Selection
from storycore.project.files import Listing, walk
from storycore.project.model import ProjectWarning
from storycore.settings import Settings


def test_a_folder_that_cannot_be_read_is_told_by_the_plan_and_stops_the_package(tmp_path):
    folder = make_project(tmp_path / "film", shots=1)
    closed = ProjectWarning(file="assets", pointer="", reason="unreadable", message="The folder can't be read.")
    project, listing = project_in(folder), Listing(walk(folder, max_files=100).files, (closed,))
    planned = plan(project, listing, Selection())
    assert closed in planned.skipped
    with pytest.raises(AccessDenied, match="assets can't be read") as told:
        documented(planned, project, Settings.read())
    assert told.value.reason is Reason.PERMISSION_DENIED
