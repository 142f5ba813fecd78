#include "run/mistakes.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <tuple>

#include "base/error.h"
#include "report/csv_cell.h"
#include "run/sample_images.h"

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
  std::vector<std::uint32_t> samples;
  for (const Mistake& mistake : mistakes) samples.push_back(mistake.sample);
  return sample_images(dataset, split, samples);
}

}  // namespace lockstep::run
