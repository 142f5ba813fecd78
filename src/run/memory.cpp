#include "run/memory.h"

#include <fmt/format.h>

#include <algorithm>
#include <numeric>
#include <vector>

#include "base/error.h"
#include "base/memory_limit.h"
#include "data/batch_loader.h"
#include "train/evaluator.h"
#include "train/trainer.h"

namespace lockstep::run {

namespace {

// Features and target.
std::uint64_t bytes_of_a_sample(const data::DatasetInfo& info) {
  return info.features() * (info.pixels ? 1 : sizeof(double)) + sizeof(float);
}

constexpr std::uint64_t kReplicated = 2;  // arenas that each rank has: weights and gradient

// Arenas that the optimizer keeps, and the average; and parts of them that a rank has all the time.
struct Kept {
  std::uint64_t state, average, parts;
};
Kept kept(const config::RunConfig& run, std::uint64_t ranks) {
  // Where Update::kAuto does not divide, an arena has less than 32 KiB for each rank.
  const bool divided = run.reduce.update != reduce::Update::kEverywhere;
  return {.state = optim::state_names(run.train.optimizer).size(),
          .average = run.train.average_decay != 0.0 ? 1U : 0U,
          .parts = divided ? ranks : 1};
}

}  // namespace

std::uint64_t least_bytes(const config::RunConfig& run, const data::DatasetInfo& info,
                          const data::ShardPlan& plan, const nn::Model& model,
                          const comm::Communicator& ranks) {
  const auto size = static_cast<std::uint64_t>(ranks.size());
  const std::uint64_t samples = (info.train_samples + info.test_samples) / size;
  std::uint64_t activations = model.inputs();
  for (std::size_t l = 0; l < model.layers().size(); ++l)
    if (!model.in_place(l)) activations += model.layers()[l]->outputs();
  std::uint64_t rows = std::min<std::uint64_t>(plan.micro_batch(), plan.samples() / plan.shards());
  if (!model.mixes_samples())
    rows = std::min<std::uint64_t>(rows, data::kMaxBlockRows);  // a pass may hold no more
  const auto [state, average, parts] = kept(run, size);
  return samples * bytes_of_a_sample(info) +
         sizeof(float) * (kReplicated * model.parameters() + (state + average) * model.parameters() / parts +
                          rows * activations);
}

std::uint64_t expected_bytes(const config::RunConfig& run, const data::DatasetInfo& info,
                             const data::ShardPlan& plan, const nn::Model& model, int rank, int ranks,
                             int threads) {
  using nn::Workspace;
  constexpr std::uint64_t kProgram = std::uint64_t{18} << 20, kThread = std::uint64_t{4} << 20;
  const auto size = static_cast<std::uint64_t>(ranks);
  const std::size_t shards = data::ShardDivision(plan.shards(), ranks).of_rank(rank).size();
  const std::uint64_t train_samples = shards * plan.samples() / plan.shards(),
                      test_samples = (info.test_samples + size - 1) / size;
  // In memory that ranks share: the sum of all gradients or all parameters, and a part of each rank's.
  const std::uint64_t shared = ranks > 1 ? 2 : 0;
  const auto [state, average, parts] = kept(run, size);
  // All of the average, where it is evaluated, and rank 0's copy of the state, where it is saved.
  const std::uint64_t gathered = parts == 1 ? 0 : average + (rank == 0 ? state : 0);
  // What the products of a convolution work with: its weights packed and turned, and their gradient twice.
  constexpr std::uint64_t kCopies = 4;
  std::uint64_t largest_filters = 0;
  for (const nn::Tensor& tensor : model.tensors())
    if (tensor.shape.size() == 4) largest_filters = std::max<std::uint64_t>(largest_filters, tensor.size);
  return kProgram + static_cast<std::uint64_t>(threads) * kThread +
         (train_samples + test_samples) * bytes_of_a_sample(info) +
         sizeof(float) * ((kReplicated + shared + gathered) * model.parameters() +
                          (state + average) * model.parameters() / parts + kCopies * largest_filters) +
         Workspace::bytes_for(train::largest_pass(plan, model, shards), model,
                              Workspace::Use::kForwardAndBackward) +
         Workspace::bytes_for(train::Evaluator::largest_pass(model, test_samples), model,
                              Workspace::Use::kForward);
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
