// .npz files: every array of them, as numbers and as text, and as another program's step of a small network.
#include "base/error.h"
#include "compare/comparison.h"
#include "fuzz.h"
#include "npz/npz.h"
#include "small_network.h"

namespace lockstep::fuzz {
namespace {

// A step of the small network on three samples, whose arrays are files' names.
struct Small {
  train::TrainOptions options = [] {
    train::TrainOptions made;
    made.optimizer.momentum = 0.9;
    return made;
  }();
  train::StepRules rules{model(), kernels::Loss::kCrossEntropy, options};
  train::StepLayout layout{rules, std::nullopt, 2, 3};
  train::StepStart start = [] {
    train::StepStart made{.learning_rate = 0.1,
                          .inputs = {0.5, -1, 2, 0, 1, 3},
                          .targets = {0, 1, 1},
                          .sample_ids = {0, 1, 2},
                          .micro_batches = {2, 1}};
    for (const float w : arena()) made.parameters.push_back(0.1 * w);
    for (const nn::Tensor& tensor : tensors()) made.optimizer["momentum"].emplace_back(tensor.size, 0.5);
    return made;
  }();
};

const Small& small() {
  static const Small one;
  return one;
}

std::string step(bool aliases, bool wrong) {
  const train::StepArrays arrays = train::step_in_double(small().rules, small().start);
  std::vector<npz::Entry> entries;
  for (const train::StepArray& array : small().layout.arrays()) {
    const auto values = small().layout.values(array, small().start, arrays);
    std::vector<float> floats(values.begin(), values.end());
    if (wrong && array.alias == "dW2")
      for (float& x : floats) x *= 3;
    entries.push_back(
        npz::of_floats(aliases && !array.alias.empty() ? array.alias : array.name, array.shape, floats));
  }
  return file_content([&](const auto& path) { npz::write_npz(path, entries); });
}

}  // namespace

std::vector<std::string> seeds() {
  const auto written = [](std::vector<npz::Entry> entries) {
    return file_content([&](const auto& path) { npz::write_npz(path, entries); });
  };
  return {step(false, false),
          step(true, true),
          written({}),
          written({npz::of_text("README", "text"), npz::of_double("x", 1)}),
          written({npz::of_floats("dW1", {2, 3}, std::vector<float>(6, 0.1F))}),
          "PK\5\6" + std::string(18, '\0')};
}

}  // namespace lockstep::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace lockstep;
  static fuzz::MemoryFile mine;
  mine.write(fuzz::text_of(data, size));
  fuzz::accepts([&] {
    npz::NpzFile file(mine.path());
    for (std::size_t i = 0; i < file.arrays().size(); ++i) {
      fuzz::accepts([&] {
        if (file.values(i).size() != file.arrays()[i].type.count())
          fuzz::found("more or fewer numbers than the shape says");
      });
      fuzz::accepts([&] { file.text(i); });
    }
  });
  fuzz::accepts([&] {
    npz::NpzFile file(mine.path());
    const auto& [options, rules, layout, start] = fuzz::small();
    const auto student = compare::student_arrays("mine.npz", file, layout, start);
    const auto result = compare::compare(layout, start, student, std::nullopt);
    if (result.arrays.size() != student.arrays.size()) fuzz::found("arrays that are not compared");
  });
  return 0;
}
