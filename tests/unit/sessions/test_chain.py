"""From the pipelines that a client asks for to stages."""

import pytest

from scope_serve.errors import (
    InvalidRequestError,
    ParameterError,
    PipelineNotFoundError,
    UsageError,
)
from scope_serve.pipelines.descriptor import PipelineDescriptor
from scope_serve.sessions.chain import MAX_STAGES, ChainNode, resolve_chain


def described(pipeline_id, modes=("video",), usage=()):
    return PipelineDescriptor(
        pipeline_id=pipeline_id,
        import_path="module:Class",
        plugin_name=None,
        schema_dict={},
        estimated_vram_gb=None,
        usage=usage,
        supported_modes=modes,
        default_mode=modes[0],
        artifacts=(),
    )


OFFERED = {
    each.pipeline_id: each
    for each in [
        described("pre", usage=("preprocessor",)),
        described("main", ("video", "text")),
        described("text", ("text",)),
        described("post", usage=("postprocessor",)),
        described("both", usage=("preprocessor", "postprocessor")),
    ]
}


def modes(*names, input_mode=None, has_video_input=True):
    nodes = [ChainNode(f"{number}", name) for number, name in enumerate(names)]
    chain = resolve_chain(nodes, OFFERED, input_mode=input_mode, has_video_input=has_video_input)
    assert [spec.pipeline_id for spec in chain] == list(names)
    return [spec.input_mode for spec in chain]


@pytest.mark.parametrize(
    ("name", "input_mode", "has_video_input", "wanted"),
    [
        ("main", None, True, "video"),
        ("main", None, False, "text"),
        ("main", "text", True, "text"),
        ("main", "video", True, "video"),
        ("main", "text", False, "text"),
        ("text", None, True, "text"),
        ("pre", None, True, "video"),
    ],
)
def test_the_mode_of_the_first_stage(name, input_mode, has_video_input, wanted):
    assert modes(name, input_mode=input_mode, has_video_input=has_video_input) == [wanted]


def test_later_stages_get_video():
    assert modes("main", "post", input_mode="text", has_video_input=False) == ["text", "video"]


@pytest.mark.parametrize(
    ("name", "input_mode", "has_video_input"),
    [
        ("text", "video", True),
        ("pre", "text", True),
        ("main", "video", False),
        ("pre", None, False),
    ],
)
def test_a_mode_that_cannot_be_is_the_clients_error(name, input_mode, has_video_input):
    with pytest.raises(ParameterError) as caught:
        modes(name, input_mode=input_mode, has_video_input=has_video_input)
    assert (caught.value.field, caught.value.pipeline_id) == ("input_mode", name)


@pytest.mark.parametrize(
    "names",
    [
        ("main",),
        ("pre", "main", "post"),
        ("both", "main", "both"),
        ("post",),
        ("post", "both", "post"),
    ],
)
def test_these_chains_are_served(names):
    assert modes(*names)


@pytest.mark.parametrize("names", [("post", "main"), ("post", "pre"), ("main", "text")])
def test_a_pipeline_at_the_wrong_place_is_refused(names):
    with pytest.raises(UsageError, match=r"cannot come (before|after)"):
        modes(*names)


def test_an_unknown_pipeline_is_named_with_what_there_is():
    with pytest.raises(PipelineNotFoundError, match=r"'mian'.*'main'"):
        modes("mian")


def test_a_chain_is_bounded():
    assert len(modes(*["main"] * MAX_STAGES)) == MAX_STAGES
    with pytest.raises(InvalidRequestError, match="at most 8"):
        modes(*["main"] * (MAX_STAGES + 1))


def test_an_empty_chain_is_refused():
    with pytest.raises(InvalidRequestError, match="no pipeline"):
        modes()


def test_two_nodes_of_one_name_are_refused():
    nodes = [ChainNode("same", "main"), ChainNode("same", "post")]
    with pytest.raises(InvalidRequestError, match="same node id"):
        resolve_chain(nodes, OFFERED, input_mode=None, has_video_input=True)
