// A model's parameters to a file and back, and files that are not this model's.
#include "nn/model_file.h"

#include <gtest/gtest.h>

#include <cmath>

#include "base/error.h"
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
