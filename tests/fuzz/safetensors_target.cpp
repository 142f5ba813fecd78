// safetensors files: read as such, checked for a checksum, and loaded as a small network's weights.
#include "base/error.h"
#include "fuzz.h"
#include "nn/model_file.h"
#include "nn/safetensors.h"
#include "nn/tensor_values.h"
#include "small_network.h"

namespace lockstep::fuzz {

std::vector<std::string> seeds() {
  const std::vector<float> weights = arena();
  const std::string deep(1000000, '[');
  return {file_content([&](const auto& path) { nn::save_model(path, tensors(), weights); }),
          file_content([&](const auto& path) {
            const auto bytes = std::as_bytes(std::span(weights));
            nn::write_safetensors_with_checksum(
                path,
                std::vector<nn::TensorView>{{"a", "F64", {2, 1}, bytes.first(16)}, {"b", "I8", {0}, {}}},
                {{"format", "pt"}});
          }),
          safetensors("{}", ""), safetensors(deep, ""),
          safetensors("{\"a\":{\"dtype\":\"F32\",\"data_offsets\":[0,0],\"shape\":[" + deep +
                          std::string(1000000, ']') + "]}}",
                      "")};
}

}  // namespace lockstep::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace lockstep;
  static fuzz::MemoryFile weights;
  const std::string content = fuzz::text_of(data, size);
  const bool good = fuzz::accepts([&] {
    const auto file = nn::SafetensorsFile::parse(content, "model.safetensors");
    std::size_t bytes = 0;
    for (const nn::TensorView& tensor : file.tensors) {
      const char* begin = reinterpret_cast<const char*>(tensor.bytes.data());
      if (begin < file.content.data() ||
          begin + tensor.bytes.size() > file.content.data() + file.content.size())
        fuzz::found("a tensor outside of the file");
      bytes += tensor.bytes.size();
      std::size_t numbers = 0;
      nn::for_each_value(tensor, [&](double) { ++numbers; });
      if (numbers > tensor.bytes.size()) fuzz::found("more numbers than bytes");
    }
    if (const auto tensors = nn::tensors_of_network(file.tensors); tensors.size() > file.tensors.size())
      fuzz::found("more tensors than the file has");
    if (bytes > file.content.size()) fuzz::found("tensors that overlap");
  });
  if (!good) return 0;
  fuzz::accepts([&] { nn::SafetensorsFile::parse(content, "a").check_checksum("model.safetensors"); });
  weights.write(content);
  auto arena = fuzz::arena();
  const auto before = arena;
  if (!fuzz::accepts([&] { nn::load_model(weights.path(), fuzz::tensors(), arena); }) && arena != before)
    fuzz::found("weights that were refused and loaded nevertheless");
  return 0;
}
