"""Steps are timed where somebody records them, and cost nothing elsewhere."""

from indexer.step_times import StepTimes, recording_to, timed_step


def test_a_step_that_comes_again_is_added_to():
    times = StepTimes()
    with recording_to(times):
        for _ in range(2):
            with timed_step("rows", 5):
                sum(range(1000))
        with timed_step("index"):
            pass
    first, second = times.all()
    assert (first.name, first.items, second.name, second.items) == ("rows", 10, "index", 0)
    assert first.seconds > 0 and first.cpu_seconds >= 0 and first.peak_memory_mb > 1


def test_nothing_is_recorded_where_nobody_asks():
    with timed_step("rows", 5):
        pass
    assert StepTimes().all() == ()
