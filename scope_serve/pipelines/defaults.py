"""Rules that pipelines with a text and a video mode share."""

from collections.abc import Mapping, MutableMapping
from typing import Any, Literal, Protocol

from scope_serve.pipelines.base_schema import BasePipelineConfig
from scope_serve.pipelines.nodes import Node, Requirements

INPUT_MODE_TEXT: Literal["text"] = "text"
INPUT_MODE_VIDEO: Literal["video"] = "video"


class SupportsSet(Protocol):
    """Named values that a pipeline keeps between calls."""

    def set(self, name: str, value: Any, /) -> object:  # noqa: ANN401 -- any value
        """Store a value."""


class SupportsGet(Protocol):
    """A mapping, or a configuration object that has ``get`` like one."""

    def get(self, key: str, default: Any, /) -> Any:  # noqa: ANN401 -- any value
        """Return a value."""


class SupportsClearCache(Protocol):
    """An autoencoder that remembers earlier frames."""

    def clear_cache(self) -> object:
        """Forget them."""


def get_pipeline_config(pipeline_class: type[Node]) -> BasePipelineConfig:
    """Return the pipeline's configuration with all its defaults.

    Raises:
        TypeError: The class is not a pipeline.
    """
    return _config_class(pipeline_class)()


def resolve_input_mode(kwargs: Mapping[str, object]) -> Literal["text", "video"]:
    """Return the mode of a call: video if it comes with ``video``, else text."""
    return INPUT_MODE_TEXT if kwargs.get("video") is None else INPUT_MODE_VIDEO


def extract_load_params(
    pipeline_class: type[Node], load_params: Mapping[str, Any] | None
) -> tuple[int, int, int]:
    """Return height, width and base seed: as given, else the pipeline's defaults."""
    config = get_pipeline_config(pipeline_class)
    given = load_params or {}
    return (
        given.get("height", config.height),
        given.get("width", config.width),
        given.get("base_seed", config.base_seed),
    )


def calculate_video_input_size(config: SupportsGet) -> int:
    """Return how many frames a block of a causal video model stands for."""
    blocks = config.get("num_frame_per_block", 3)
    return int(blocks) * int(config.get("vae_temporal_downsample_factor", 4))


def prepare_for_mode(
    pipeline_class: type[Node],
    components_config: SupportsGet,
    kwargs: Mapping[str, object],
    video_input_size: int | None = None,
) -> Requirements | None:
    """Return what `Node.prepare` of a pipeline with both modes returns.

    Args:
        pipeline_class: Not used; part of Scope's signature.
        components_config: Where the size of a block is read from.
        kwargs: What ``prepare`` received.
        video_input_size: Frames per call in video mode; by default computed from the blocks.

    Returns:
        The frames needed in video mode, None in text mode.
    """
    del pipeline_class
    if resolve_input_mode(kwargs) == INPUT_MODE_TEXT:
        return None
    if video_input_size is None:
        video_input_size = calculate_video_input_size(components_config)
    return Requirements(input_size=video_input_size)


def apply_mode_defaults_to_state(
    state: SupportsSet,
    pipeline_class: type[Node],
    mode: str,
    kwargs: Mapping[str, object] | None = None,
) -> None:
    """Store what a mode implies and the caller did not give.

    Args:
        state: Written to.
        pipeline_class: Whose defaults apply.
        mode: Mode of the call.
        kwargs: What the call received.
    """
    given = kwargs or {}
    defaults = _config_class(pipeline_class).get_defaults_for_mode(mode)
    if given.get("denoising_step_list") is None and defaults["denoising_steps"] is not None:
        state.set("denoising_step_list", defaults["denoising_steps"])
    if mode == INPUT_MODE_TEXT:
        if "_modulated_noise_scale" not in given:
            state.set("noise_scale", None)
            state.set("noise_controller", None)
        return
    for name in ("noise_scale", "noise_controller"):
        if given.get(name) is None and defaults[name] is not None:
            state.set(name, defaults[name])


def handle_mode_transition(  # noqa: PLR0917 -- the signature is Scope's
    state: SupportsSet,
    vae: SupportsClearCache | None,
    first_call: bool,  # noqa: FBT001 -- as above
    last_mode: str | None,
    kwargs: MutableMapping[str, Any],
) -> tuple[bool, Literal["text", "video"]]:
    """Store whether caches start anew: on the first call, and where the mode changes.

    Args:
        state: Its ``init_cache`` is written.
        vae: Its cache is cleared where the mode changes.
        first_call: Whether this is the first call.
        last_mode: Mode of the call before, if there was one.
        kwargs: What the call received.

    Returns:
        False, and the mode of this call: the next values of ``first_call`` and ``last_mode``.
    """
    mode = resolve_input_mode(kwargs)
    changed = last_mode is not None and last_mode != mode
    state.set("init_cache", first_call or changed)
    if changed and vae is not None:
        vae.clear_cache()
    return False, mode


def _config_class(pipeline_class: type[Node]) -> type[BasePipelineConfig]:
    config_class = pipeline_class.get_config_class()
    if config_class is None:
        message = f"{pipeline_class.__name__} has no configuration class, so it is no pipeline"
        raise TypeError(message)
    return config_class
