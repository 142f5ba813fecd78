// model.safetensors: a model's parameters as PyTorch's nn.Sequential of Linear layers keeps them.
#pragma once

#include <filesystem>
#include <span>
#include <vector>

#include "nn/model.h"

namespace lockstep::nn {

// Replaces the file atomically; its data section is the arena's bytes. Throws std::system_error.
void save_model(const std::filesystem::path& path, const std::vector<Tensor>& tensors,
                std::span<const float> arena);

// Overwrites the arena, or leaves it as it was and throws ModelError, which names the file and the tensor
// that is missing, not wanted, or of another shape or type than expected.
void load_model(const std::filesystem::path& path, const std::vector<Tensor>& tensors,
                std::span<float> arena);

}  // namespace lockstep::nn
