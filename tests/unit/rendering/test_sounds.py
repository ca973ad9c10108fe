from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from storycore.project.model import (
    AudioTrack,
    Media,
    MediaKind,
    Project,
    Shape,
    Shot,
    TrackKind,
    Transition,
    TransitionKind,
)
from storycore.project.timeline import place
from storycore.rendering.plan import timeline
from storycore.rendering.sounds import SAMPLE_RATE, Stem, odd_sounds, place_sounds

RATE = Fraction(24)


def track(name="a.wav", kind=TrackKind.SFX, *, start=0, found=True, source="track", **more):
    media = Media(path=name, kind=MediaKind.AUDIO, source=source, found=found)
    facts = {"duration": None} | more
    return AudioTrack(id=name, name="", kind=kind, media=media, start=Fraction(start), **facts)


def shot(seconds, kind="cut", overlap=0, audio=(), clip=None, **more):
    return Shot(
        id="s", number=1, title="", description="", duration=Fraction(seconds), start=Fraction(0), audio=tuple(audio),
        clip=None if clip is None else Media(path=clip, kind=MediaKind.VIDEO, source="clip", found=True),
        transition=Transition(kind=TransitionKind(kind), duration=Fraction(overlap)), **more,
    )  # fmt: skip


def project(*shots, audio=()):
    shots, _, duration = place(shots)
    return Project(
        folder=Path("/film"), shape=Shape.INTERFACE, schema_version="1.0", id="x", name="x", created=None, updated=None,
        title="x", logline="", frame_rate=RATE, width=64, height=36, shots=shots, duration=duration, audio=tuple(audio),
    )  # fmt: skip


def sounds(film, rate=RATE, **how):
    return place_sounds(film, timeline(film.shots, rate, **how))


def test_a_sound_counts_from_the_first_frame_of_its_shot():
    (sound,) = sounds(project(shot(1), shot(2, audio=[track(start=Fraction(1, 2), duration=Fraction(1))])))
    assert (sound.start, sound.length, sound.stem) == (72_000, 48_000, Stem.SFX)


@pytest.mark.parametrize("rate", [Fraction(24000, 1001), Fraction(25), Fraction(30000, 1001), Fraction(60)])
def test_a_clip_sounds_exactly_as_long_as_it_is_seen(rate):
    film = project(shot(Fraction("1.2345"), clip="a.mp4"), shot(Fraction("0.777"), clip="b.mp4"))
    line = timeline(film.shots, rate)
    first, second = place_sounds(film, line)
    assert (first.start, first.length) == (0, line.sample_at(line.spans[0].end, SAMPLE_RATE))
    assert (second.start, second.start + second.length) == (first.length, line.samples(SAMPLE_RATE))


def test_a_clip_begins_at_its_in_point_and_is_silent_after_its_out_point():
    (sound,) = sounds(project(shot(4, clip="a.mp4", clip_in=Fraction(3), clip_out=Fraction(5))))
    assert (sound.offset, sound.length, sound.of_clip) == (3, 96_000, True)


def test_sounds_of_clips_cross_with_the_picture():
    film = project(shot(2, "dissolve", 1, clip="a.mp4"), shot(2, clip="b.mp4"))
    first, second = sounds(film)
    assert (first.cross_in, first.cross_out, second.cross_in, second.cross_out) == (0, 48_000, 48_000, 0)
    assert second.start == 48_000


def test_through_black_the_sound_goes_before_the_cut_and_comes_after_it():
    first, second = sounds(project(shot(2, "fade_black", 1, clip="a.mp4"), shot(2, "fade_black", 1, clip="b.mp4")))
    assert (first.cross_out, second.cross_in) == (24_000, 24_000)
    assert second.cross_out == 48_000, "at the film's end all of the fade lies before it"


def test_ambience_of_a_whole_shot_follows_the_picture_and_speech_never_does():
    whole = {"duration": Fraction(2)}
    film = project(
        shot(
            2,
            "dissolve",
            1,
            audio=[track("sea", TrackKind.AMBIENT, **whole), track("ada", TrackKind.DIALOGUE, **whole)],
        ),
        shot(2),
    )
    ada, sea = sounds(film)
    assert (sea.cross_out, ada.cross_out) == (48_000, 0)


def test_music_that_runs_beyond_its_shot_runs_on():
    film = project(shot(2, "dissolve", 1, audio=[track(kind=TrackKind.MUSIC, duration=Fraction(3))]), shot(2))
    (music,) = sounds(film)
    assert (music.length, music.cross_out) == (144_000, 0)


def test_what_sounds_beyond_the_film_is_cut_without_a_click():
    (sound,) = sounds(project(shot(1, audio=[track(duration=Fraction(9))])))
    assert (sound.length, sound.fade_out) == (48_000, 240)
    assert sounds(project(shot(1, audio=[track(start=2)]))) == ()


def test_a_sound_before_the_film_begins_later_in_its_file():
    (sound,) = sounds(project(shot(1, audio=[track(start=-1, offset=Fraction(1, 4), duration=Fraction(3, 2))])))
    assert (sound.start, sound.length, sound.offset, sound.begun) == (0, 24_000, Fraction(5, 4), 48_000)


def test_muted_silent_and_missing_sounds_are_left_out():
    tracks = [track(muted=True), track(volume=0.0), track(found=False), track(source="data")]
    assert sounds(project(shot(1, audio=tracks))) == ()


def test_only_solo_tracks_are_heard_and_that_is_told():
    film = project(shot(1, clip="a.mp4", audio=[track("one", solo=True), track("two")]), audio=[track("three")])
    assert [sound.path for sound in sounds(film)] == ["one"]
    assert [warning.reason for warning in odd_sounds(film)] == ["sound_solo"]


def test_sounds_inside_project_json_are_told():
    assert [it.reason for it in odd_sounds(project(shot(1, audio=[track(source="data")])))] == ["media_unreadable"]


def test_sounds_of_the_film_count_from_its_start_and_the_lead_is_silent():
    film = project(shot(2), audio=[track(kind=TrackKind.MUSIC)])
    (sound,) = sounds(film, lead_seconds=Fraction(1))
    assert (sound.start, sound.length, sound.begun) == (48_000, 96_000, 0)


def test_a_range_of_the_film_has_its_own_part_of_each_sound():
    film = project(shot(4, audio=[track(fade_in=Fraction(2), duration=Fraction(4))]))
    (sound,) = sounds(film, time_range=(Fraction(1), Fraction(3)))
    assert (sound.start, sound.length, sound.offset, sound.begun) == (0, 96_000, 1, 48_000)


@given(
    st.lists(
        st.tuples(
            st.fractions(Fraction(1, 10), 5, max_denominator=100),
            st.sampled_from(["cut", "dissolve", "fade_black"]),
            st.fractions(-6, 6, max_denominator=100),
            st.one_of(st.none(), st.fractions(0, 20, max_denominator=100)),
        ),
        min_size=1, max_size=6,
    ),
    st.sampled_from([Fraction(24), Fraction(24000, 1001), Fraction(30000, 1001), Fraction(60)]),
)  # fmt: skip
def test_every_sound_lies_inside_the_film(shots, rate):
    film = project(
        *(
            shot(seconds, kind, Fraction(1, 2), clip="a.mp4", audio=[track(start=start, duration=length)])
            for seconds, kind, start, length in shots
        )
    )
    line = timeline(film.shots, rate)
    for sound in place_sounds(film, line):
        assert 0 <= sound.start < sound.start + sound.length <= line.samples(SAMPLE_RATE)
        assert min(sound.offset, sound.begun, sound.cross_in, sound.cross_out, sound.fade_out) >= 0


def test_the_order_does_not_depend_on_how_tracks_are_listed():
    tracks = [track(f"{name}.wav") for name in "cab"]
    film = project(shot(1, audio=tracks))
    other = replace(film, shots=(replace(film.shots[0], audio=tuple(reversed(tracks))),))
    assert sounds(film) == sounds(other)
