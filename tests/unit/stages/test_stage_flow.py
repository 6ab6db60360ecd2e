from hypothesis import given
from hypothesis import strategies as st

from scope_serve.stages.error_budget import ErrorBudget, FailureWindow
from scope_serve.stages.flow import OutputCredit


class ManualClock:
    def __init__(self):
        self.now = 100.0

    def __call__(self):
        return self.now


def test_one_chunk_may_wait_while_the_next_is_made():
    credit = OutputCredit()
    credit.emit(4)
    assert credit.allows_call

    credit.emit(4)

    assert not credit.allows_call


def test_a_call_is_allowed_again_once_one_chunk_is_left():
    credit = OutputCredit()
    credit.emit(4)
    credit.emit(4)

    credit.acknowledge(3)
    assert not credit.allows_call
    credit.acknowledge(1)

    assert credit.allows_call


def test_too_many_acknowledgements_are_no_loan():
    credit = OutputCredit()

    credit.acknowledge(10)
    credit.emit(1)
    credit.emit(1)

    assert not credit.allows_call


@given(st.lists(st.integers(1, 23), min_size=1, max_size=50))
def test_at_most_two_chunks_are_ever_outstanding(chunks):
    credit = OutputCredit()
    for before, chunk in zip([0, *chunks], chunks, strict=False):
        while not credit.allows_call:
            credit.acknowledge(1)
        credit.emit(chunk)
        assert credit.outstanding <= max(1, before) + chunk


def test_fifth_failure_within_ten_seconds_is_the_last():
    clock = ManualClock()
    window = FailureWindow(ErrorBudget(failures=5, window_s=10.0), clock)

    verdicts = []
    for _ in range(5):
        verdicts.append(window.record())
        clock.now += 2.0

    assert verdicts == [False, False, False, False, True]


def test_rare_failures_never_spend_the_budget():
    clock = ManualClock()
    window = FailureWindow(ErrorBudget(failures=5, window_s=10.0), clock)

    for _ in range(50):
        assert not window.record()
        clock.now += 2.6
