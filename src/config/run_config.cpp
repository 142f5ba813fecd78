#include "config/run_config.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/error.h"
#include "config/reader.h"
#include "data/shard_plan.h"
#include "kernels/kernel_family.h"
#include "nn/initializer.h"

namespace lockstep::config {
namespace {

const auto kAtLeastZero = [](double x) { return x >= 0.0 && x < 1e30; };
const auto kAboveZero = [](double x) { return x > 0.0 && x < 1e30; };

void read_data(Reader& in, data::DataOptions& data) {
  in.read_name("data.dataset", data.dataset,
               {std::begin(data::kDatasetNames), std::end(data::kDatasetNames)});
  in.read("data.dir", data.dir);
  in.read("data.shards", data.shards, 1);
  in.read<data::Shuffle>("data.shuffle", data.shuffle,
                         {{"shards", data::Shuffle::kShards}, {"none", data::Shuffle::kNone}});
  in.read<data::Normalization>("data.normalize", data.normalize,
                               {{"none", data::Normalization::kNone},
                                {"scale", data::Normalization::kScale},
                                {"mean", data::Normalization::kMean},
                                {"mean_std", data::Normalization::kMeanStd}});
  in.read("data.train_samples", data.train_samples, 0);
  in.read("data.test_samples", data.test_samples, 0);
}

void read_model(Reader& in, nn::ModelOptions& model) {
  using kernels::Activation;
  using kernels::Loss;
  in.read("model.hidden", model.hidden);
  in.read<Activation>(
      "model.activation", model.activation,
      {{"sigmoid", Activation::kSigmoid}, {"relu", Activation::kRelu}, {"identity", Activation::kIdentity}});
  in.read("model.init", model.init);
  in.check("model.init", [&] { nn::Initializer::parse(model.init); });
  in.read<Loss>("model.loss", model.loss,
                {{"cross_entropy", Loss::kCrossEntropy}, {"mse", Loss::kMse}, {"half_mse", Loss::kHalfMse}});
}

void read_train(Reader& in, train::TrainOptions& train) {
  using Kind = optim::ScheduleOptions::Kind;
  in.read("train.epochs", train.epochs, 1);
  in.read("train.batch_size", train.batch_size, 1);
  in.read("train.learning_rate", train.sgd.learning_rate, "a number above 0, below 1e30", kAboveZero);
  in.read("train.momentum", train.sgd.momentum, "a number from 0 up to, not including, 1",
          [](double x) { return x >= 0.0 && x < 1.0; });
  in.read("train.nesterov", train.sgd.nesterov);
  in.check("train.nesterov", [&] {
    if (train.sgd.nesterov && train.sgd.momentum == 0.0)
      throw ConfigError("train.nesterov is true, expected a train.momentum above 0 with it");
  });
  in.read("train.l2", train.sgd.l2, "a number of at least 0, below 1e30", kAtLeastZero);
  in.read<Kind>("train.schedule", train.schedule.kind,
                {{"constant", Kind::kConstant}, {"step", Kind::kStep}, {"cosine", Kind::kCosine}});
  in.read("train.warmup_epochs", train.schedule.warmup_epochs, "a number of at least 0, below 1e30",
          kAtLeastZero);
  in.read("train.step_epochs", train.schedule.step_epochs, 1);
  in.read("train.step_factor", train.schedule.step_factor, "a number above 0, below 1e30", kAboveZero);
  in.read("train.final_learning_rate", train.schedule.final_learning_rate,
          "a number of at least 0, below 1e30", kAtLeastZero);
  in.read("train.check_replicas_every", train.check_replicas_every, 0);
  in.read("train.init_from", train.init_from);
}

}  // namespace

RunConfig parse(const std::string& text, const std::string& name, const std::vector<std::string>& overrides,
                nlohmann::ordered_json* resolved) {
  Reader in(text, name, overrides);
  RunConfig config;
  in.read("seed", config.seed, 0);
  read_data(in, config.data);
  read_model(in, config.model);
  read_train(in, config.train);
  in.read<reduce::Mode>("reduce.mode", config.reduce.mode,
                        {{"exact", reduce::Mode::kExact}, {"float", reduce::Mode::kFloat}});
  in.read("compute.threads", config.compute.threads, 0);
  std::vector<std::string> families(kernels::kernel_families().begin(), kernels::kernel_families().end());
  if (families.front() != "auto") families.insert(families.begin(), "auto");
  in.read_name("compute.kernels", config.compute.kernels, families);
  in.read("compute.allow_mixed", config.compute.allow_mixed);
  in.read("log.steps", config.log.steps);
  in.finish();
  in.check("train.batch_size", [&] { data::micro_batch_size(config.train.batch_size, config.data.shards); });
  if (resolved != nullptr) *resolved = in.resolved();
  return config;
}

std::string to_toml(const nlohmann::ordered_json& resolved) {
  std::string top, sections;
  for (const auto& [name, value] : resolved.items()) {
    if (!value.is_object()) {
      top += fmt::format("{} = {}\n", name, value.dump());
      continue;
    }
    sections += fmt::format("\n[{}]\n", name);
    for (const auto& [key, entry] : value.items()) sections += fmt::format("{} = {}\n", key, entry.dump());
  }
  return top + sections;
}

}  // namespace lockstep::config
