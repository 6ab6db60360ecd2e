"""Values of command-line options."""

import pytest
import typer

from scope_serve.cli.options import read_chain, read_counts, read_parameters, read_size


def test_a_size_is_width_by_height():
    assert read_size("1280x720") == (1280, 720)


@pytest.mark.parametrize("text", ["640", "640*360", "x", "641x360", "320x170", "-640x360"])
def test_what_is_not_a_usable_size_is_refused(text):
    with pytest.raises(typer.BadParameter):
        read_size(text)


@pytest.mark.parametrize(
    ("pipeline", "chain", "ids"),
    [("gray", None, ("gray",)), (None, "a, b", ("a", "b")), (None, "a", ("a",))],
)
def test_a_chain_is_given_in_either_way(pipeline, chain, ids):
    assert read_chain(pipeline, chain) == ids


@pytest.mark.parametrize(
    ("pipeline", "chain"), [(None, None), ("a", "b"), (None, "a,,b"), ("a,b", None), (None, "")]
)
def test_a_chain_that_is_not_one_is_refused(pipeline, chain):
    with pytest.raises(typer.BadParameter):
        read_chain(pipeline, chain)


def test_parameters_come_from_json_and_prompt():
    assert read_parameters('{"a": 1}', "a cat") == {
        "a": 1,
        "prompts": [{"text": "a cat", "weight": 1.0}],
    }


def test_parameters_come_from_a_file(tmp_path):
    (tmp_path / "p.json").write_text('{"a": 1}')
    assert read_parameters(f"@{tmp_path}/p.json", None) == {"a": 1}


@pytest.mark.parametrize("text", ["{", "[1]", "@/no/such/file"])
def test_parameters_that_are_no_json_object_are_refused(text):
    with pytest.raises(typer.BadParameter, match="--params"):
        read_parameters(text, None)


def test_prompts_are_given_once():
    with pytest.raises(typer.BadParameter, match="exclude each other"):
        read_parameters('{"prompts": []}', "a cat")


def test_counts_are_numbers_above_zero():
    assert read_counts("1,2,4") == (1, 2, 4)
    for text in ("", "0", "1,x"):
        with pytest.raises(typer.BadParameter):
            read_counts(text)
