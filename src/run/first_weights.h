// The weights that a run begins with where no file gives them.
#pragma once

#include "base/aligned_buffer.h"
#include "comm/communicator.h"
#include "data/dataset.h"
#include "data/normalizer.h"
#include "nn/model.h"

namespace lockstep::run {

// Drawn by model.init and the layers' own. Throws CollectiveError. Collective.
AlignedBuffer<float> drawn_parameters(std::uint64_t seed, const nn::Model& model,
                                      const comm::Communicator& communicator);

// The filters of a whiten layer, where the network begins with one, in their place in the arena. They come
// from the first 5,000 training samples in file order, or all where there are fewer, as the network sees
// them; rank 0 reads these, so that the filters are the same at any number of ranks. Throws CollectiveError.
// Collective.
void set_whitening(const nn::Model& model, const data::Dataset& dataset, const data::Normalizer& normalizer,
                   const comm::Communicator& communicator, std::span<float> arena);

}  // namespace lockstep::run
