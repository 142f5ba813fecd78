// The score of a network on a whole split, each rank computing its part.
//
// Each rank takes a contiguous range of the samples in file order; none is padded. A row's loss depends on
// that row alone, and the sums are integers: the score does not depend on the number of ranks.
#pragma once

#include <span>

#include "comm/communicator.h"
#include "data/dataset.h"
#include "data/normalizer.h"
#include "nn/model.h"
#include "train/score.h"

namespace lockstep::train {

class Evaluator {
 public:
  // Loads this rank's samples of the split, as bytes. Throws DataError.
  Evaluator(const data::Dataset& dataset, data::Split split, int rank, int world);

  const data::SampleStore& samples() const { return samples_; }

  // Collective. l2_loss is added to the mean loss.
  Score score(const nn::Model& model, kernels::Loss loss, std::span<const float> arena,
              const data::Normalizer& normalizer, double l2_loss, const comm::Communicator& communicator,
              int threads);

 private:
  static constexpr std::size_t kPassRows = 512;
  data::SampleStore samples_;
};

}  // namespace lockstep::train
