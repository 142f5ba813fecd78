// A data set of given samples, and networks whose weights a test gives.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "data/dataset.h"
#include "nn/model.h"
#include "train/evaluator.h"

namespace lockstep::test {

class SmallSet final : public data::Dataset {
 public:
  data::DatasetInfo details;  // sizes are filled in
  data::SampleStore train, test;

  // Samples of `features` numbers each, then the target.
  SmallSet(std::size_t features, std::size_t classes, const std::vector<std::vector<float>>& train_rows,
           const std::vector<std::vector<float>>& test_rows)
      : train(store_of(features, train_rows)), test(store_of(features, test_rows)) {
    details.name = "small";
    details.pixels = false;
    details.channels = features;
    details.channel_size = 1;
    details.classes = classes;
    details.train_samples = train.size();
    details.test_samples = test.size();
  }

  data::DatasetInfo info() const override { return details; }
  data::SampleStore load(data::Split split, std::span<const std::uint32_t> samples) const override {
    const data::SampleStore& all = split == data::Split::kTrain ? train : test;
    data::SampleStore store = data::SampleStore::of_values(0, all.width);
    for (const std::uint32_t i : samples) {
      store.values.insert(store.values.end(), all.value_row(i).begin(), all.value_row(i).end());
      store.targets.push_back(all.targets[i]);
    }
    return store;
  }

 private:
  static data::SampleStore store_of(std::size_t features, const std::vector<std::vector<float>>& rows) {
    data::SampleStore store = data::SampleStore::of_values(0, features);
    for (const auto& row : rows) {
      store.values.insert(store.values.end(), row.begin(), row.end() - 1);
      store.targets.push_back(row.back());
    }
    return store;
  }
};

// One affine layer: weights (out, in) row by row, then the biases.
struct Affine {
  nn::Model model;
  std::vector<float> arena;
  data::Normalizer normalizer;
  kernels::Loss loss;

  Affine(const SmallSet& set, std::size_t outputs, kernels::Loss l, std::vector<float> parameters,
         data::Normalization normalize = data::Normalization::kNone)
      : model(options(), set.info().features(), outputs),
        arena(std::move(parameters)),
        normalizer(normalize, set.info(), set.train, {}),
        loss(l) {}

  train::Evaluator::Network network() const { return {model, arena, normalizer, loss}; }

  static nn::ModelOptions options() {
    nn::ModelOptions options;
    options.hidden = {};
    return options;
  }
};

// The lines of a text, and the cells of a line without quotes.
inline std::vector<std::string> split(const std::string& text, char separator) {
  std::vector<std::string> parts;
  for (std::size_t begin = 0; begin < text.size();) {
    const std::size_t end = std::min(text.find(separator, begin), text.size());
    parts.push_back(text.substr(begin, end - begin));
    begin = end + 1;
  }
  return parts;
}

}  // namespace lockstep::test
