#pragma once

/// Names of files in a folder of diffusers' save_pretrained().
namespace effuse {

inline constexpr const char* kDiffusersIndex = "model_index.json";
inline constexpr const char* kDiffusersUnet = "unet";
inline constexpr const char* kDiffusersConfig = "config.json";
inline constexpr const char* kDiffusersWeights = "diffusion_pytorch_model.safetensors";
inline constexpr const char* kDiffusersOldWeights = "diffusion_pytorch_model.bin";
inline constexpr const char* kDiffusersScheduler = "scheduler/scheduler_config.json";
inline constexpr const char* kDiffusersOwnState = "effuse.json";  ///< ours; diffusers ignores it

}  // namespace effuse
