// The score of a network on a whole split, each rank computing its part.
//
// Each rank takes a contiguous range of the samples in file order; none is padded. A row's loss depends on
// that row alone, and the sums are integers: the score does not depend on the number of ranks.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "comm/communicator.h"
#include "data/dataset.h"
#include "data/evaluated_views.h"
#include "data/normalizer.h"
#include "liveness/supervision.h"
#include "nn/model.h"
#include "train/score.h"

namespace lockstep::train {

class Evaluator {
 public:
  // Loads this rank's samples of the split. Throws DataError.
  Evaluator(const data::Dataset& dataset, data::Split split, int rank, int world,
            const liveness::Supervision& supervision = {});

  // For these samples, which are this rank's.
  explicit Evaluator(data::SampleStore samples, const liveness::Supervision& supervision = {})
      : supervision_(supervision), samples_(std::move(samples)) {}

  const data::SampleStore& samples() const { return samples_; }
  std::size_t first_sample() const { return first_sample_; }  // its ID, its place in the split
  std::vector<std::uint32_t> sample_ids() const;              // of all of them

  // Rows of the largest pass for so many samples of a rank's.
  static std::size_t largest_pass(const nn::Model& model, std::size_t samples);

  // The network to score: its structure, its parameters, and how its inputs are made.
  struct Network {
    const nn::Model& model;
    std::span<const float> arena;
    const data::Normalizer& normalizer;
    kernels::Loss loss;
    double l2_loss = 0.0;             // added to the mean loss
    double target_unit = 1.0;         // DatasetInfo::target_stddev
    data::EvaluatedViews views = {};  // of each sample: their mean is what counts as its outputs
  };

  // Without samples loss and accuracy are NaN. Throws CollectiveError where a signal asks a rank to stop.
  // Collective.
  Score score(const Network& network, const comm::Communicator& communicator, int threads);

  // The outputs for this rank's samples, row by row. Not collective.
  std::vector<float> outputs(const Network& network, int threads);

  // How many samples of class a (rows) the network takes for class b (columns), row by row: (classes,
  // classes). Collective.
  std::vector<std::int64_t> confusion(const Network& network, std::size_t classes,
                                      const comm::Communicator& communicator, int threads);

 private:
  static constexpr std::size_t kPassRows = 512, kPassBytes = std::size_t{96} << 20;
  // Calls visit(outputs, targets) for all of this rank's rows, some at a time, until it returns false. The
  // outputs are the means over the network's views, added in their order.
  template <typename Visit>
  void for_outputs(const Network& network, int threads, Visit&& visit);

  liveness::Supervision supervision_;
  data::SampleStore samples_;
  std::size_t first_sample_ = 0;
};

}  // namespace lockstep::train
