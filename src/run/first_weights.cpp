#include "run/first_weights.h"

#include <algorithm>
#include <numeric>
#include <vector>

#include "nn/whitening.h"

namespace lockstep::run {
namespace {

constexpr std::size_t kWhiteningSamples = 5000;

// In the order of files.
std::vector<float> filters_of(const nn::Tensor& weight, const data::Dataset& dataset,
                              const data::Normalizer& normalizer) {
  const data::DatasetInfo info = dataset.info();
  std::vector<std::uint32_t> first(std::min(kWhiteningSamples, info.train_samples));
  std::iota(first.begin(), first.end(), 0U);
  const data::SampleStore samples = dataset.load(data::Split::kTrain, first);
  std::vector<float> x(info.features());
  const auto image = [&](std::size_t i) -> std::span<const float> {
    normalizer.apply(samples, i, x);
    return x;
  };
  return nn::whitening_filters({info.image->channels, info.image->height, info.image->width}, weight.shape[2],
                               weight.init.parameter, samples.size(), image);
}

}  // namespace

AlignedBuffer<float> drawn_parameters(std::uint64_t seed, const nn::Model& model,
                                      const comm::Communicator& communicator) {
  AlignedBuffer<float> arena;
  communicator.all_or_none([&] {
    arena = AlignedBuffer<float>(model.parameters());
    nn::initialize(model.tensors(), seed, arena.span());
  });
  return arena;
}

void set_whitening(const nn::Model& model, const data::Dataset& dataset, const data::Normalizer& normalizer,
                   const comm::Communicator& communicator, std::span<float> arena) {
  const nn::Tensor& weight = model.tensors().front();
  if (weight.init.kind != nn::Initializer::Kind::kWhitening) return;
  const std::span<float> values = weight.slice(arena);
  communicator.all_or_none([&] {
    if (communicator.rank() == 0)
      nn::from_file_order(weight, filters_of(weight, dataset, normalizer), values);
  });
  communicator.broadcast(std::as_writable_bytes(values), 0);
}

}  // namespace lockstep::run
