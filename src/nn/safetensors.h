// The safetensors file format: an 8-byte little-endian header length, a JSON header that names each tensor's
// type, shape and place, then the tensors' bytes. https://huggingface.co/docs/safetensors gives the format.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <map>
#include <span>
#include <string>
#include <vector>

namespace lockstep::nn {

// A tensor to be written; `bytes` are little-endian values in row-major order.
struct TensorView {
  std::string name;
  std::string dtype;  // "F32", "I32", ...
  std::vector<std::size_t> shape;
  std::span<const std::byte> bytes;
};

using TensorMetadata = std::map<std::string, std::string>;

// Replaces the file atomically; the tensors lie in the given order. Throws std::system_error.
void write_safetensors(const std::filesystem::path& path, std::span<const TensorView> tensors,
                       const TensorMetadata& metadata);

// The same with a metadata entry "checksum": XXH3-64 of the whole file, the entry's own 16 hex digits counted
// as zeros.
void write_safetensors_with_checksum(const std::filesystem::path& path, std::span<const TensorView> tensors,
                                     TensorMetadata metadata);

// A file read whole. The views point into `content`.
struct SafetensorsFile {
  std::string content;
  std::vector<TensorView> tensors;  // in the order of their bytes
  TensorMetadata metadata;

  // Throws ModelError, which names the file, where it cannot be read or is not well formed: a header longer
  // than the file, JSON that does not parse, a name given twice, an unknown type, sizes and offsets that do
  // not fit together, tensors that overlap or leave gaps, a "checksum" of 16 characters that is not the
  // content's. Other programs' files have none.
  static SafetensorsFile read(const std::filesystem::path& path);

  // The same of a file's content that was read before; `name` is for messages.
  static SafetensorsFile parse(std::string content, const std::string& name);

  // Throws ModelError unless the file has a checksum, and it is right.
  void check_checksum(const std::string& name) const;
};

}  // namespace lockstep::nn
