// Which samples of a data set are trained on and which are tested on. Integers only, the same on every rank.
//
// In this order: data.test_fraction of the training samples is set aside for testing; of k folds of what is
// left one is tested on, and the others are trained on; data.train_samples and data.test_samples keep the
// first of each.
//
// By default a random order of the samples decides, which depends on data.seed alone. With data.stratify that
// order is sorted by class, and every class gives each part its share, rounded up or down: sample i of m goes
// to the test set where i count / m rounds down to another number than (i + 1) count / m, and to fold i % k.
#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include "data/dataset.h"
#include "data/options.h"

namespace lockstep::data {

// Samples of one of a data set's own splits, ascending.
struct Selection {
  Split split = Split::kTrain;
  std::vector<std::uint32_t> samples;
};

struct Division {
  Selection train, test;
};

// info: of the undivided set. labels: the class of each of its training samples; called with data.stratify
// alone. Throws ConfigError where the options ask for more samples or folds than there are, for classes of
// values, or leave nothing, or with data.stratify nothing of a class, to train on.
Division divide(const DatasetInfo& info, const std::function<std::vector<float>()>& labels,
                const DataOptions& options);

}  // namespace lockstep::data
