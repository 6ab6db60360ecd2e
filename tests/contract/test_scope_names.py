"""Every name that Scope plugins import exists under Scope's name for it."""

import importlib

import pytest

NAMES = {
    "scope.core": "hookimpl",
    "scope.core.config": "get_base_dir get_models_dir get_model_file_path get_assets_dir",
    "scope.core.pipelines.interface": "Pipeline Requirements",
    "scope.core.nodes": (
        "Node BaseNode NodeDefinition NodePort NodeParam Requirements NodeRegistry SchedulerNode "
        "register_builtin_nodes"
    ),
    "scope.core.nodes.base": "Node BaseNode NodeDefinition NodePort NodeParam Requirements",
    "scope.core.nodes.registry": "NodeRegistry",
    "scope.core.pipelines.base_schema": (
        "BasePipelineConfig ModeDefaults UsageType InputMode ui_field_config CtrlInput "
        "height_field width_field denoising_steps_field noise_scale_field noise_controller_field "
        "input_size_field ref_images_field vace_context_scale_field"
    ),
    "scope.core.pipelines.schema": (
        "BasePipelineConfig InputMode ModeDefaults PIPELINE_CONFIGS get_config_class"
    ),
    "scope.core.pipelines.artifacts": "Artifact HuggingfaceRepoArtifact GoogleDriveArtifact",
    "scope.core.pipelines.common_artifacts": (
        "WAN_1_3B_ARTIFACT UMT5_ENCODER_ARTIFACT VACE_ARTIFACT VACE_14B_ARTIFACT "
        "LIGHTVAE_ARTIFACT TAE_ARTIFACT LIGHTTAE_ARTIFACT"
    ),
    "scope.core.pipelines.enums": "Quantization VaeType",
    "scope.core.pipelines.utils": (
        "Quantization VaeType load_state_dict load_model_config validate_resolution "
        "parse_jsonl_prompts print_statistics"
    ),
    "scope.core.pipelines.process": "normalize_frame_sizes preprocess_chunk postprocess_chunk",
    "scope.core.pipelines.defaults": (
        "INPUT_MODE_VIDEO INPUT_MODE_TEXT get_pipeline_config resolve_input_mode "
        "extract_load_params calculate_video_input_size prepare_for_mode "
        "apply_mode_defaults_to_state handle_mode_transition"
    ),
    "scope.core.pipelines.helpers": "initialize_state_from_config",
    "scope.core.pipelines.controller": (
        "CtrlInput parse_ctrl_input W3C_TO_WIN convert_to_win_keycodes"
    ),
    "scope.core.pipelines.blending": (
        "EmbeddingBlender TransitionConfig parse_transition_config slerp blend_embeddings"
    ),
    "scope.core.pipelines.registry": "PipelineRegistry",
    "scope.core.plugins": (
        "hookimpl pm PluginManager get_plugin_manager ensure_plugins_installed load_plugins "
        "register_plugin_nodes register_plugin_pipelines get_plugin_input_sources "
        "probe_plugin_kind FailedPluginInfo PluginNotFoundError PluginNotEditableError "
        "PluginInUseError PluginNameCollisionError PluginDependencyError PluginInstallError"
    ),
    "scope.core.plugins.hookspecs": "hookspec hookimpl ScopeHookSpec",
    "scope.core.inputs": "InputSource InputSourceInfo get_input_source_classes",
}


@pytest.mark.parametrize("module_name", NAMES)
def test_names_exist_and_are_exported(module_name):
    module = importlib.import_module(module_name)
    names = NAMES[module_name].split()
    assert [name for name in names if not hasattr(module, name)] == []
    assert set(names) <= set(module.__all__)


def test_aliases_are_the_same_class():
    from scope.core.nodes import BaseNode, Node
    from scope.core.pipelines.interface import Pipeline

    assert Pipeline is Node is BaseNode


def test_artifacts_are_scopes():
    from scope.core.pipelines import common_artifacts

    found = {
        name: (getattr(common_artifacts, name).repo_id, getattr(common_artifacts, name).files)
        for name in NAMES["scope.core.pipelines.common_artifacts"].split()
    }
    assert found == {
        "WAN_1_3B_ARTIFACT": (
            "daydreamlive/Wan2.1-T2V-1.3B",
            ["config.json", "Wan2.1_VAE.pth", "google"],
        ),
        "UMT5_ENCODER_ARTIFACT": (
            "daydreamlive/WanVideo_comfy",
            ["config.json", "umt5-xxl-enc-fp8_e4m3fn.safetensors"],
        ),
        "VACE_ARTIFACT": (
            "daydreamlive/WanVideo_comfy",
            ["Wan2_1-VACE_module_1_3B_bf16.safetensors"],
        ),
        "VACE_14B_ARTIFACT": (
            "daydreamlive/WanVideo_comfy",
            ["Wan2_1-VACE_module_14B_bf16.safetensors"],
        ),
        "LIGHTVAE_ARTIFACT": (
            "daydreamlive/Autoencoders",
            ["config.json", "lightvaew2_1.pth"],
        ),
        "TAE_ARTIFACT": ("daydreamlive/Autoencoders", ["taew2_1.pth"]),
        "LIGHTTAE_ARTIFACT": ("daydreamlive/Autoencoders", ["lighttaew2_1.pth"]),
    }


def test_enum_values_are_scopes():
    from scope.core.pipelines.base_schema import UsageType
    from scope.core.pipelines.enums import Quantization, VaeType

    assert [each.value for each in Quantization] == ["fp8_e4m3fn"]
    assert [each.value for each in VaeType] == ["wan", "lightvae", "tae", "lighttae"]
    assert [each.value for each in UsageType] == ["preprocessor", "postprocessor"]


def test_builtin_configurations_are_found_by_id():
    from scope.core.pipelines.schema import PIPELINE_CONFIGS, get_config_class

    assert list(PIPELINE_CONFIGS) == ["passthrough", "gray", "controller-viz", "test-pattern"]
    assert get_config_class("gray").pipeline_id == "gray"
    assert get_config_class("longlive") is None
