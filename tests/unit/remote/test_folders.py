"""What a server says of a delivery leads nowhere but into its folder."""

from pathlib import PurePosixPath

import pytest

from storycore.remote.folders import places


@pytest.mark.parametrize(
    ("top", "path"),
    [("/films/exports/d", "/films/exports/d/Master/a.mov"), (r"C:\films\d", r"C:\films\d\Master\a.mov")],
)
def test_files_stand_here_as_they_stand_there(top, path):
    assert places({"delivery_path": top}, [path]) == {path: PurePosixPath("Master/a.mov")}


@pytest.mark.parametrize(
    "path",
    [
        "/etc/passwd",
        "/d",
        "/d/",
        "/d/../x",
        "/d/a/../../x",
        "/d//../x",
        "/dx/a",
        "/d/\\..\\x",
        "/d/a\0b",
        "/d/C:/x",
        "",
    ],
)
def test_a_file_that_stands_elsewhere_is_refused(path):
    with pytest.raises(ValueError, match="stands elsewhere"):
        places({"delivery_path": "/d"}, [path])
