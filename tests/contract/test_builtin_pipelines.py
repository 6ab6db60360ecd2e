"""Every built-in pipeline through one suite: the promises of the pipeline contract."""

from itertools import pairwise

import pytest
import torch

from scope_serve.pipelines.controller import CtrlInput
from scope_serve.pipelines.loading import load_pipeline_class
from scope_serve.pipelines.registry import load_pipelines
from scope_serve.stages.construction import construct_pipeline

MODES = [
    ("passthrough", "video"),
    ("gray", "video"),
    ("controller-viz", "text"),
    ("test-pattern", "text"),
]
BUILTINS = [pipeline_id for pipeline_id, _mode in MODES]
SESSION_PLUMBING = {
    "init_cache": True,
    "input_mode": "text",
    "pipeline_ids": ["x"],
    "graph": {"nodes": []},
    "recording": False,
    "produces_video": True,
    "prompts": [{"text": "a fox", "weight": 1.0}],
    "prompt_interpolation_method": "linear",
    "vace_context_scale": 1.0,
    "ctrl_input": CtrlInput(button={"KeyW"}, mouse=(1.0, 2.0)),
    "never_heard_of": object(),
}


def descriptor(pipeline_id):
    return load_pipelines().get(pipeline_id)


def construct(pipeline_id, **load_params):
    pipeline_class = load_pipeline_class(descriptor(pipeline_id).import_path)
    return construct_pipeline(pipeline_class, load_params, torch.device("cpu"))


def frames(count, height=48, width=64):
    generator = torch.Generator().manual_seed(1)
    return [
        torch.randint(0, 256, (1, height, width, 3), dtype=torch.uint8, generator=generator)
        for _ in range(count)
    ]


def call(pipeline, mode, *, height=48, width=64, **parameters):
    """Prepare and call a pipeline as a stage does, in one of its modes."""
    flags = {"video": True} if mode == "video" else {}
    requirements = pipeline.prepare(**parameters, **flags)
    if requirements is None:
        return pipeline(**parameters)
    assert mode == "video", "a text-mode pipeline must not wait for frames"
    return pipeline(video=frames(requirements.input_size, height, width), **parameters)


def assert_is_video(output):
    video = output["video"]
    assert video.ndim == 4
    assert video.shape[0] >= 1
    assert video.shape[-1] == 3
    if video.dtype != torch.uint8:
        assert video.is_floating_point()
        assert 0 <= video.min() <= video.max() <= 1


@pytest.mark.parametrize(("pipeline_id", "mode"), MODES)
def test_call_returns_video(pipeline_id, mode):
    assert_is_video(call(construct(pipeline_id), mode))


@pytest.mark.parametrize(("pipeline_id", "mode"), MODES)
def test_unknown_arguments_are_accepted_everywhere(pipeline_id, mode):
    pipeline = construct(
        pipeline_id, vace_enabled=True, quantization=None, loras=[], device=torch.device("cpu")
    )
    assert_is_video(call(pipeline, mode, **SESSION_PLUMBING))


@pytest.mark.parametrize("size", [(1, 1), (7, 13), (33, 1), (2, 99)])
@pytest.mark.parametrize(("pipeline_id", "mode"), MODES)
def test_odd_sizes(pipeline_id, mode, size):
    height, width = size
    pipeline = construct(pipeline_id, height=height, width=width)
    output = call(pipeline, mode, height=height, width=width, **SESSION_PLUMBING)
    assert tuple(output["video"].shape[1:3]) == size


@pytest.mark.parametrize(("pipeline_id", "mode"), MODES)
def test_inputs_are_not_modified(pipeline_id, mode):
    pipeline = construct(pipeline_id)
    requirements = pipeline.prepare(video=True)
    video = frames(requirements.input_size if requirements else 1)
    before = [frame.clone() for frame in video]
    pipeline(video=video)
    assert all(torch.equal(old, new) for old, new in zip(before, video, strict=True))


@pytest.mark.parametrize(("pipeline_id", "mode"), MODES)
def test_earlier_outputs_stay_as_they_were(pipeline_id, mode):
    pipeline = construct(pipeline_id)
    first = call(pipeline, mode)["video"]
    copy = first.clone()
    for _ in range(3):
        call(pipeline, mode, ctrl_input=CtrlInput(button={"KeyD"}, mouse=(9.0, 9.0)))
    assert torch.equal(first, copy)


@pytest.mark.parametrize(("pipeline_id", "mode"), MODES)
def test_one_class_makes_independent_instances(pipeline_id, mode):
    first, second = construct(pipeline_id), construct(pipeline_id)
    for _ in range(4):
        call(first, mode, ctrl_input=CtrlInput(mouse=(5.0, 5.0)))
    fresh = call(construct(pipeline_id), mode)["video"]
    assert torch.equal(call(second, mode)["video"], fresh)


def test_every_mode_of_every_builtin_is_covered():
    builtins = [one for one in load_pipelines().descriptors if one.plugin_name is None]
    assert [(one.pipeline_id, mode) for one in builtins for mode in one.supported_modes] == MODES


@pytest.mark.parametrize("pipeline_id", BUILTINS)
def test_descriptor_is_complete(pipeline_id):
    described = descriptor(pipeline_id)
    assert described.plugin_name is None
    assert described.schema_dict["plugin_name"] is None
    assert "schema_error" not in described.schema_dict
    assert described.estimated_vram_gb is None
    assert described.artifacts == ()


@pytest.mark.parametrize(
    ("pipeline_id", "usage", "supported", "height", "width", "input_size"),
    [
        ("passthrough", [], ["video"], 512, 512, 4),
        ("gray", ["preprocessor"], ["video"], 512, 512, 1),
        ("controller-viz", [], ["text"], 512, 512, None),
        ("test-pattern", [], ["text"], 360, 640, None),
    ],
)
def test_schema_is_that_of_scope(pipeline_id, usage, supported, height, width, input_size):
    schema = descriptor(pipeline_id).schema_dict
    assert (schema["usage"], schema["supported_modes"]) == (usage, supported)
    properties = schema["config_schema"]["properties"]
    assert properties["height"]["default"] == height
    assert properties["width"]["default"] == width
    assert properties["input_size"]["default"] == input_size


def test_controller_input_is_announced():
    properties = descriptor("controller-viz").schema_dict["config_schema"]["properties"]
    assert "ctrl_input" in properties


def test_passthrough_keeps_frames_size_and_timestamps():
    video = frames(4, 33, 47)
    stamps = [object() for _ in video]
    output = construct("passthrough")(video=video, video_timestamps=stamps)
    assert torch.equal(output["video"], torch.cat(video))
    assert output["video_timestamps"] is stamps


def test_passthrough_of_single_frames_copies_nothing():
    (frame,) = frames(1)
    pipeline = construct("passthrough", input_size=1)
    assert pipeline.prepare(video=True).input_size == 1
    assert pipeline(video=[frame])["video"].data_ptr() == frame.data_ptr()


def test_frames_of_changing_size_take_the_first_size():
    output = construct("passthrough")(video=[*frames(1, 20, 30), *frames(3, 40, 60)])
    assert tuple(output["video"].shape) == (4, 20, 30, 3)


@pytest.mark.parametrize(
    ("rgb", "expected"),
    [
        ((255, 0, 0), 76.245),
        ((0, 255, 0), 149.685),
        ((0, 0, 255), 29.07),
        ((255, 255, 255), 255),
        ((0, 0, 0), 0),
        ((12, 200, 77), 129.766),
    ],
)
def test_gray_is_bt601_luma(rgb, expected):
    frame = torch.tensor(rgb, dtype=torch.uint8).expand(1, 5, 7, 3)
    video = construct("gray")(video=[frame])["video"]
    assert video.dtype == torch.uint8
    assert tuple(video.shape) == (1, 5, 7, 3)
    assert video.unique().numel() == 1
    assert abs(int(video[0, 0, 0, 0]) - expected) <= 0.51


def test_gray_takes_a_chunk_at_once():
    video = frames(3)
    gray = construct("gray", input_size=3)
    assert gray.prepare(video=True).input_size == 3
    stamps = ["a", "b", "c"]
    output = gray(video=video, video_timestamps=stamps)
    weights = torch.tensor([0.299, 0.587, 0.114], dtype=torch.float64)
    luma = torch.cat(video).double() @ weights
    for channel in range(3):
        difference = output["video"][..., channel].double() - luma
        assert difference.abs().max() <= 0.51
    assert output["video_timestamps"] is stamps


def picture(pipeline, **state):
    return pipeline(ctrl_input=CtrlInput(**state))["video"][0]


@pytest.mark.parametrize("key", ["KeyW", "KeyA", "KeyS", "KeyD"])
def test_controller_lights_the_key_that_is_down(key):
    pipeline = construct("controller-viz")
    idle = picture(pipeline)
    changed = (picture(pipeline, button={key}) != idle).any(dim=-1).nonzero()
    assert len(changed) > 500
    middle = changed.float().mean(dim=0)
    others = {
        other: (picture(pipeline, button={other}) != idle).any(dim=-1).nonzero().float().mean(0)
        for other in ("KeyW", "KeyA", "KeyS", "KeyD")
        if other != key
    }
    assert all((middle - other).abs().max() > 20 for other in others.values())


def test_controller_ignores_other_keys():
    pipeline = construct("controller-viz")
    assert torch.equal(picture(pipeline, button={"KeyQ"}), picture(pipeline))


def pointer(frame):
    """Return row and column of the middle of the white pointer in the right half."""
    right = frame[:, 256:]
    return (right == 255).all(dim=-1).nonzero().float().mean(dim=0)


def test_controller_pointer_moves_with_the_mouse_and_stays():
    pipeline = construct("controller-viz")
    start = pointer(picture(pipeline))
    moved = pointer(picture(pipeline, mouse=(30.0, -20.0)))
    assert (moved - start).round().tolist() == pytest.approx([-20, 30], abs=4)
    assert torch.equal(pointer(picture(pipeline)), moved)


def test_controller_pointer_stays_inside_and_has_a_sensitivity():
    pipeline = construct("controller-viz")
    far = pointer(picture(pipeline, mouse=(1e9, 1e9)))
    assert torch.equal(pointer(picture(pipeline, mouse=(1e9, 1e9))), far)
    back = pipeline(ctrl_input=CtrlInput(mouse=(-1.0, 0.0)), mouse_sensitivity=50.0)["video"][0]
    assert (far - pointer(back))[1].item() == pytest.approx(50, abs=5)


def test_controller_says_how_often_it_wants_to_be_called():
    assert construct("controller-viz")()["frame_rate"] == 30


def test_pattern_changes_with_every_frame_even_when_it_stands():
    pattern = construct("test-pattern")
    shown = [pattern(speed=0.0)["video"] for _ in range(5)]
    for first, second in pairwise(shown):
        assert (first != second).any(dim=-1).sum() > 20


def test_pattern_has_the_colours_of_the_bars():
    video = construct("test-pattern")()["video"]
    assert tuple(video.shape) == (1, 360, 640, 3)
    middles = [video[0, 20, 640 * (2 * bar + 1) // 14].tolist() for bar in range(7)]
    assert middles == [
        [191, 191, 191],
        [191, 191, 0],
        [0, 191, 191],
        [0, 191, 0],
        [191, 0, 191],
        [191, 0, 0],
        [0, 0, 191],
    ]


def test_pattern_returns_the_frame_rate_it_was_given():
    pattern = construct("test-pattern")
    assert pattern()["frame_rate"] == 30
    assert pattern(frame_rate=12)["frame_rate"] == 12
    assert pattern(frame_rate=0)["frame_rate"] == 1


def test_pattern_marker_follows_the_speed():
    slow, fast = construct("test-pattern"), construct("test-pattern")
    marker = []
    for pattern, speed in ((slow, 1.0), (fast, 2.0)):
        for _ in range(11):
            video = pattern(speed=speed, frame_rate=10)["video"]
        row = video[0, 250]
        marker.append((row == 255).all(dim=-1).nonzero().float().mean().item())
    assert marker[0] == pytest.approx(0.25 * 680 - 20, abs=2)
    assert marker[1] == pytest.approx(0.50 * 680 - 20, abs=2)


def test_pattern_draws_the_prompt_and_forgets_it():
    pattern = construct("test-pattern")
    plain = pattern(init_cache=True)["video"]
    prompted = pattern(init_cache=True, prompts=[{"text": "a red fox", "weight": 1.0}])["video"]
    changed = (prompted != plain).any(dim=-1)[0]
    assert changed[:240].sum() > 200
    assert not changed[240:].any()
    assert torch.equal(pattern(init_cache=True, prompts=[])["video"], plain)


@pytest.mark.parametrize(
    "prompts",
    ["a fox", ["a fox"], {"text": "a fox"}, [{"text": "a fox", "weight": 0.2}], ["", "a fox"]],
)
def test_pattern_takes_prompts_in_every_form(prompts):
    expected = construct("test-pattern")(prompts="a fox")["video"]
    assert torch.equal(construct("test-pattern")(prompts=prompts)["video"], expected)


def test_pattern_survives_endless_prompts():
    assert_is_video(construct("test-pattern")(prompts="word " * 10_000))


def test_pattern_clock_restarts_with_the_cache():
    pattern = construct("test-pattern")
    first = pattern(init_cache=True)["video"]
    pattern()
    assert torch.equal(pattern(init_cache=True)["video"], first)
