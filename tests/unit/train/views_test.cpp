// Evaluation of several views of an image: the mean of the outputs of images that were changed beforehand.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "mpi_main.h"
#include "support.h"
#include "train/evaluator.h"

namespace lockstep::train {
namespace {

constexpr std::size_t kChannels = 2, kHeight = 3, kWidth = 5, kFeatures = kChannels * kHeight * kWidth,
                      kClasses = 4;
constexpr data::ImageSize kSize = {kChannels, kHeight, kWidth};

// Images of random pixels, more than a pass has rows.
data::SampleStore random_images(std::size_t n) {
  data::SampleStore samples = data::SampleStore::of_pixels(n, kFeatures);
  const auto numbers = test::random_floats(n * kFeatures, 3);
  for (std::size_t j = 0; j < numbers.size(); ++j)
    samples.pixels[j] = static_cast<std::uint8_t>(std::floor(128.0F * (1.0F + numbers[j])));
  for (std::size_t i = 0; i < n; ++i) samples.targets[i] = static_cast<float>(i % kClasses);
  return samples;
}

// Moved down and right by `move` pixels with reflection, then mirrored if so.
data::SampleStore changed(const data::SampleStore& samples, long move, bool mirrored) {
  data::SampleStore result = samples;
  const auto reflected = [](long place, long side) {
    return place < 0 ? -place : place < side ? place : 2 * side - 2 - place;
  };
  for (std::size_t i = 0; i < samples.size(); ++i)
    for (long c = 0; c < long{kChannels}; ++c)
      for (long y = 0; y < long{kHeight}; ++y)
        for (long x = 0; x < long{kWidth}; ++x) {
          const long column = mirrored ? long{kWidth} - 1 - x : x;
          const long source = (c * long{kHeight} + reflected(y - move, kHeight)) * long{kWidth} +
                              reflected(column - move, kWidth);
          result.pixel_row(i)[static_cast<std::size_t>((c * long{kHeight} + y) * long{kWidth} + x)] =
              samples.pixel_row(i)[static_cast<std::size_t>(source)];
        }
  return result;
}

class ViewsTest : public testing::Test {
 protected:
  Evaluator::Network network(data::Views views) const {
    return {.model = model_,
            .arena = arena_,
            .normalizer = normalizer_,
            .loss = kernels::Loss::kCrossEntropy,
            .views = {views, kSize}};
  }
  std::vector<float> outputs_of(const data::SampleStore& samples, data::Views views, int threads = 1) const {
    return Evaluator(samples).outputs(network(views), threads);
  }
  // weight * the mean of the outputs of the images so moved and of their mirror images, added to `sum`.
  void add_pair(long move, float weight, std::vector<float>& sum) const {
    for (const bool mirrored : {false, true}) {
      const auto outputs = outputs_of(changed(samples_, move, mirrored), data::Views::kOne);
      for (std::size_t k = 0; k < sum.size(); ++k) sum[k] += 0.5F * weight * outputs[k];
    }
  }

  static nn::ModelOptions options() {
    nn::ModelOptions options;
    options.hidden = {7};
    return options;
  }

  const data::SampleStore samples_ = random_images(1100);
  const nn::Model model_{options(), kFeatures, kClasses};
  const std::vector<float> arena_ = test::random_floats(model_.parameters(), 9);
  // The same for all features: changed bytes are changed inputs.
  const data::Normalizer normalizer_{
      data::Normalization::kScale, true, {std::vector(kFeatures, 0.0), std::vector(kFeatures, 1.0 / 255.0)}};
};

TEST_F(ViewsTest, OneIsTheImageItself) {
  Evaluator::Network plain = network(data::Views::kOne);
  plain.views = {};
  EXPECT_TRUE(
      test::same_bits(outputs_of(samples_, data::Views::kOne), Evaluator(samples_).outputs(plain, 1)));
}

TEST_F(ViewsTest, FlipIsTheMeanOfBothMirrorImages) {
  std::vector<float> expected(samples_.size() * kClasses);
  add_pair(0, 1.0F, expected);
  EXPECT_TRUE(test::same_bits(outputs_of(samples_, data::Views::kFlip), expected));
}

TEST_F(ViewsTest, ShiftsWeighTheCentreHalfAndTwoDiagonalMovesAQuarterEach) {
  std::vector<float> expected(samples_.size() * kClasses);
  add_pair(0, 0.5F, expected);
  add_pair(-1, 0.25F, expected);
  add_pair(1, 0.25F, expected);
  for (const int threads : {1, 3})
    EXPECT_TRUE(test::same_bits(outputs_of(samples_, data::Views::kShifts, threads), expected));
}

TEST_F(ViewsTest, ScoreAndConfusionAreOfTheMeans) {
  const auto outputs = outputs_of(samples_, data::Views::kShifts);
  double loss = 0.0;
  std::int64_t correct = 0;
  std::vector<std::int64_t> confusion(kClasses * kClasses);
  for (std::size_t i = 0; i < samples_.size(); ++i) {
    const auto row = std::span(outputs).subspan(i * kClasses, kClasses);
    const auto target = static_cast<std::size_t>(samples_.targets[i]);
    double sum = 0.0;
    for (const float output : row) sum += std::exp(double{output});
    loss += std::log(sum) - row[target];
    const auto predicted = static_cast<std::size_t>(std::ranges::max_element(row) - row.begin());
    correct += predicted == target ? 1 : 0;
    ++confusion[target * kClasses + predicted];
  }
  const Score score = Evaluator(samples_).score(network(data::Views::kShifts), test::self(), 1);
  EXPECT_NEAR(score.loss, loss / static_cast<double>(samples_.size()), 1e-6 * score.loss);
  EXPECT_EQ(score.correct, correct);
  EXPECT_EQ(Evaluator(samples_).confusion(network(data::Views::kShifts), kClasses, test::self(), 1),
            confusion);
}

TEST(EvaluatedViews, WeighOneTogether) {
  for (const auto& [kind, count] :
       {std::pair(data::Views::kOne, 1U), {data::Views::kFlip, 2U}, {data::Views::kShifts, 6U}}) {
    const data::EvaluatedViews views(kind, kSize);
    EXPECT_EQ(views.count(), count);
    float sum = 0.0F;
    for (std::size_t v = 0; v < views.count(); ++v) sum += views.weight(v);
    EXPECT_EQ(sum, 1.0F);
  }
}

TEST(EvaluatedViews, RefuseWhatHasNone) {
  using data::EvaluatedViews, data::Views;
  const auto refusal = [](Views kind, const std::optional<data::ImageSize>& image) {
    return test::message_of<ConfigError>([&] { EvaluatedViews(kind, image); });
  };
  test::expect_line_with(refusal(Views::kFlip, {}), {"eval.views", "images"});
  test::expect_line_with(refusal(Views::kShifts, data::ImageSize{3, 1, 8}), {"eval.views", "2 x 2", "1 x 8"});
  EXPECT_NO_THROW(EvaluatedViews(Views::kOne, {}));
  EXPECT_NO_THROW(EvaluatedViews(Views::kFlip, data::ImageSize{3, 1, 8}));
}

}  // namespace
}  // namespace lockstep::train
