"""Jobs that are left behind are told from those that are in hand."""

from storycore.tasks.dispatch.hands import Hands


def test_a_job_is_left_behind_when_it_was_in_hand_at_neither_of_two_looks():
    hands = Hands()
    hands.take(1, worker=7)
    hands.take(2, worker=8)
    hands.drop(2)
    assert (hands.left({1, 2, 3}), hands.workers) == (set(), {7, 8})
    hands.take(3, worker=8)
    assert hands.left({1, 2, 3}) == {2}


def test_a_job_that_is_gone_at_the_second_look_is_nobodys_business():
    hands = Hands()
    hands.take(1, worker=7)
    hands.drop(1)
    assert (hands.left({1}), hands.left(set()), hands.left({1})) == (set(), set(), set())
