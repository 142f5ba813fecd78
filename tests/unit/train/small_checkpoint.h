// A checkpoint of a small network, for tests of its file and its folder.
#pragma once

#include <filesystem>
#include <limits>
#include <string>
#include <vector>

#include "base/file.h"
#include "support.h"
#include "train/checkpoint.h"

namespace lockstep::test {

inline const std::vector<nn::Tensor>& small_tensors() {
  static const nn::Model model = [] {
    nn::ModelOptions options;
    options.hidden = {3};
    return nn::Model(options, 5, 2);
  }();
  return model.tensors();
}

// Numbers of every kind: negative, -0, subnormal, infinite, NaN; sums at the ends of 64 bits.
inline train::Checkpoint small_checkpoint(bool momentum, bool exact, std::size_t step = 1234,
                                          bool average = false) {
  train::Checkpoint checkpoint;
  train::TrainingState& state = checkpoint.training;
  const nn::Tensor& last = small_tensors().back();
  state.step = step;
  state.parameters = random_floats(last.offset + last.size, step);
  state.parameters[0] = -0.0F;
  state.parameters[1] = std::numeric_limits<float>::denorm_min();
  state.parameters[2] = std::numeric_limits<float>::infinity();
  state.parameters[3] = std::numeric_limits<float>::quiet_NaN();
  if (momentum) state.optimizer["momentum"] = random_floats(state.parameters.size(), step + 1);
  if (average) state.average = random_floats(state.parameters.size(), step + 2);
  if (exact) state.reducer = {24, -126, 126, 0};
  state.progress.sums = {{std::numeric_limits<std::int64_t>::max(), (std::int64_t{1} << 40) - 1, 0},
                         std::numeric_limits<std::int64_t>::min(),
                         987654321};
  state.progress.weighted_l2 = 0.1 + 1e-17 * static_cast<double>(step);
  checkpoint.run = {{"config", R"({"checksum":"0000000000000000","text":"\"quoted\"\n\u00e4"})"},
                    {"metrics", "1,2\n"}};
  return checkpoint;
}

inline std::string content_of(const train::Checkpoint& checkpoint, const std::filesystem::path& folder) {
  const std::filesystem::path path = folder / "content";
  train::save_checkpoint(path, small_tensors(), checkpoint);
  std::string content = read_file(path);
  std::filesystem::remove(path);
  return content;
}

// Fails unless both are the same, bit for bit.
inline void expect_same_checkpoint(const train::Checkpoint& a, const train::Checkpoint& b) {
  const train::TrainingState &x = a.training, &y = b.training;
  EXPECT_EQ(x.step, y.step);
  EXPECT_TRUE(same_bits(x.parameters, y.parameters));
  EXPECT_EQ(x.optimizer, y.optimizer);
  EXPECT_TRUE(same_bits(x.average, y.average));
  EXPECT_EQ(x.reducer, y.reducer);
  EXPECT_EQ(x.progress.sums.loss.whole, y.progress.sums.loss.whole);
  EXPECT_EQ(x.progress.sums.loss.fraction, y.progress.sums.loss.fraction);
  EXPECT_EQ(x.progress.sums.loss.invalid, y.progress.sums.loss.invalid);
  EXPECT_EQ(x.progress.sums.correct, y.progress.sums.correct);
  EXPECT_EQ(x.progress.sums.samples, y.progress.sums.samples);
  EXPECT_EQ(x.progress.weighted_l2, y.progress.weighted_l2);
  EXPECT_EQ(a.run, b.run);
}

}  // namespace lockstep::test
