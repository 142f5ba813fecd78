// A checkpoint's file: what is written is read, and no other file is taken for it.
#include "train/checkpoint.h"

#include <gtest/gtest.h>

#include <functional>
#include <nlohmann/json.hpp>

#include "base/error.h"
#include "nn/model_file.h"
#include "train/small_checkpoint.h"

namespace lockstep::train {
namespace {

using nn::SafetensorsFile;
using nn::TensorView;
using test::small_checkpoint;
using test::small_tensors;

class CheckpointFile : public testing::Test {
 protected:
  std::string content(bool momentum = true, bool exact = true) const {
    return test::content_of(small_checkpoint(momentum, exact), folder_.path());
  }

  // A checkpoint with something changed, its checksum right.
  std::string changed(const std::function<void(SafetensorsFile&)>& change) const {
    SafetensorsFile file = SafetensorsFile::parse(content(), "file");
    change(file);
    const std::filesystem::path path = folder_.path() / "changed";
    nn::write_safetensors_with_checksum(path, file.tensors, file.metadata);
    return read_file(path);
  }

  const test::TemporaryFolder folder_;
};

void expect_refused(const std::string& content, std::initializer_list<std::string> parts) {
  const std::string message = test::message_of<ModelError>(
      [&] { parse_checkpoint(content, "a/step-7.safetensors", small_tensors()); });
  test::expect_line_with(message, parts);
  test::expect_line_with(message, {"a/step-7.safetensors: "});
}

bool is_refused(const std::string& content) {
  try {
    parse_checkpoint(content, "file", small_tensors());
    return false;
  } catch (const ModelError&) {
    return true;
  }
}

TEST_F(CheckpointFile, WhatIsWrittenIsReadBitForBit) {
  for (const bool momentum : {false, true}) {
    for (const bool exact : {false, true}) {
      const Checkpoint written = small_checkpoint(momentum, exact);
      test::expect_same_checkpoint(parse_checkpoint(content(momentum, exact), "file", small_tensors()),
                                   written);
    }
  }
}

TEST_F(CheckpointFile, OfAnyOptimizerWithAnAverageIsReadBitForBit) {
  for (const std::vector<const char*>& names :
       {std::vector<const char*>{}, {"momentum"}, {"lars_momentum"}, {"exp_avg", "exp_avg_sq"}}) {
    Checkpoint written = small_checkpoint(false, true, 7, /*average=*/true);
    for (const char* name : names)
      written.training.optimizer[name] =
          test::random_floats(written.training.parameters.size(), names.size() + std::string(name).size());
    const std::string content = test::content_of(written, folder_.path());
    test::expect_same_checkpoint(parse_checkpoint(content, "file", small_tensors()), written);
    // The network that it holds is the average, under the network's names.
    const SafetensorsFile file = SafetensorsFile::parse(content, "file");
    const std::vector<TensorView> found = network_tensors(file);
    ASSERT_EQ(found.size(), small_tensors().size());
    std::vector<float> arena(written.training.average.size());
    nn::load_model(found, "file", small_tensors(), arena);
    EXPECT_TRUE(test::same_bits(arena, written.training.average));
  }
}

TEST_F(CheckpointFile, IsTheSameBytesForTheSameState) { EXPECT_EQ(content(), content()); }

TEST_F(CheckpointFile, IsASafetensorsFileOfNamedTensors) {
  const SafetensorsFile file = SafetensorsFile::parse(content(), "file");
  std::vector<std::string> names;
  for (const TensorView& tensor : file.tensors) names.push_back(tensor.name);
  const std::vector<std::string> expected = {"layers.0.weight",
                                             "layers.0.bias",
                                             "layers.1.weight",
                                             "layers.1.bias",
                                             "momentum.layers.0.weight",
                                             "momentum.layers.0.bias",
                                             "momentum.layers.1.weight",
                                             "momentum.layers.1.bias",
                                             "reducer"};
  EXPECT_EQ(names, expected);
  EXPECT_EQ(file.tensors[0].shape, (std::vector<std::size_t>{3, 5}));
  EXPECT_EQ(file.metadata.at("lockstep_checkpoint"), "1");
}

TEST_F(CheckpointFile, CutAnywhereIsRefused) {
  const std::string whole = content();
  for (std::size_t n = 0; n < whole.size(); ++n)
    EXPECT_TRUE(is_refused(whole.substr(0, n))) << n << " of " << whole.size() << " bytes";
  EXPECT_TRUE(is_refused(whole + '\0'));
  EXPECT_FALSE(is_refused(whole));
}

TEST_F(CheckpointFile, WithAnyBitFlippedIsRefused) {
  for (const bool full : {true, false}) {
    const std::string whole = content(full, full);
    for (std::size_t i = 0; i < whole.size(); ++i) {
      for (int bit = 0; bit < 8; ++bit) {
        std::string flipped = whole;
        flipped[i] = static_cast<char>(flipped[i] ^ (1 << bit));
        EXPECT_TRUE(is_refused(flipped)) << "bit " << bit << " of byte " << i;
      }
    }
  }
}

// Equal JSON in other letters is not the file that was written either.
TEST_F(CheckpointFile, WithAnyByteReplacedByABlankIsRefused) {
  const std::string whole = content();
  for (std::size_t i = 0; i < whole.size(); ++i) {
    for (const char c : {' ', '\t', '\n', '\0', '\xff'}) {
      if (whole[i] == c) continue;
      std::string replaced = whole;
      replaced[i] = c;
      EXPECT_TRUE(is_refused(replaced)) << "byte " << i << " as " << static_cast<int>(c);
    }
  }
}

TEST_F(CheckpointFile, WithTwoBlocksExchangedIsRefused) {
  const std::string whole = content();
  constexpr std::size_t kBlock = 16;
  for (std::size_t i = 0; i + 2 * kBlock <= whole.size(); i += 4) {
    const std::string a = whole.substr(i, kBlock), b = whole.substr(i + kBlock, kBlock);
    if (a == b) continue;
    std::string exchanged = whole;
    exchanged.replace(i, 2 * kBlock, b + a);
    EXPECT_TRUE(is_refused(exchanged)) << "at byte " << i;
  }
}

TEST_F(CheckpointFile, OfAnotherVersionIsRefusedByItsNumber) {
  expect_refused(
      changed([](SafetensorsFile& file) { file.metadata["lockstep_checkpoint"] = std::string("2"); }),
      {"version 2", "expected 1"});
}

TEST_F(CheckpointFile, AModelFileIsRefusedAsNone) {
  const std::filesystem::path path = folder_.path() / "model.safetensors";
  nn::save_model(path, small_tensors(), small_checkpoint(false, false).training.parameters);
  expect_refused(read_file(path), {"is not a checkpoint"});
  expect_refused("", {"header"});
  expect_refused(std::string(1000, '\0'), {""});
}

TEST_F(CheckpointFile, WithoutAChecksumIsRefused) {
  SafetensorsFile file = SafetensorsFile::parse(content(), "file");
  file.metadata.erase("checksum");
  const std::filesystem::path path = folder_.path() / "plain";
  nn::write_safetensors(path, file.tensors, file.metadata);
  expect_refused(read_file(path), {"no checksum"});
  for (const char* checksum : {"", "0", "0123456789abcdef", "0123456789abcdef0"}) {
    file.metadata["checksum"] = checksum;
    nn::write_safetensors(path, file.tensors, file.metadata);
    expect_refused(read_file(path), {"checksum"});
  }
}

TEST_F(CheckpointFile, WithATensorMissingIsRefusedByItsName) {
  const auto names = [&] {
    std::vector<std::string> all;
    for (const TensorView& tensor : SafetensorsFile::parse(content(), "file").tensors)
      all.push_back(tensor.name);
    return all;
  }();
  for (const std::string& name : names) {
    if (name == "reducer") continue;  // a run with reduce.mode = "float" has none
    const std::string without = changed([&](SafetensorsFile& file) {
      std::erase_if(file.tensors, [&](const TensorView& tensor) { return tensor.name == name; });
    });
    expect_refused(without, {name + " is missing"});
  }
}

TEST_F(CheckpointFile, WithATensorMoreIsRefused) {
  const std::string four = "four";
  for (const char* name :
       {"layers.2.bias", "momentum.layers.2.bias", "momentum.", "", "Reducer", "averaged"}) {
    const std::string more = changed([&](SafetensorsFile& file) {
      file.tensors.push_back({name, "F32", {1}, std::as_bytes(std::span(four))});
    });
    expect_refused(more, {"tensors that are not this network's"});
  }
}

TEST_F(CheckpointFile, WithATensorOfAnotherShapeOrTypeIsRefusedByItsName) {
  for (const char* name : {"layers.0.weight", "layers.1.bias", "momentum.layers.0.weight"}) {
    const auto with = [&](const std::function<void(TensorView&)>& change) {
      return changed([&](SafetensorsFile& file) {
        for (TensorView& tensor : file.tensors)
          if (tensor.name == name) change(tensor);
      });
    };
    expect_refused(with([](TensorView& tensor) { tensor.dtype = "I32"; }), {name, "type or shape"});
    expect_refused(with([](TensorView& tensor) {
                     std::reverse(tensor.shape.begin(), tensor.shape.end());
                     tensor.shape.push_back(1);
                   }),
                   {name, "type or shape"});
  }
  expect_refused(changed([](SafetensorsFile& file) { file.tensors.back().dtype = "F32"; }), {"reducer"});
}

TEST_F(CheckpointFile, OfAnotherNetworkIsRefused) {
  nn::ModelOptions options;
  for (const std::vector<std::size_t>& hidden : {std::vector<std::size_t>{}, {4}, {3, 2}}) {
    options.hidden = hidden;
    const nn::Model other(options, 5, 2);
    test::expect_line_with(
        test::message_of<ModelError>([&] { parse_checkpoint(content(), "file.x", other.tensors()); }),
        {"file.x: "});
  }
}

TEST_F(CheckpointFile, WithAStateThatIsNotReadableIsRefused) {
  const std::string good = SafetensorsFile::parse(content(), "file").metadata.at("state");
  for (const char* key : {"step", "loss", "correct", "samples", "weighted_l2"}) {
    const auto with = [&](const nlohmann::json& value) {
      return changed([&](SafetensorsFile& file) {
        nlohmann::json state = nlohmann::json::parse(good);
        state[key] = value;
        if (value == "missing") state.erase(key);
        file.metadata["state"] = state.dump();
      });
    };
    for (const nlohmann::json& value :
         {nlohmann::json("missing"), nlohmann::json("text"), nlohmann::json(), nlohmann::json::object()})
      expect_refused(with(value), {"state is not readable"});
  }
  for (const char* state : {"", "{", "[]", "7", "null", "{}"})
    expect_refused(changed([&](SafetensorsFile& file) { file.metadata["state"] = state; }),
                   {"state is not readable"});
  expect_refused(changed([&](SafetensorsFile& file) { file.metadata.erase("state"); }),
                 {"state is not readable"});
}

}  // namespace
}  // namespace lockstep::train
