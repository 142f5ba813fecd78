// What is drawn for training images: how it is distributed, and what it depends on.
#include "data/augmentation.h"

#include <gtest/gtest.h>

#include <cmath>
#include <map>
#include <set>
#include <tuple>

#include "base/error.h"
#include "data/batch_loader.h"
#include "data/points.h"
#include "data/synthetic.h"
#include "support.h"

namespace lockstep::data {
namespace {

constexpr ImageSize kSize = {3, 20, 32};
constexpr std::uint64_t kSeed = 5;
constexpr std::uint32_t kDraws = 20000;

// Of `count` events of probability p.
void expect_about(double count, double p, double n = kDraws) {
  EXPECT_NEAR(count, n * p, 5.0 * std::sqrt(n * p * (1.0 - p)));
}

auto all_of(const View& view) {
  return std::tuple(view.down, view.right, view.padding, view.mirrored, view.hole_rows.begin,
                    view.hole_rows.end, view.hole_columns.begin, view.hole_columns.end);
}

TEST(Augmentation, IsNoneUnlessAsked) {
  EXPECT_FALSE(Augmentation().any());
  EXPECT_FALSE(Augmentation({}, {}, kSeed).any());
  EXPECT_FALSE(Augmentation({.shift_padding = ShiftPadding::kZero}, kSize, kSeed).any());
  EXPECT_TRUE(Augmentation({.cutout = 1}, kSize, kSeed).any());
}

TEST(Augmentation, RandomMirrorsHalfOfTheImagesAnewInEveryEpoch) {
  const Augmentation random({.flip = Flip::kRandom}, kSize, kSeed);
  double mirrored = 0, twice = 0;
  for (std::uint32_t sample = 0; sample < kDraws; ++sample) {
    const bool first = random.view(0, sample).mirrored;
    mirrored += first;
    twice += first == random.view(1, sample).mirrored;
  }
  expect_about(mirrored, 0.5);
  expect_about(twice, 0.5);
}

TEST(Augmentation, AlternateMirrorsEachImageInEverySecondEpoch) {
  const Augmentation alternate({.flip = Flip::kAlternate}, kSize, kSeed);
  double mirrored = 0;
  for (std::uint32_t sample = 0; sample < kDraws; ++sample) {
    const bool first = alternate.view(0, sample).mirrored;
    mirrored += first;
    for (std::size_t epoch = 1; epoch < 5; ++epoch)
      ASSERT_EQ(alternate.view(epoch, sample).mirrored, first == (epoch % 2 == 0));
  }
  expect_about(mirrored, 0.5);
}

TEST(Augmentation, ShiftsAreUniformInBothDirections) {
  const Augmentation shifts({.shift = 2, .shift_padding = ShiftPadding::kZero}, kSize, kSeed);
  std::map<std::pair<std::ptrdiff_t, std::ptrdiff_t>, int> counts;
  for (std::uint32_t sample = 0; sample < kDraws; ++sample) {
    const View view = shifts.view(3, sample);
    EXPECT_EQ(view.padding, ShiftPadding::kZero);
    ++counts[{view.down, view.right}];
  }
  EXPECT_EQ(counts.size(), 25U);
  for (const auto& [shift, count] : counts) {
    EXPECT_LE(std::max(std::abs(shift.first), std::abs(shift.second)), 2);
    expect_about(count, 1.0 / 25.0);
  }
}

TEST(Augmentation, TheSquaresCentreIsUniformOverTheImage) {
  for (const std::size_t side : {1, 4, 5, 20}) {
    const Augmentation cutout({.cutout = side}, kSize, kSeed);
    std::map<std::size_t, int> ends_of_rows, ends_of_columns;
    const auto before = side / 2;
    for (std::uint32_t sample = 0; sample < kDraws; ++sample) {
      const View view = cutout.view(0, sample);
      for (const auto& [range, n] :
           {std::pair(view.hole_rows, kSize.height), {view.hole_columns, kSize.width}}) {
        ASSERT_LT(range.begin, range.end);
        ASSERT_LE(range.end, n);
        ASSERT_LE(range.size(), side);
        const bool whole = range.begin > 0 && range.end < n;  // not cut off
        ASSERT_TRUE(range.size() == side || !whole);
      }
      ++ends_of_rows[view.hole_rows.end];
      ++ends_of_columns[view.hole_columns.end];
    }
    // A square ends side - before pixels after its centre, or with the image.
    const auto cut_off = static_cast<double>(side - before);
    for (const auto& [ends, n] : {std::pair(ends_of_rows, kSize.height), {ends_of_columns, kSize.width}}) {
      EXPECT_EQ(ends.begin()->first, side - before);
      for (const auto& [end, count] : ends)
        expect_about(count, (end == n ? cut_off : 1.0) / static_cast<double>(n));
    }
  }
}

TEST(Augmentation, DependsOnSeedEpochAndSampleAlone) {
  const AugmentOptions options = {.flip = Flip::kRandom, .shift = 9, .cutout = 7};
  std::set<decltype(all_of({}))> views;
  for (const std::uint64_t seed : {0, 1})
    for (const std::size_t epoch : {0, 1})
      for (const std::uint32_t sample : {0, 1}) {
        const auto view = all_of(Augmentation(options, kSize, seed).view(epoch, sample));
        EXPECT_EQ(view, all_of(Augmentation(options, kSize, seed).view(epoch, sample)));
        views.insert(view);
      }
  EXPECT_EQ(views.size(), 8U);
}

TEST(Augmentation, KindsAndDirectionsAreIndependent) {
  const Augmentation all({.flip = Flip::kRandom, .shift = 4, .cutout = 1}, kSize, kSeed);
  std::map<std::pair<std::size_t, std::size_t>, double> both;  // of two of these events
  for (std::uint32_t sample = 0; sample < kDraws; ++sample) {
    const View view = all.view(0, sample);
    const bool events[] = {view.mirrored, view.down > 0, view.right > 0,
                           view.hole_rows.begin < kSize.height / 2,
                           view.hole_columns.begin < kSize.width / 2};
    for (std::size_t a = 0; a < std::size(events); ++a)
      for (std::size_t b = 0; b < a; ++b) both[{a, b}] += events[a] && events[b];
  }
  const double chances[] = {1.0 / 2.0, 4.0 / 9.0, 4.0 / 9.0, 1.0 / 2.0, 1.0 / 2.0};
  for (const auto& [events, count] : both)
    expect_about(count, chances[events.first] * chances[events.second]);
}

TEST(Augmentation, OneKindsDrawsDoNotDependOnTheOthers) {
  const Augmentation all({.flip = Flip::kRandom, .shift = 3, .cutout = 7}, kSize, kSeed),
      flip({.flip = Flip::kRandom}, kSize, kSeed), shift({.shift = 3}, kSize, kSeed),
      cutout({.cutout = 7}, kSize, kSeed);
  for (std::uint32_t sample = 0; sample < 100; ++sample) {
    View expected = shift.view(2, sample);
    expected.mirrored = flip.view(2, sample).mirrored;
    expected.hole_rows = cutout.view(2, sample).hole_rows;
    expected.hole_columns = cutout.view(2, sample).hole_columns;
    EXPECT_EQ(all_of(all.view(2, sample)), all_of(expected));
  }
}

TEST(Augmentation, RefusesWhatDoesNotSuitTheImages) {
  const auto refusal = [](const AugmentOptions& options, const std::optional<ImageSize>& image) {
    return test::message_of<ConfigError>([&] { Augmentation(options, image, kSeed); });
  };
  EXPECT_NO_THROW(Augmentation({.shift = 19, .cutout = 20}, kSize, kSeed));
  for (const ShiftPadding padding : {ShiftPadding::kReflect, ShiftPadding::kZero})
    test::expect_line_with(refusal({.shift = 20, .shift_padding = padding}, kSize),
                           {"data.augment.shift is 20", "at most 19", "20 x 32"});
  test::expect_line_with(refusal({.shift = ~std::size_t{0}}, kSize), {"data.augment.shift", "at most 19"});
  test::expect_line_with(refusal({.cutout = 21}, kSize),
                         {"data.augment.cutout is 21", "at most 20", "20 x 32"});
  test::expect_line_with(refusal({.flip = Flip::kRandom}, {}), {"data.augment", "images"});
}

// Of the synthetic set's samples, each as its number says.
std::map<std::uint32_t, std::vector<float>> shown(const Augmentation& augmentation,
                                                  const Normalizer& normalizer, std::size_t epoch,
                                                  std::size_t shards, std::size_t batch, int ranks,
                                                  int threads) {
  constexpr std::size_t kSamples = 60;
  DataOptions options;
  options.dataset = "synthetic";
  options.train_samples = kSamples;
  const auto dataset = open_dataset(options);
  const ShardPlan plan(kSamples, shards, batch, Shuffle::kShards, kSeed);
  const std::size_t width = dataset->info().features();
  std::map<std::uint32_t, std::vector<float>> images;
  for (int rank = 0; rank < ranks; ++rank) {
    BatchLoader loader(*dataset, plan, ShardDivision(shards, ranks).of_rank(rank), augmentation);
    loader.start_epoch(epoch);
    for (std::size_t step = 0; step < plan.steps_per_epoch(); ++step) {
      const auto blocks = loader.blocks(step);
      std::size_t rows = 0;
      for (const Block& block : blocks) rows += block.rows();
      std::vector<float> x(rows * width), targets(rows);
      std::vector<std::uint32_t> ids(rows);
      loader.gather(blocks, normalizer, x, targets, ids, threads);
      for (std::size_t i = 0; i < rows; ++i)
        images[ids[i]].assign(x.begin() + static_cast<std::ptrdiff_t>(i * width),
                              x.begin() + static_cast<std::ptrdiff_t>((i + 1) * width));
    }
  }
  EXPECT_EQ(images.size(), kSamples);
  return images;
}

TEST(Augmentation, TheLoaderShowsAnImageAlikeOnAnyRankAndThreadAndInAnyBatch) {
  const Synthetic dataset;
  const auto samples = dataset.load(Split::kTrain, test::first_numbers(60));
  const Normalizer normalizer(Normalization::kMean, dataset.info(), samples, {});
  const ImageSize size = *dataset.info().image;
  const Augmentation augmentation({.flip = Flip::kAlternate, .shift = 4, .cutout = 9}, size, kSeed);
  for (const std::size_t epoch : {0, 3}) {
    const auto images = shown(augmentation, normalizer, epoch, 4, 12, 1, 1);
    for (const auto& [sample, image] : images) {
      std::vector<float> expected(image.size());
      apply_view(augmentation.view(epoch, sample), size, normalizer, samples, sample, expected);
      ASSERT_TRUE(test::same_bits(image, expected)) << "sample " << sample;
    }
    EXPECT_EQ(images, shown(augmentation, normalizer, epoch, 4, 12, 3, 2));
    EXPECT_EQ(images, shown(augmentation, normalizer, epoch, 5, 35, 2, 3));
    EXPECT_NE(images, shown({}, normalizer, epoch, 4, 12, 1, 1));
  }
}

}  // namespace
}  // namespace lockstep::data
