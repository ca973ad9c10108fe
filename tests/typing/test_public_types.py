"""Checked by mypy only: a request carries the type of its result."""

from typing import assert_type

from storycore import (
    FormatRequest,
    FormatResult,
    InspectRequest,
    InspectResult,
    ListRequest,
    ListResult,
    MetadataRequest,
    MetadataResult,
    PackageRequest,
    PackageResult,
    PlanRequest,
    PlanResult,
    StoryCore,
    VerifyRequest,
    VerifyResult,
)


def every_request_knows_its_result(sc: StoryCore) -> None:
    """One door, typed by what goes in."""
    assert_type(sc.run(PackageRequest(project_path="film")), PackageResult)
    assert_type(sc.run(FormatRequest(project_path="film", target_format="zip")), FormatResult)
    assert_type(sc.run(MetadataRequest(project_path="film")), MetadataResult)
    assert_type(sc.run(VerifyRequest(package_path="film.zip")), VerifyResult)
    assert_type(sc.run(PlanRequest(project_path="film")), PlanResult)
    assert_type(sc.run(InspectRequest(project_path="film")), InspectResult)
    assert_type(sc.run(ListRequest()), ListResult)
