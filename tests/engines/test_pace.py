"""The number of threads follows what the machine gives."""

from chainrule.engines.native.pace import PATIENCE, Pace


def test_threads_that_really_run_are_kept() -> None:
    pace = Pace(2)
    for _ in range(100):
        pace.note(1e-3, 0.05, 0.1)
        assert pace.threads == 2


def test_one_thread_takes_over_where_two_are_kept_waiting_and_hands_back() -> None:
    pace = Pace(2)
    pace.note(8e-3, 0.05, 0.03)
    assert pace.threads == 1
    for _ in range(PATIENCE):
        assert pace.threads == 1
        pace.note(2e-3, 0.05, 0.05)
    pace.note(2e-3, 0.05, 0.05)
    assert pace.threads == 2
    pace.note(1e-3, 0.05, 0.1)
    assert pace.threads == 2


def test_two_threads_come_back_at_once_where_one_is_no_faster() -> None:
    pace = Pace(2)
    pace.note(3e-3, 0.05, 0.05)
    pace.note(4e-3, 0.05, 0.05)
    assert pace.threads == 2
    pace.note(3e-3, 0.05, 0.05)
    assert pace.threads == 2  # not tried again for a while


def test_one_thread_has_no_choice() -> None:
    pace = Pace(1)
    pace.note(1e-3, 0.05, 0.01)
    assert pace.threads == 1


def test_another_limit_is_kept_at_once() -> None:
    pace = Pace(2)
    pace.note(8e-3, 0.05, 0.03)
    assert pace.threads == 1
    pace.limit(2)
    assert pace.threads == 1  # the same limit: nothing new
    pace.limit(3)
    assert pace.threads == 3
    pace.note(8e-3, 0.05, 0.03)
    pace.limit(1)
    assert pace.threads == 1
    pace.note(8e-3, 0.05, 0.01)
    assert pace.threads == 1
