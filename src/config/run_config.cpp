#include "config/run_config.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <nlohmann/json.hpp>

#include "base/error.h"
#include "config/keys.h"
#include "config/layers.h"
#include "config/ranges.h"
#include "config/reader.h"
#include "data/planar.h"
#include "data/shard_plan.h"
#include "kernels/kernel_set.h"
#include "nn/initializer.h"

namespace lockstep::config {
namespace {

void read_data(Reader& in, data::DataOptions& data) {
  in.read_name("data.dataset", data.dataset,
               {std::begin(data::kDatasetNames), std::end(data::kDatasetNames)});
  in.read("data.dir", data.dir);
  in.read<data::Labels>("data.label_mode", data.labels,
                        {{"fine", data::Labels::kFine}, {"coarse", data::Labels::kCoarse}});
  in.read("data.n", data.n, 2);
  in.check("data.n", [&] {
    constexpr std::size_t kMax = 100'000'000;
    if (data.n > kMax)
      throw ConfigError(fmt::format("data.n is {}, expected at most {} points", data.n, kMax));
  });
  in.read("data.noise", data.noise, kAtLeastZeroText, kAtLeastZero);
  in.read<data::Function>("data.function", data.function,
                          {{"sine", data::Function::kSine}, {"kink", data::Function::kKink}});
  in.read("data.file", data.file);
  in.read("data.test_file", data.test_file);
  in.read<data::Header>(
      "data.header", data.header,
      {{"auto", data::Header::kAuto}, {"yes", data::Header::kYes}, {"no", data::Header::kNo}});
  in.read_text("data.target", data.target);
  in.read_text("data.features", data.features);
  in.read_text("data.test_features", data.test_features);
  in.read_text("data.test_target", data.test_target);
  in.read<data::Task>(
      "data.task", data.task,
      {{"classification", data::Task::kClassification}, {"regression", data::Task::kRegression}});
  in.read_texts("data.columns", data.columns);
  in.read_texts("data.ignore", data.ignore);
  in.read_texts("data.categories", data.categories);
  in.read<data::Missing>(
      "data.missing", data.missing,
      {{"refuse", data::Missing::kRefuse}, {"mean", data::Missing::kMean}, {"drop", data::Missing::kDrop}});
  in.read<data::UnseenCategory>(
      "data.unseen_category", data.unseen_category,
      {{"refuse", data::UnseenCategory::kRefuse}, {"zeros", data::UnseenCategory::kZeros}});
  in.read<data::TargetScale>("data.target_scale", data.target_scale,
                             {{"none", data::TargetScale::kNone}, {"mean_std", data::TargetScale::kMeanStd}});
  in.read("data.image", data.image, 1);
  in.check("data.image", [&] {
    constexpr std::size_t kMax = 1 << 16;
    for (const std::size_t n : data.image)
      if (n > kMax) throw ConfigError(fmt::format("data.image has {}, expected at most {}", n, kMax));
    if (!data.image.empty() && data.image.size() != 3)
      throw ConfigError(
          fmt::format("data.image has {} numbers, expected channels, height and width", data.image.size()));
  });
  const bool made_up = data::planar_shape(data.dataset).has_value() || data.dataset == "function";
  data.test_fraction = made_up ? 0.5 : 0.0;
  in.read("data.test_fraction", data.test_fraction, kRateText, kRate);
  in.read("data.folds", data.folds, 0);
  in.read("data.fold", data.fold, 0);
  in.read("data.stratify", data.stratify);
  in.read("data.seed", data.seed, 0);
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
  using data::Flip, data::ShiftPadding;
  data::AugmentOptions& augment = data.augment;
  in.read<Flip>("data.augment.flip", augment.flip,
                {{"none", Flip::kNone}, {"random", Flip::kRandom}, {"alternate", Flip::kAlternate}});
  in.read("data.augment.shift", augment.shift, 0);
  in.read<ShiftPadding>("data.augment.shift_padding", augment.shift_padding,
                        {{"reflect", ShiftPadding::kReflect}, {"zero", ShiftPadding::kZero}});
  in.read("data.augment.cutout", augment.cutout, 0);
}

// What the network's outputs went through; dropout behind it changes nothing about that.
kernels::Activation last_activation(const nn::ModelOptions& model) {
  const std::vector<nn::LayerOptions> layers = nn::layers_of(model);
  const auto last = std::find_if(layers.rbegin(), layers.rend(), [](const nn::LayerOptions& layer) {
    return layer.kind != nn::LayerOptions::Kind::kDropout;
  });
  return last == layers.rend() ? kernels::Activation::kIdentity : last->activation;
}

void read_model(Reader& in, nn::ModelOptions& model) {
  using kernels::Loss;
  in.read_tables("model.layers", [&](Reader& table) { read_layer(table, model.layers.emplace_back()); });
  in.read("model.hidden", model.hidden, 1);
  in.read("model.activation", model.activation, activations());
  in.read("model.dropout", model.dropout, kRateText, kRate);
  in.read("model.output_activation", model.output_activation, activations());
  in.read("model.leaky_slope", model.activation_parameters.leaky_slope, kAtLeastZeroText, kAtLeastZero);
  in.read("model.elu_alpha", model.activation_parameters.elu_alpha, kAboveZeroText, kAboveZero);
  in.read("model.init", model.init);
  in.check("model.init", [&] { nn::Initializer::parse_weight(model.init, "model.init"); });
  in.read("model.bias_init", model.bias_init);
  in.check("model.bias_init", [&] { nn::Initializer::parse_bias(model.bias_init, "model.bias_init"); });
  in.read<Loss>("model.loss", model.loss,
                {{"cross_entropy", Loss::kCrossEntropy},
                 {"binary_cross_entropy", Loss::kBinaryCrossEntropy},
                 {"mse", Loss::kMse},
                 {"half_mse", Loss::kHalfMse}});
  in.read("model.outputs", model.outputs, 0);
  const bool squared = model.loss == Loss::kMse || model.loss == Loss::kHalfMse;
  const auto last = last_activation(model);
  in.check(model.layers.empty() ? "model.output_activation" : "model.layers", [&] {
    if (last != kernels::Activation::kIdentity && !squared)
      throw ConfigError(fmt::format(
          "the network ends with \"{}\" and model.loss is \"{}\", expected no activation at the end: "
          "that loss takes logits and applies its own function",
          kernels::name(last), kernels::name(model.loss)));
  });
  in.check("model.layers", [&] {
    const auto layers = nn::layers_of(model);
    const auto has_parameters = [](const nn::LayerOptions& layer) {
      using Kind = nn::LayerOptions::Kind;
      return layer.kind == Kind::kDense || layer.kind == Kind::kConv ||
             (layer.kind == Kind::kWhiten && layer.bias) ||
             (layer.kind == Kind::kBatchNorm && (layer.batch_norm.scale || layer.batch_norm.shift));
    };
    const auto learns = [&](const nn::LayerOptions& layer) { return has_parameters(layer) && !layer.frozen; };
    if (std::ranges::any_of(layers, has_parameters) && std::ranges::none_of(layers, learns))
      throw ConfigError("model.layers has frozen layers only, expected one that learns");
  });
}

void read_train(Reader& in, train::TrainOptions& train) {
  using Kind = optim::ScheduleOptions::Kind;
  in.read("train.epochs", train.epochs, 1);
  in.read("train.batch_size", train.batch_size, 1);
  using Optimizer = optim::OptimizerOptions::Kind;
  in.read<Optimizer>("train.optimizer", train.optimizer.kind,
                     {{"sgd", Optimizer::kSgd},
                      {"adam", Optimizer::kAdam},
                      {"adamw", Optimizer::kAdamW},
                      {"lars", Optimizer::kLars}});
  in.read("train.learning_rate", train.optimizer.learning_rate, kAboveZeroText, kAboveZero);
  in.read("train.label_smoothing", train.label_smoothing, kRateText, kRate);
  in.read("train.momentum", train.optimizer.momentum, kRateText, kRate);
  in.read("train.nesterov", train.optimizer.nesterov);
  in.check("train.nesterov", [&] {
    if (train.optimizer.nesterov && train.optimizer.momentum == 0.0)
      throw ConfigError("train.nesterov is true, expected a train.momentum above 0 with it");
  });
  in.read("train.beta1", train.optimizer.beta1, kRateText, kRate);
  in.read("train.beta2", train.optimizer.beta2, kRateText, kRate);
  in.read("train.epsilon", train.optimizer.epsilon, "a number from 1e-30 up to, not including, 1e30",
          [](double x) { return x >= 1e-30 && x < 1e30; });  // above 0 in float32
  in.read("train.trust_coefficient", train.optimizer.trust_coefficient, kAboveZeroText, kAboveZero);
  in.read("train.l2", train.optimizer.l2, kAtLeastZeroText, kAtLeastZero);
  in.read("train.weight_decay", train.optimizer.weight_decay, kAtLeastZeroText, kAtLeastZero);
  in.read<Kind>("train.schedule", train.schedule.kind,
                {{"constant", Kind::kConstant},
                 {"step", Kind::kStep},
                 {"cosine", Kind::kCosine},
                 {"triangular", Kind::kTriangular}});
  in.read("train.warmup_epochs", train.schedule.warmup_epochs, kAtLeastZeroText, kAtLeastZero);
  in.read("train.step_epochs", train.schedule.step_epochs, 1);
  in.read("train.step_factor", train.schedule.step_factor, kAboveZeroText, kAboveZero);
  in.read("train.initial_learning_rate", train.schedule.initial_learning_rate, kAtLeastZeroText,
          kAtLeastZero);
  in.read("train.final_learning_rate", train.schedule.final_learning_rate, kAtLeastZeroText, kAtLeastZero);
  in.read("train.clip_norm", train.clip_norm, kAtLeastZeroText, kAtLeastZero);
  in.read("train.average_decay", train.average_decay, kRateText, kRate);
  in.read("train.check_replicas_every", train.check_replicas_every, 0);
  in.read("train.max_seconds", train.max_seconds, kAtLeastZeroText, kAtLeastZero);
}

// Of all learning rates, so that the schedule keeps its shape. With k = batch_size / base_batch_size:
//   linear  k        Goyal et al., "Accurate, Large Minibatch SGD: Training ImageNet in 1 Hour", 2017
//   sqrt    sqrt(k)  Krizhevsky, "One weird trick for parallelizing convolutional neural networks", 2014
void read_rate_scaling(Reader& in, RateScaling& scaling, train::TrainOptions& train) {
  using Rule = RateScaling::Rule;
  in.read<Rule>("train.scale_rate", scaling.rule,
                {{"none", Rule::kNone}, {"linear", Rule::kLinear}, {"sqrt", Rule::kSqrt}});
  in.read("train.base_batch_size", scaling.base_batch_size, 1);
  if (scaling.rule == Rule::kNone) return;
  const double k = static_cast<double>(train.batch_size) / static_cast<double>(scaling.base_batch_size);
  scaling.factor = scaling.rule == Rule::kLinear ? k : std::sqrt(k);
  train.optimizer.learning_rate *= scaling.factor;
  train.schedule.initial_learning_rate *= scaling.factor;
  train.schedule.final_learning_rate *= scaling.factor;
}

}  // namespace

RunConfig parse(const std::string& text, const std::string& name, const std::vector<std::string>& overrides,
                nlohmann::ordered_json* resolved, const std::vector<std::string>& origins) {
  Reader in(text, name, overrides, origins, keys_of_runs());
  if (in.has("config"))
    throw ConfigError(
        fmt::format("{}: is a search, which lockstep sweep runs, expected a configuration", name));
  RunConfig config;
  in.read("seed", config.seed, 0);
  read_data(in, config.data);
  read_model(in, config.model);
  read_train(in, config.train);
  read_rate_scaling(in, config.rate_scaling, config.train);
  in.read("train.patience", config.early_stopping.patience, 0);
  in.read_name("train.monitor", config.early_stopping.monitor,
               {"auto", "test_loss", "test_accuracy", "train_loss", "train_accuracy"});
  in.read("train.init_from", config.init_from);
  using data::Views;
  in.read<Views>("eval.views", config.eval.views,
                 {{"one", Views::kOne}, {"flip", Views::kFlip}, {"shifts", Views::kShifts}});
  in.read("eval.every_epochs", config.eval.every_epochs, 1);
  in.read<reduce::Mode>("reduce.mode", config.reduce.mode,
                        {{"exact", reduce::Mode::kExact}, {"float", reduce::Mode::kFloat}});
  using reduce::Wire;
  in.read<Wire>("reduce.wire", config.reduce.wire,
                {{"full", Wire::kFull}, {"int16", Wire::kInt16}, {"bf16", Wire::kBf16}});
  in.check("reduce.wire", [&] {
    const bool exact = config.reduce.mode == reduce::Mode::kExact;
    if (config.reduce.wire == (exact ? Wire::kBf16 : Wire::kInt16))
      throw ConfigError(fmt::format(R"(reduce.wire is "{}", expected "full" or "{}" with reduce.mode = "{}")",
                                    exact ? "bf16" : "int16", exact ? "int16" : "bf16",
                                    exact ? "exact" : "float"));
  });
  in.read<reduce::Overlap>("reduce.overlap", config.reduce.overlap,
                           {{"auto", reduce::Overlap::kAuto},
                            {"always", reduce::Overlap::kAlways},
                            {"never", reduce::Overlap::kNever}});
  using reduce::Levels, reduce::Update;
  in.read<Update>(
      "reduce.update", config.reduce.update,
      {{"auto", Update::kAuto}, {"divided", Update::kDivided}, {"everywhere", Update::kEverywhere}});
  in.read<Levels>("reduce.levels", config.reduce.levels,
                  {{"auto", Levels::kAuto}, {"one", Levels::kOne}, {"two", Levels::kTwo}});
  // Levels are of a divided update: who asks for some asks for it.
  if (config.reduce.levels != Levels::kAuto && config.reduce.update == Update::kAuto)
    config.reduce.update = Update::kDivided;
  in.read("reduce.shared_memory", config.reduce.shared_memory);
  in.check("reduce.levels", [&] {
    if (config.reduce.levels == Levels::kTwo && !config.reduce.shared_memory)
      throw ConfigError(R"(reduce.levels is "two", expected "one" with reduce.shared_memory = false)");
  });
  in.read("reduce.bucket_bytes", config.reduce.bucket_bytes, 0);
  in.read("compute.threads", config.compute.threads, 0);
  std::vector<std::string> sets = {"auto"};
  for (const kernels::KernelSet set : kernels::kKernelSets) sets.emplace_back(kernels::name(set));
  in.read_name("compute.kernels", config.compute.kernels, sets);
  in.read("compute.balance", config.compute.balance);
  in.ignore("compute.allow_mixed");  // decided in version 0.1 what now cannot matter; its run folders have it
  in.read("checkpoint.every_epochs", config.checkpoint.every_epochs, 0);
  in.read("checkpoint.every_steps", config.checkpoint.every_steps, 0);
  in.read("checkpoint.keep", config.checkpoint.keep, 1);
  in.read("run.watchdog_seconds", config.watchdog_seconds, kAtLeastZeroText, kAtLeastZero);
  in.read("log.steps", config.log.steps);
  in.read("log.gradients", config.log.gradients);
  in.read("log.layers", config.log.layers);
  in.read("log.film", config.log.film);
  in.read("log.json", config.log.json);
  in.read("log.tensorboard", config.log.tensorboard);
  in.finish();
  in.check("train.batch_size", [&] { data::micro_batch_size(config.train.batch_size, config.data.shards); });
  if (resolved != nullptr) *resolved = in.resolved();
  return config;
}

namespace {

// A value as TOML writes it; JSON differs in objects, and allows the control character 7F in strings.
std::string toml_value(const nlohmann::ordered_json& value) {
  std::string list;
  if (value.is_array()) {
    for (const auto& element : value) list += (list.empty() ? "" : ", ") + toml_value(element);
    return "[" + list + "]";
  }
  if (!value.is_object()) {
    for (const char c : value.dump()) list += c == '\x7f' ? std::string("\\u007f") : std::string(1, c);
    return list;
  }
  for (const auto& [key, entry] : value.items())
    list += fmt::format("{}{} = {}", list.empty() ? "" : ", ", key, toml_value(entry));
  return "{ " + list + " }";
}

// The values of a section, then the sections within it; prefix: "section." or "".
std::string toml_section(const std::string& prefix, const nlohmann::ordered_json& section) {
  std::string values, sections;
  for (const auto& [name, value] : section.items())
    if (value.is_object())
      sections +=
          fmt::format("\n[{}{}]\n", prefix, name) + toml_section(fmt::format("{}{}.", prefix, name), value);
    else
      values += fmt::format("{} = {}\n", name, toml_value(value));
  return values + sections;
}

}  // namespace

std::vector<std::string> different_keys(const nlohmann::ordered_json& a, const nlohmann::ordered_json& b) {
  const auto x = a.flatten(), y = b.flatten();
  std::vector<std::string> different;
  const auto compare = [&](const nlohmann::ordered_json& from, const nlohmann::ordered_json& to) {
    for (const auto& [pointer, value] : from.items()) {
      if (to.contains(pointer) && to.at(pointer) == value) continue;
      std::string key = pointer.substr(1);
      std::replace(key.begin(), key.end(), '/', '.');
      if (matters(key, a) && std::find(different.begin(), different.end(), key) == different.end())
        different.push_back(key);
    }
  };
  compare(x, y);
  compare(y, x);
  // One that only one of them has, because another key differs, goes without saying.
  std::erase_if(different, [&, all = different](const std::string& name) {
    const Key* key = find_key(keys_of_runs(), name);
    return key != nullptr && std::ranges::any_of(key->decided_by, [&](const std::string& other) {
             return key->why_not(a).empty() != key->why_not(b).empty() &&
                    std::ranges::any_of(all, [&](const std::string& another) {
                      return (another + ".").starts_with(other + ".");
                    });
           });
  });
  return different;
}

nlohmann::ordered_json as_read_now(const nlohmann::ordered_json& resolved, const std::string& name) {
  nlohmann::ordered_json kept, now;
  const std::function<void(const std::string&, const nlohmann::ordered_json&)> keep =
      [&](const std::string& prefix, const nlohmann::ordered_json& section) {
        for (const auto& [last, value] : section.items()) {
          const std::string key = prefix + last;
          std::string pointer = fmt::format("/{}", key);
          std::replace(pointer.begin(), pointer.end(), '.', '/');
          if (value.is_object())
            keep(key + ".", value);
          else if (matters(key, resolved))
            kept[nlohmann::ordered_json::json_pointer(pointer)] = value;
        }
      };
  keep("", resolved);
  parse(to_toml(kept), name, {}, &now);
  return now;
}

std::string to_toml(const nlohmann::ordered_json& resolved) { return toml_section("", resolved); }

}  // namespace lockstep::config
