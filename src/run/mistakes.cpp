#include "run/mistakes.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <tuple>

#include "base/error.h"
#include "report/csv_cell.h"
#include "run/tiles.h"

namespace lockstep::run {
namespace {

constexpr std::size_t kShown = 25;

// The first few, surest first.
void keep_surest(std::vector<Mistake>& mistakes) {
  const auto surer = [](const Mistake& a, const Mistake& b) {
    return std::tuple(-a.probability, a.sample) < std::tuple(-b.probability, b.sample);
  };
  const std::size_t kept = std::min(kShown, mistakes.size());
  std::partial_sort(mistakes.begin(), mistakes.begin() + static_cast<std::ptrdiff_t>(kept), mistakes.end(),
                    surer);
  mistakes.resize(kept);
}

// Each sample by itself, in the mistakes' order, which is not that of their IDs.
data::SampleStore load_one(const data::Dataset& dataset, data::Split split, const Mistake& mistake) {
  return dataset.load(split, std::span(&mistake.sample, 1));
}

// Features of one sample as bytes.
std::vector<std::uint8_t> as_bytes(const data::SampleStore& sample) {
  if (!sample.pixels.empty()) return sample.pixels;
  const auto [least, largest] = std::ranges::minmax(sample.values);
  const double range = largest > least ? largest - least : 1.0;
  std::vector<std::uint8_t> bytes;
  for (const double value : sample.values)
    bytes.push_back(static_cast<std::uint8_t>(std::lround(255.0 * ((value - least) / range))));
  return bytes;
}

}  // namespace

void expect_images_of_classes(const data::DatasetInfo& info) {
  if (info.classes == 0)
    throw ConfigError("--mistakes: the targets are values, expected a data set of classes");
  if (info.train_samples + info.test_samples == 0)
    throw ConfigError(
        fmt::format("--mistakes: {} has no samples here, expected the data of the run", info.name));
  if (!info.image || (info.image->channels != 1 && info.image->channels != 3))
    throw ConfigError(fmt::format(
        "--mistakes: the samples of {} are no images with 1 or 3 channels, expected such", info.name));
}

std::vector<Mistake> surest_mistakes(const data::DatasetInfo& info, train::Evaluator& evaluator,
                                     const train::Evaluator::Network& network,
                                     const comm::Communicator& communicator, int threads) {
  std::vector<Mistake> mistakes;
  std::string own;
  communicator.all_or_none([&] {
    const std::vector<float> outputs = evaluator.outputs(network, threads);
    const std::vector<std::uint32_t> ids = evaluator.sample_ids();
    std::vector<double> probabilities(info.classes);
    for (std::size_t i = 0; i < ids.size(); ++i) {
      const std::size_t width = network.model.outputs();
      const auto row = std::span(outputs).subspan(i * width, width);
      const std::size_t predicted = kernels::predicted_class(network.loss, row);
      const auto actual = static_cast<std::uint32_t>(evaluator.samples().targets[i]);
      if (predicted == actual) continue;
      kernels::class_probabilities(network.loss, row, probabilities);
      mistakes.push_back({probabilities[predicted], ids[i], actual, static_cast<std::uint32_t>(predicted)});
    }
    keep_surest(mistakes);
    own.assign(reinterpret_cast<const char*>(mistakes.data()), mistakes.size() * sizeof(Mistake));
  });
  std::string all;
  for (const std::string& ranks : communicator.gather(own, 0)) all += ranks;
  mistakes.resize(all.size() / sizeof(Mistake));
  std::memcpy(mistakes.data(), all.data(), all.size());
  keep_surest(mistakes);
  return mistakes;
}

std::string mistakes_table(const data::Dataset& dataset, data::Split split,
                           std::span<const Mistake> mistakes) {
  const data::DatasetInfo info = dataset.info();
  std::string table = "row,actual,predicted,probability\n";
  for (const Mistake& mistake : mistakes)
    table += fmt::format("{},{},{},{:.6g}\n", dataset.file_rows(split, std::span(&mistake.sample, 1)).front(),
                         report::csv_cell(info.class_name(mistake.actual)),
                         report::csv_cell(info.class_name(mistake.predicted)), mistake.probability);
  return table;
}

std::string mistake_images(const data::Dataset& dataset, data::Split split,
                           std::span<const Mistake> mistakes) {
  const data::ImageSize image = *dataset.info().image;
  const std::size_t channel = image.height * image.width;
  Tiles tiles(mistakes.size(), image.height, image.width);
  for (std::size_t tile = 0; tile < mistakes.size(); ++tile) {
    const std::vector<std::uint8_t> bytes = as_bytes(load_one(dataset, split, mistakes[tile]));
    const auto of = [&](std::size_t colour, std::size_t i) {
      return bytes[(image.channels == 1 ? 0 : colour) * channel + i];
    };
    for (std::size_t i = 0; i < channel; ++i)
      tiles.paint(tile, i / image.width, i % image.width, {of(0, i), of(1, i), of(2, i)});
  }
  return tiles.ppm();
}

}  // namespace lockstep::run
