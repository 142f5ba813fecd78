#include "run/memory.h"

#include <fmt/format.h>

#include <algorithm>
#include <numeric>
#include <vector>

#include "base/error.h"
#include "base/memory_limit.h"
#include "data/batch_loader.h"

namespace lockstep::run {

std::uint64_t least_bytes(const config::RunConfig& run, const data::DatasetInfo& info,
                          const data::ShardPlan& plan, const nn::Model& model,
                          const comm::Communicator& ranks) {
  const auto size = static_cast<std::uint64_t>(ranks.size());
  const std::uint64_t samples = (info.train_samples + info.test_samples) / size;
  const std::uint64_t of_a_sample = info.features() * (info.pixels ? 1 : sizeof(double)) + sizeof(float);
  const std::uint64_t copies = 2 + optim::state_names(run.train.optimizer).size() +
                               (run.train.average_decay != 0.0 ? 1 : 0);  // weights, gradient, ...
  std::uint64_t activations = model.inputs();
  for (std::size_t l = 0; l < model.layers().size(); ++l)
    if (!model.in_place(l)) activations += model.layers()[l]->outputs();
  std::uint64_t rows = std::min<std::uint64_t>(plan.micro_batch(), plan.samples() / plan.shards());
  if (!model.mixes_samples())
    rows = std::min<std::uint64_t>(rows, data::kMaxBlockRows);  // a pass may hold no more
  return samples * of_a_sample + sizeof(float) * (copies * model.parameters() + rows * activations);
}

void expect_room(const comm::Communicator& ranks, std::uint64_t own) {
  const comm::Communicator host = ranks.of_this_host();
  const auto bytes = host.allgather(static_cast<std::int64_t>(own));
  ranks.all_or_none([&] {
    const double needed = std::accumulate(bytes.begin(), bytes.end(), 0.0);
    const MemoryLimit limit = memory_limit();
    if (needed > static_cast<double>(limit.bytes))
      throw ConfigError(
          fmt::format("the network and its data need at least {:.4g} GB on {} with {} rank{}, expected at "
                      "most {:.4g} GB ({}): fewer "
                      "ranks per host, a smaller network, or data.train_samples",
                      1e-9 * needed, comm::host_name(), bytes.size(), bytes.size() == 1 ? "" : "s",
                      1e-9 * static_cast<double>(limit.bytes), limit.from));
  });
}

}  // namespace lockstep::run
