// How many outputs go with a loss and a data set's classes, and which do not go together.
#include <gtest/gtest.h>

#include "base/error.h"
#include "nn/model.h"
#include "support.h"

namespace lockstep::nn {
namespace {

using kernels::Loss;

ModelOptions options(Loss loss, std::size_t outputs) {
  ModelOptions model;
  model.loss = loss;
  model.outputs = outputs;
  return model;
}

TEST(OutputsOf, AreWhatTheLossAndTheDataAskFor) {
  struct {
    Loss loss;
    std::size_t asked, classes, expected;
  } const cases[] = {{Loss::kCrossEntropy, 0, 10, 10},
                     {Loss::kCrossEntropy, 10, 10, 10},
                     {Loss::kCrossEntropy, 0, 2, 2},
                     {Loss::kCrossEntropy, 2, 2, 2},
                     {Loss::kBinaryCrossEntropy, 0, 2, 1},
                     {Loss::kBinaryCrossEntropy, 1, 2, 1},
                     {Loss::kMse, 0, 10, 10},
                     {Loss::kMse, 10, 10, 10},
                     {Loss::kMse, 0, 2, 2},
                     {Loss::kMse, 2, 2, 2},
                     {Loss::kMse, 1, 2, 1},
                     {Loss::kMse, 0, 0, 1},
                     {Loss::kMse, 1, 0, 1},
                     {Loss::kHalfMse, 0, 3, 3},
                     {Loss::kHalfMse, 3, 3, 3},
                     {Loss::kHalfMse, 0, 2, 2},
                     {Loss::kHalfMse, 1, 2, 1},
                     {Loss::kHalfMse, 0, 0, 1},
                     {Loss::kHalfMse, 1, 0, 1}};
  for (const auto& [loss, asked, classes, expected] : cases)
    EXPECT_EQ(outputs_of(options(loss, asked), classes), expected)
        << kernels::name(loss) << ", outputs " << asked << ", classes " << classes;
}

void expect_refused(Loss loss, std::size_t asked, std::size_t classes,
                    std::initializer_list<std::string> parts) {
  SCOPED_TRACE(std::string(kernels::name(loss)) + ", outputs " + std::to_string(asked) + ", classes " +
               std::to_string(classes));
  test::expect_line_with(test::message_of<ConfigError>([&] { outputs_of(options(loss, asked), classes); }),
                         parts);
}

TEST(OutputsOf, ValuesNeedASquaredError) {
  for (const std::size_t asked : {0, 1, 2}) {
    expect_refused(Loss::kCrossEntropy, asked, 0,
                   {"model.loss is \"cross_entropy\"", "expected \"mse\" or \"half_mse\"", "values"});
    expect_refused(Loss::kBinaryCrossEntropy, asked, 0,
                   {"model.loss is \"binary_cross_entropy\"", "expected \"mse\" or \"half_mse\"", "values"});
  }
}

TEST(OutputsOf, BinaryCrossEntropyNeedsTwoClasses) {
  for (const std::size_t classes : {1, 3, 10})
    expect_refused(Loss::kBinaryCrossEntropy, 0, classes,
                   {"model.loss is \"binary_cross_entropy\" with " + std::to_string(classes) + " classes",
                    "expected 2 classes", "\"cross_entropy\""});
}

TEST(OutputsOf, CrossEntropyNeedsMoreThanOneOutput) {
  for (const std::size_t classes : {2, 10})
    expect_refused(Loss::kCrossEntropy, 1, classes,
                   {"model.outputs is 1", "\"cross_entropy\"", "expected an output a class",
                    "\"binary_cross_entropy\" takes one"});
}

TEST(OutputsOf, AnotherNumberThanTheClassesIsRefused) {
  expect_refused(Loss::kCrossEntropy, 9, 10, {"model.outputs is 9, expected 10, the number of classes"});
  expect_refused(Loss::kCrossEntropy, 3, 2, {"model.outputs is 3, expected 2, the number of classes"});
  expect_refused(Loss::kMse, 1, 3, {"model.outputs is 1, expected 3, the number of classes"});
  expect_refused(Loss::kHalfMse, 4, 3, {"model.outputs is 4, expected 3, the number of classes"});
  expect_refused(Loss::kMse, 3, 2, {"model.outputs is 3, expected 1 or 2"});
  expect_refused(Loss::kHalfMse, 2, 0, {"model.outputs is 2, expected 1"});
  expect_refused(Loss::kMse, 10, 0, {"model.outputs is 10, expected 1"});
  expect_refused(Loss::kBinaryCrossEntropy, 2, 2, {"model.outputs is 2, expected 1"});
}

}  // namespace
}  // namespace lockstep::nn
