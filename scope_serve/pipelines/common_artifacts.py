"""Artifacts that several Wan-based pipelines share."""

from scope_serve.pipelines.artifacts import HuggingfaceRepoArtifact

WAN_1_3B_ARTIFACT = HuggingfaceRepoArtifact(
    repo_id="daydreamlive/Wan2.1-T2V-1.3B",
    files=["config.json", "Wan2.1_VAE.pth", "google"],
)

UMT5_ENCODER_ARTIFACT = HuggingfaceRepoArtifact(
    repo_id="daydreamlive/WanVideo_comfy",
    files=["config.json", "umt5-xxl-enc-fp8_e4m3fn.safetensors"],
)

VACE_ARTIFACT = HuggingfaceRepoArtifact(
    repo_id="daydreamlive/WanVideo_comfy",
    files=["Wan2_1-VACE_module_1_3B_bf16.safetensors"],
)

VACE_14B_ARTIFACT = HuggingfaceRepoArtifact(
    repo_id="daydreamlive/WanVideo_comfy",
    files=["Wan2_1-VACE_module_14B_bf16.safetensors"],
)

LIGHTVAE_ARTIFACT = HuggingfaceRepoArtifact(
    repo_id="daydreamlive/Autoencoders",
    files=["config.json", "lightvaew2_1.pth"],
)

TAE_ARTIFACT = HuggingfaceRepoArtifact(
    repo_id="daydreamlive/Autoencoders",
    files=["taew2_1.pth"],
)

LIGHTTAE_ARTIFACT = HuggingfaceRepoArtifact(
    repo_id="daydreamlive/Autoencoders",
    files=["lighttaew2_1.pth"],
)
