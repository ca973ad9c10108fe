import shlex

from storycore.dashboard.same_as import as_command, as_curl
from storycore.loading import load
from storycore.operations.catalog import find


def command(name, values):
    operation = find(name)
    request_type = load(operation.request)
    return as_command(operation, request_type, request_type(**values).model_dump(mode="json"))


def test_a_request_is_typed_with_what_differs_from_the_usual():
    told = command(
        "storycore.export.format",
        {"project_path": "my film", "target_format": ["mp4", "wav"], "conversion_options": {"width": 160}},
    )
    assert shlex.split(told) == [
        "storycore", "export", "format", "my film", "--to", "mp4,wav", "--option", "width=160",
    ]  # fmt: skip


def test_flags_and_numbers_are_spelled_as_the_command_line_reads_them():
    told = command("storycore.export.package", {"project_path": "f", "include_assets": False, "compression_level": 9})
    assert shlex.split(told) == ["storycore", "export", "package", "f", "--no-include-assets", "--level", "9"]


def test_what_takes_a_file_has_no_command_of_one_line():
    assert command("storycore.integration.comfyui.workflow", {"workflow_definition": {"1": {}}}) == ""


def test_a_call_can_be_pasted_into_a_shell_whatever_its_texts_hold():
    operation = find("storycore.export.package")
    told = as_curl(operation, {"project_path": "it's $HOME"}, "http://127.0.0.1:8765", with_key=True)
    words = shlex.split(told)
    assert words[-1] == '{"project_path": "it\'s $HOME"}'
    assert '"Authorization: Bearer $STORYCORE_KEY"' in told
