"""The mode of a stream follows from the first pipeline's schema."""

import pytest

from scope_serve.client.errors import ClientUsageError, UnknownPipelineError
from scope_serve.client.selection import check_offered, choose_mode

SCHEMAS = {
    "gray": {"supported_modes": ["video"]},
    "noise": {"supported_modes": ["text"]},
    "wan": {"supported_modes": ["text", "video"]},
    "old": {},
}


@pytest.mark.parametrize(
    ("chain", "has_input", "mode"),
    [
        (["gray"], True, "video"),
        (["noise"], False, "text"),
        (["wan"], True, "video"),
        (["wan"], False, "text"),
        (["old"], True, "video"),
        (["noise", "gray"], False, "text"),
        (["gray", "wan"], True, "video"),
    ],
)
def test_the_mode_follows_the_input(chain, has_input, mode):
    assert choose_mode(chain, SCHEMAS, has_input=has_input) == mode


def test_a_video_pipeline_without_input_is_refused():
    with pytest.raises(ClientUsageError, match=r"'gray' works on video: .*--input"):
        choose_mode(["gray", "noise"], SCHEMAS, has_input=False)


def test_a_text_pipeline_with_input_is_refused():
    with pytest.raises(ClientUsageError, match="'noise' takes no video"):
        choose_mode(["noise"], SCHEMAS, has_input=True)


def test_every_pipeline_of_a_chain_has_to_be_offered():
    with pytest.raises(UnknownPipelineError, match="'sepia'"):
        check_offered(["gray", "sepia"], SCHEMAS)
