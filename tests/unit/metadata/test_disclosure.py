"""Which media were made with generative AI, as far as the project says."""

from dataclasses import replace
from pathlib import Path

import pytest

from fixtures.model_projects import film_project, shots, wind
from storycore.metadata.disclosure import disclose
from storycore.metadata.evidence import COMPOSITE, GENERATED
from storycore.project.model import Media, MediaKind, Prompt

FOLDER = Path("film")
FIRST, SECOND = shots()


def picture(source="image", path="assets/images/tower.png", *, found=True):
    return Media(path=path, kind=MediaKind.IMAGE, source=source, found=found)


@pytest.mark.parametrize(
    ("media", "prompt", "generated"),
    [
        (picture("take"), Prompt(), True),
        (picture(path="assets/generated/a.png"), Prompt(), True),
        (picture(path="assets/images/generated/a.png"), Prompt(), True),
        (picture(), Prompt(model="flux-2"), True),
        (picture(), Prompt(seed=0), True),
        (picture("refined"), Prompt(text="a tower"), True),
        (picture("refined"), Prompt(), False),
        (picture(), Prompt(text="a tower"), False),
        (picture(), Prompt(), False),
    ],
)
def test_a_shot_counts_as_generated_only_if_the_project_records_it(media, prompt, generated):
    found = disclose(film_project(FOLDER, shots=(replace(FIRST, image=media, prompt=prompt),), audio=()))
    assert (found.generated, found.unsaid) == ((("shot_01",), ()) if generated else ((), ("shot_01",)))


def test_a_film_of_generated_media_only_is_trained_algorithmic_media():
    assert disclose(film_project(FOLDER, audio=())).source_type == GENERATED


def test_a_film_with_media_of_unsaid_origin_is_a_composite():
    assert disclose(film_project(FOLDER, audio=(wind(),))).source_type == COMPOSITE


def test_nothing_is_claimed_where_nothing_is_recorded():
    plain = replace(FIRST, image=picture(), prompt=Prompt())
    found = disclose(film_project(FOLDER, shots=(plain,), audio=()))
    assert found.source_type is None
    assert found.statement == (
        "The project does not record that any of its media were made with generative AI. "
        "Of 1 shot it does not say how it was made."
    )


def test_a_shot_without_a_picture_is_neither():
    missing = replace(FIRST, image=picture("take", found=False))
    found = disclose(film_project(FOLDER, shots=(missing,), audio=()))
    assert (found.generated, found.unsaid, found.without_picture) == ((), (), ("shot_01",))


def test_a_picture_stands_in_for_a_clip_that_is_missing():
    gone = Media(path="a.mp4", kind=MediaKind.VIDEO, source="clip", found=False)
    found = disclose(film_project(FOLDER, shots=(replace(FIRST, clip=gone),), audio=()))
    assert found.generated == ("shot_01",)


def test_the_statement_says_it_in_sentences():
    assert disclose(film_project(FOLDER)).statement == (
        "According to the project, the pictures of 2 of 2 shots (6.0 of 6.0 seconds) were made with generative AI. "
        "It names the model: wan-2.1. Of 1 sound file it does not say how it was made. "
        "Prompts are recorded for 2 shots."
    )
