// Checkpoints of a small network, as they are and with the checksum made right: without that, nearly every
// change would be refused at the checksum, and the reader behind it never be reached.
#include "base/error.h"
#include "base/hash.h"
#include "fuzz.h"
#include "small_network.h"
#include "train/checkpoint.h"

namespace lockstep::fuzz {

std::vector<std::string> seeds() {
  std::vector<std::string> seeds;
  for (const bool momentum : {false, true}) {
    train::Checkpoint checkpoint;
    checkpoint.training = {
        .step = 12,
        .parameters = arena(),
        .optimizer = momentum ? optim::OptimizerState{{"momentum", arena()}}
                              : optim::OptimizerState{{"exp_avg", arena()}, {"exp_avg_sq", arena()}},
        .average = momentum ? std::vector<float>{} : arena(),
        .reducer = momentum ? std::vector<std::int32_t>{-3, 4, 5} : std::vector<std::int32_t>{},
        .progress = {}};
    checkpoint.training.progress.weighted_l2 = 0.5;
    checkpoint.training.progress.sums.correct = 3;
    checkpoint.training.progress.sums.samples = 5;
    checkpoint.run = {{"config", "{}"}, {"metrics", "a,b"}};
    seeds.push_back(file_content([&](const auto& path) { save_checkpoint(path, tensors(), checkpoint); }));
  }
  return seeds;
}

}  // namespace lockstep::fuzz

namespace {

using namespace lockstep;

std::string with_right_checksum(std::string content) {
  const std::string entry = "\"checksum\":\"", none(16, '0');
  const std::size_t place = content.find(entry);
  if (place == std::string::npos || content.size() - place < entry.size() + none.size()) return content;
  content.replace(place + entry.size(), none.size(), none);
  const auto bytes = std::as_bytes(std::span(content));
  content.replace(place + entry.size(), none.size(), hash_hex(std::span(&bytes, 1)));
  return content;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string content = fuzz::text_of(data, size);
  for (const std::string& bytes : {content, with_right_checksum(content)})
    fuzz::accepts([&] {
      const auto checkpoint = train::parse_checkpoint(bytes, "step12.safetensors", fuzz::tensors());
      const train::TrainingState& state = checkpoint.training;
      if (state.parameters.size() != fuzz::arena().size()) fuzz::found("another number of parameters");
      for (const auto& [name, values] : state.optimizer)
        if (values.size() != state.parameters.size()) fuzz::found("another number of the optimizer's");
      if (!state.average.empty() && state.average.size() != state.parameters.size())
        fuzz::found("another number of averages");
    });
  fuzz::accepts([&] {  // of whatever network
    const auto file = nn::SafetensorsFile::parse(with_right_checksum(content), "step12.safetensors");
    if (train::parse_checkpoint(file, "step12.safetensors").training.parameters.size() * sizeof(float) > size)
      fuzz::found("more parameters than the file has room for");
  });
  return 0;
}
