"""Rules that pipelines with two modes share, and the first values of their state."""

from types import SimpleNamespace

import pytest

from scope_serve.pipelines import defaults
from scope_serve.pipelines.base_schema import BasePipelineConfig, ModeDefaults
from scope_serve.pipelines.helpers import initialize_state_from_config
from scope_serve.pipelines.interface import Pipeline


class TwoModesConfig(BasePipelineConfig):
    pipeline_id = "two-modes"
    modes = {
        "text": ModeDefaults(default=True, denoising_steps=[1000, 500]),
        "video": ModeDefaults(denoising_steps=[750], noise_scale=0.7, noise_controller=True),
    }

    height: int = 320
    width: int = 576


class TwoModes(Pipeline):
    @classmethod
    def get_config_class(cls):
        return TwoModesConfig


class State(dict):
    set = dict.__setitem__


class Vae:
    cleared = 0

    def clear_cache(self):
        self.cleared += 1


def test_mode_follows_from_the_video():
    assert defaults.resolve_input_mode({"video": True}) == "video"
    assert defaults.resolve_input_mode({"video": []}) == "video"
    assert defaults.resolve_input_mode({"video": None}) == "text"
    assert defaults.resolve_input_mode({}) == "text"


def test_default_configuration():
    assert defaults.get_pipeline_config(TwoModes) == TwoModesConfig()
    with pytest.raises(TypeError, match="no pipeline"):
        defaults.get_pipeline_config(Pipeline)


def test_load_parameters_fall_back_to_the_configuration():
    assert defaults.extract_load_params(TwoModes, None) == (320, 576, 42)
    assert defaults.extract_load_params(TwoModes, {"height": 64, "base_seed": 7}) == (64, 576, 7)


@pytest.mark.parametrize(
    ("config", "frames"),
    [
        ({}, 12),
        ({"num_frame_per_block": 1}, 4),
        ({"num_frame_per_block": 2, "vae_temporal_downsample_factor": 8}, 16),
    ],
)
def test_frames_of_a_block(config, frames):
    assert defaults.calculate_video_input_size(config) == frames


def test_video_mode_needs_frames_and_text_mode_none():
    assert defaults.prepare_for_mode(TwoModes, {}, {"video": True}).input_size == 12
    assert defaults.prepare_for_mode(TwoModes, {}, {"video": True}, 5).input_size == 5
    assert defaults.prepare_for_mode(TwoModes, {}, {}) is None


def test_text_mode_has_no_noise():
    state = State(noise_scale=0.5, noise_controller=True)
    defaults.apply_mode_defaults_to_state(state, TwoModes, "text", {})
    assert state == {
        "denoising_step_list": [1000, 500],
        "noise_scale": None,
        "noise_controller": None,
    }


def test_modulated_noise_survives_text_mode():
    state = State(noise_scale=0.5)
    defaults.apply_mode_defaults_to_state(
        state, TwoModes, "text", {"_modulated_noise_scale": 0.5, "denoising_step_list": [1]}
    )
    assert state == {"noise_scale": 0.5}


def test_video_mode_fills_what_the_caller_left_out():
    state = State()
    defaults.apply_mode_defaults_to_state(state, TwoModes, "video", {"noise_scale": 0.1})
    assert state == {"denoising_step_list": [750], "noise_controller": True}


def test_first_call_starts_with_new_caches():
    state, vae = State(), Vae()
    assert defaults.handle_mode_transition(state, vae, True, None, {}) == (False, "text")
    assert state == {"init_cache": True}
    assert vae.cleared == 0


def test_same_mode_keeps_the_caches():
    state, vae = State(), Vae()
    assert defaults.handle_mode_transition(state, vae, False, "text", {}) == (False, "text")
    assert state == {"init_cache": False}
    assert vae.cleared == 0


def test_mode_change_clears_the_caches():
    state, vae = State(), Vae()
    result = defaults.handle_mode_transition(state, vae, False, "text", {"video": [1]})
    assert result == (False, "video")
    assert state == {"init_cache": True}
    assert vae.cleared == 1


def test_state_starts_with_the_configuration_over_the_defaults():
    state = State()
    config = SimpleNamespace(height=128, noise_scale=0.3)
    initialize_state_from_config(state, config, TwoModesConfig(denoising_steps=[9]))
    assert state == {
        "current_start_frame": 0,
        "height": 128,
        "width": 576,
        "base_seed": 42,
        "manage_cache": True,
        "noise_scale": 0.3,
        "noise_controller": None,
        "vace_context_scale": 1.0,
        "denoising_step_list": [9],
    }
