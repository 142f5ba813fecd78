// A model's parameters to a file and back, and files that are not this model's.
#include "nn/model_file.h"

#include <gtest/gtest.h>

#include <cmath>

#include "base/error.h"
#include "base/file.h"
#include "base/hash.h"
#include "nn/safetensors.h"
#include "support.h"

namespace lockstep::nn {
namespace {

Model small_model() {
  ModelOptions options;
  options.hidden = {4};
  return {options, 3, 2};
}

class ModelFileTest : public testing::Test {
 protected:
  std::filesystem::path file() const { return folder_.path() / "model.safetensors"; }

  // The tensors as they should be in a file.
  std::vector<TensorView> good_tensors() const {
    std::vector<TensorView> views;
    for (const Tensor& tensor : model_.tensors())
      views.push_back({tensor.name, "F32", tensor.shape, std::as_bytes(tensor.slice(std::span(saved_)))});
    return views;
  }

  // Loading the file must fail with a line that has these parts, and leave the parameters as they were.
  void expect_refused(std::initializer_list<std::string> parts) const {
    const auto before = test::random_floats(model_.parameters(), 2);
    auto arena = before;
    const std::string message =
        test::message_of<ModelError>([&] { load_model(file(), model_.tensors(), std::span(arena)); });
    test::expect_line_with(message, {file().string()});
    test::expect_line_with(message, parts);
    EXPECT_TRUE(test::same_bits(arena, before));
  }

  const test::TemporaryFolder folder_;
  const Model model_ = small_model();
  const std::vector<float> saved_ = test::random_floats(small_model().parameters(), 1);
};

TEST_F(ModelFileTest, SavedParametersAreLoadedBitForBit) {
  auto special = saved_;
  special[0] = std::nanf("7");
  special[1] = -0.0F;
  special[2] = 1e-42F;
  special[3] = -INFINITY;
  save_model(file(), model_.tensors(), special);
  std::vector<float> loaded(special.size());
  load_model(file(), model_.tensors(), loaded);
  EXPECT_TRUE(test::same_bits(loaded, special));
}

// A change that is not noticed is one of the name "checksum" alone, which leaves the weights as they are.
TEST_F(ModelFileTest, AFlippedBitAnywhereIsRefusedOrChangesNoWeight) {
  save_model(file(), model_.tensors(), saved_, {{"trained_on", "{\"mean\":0.5}"}});
  const std::string content = read_file(file());
  std::size_t refused = 0;
  for (std::size_t at = 0; at < content.size(); ++at)
    for (const int bit : {0, 6}) {
      std::string damaged = content;
      damaged[at] = static_cast<char>(damaged[at] ^ (1 << bit));
      std::vector<float> loaded(saved_.size());
      try {
        const auto read = SafetensorsFile::parse(damaged, "model.safetensors");
        EXPECT_EQ(read.metadata.at("trained_on"), "{\"mean\":0.5}") << "byte " << at << ", bit " << bit;
        load_model(read.tensors, "model.safetensors", model_.tensors(), loaded);
        EXPECT_TRUE(test::same_bits(loaded, saved_)) << "byte " << at << ", bit " << bit;
      } catch (const ModelError&) {
        ++refused;
      }
    }
  EXPECT_GE(refused, 2 * content.size() - 32);
}

TEST_F(ModelFileTest, TheFileKnowsTheHashOfItsWeights) {
  save_model(file(), model_.tensors(), saved_);
  EXPECT_EQ(SafetensorsFile::read(file()).metadata.at("weights_hash"),
            hash_hex(std::as_bytes(std::span(saved_))));
}

TEST_F(ModelFileTest, TheFileNamesTensorsAsPyTorchDoes) {
  save_model(file(), model_.tensors(), saved_);
  const auto read = SafetensorsFile::read(file());
  ASSERT_EQ(read.tensors.size(), 4U);
  EXPECT_EQ(read.tensors[0].name, "layers.0.weight");
  EXPECT_EQ(read.tensors[0].shape, (std::vector<std::size_t>{4, 3}));
  EXPECT_EQ(read.tensors[3].name, "layers.1.bias");
  EXPECT_EQ(read.metadata.at("format"), "pt");
}

TEST_F(ModelFileTest, TheOrderInTheFileDoesNotMatter) {
  auto tensors = good_tensors();
  std::reverse(tensors.begin(), tensors.end());
  write_safetensors(file(), tensors, {});
  std::vector<float> loaded(saved_.size());
  load_model(file(), model_.tensors(), loaded);
  EXPECT_TRUE(test::same_bits(loaded, saved_));
}

TEST_F(ModelFileTest, NamesOfPyTorchsSequentialsAndWrappersAreUnderstood) {
  for (const auto& names : {std::vector<std::string>{"0.weight", "0.bias", "2.weight", "2.bias"},
                            {"module.3.weight", "module.3.bias", "module.10.weight", "module.10.bias"},
                            {"module.layers.0.weight", "module.layers.0.bias", "module.layers.1.weight",
                             "module.layers.1.bias"}}) {
    auto tensors = good_tensors();
    for (std::size_t t = 0; t < names.size(); ++t) tensors[t].name = names[t];
    write_safetensors(file(), tensors, {});
    std::vector<float> loaded(saved_.size());
    load_model(file(), model_.tensors(), loaded);
    EXPECT_TRUE(test::same_bits(loaded, saved_)) << names.front();
  }
  auto tensors = good_tensors();
  tensors[2].name = "1.weight";  // beside names of ours
  write_safetensors(file(), tensors, {});
  expect_refused({"layers.1.weight is missing"});
}

TEST_F(ModelFileTest, NumbersOfOtherWidthsAreRoundedToFloat32) {
  auto tensors = good_tensors();
  const std::vector<double> wide(saved_.begin(), saved_.begin() + 12);
  const std::uint16_t half[] = {0x3c00, 0xc000, 0x0001, 0x3555}, brain[] = {0x3f80, 0xc040};
  tensors[0] = {tensors[0].name, "F64", {4, 3}, std::as_bytes(std::span(wide))};
  tensors[1] = {tensors[1].name, "F16", {4}, std::as_bytes(std::span(half))};
  tensors[3] = {tensors[3].name, "BF16", {2}, std::as_bytes(std::span(brain))};
  write_safetensors(file(), tensors, {});
  std::vector<float> loaded(saved_.size()), expected = saved_;
  const float of_half[] = {1.0F, -2.0F, 0x1p-24F, 0x1.554p-2F}, of_brain[] = {1.0F, -3.0F};
  std::copy(std::begin(of_half), std::end(of_half), expected.begin() + 12);
  std::copy(std::begin(of_brain), std::end(of_brain), expected.end() - 2);
  load_model(file(), model_.tensors(), loaded);
  EXPECT_TRUE(test::same_bits(loaded, expected));
}

TEST_F(ModelFileTest, AMissingTensorIsRefused) {
  for (std::size_t t = 0; t < 4; ++t) {
    auto tensors = good_tensors();
    const std::string name = tensors[t].name;
    tensors.erase(tensors.begin() + static_cast<std::ptrdiff_t>(t));
    write_safetensors(file(), tensors, {});
    expect_refused({name, "missing"});
  }
}

TEST_F(ModelFileTest, ATensorTooManyIsRefused) {
  auto tensors = good_tensors();
  tensors.push_back({"layers.2.bias", "F32", {2}, std::as_bytes(std::span(saved_).first(2))});
  write_safetensors(file(), tensors, {});
  expect_refused({"layers.2.bias"});
}

TEST_F(ModelFileTest, ATensorOfAnotherShapeIsRefused) {
  const std::pair<std::vector<std::size_t>, const char*> shapes[] = {
      {{3, 4}, "(3, 4)"}, {{12}, "(12)"}, {{4, 3, 1}, "(4, 3, 1)"}, {{1, 12}, "(1, 12)"}};
  for (const auto& [shape, text] : shapes) {
    auto tensors = good_tensors();
    tensors[0].shape = shape;
    write_safetensors(file(), tensors, {});
    expect_refused({"layers.0.weight", "shape " + std::string(text), "expected (4, 3)"});
  }
}

TEST_F(ModelFileTest, ATensorOfAnotherTypeIsRefused) {
  for (const char* dtype : {"I32", "U32"}) {
    auto tensors = good_tensors();
    tensors[3].dtype = dtype;
    write_safetensors(file(), tensors, {});
    expect_refused({"layers.1.bias", dtype, "F32"});
  }
}

// The bad tensor is the last one: the good ones before it must not have been loaded by then.
TEST_F(ModelFileTest, ALateErrorLeavesEveryParameterAlone) {
  auto tensors = good_tensors();
  tensors[3].shape = {1, 2};
  write_safetensors(file(), tensors, {});
  expect_refused({"layers.1.bias"});
}

TEST_F(ModelFileTest, AFileThatIsNoneIsRefused) { expect_refused({"cannot be read"}); }

}  // namespace
}  // namespace lockstep::nn
