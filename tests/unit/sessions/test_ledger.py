"""What a replacement replica knows, whatever happened to the one before."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scope_serve.errors import InvalidRequestError
from scope_serve.sessions.ledger import MAX_IN_FLIGHT, MAX_NAMES, MAX_WAITING, ParameterLedger

REFUSED = "refused"


class Replica:
    """What a stage does with messages: applies them, or refuses them whole."""

    def __init__(self, initial):
        self.values = dict(initial)
        self.answers = []
        self.unread = []

    def read(self):
        """Handle the oldest message."""
        message = self.unread.pop(0)
        is_accepted = REFUSED not in message.values()
        if is_accepted:
            self.values.update(message)
            self.values = {name: value for name, value in self.values.items() if value is not None}
        self.answers.append(is_accepted)


class Run:
    """A ledger and the replica that it serves now."""

    def __init__(self):
        self.ledger = ParameterLedger({"start": 1})
        self.sent = []
        self.replace()

    def replace(self):
        """Lose the replica, with all that is under way, and get another."""
        self.ledger.lost()
        self.replica = Replica(self.ledger.accepted)
        self.ledger.started()
        self.send()

    def send(self):
        while (message := self.ledger.take()) is not None:
            self.replica.unread.append(message)

    def update(self, message):
        self.sent.append(message)
        self.ledger.add(message)
        self.send()

    def read(self):
        if self.replica.unread:
            self.replica.read()

    def answer(self):
        if self.replica.answers:
            self.ledger.answered(is_accepted=self.replica.answers.pop(0))
            self.send()

    def settle(self):
        """Let everything that is under way arrive."""
        while self.replica.unread or self.replica.answers:
            self.read()
            self.answer()


messages = st.dictionaries(
    st.sampled_from(["a", "b", "c"]), st.sampled_from([1, 2, 3, None, REFUSED]), min_size=1
)
steps = st.lists(messages | st.sampled_from(["read", "answer", "replace"]), max_size=60)


@given(steps)
def test_a_replacement_ends_up_with_what_the_client_sent(script):
    run = Run()
    for step in script:
        if isinstance(step, dict):
            run.update(step)
        else:
            getattr(run, step)()
    run.settle()
    wanted = Replica({"start": 1})
    wanted.unread = run.sent
    while wanted.unread:
        wanted.read()
    assert run.replica.values == wanted.values == dict(run.ledger.accepted)


@given(st.integers(MAX_IN_FLIGHT, 200))
def test_a_flood_is_merged_and_its_last_value_counts(count):
    run = Run()
    for number in range(count):
        run.update({"a": number})
    assert len(run.replica.unread) <= MAX_IN_FLIGHT
    run.settle()
    assert run.ledger.accepted["a"] == count - 1


def test_no_more_is_kept_than_is_bounded():
    ledger = ParameterLedger({})
    for number in range(10_000):
        ledger.add({"a": number})
    taken = 0
    while ledger.take() is not None:
        taken += 1
        ledger.answered(is_accepted=True)
    assert taken == MAX_WAITING
    assert ledger.accepted == {"a": 9_999}


def test_too_many_names_are_refused_and_known_ones_still_work():
    ledger = ParameterLedger({f"name {number}": 0 for number in range(MAX_NAMES)})
    with pytest.raises(InvalidRequestError, match="1024"):
        ledger.add({"one more": 1})
    ledger.add({"name 7": 1})
    assert ledger.take() == {"name 7": 1}


def test_a_momentary_parameter_reaches_one_replica_only():
    ledger = ParameterLedger({"images": ["a.png"], "gain": 1})
    assert ledger.accepted == {"images": ["a.png"], "gain": 1}
    ledger.started()
    ledger.add({"reset_cache": True, "gain": 2})
    ledger.take()
    ledger.answered(is_accepted=True)
    assert ledger.accepted == {"gain": 2}


def test_new_prompts_end_a_transition():
    run = Run()
    run.update({"prompts": ["a"], "transition": {"target_prompts": ["b"]}})
    run.settle()
    assert "transition" in run.ledger.accepted
    run.update({"prompts": ["c"]})
    run.settle()
    assert run.ledger.accepted == {"start": 1, "prompts": ["c"]}


def test_the_strength_of_every_adapter_survives():
    run = Run()
    run.update({"lora_scales": [{"path": "a", "scale": 1}, {"path": "b", "scale": 1}]})
    run.update({"lora_scales": [{"path": "b", "scale": 0.5}]})
    run.settle()
    wanted = [{"path": "a", "scale": 1}, {"path": "b", "scale": 0.5}]
    assert run.ledger.accepted["lora_scales"] == wanted


def test_a_stage_has_always_an_input_mode():
    run = Run()
    run.update({"input_mode": "text"})
    run.update({"input_mode": None})
    run.settle()
    assert run.ledger.accepted["input_mode"] == "text"


def test_an_answer_that_nobody_waits_for_is_ignored():
    ledger = ParameterLedger({})
    ledger.answered(is_accepted=True)
    assert ledger.accepted == {}
