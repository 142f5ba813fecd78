// model.safetensors: a model's parameters as PyTorch's nn.Sequential keeps them.
#pragma once

#include <filesystem>
#include <list>
#include <span>
#include <string>
#include <vector>

#include "nn/model.h"
#include "nn/safetensors.h"

namespace lockstep::nn {

// An arena's tensors as a file has them, each name with a prefix. The arena must outlive it.
class ArenaInFile {
 public:
  ArenaInFile(const std::vector<Tensor>& tensors, std::span<const float> arena,
              const std::string& prefix = "");
  ArenaInFile(const ArenaInFile&) = delete;
  ArenaInFile& operator=(const ArenaInFile&) = delete;

  const std::vector<TensorView>& views() const { return views_; }

 private:
  std::list<std::vector<float>> reordered_;
  std::vector<TensorView> views_;
};

// Replaces the file atomically. Its metadata has "weights_hash", the XXH3-64 of the arena's bytes, a checksum
// of all of the file, and what is given. Throws std::system_error.
void save_model(const std::filesystem::path& path, const std::vector<Tensor>& tensors,
                std::span<const float> arena, TensorMetadata metadata = {});

// The network's tensors as these of a file name them, "layers.0.weight", "layers.0.bias", "layers.1.weight",
// ..., in the arena's order, whatever their order in the file. Nothing where one has another name or is not
// of float32.
std::vector<Tensor> tensors_of_network(std::span<const TensorView> found);

// Overwrites the arena, or leaves it as it was and throws ModelError, which names the file and the tensor
// that is missing, not wanted, or of another shape or type than expected, or has variances below 0.
void load_model(const std::filesystem::path& path, const std::vector<Tensor>& tensors,
                std::span<float> arena);
// The same from tensors of a file that was read before; `name` is the file's, for messages. Tensors of F64,
// F16 and BF16 are rounded to float32. Names may also be those of a PyTorch nn.Sequential, "0.weight",
// "2.weight", and begin with "module.".
void load_model(std::span<const TensorView> found, const std::string& name,
                const std::vector<Tensor>& tensors, std::span<float> arena);

}  // namespace lockstep::nn
