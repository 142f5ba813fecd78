#include "config/keys.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

namespace lockstep::config {
namespace {

using Json = nlohmann::ordered_json;
using Names = std::vector<std::string>;

// The value of "section.key"; null where it was not read, since it has no effect.
Json value(const Json& resolved, const std::string& name) {
  std::string pointer = fmt::format("/{}", name);
  std::replace(pointer.begin(), pointer.end(), '.', '/');
  const Json::json_pointer place(pointer);
  return resolved.contains(place) ? resolved.at(place) : Json();
}

bool above_zero(const Json& number) { return number.is_number() && number.get<double>() > 0.0; }

// A key that has an effect where `other` is one of these.
Key with(const std::string& name, const std::string& other, const Names& values,
         Role role = Role::kExperiment) {
  return {name, role, {other}, [other, values](const Json& resolved) -> std::string {
            const Json found = value(resolved, other);
            if (found.is_string() && std::ranges::find(values, found.get<std::string>()) != values.end())
              return "";
            return fmt::format("has no effect where {} is {}, expected {} = \"{}\" with it", other,
                               found.is_null() ? "not set" : found.dump(), other,
                               fmt::join(values, "\" or \""));
          }};
}

// A key that has an effect where `holds`; `expected` says what that asks for.
Key where(const std::string& name, const Names& decided_by, const std::string& expected,
          std::function<bool(const Json& resolved)> holds) {
  return {name, Role::kExperiment, decided_by, [expected, holds = std::move(holds)](const Json& resolved) {
            return holds(resolved) ? "" : fmt::format("has no effect here, expected {} with it", expected);
          }};
}

Key of_hidden_layers(const std::string& name) {
  Key key = where(name, {"model.layers", "model.hidden"}, "a hidden layer in model.hidden",
                  [](const Json& resolved) { return !value(resolved, "model.hidden").empty(); });
  key.why_not = [other = key.why_not](const Json& resolved) {
    return value(resolved, "model.layers").is_null() ? other(resolved)
                                                     : "is set beside model.layers, expected one of the two";
  };
  return key;
}

Key instead_of_layers(const std::string& name) {
  return {name, Role::kExperiment, {"model.layers"}, [](const Json& resolved) {
            return value(resolved, "model.layers").is_null()
                       ? ""
                       : "is set beside model.layers, expected one of the two";
          }};
}

Key of_activation(const std::string& name, const std::string& activation) {
  return where(
      name, {"model.layers", "model.hidden", "model.activation", "model.output_activation"},
      fmt::format("\"{}\" among the network's activations", activation), [activation](const Json& resolved) {
        for (const char* key : {"model.activation", "model.output_activation"})
          if (value(resolved, key) == activation) return true;
        const Json layers = value(resolved, "model.layers");
        return std::ranges::any_of(layers, [&](const Json& layer) { return layer.at("type") == activation; });
      });
}

// A default of dense layers and convolutions: it has an effect where one of them has no such key of its own.
Key of_weighted_layers(const std::string& name, const std::string& own) {
  return where(name, {"model.layers"}, fmt::format("a dense layer or convolution without {} of its own", own),
               [own](const Json& resolved) {
                 const Json layers = value(resolved, "model.layers");
                 return layers.is_null() || std::ranges::any_of(layers, [&](const Json& layer) {
                          return (layer.at("type") == "dense" || layer.at("type") == "conv") &&
                                 layer.at(own) == "" && (own != "bias_init" || layer.at("bias") == true);
                        });
               });
}

// A key about images: it has an effect on data that are such.
Key of_images(const std::string& name) {
  return where(name, {"data.dataset", "data.image"},
               "images (data.dataset = \"cifar10\" or another set of images, or data.image of CSV files)",
               [](const Json& resolved) {
                 const Names sets = {"cifar10",       "synthetic", "cifar100", "mnist",
                                     "fashion_mnist", "numpy",     "images"};
                 return std::ranges::count(sets, value(resolved, "data.dataset").get<std::string>()) > 0 ||
                        !value(resolved, "data.image").empty();
               });
}

bool draws_by_data_seed(const Json& resolved) {
  const std::string dataset = value(resolved, "data.dataset").get<std::string>();
  const Names drawn = {"circle", "xor", "gaussian", "spiral", "flower", "function"};
  return std::ranges::count(drawn, dataset) > 0 || above_zero(value(resolved, "data.test_fraction")) ||
         above_zero(value(resolved, "data.folds"));
}

bool sums_in_shared_memory(const Json& resolved) {
  const bool on_one_host =
      value(resolved, "reduce.overlap") != "always" && value(resolved, "reduce.wire") == "full";
  const bool on_each_host =
      value(resolved, "reduce.update") != "everywhere" && value(resolved, "reduce.levels") != "one";
  return on_one_host || on_each_host;
}

std::vector<Key> make_keys() {
  using enum Role;
  const Names points = {"circle", "xor", "gaussian", "spiral", "flower"}, csv = {"csv"};
  const Names numpy = {"numpy"}, arrays = {"csv", "numpy"}, shaped = {"csv", "numpy", "images"};
  const Names folders = {"cifar10", "cifar100", "mnist", "fashion_mnist", "images"};
  const Names with_momentum = {"sgd", "lars"}, adam = {"adam", "adamw"};
  Names made_up = points, divided = points;
  made_up.push_back("function");
  divided.insert(divided.end(), {"function", "csv", "numpy", "images"});
  Key shared_memory =
      where("reduce.shared_memory", {"reduce.overlap", "reduce.wire", "reduce.update", "reduce.levels"},
            "reduce.wire = \"full\" and no reduce.overlap = \"always\", or no "
            "reduce.update = \"everywhere\" and no reduce.levels = \"one\"",
            sums_in_shared_memory);
  shared_memory.role = kExecution;
  return {
      {"seed"},
      {"data.dataset"},
      with("data.dir", "data.dataset", folders, kExecution),
      with("data.label_mode", "data.dataset", {"cifar100"}),
      with("data.n", "data.dataset", made_up),
      with("data.noise", "data.dataset", made_up),
      with("data.function", "data.dataset", {"function"}),
      with("data.file", "data.dataset", arrays, kExecution),
      with("data.test_file", "data.dataset", arrays, kExecution),
      with("data.features", "data.dataset", numpy),
      with("data.test_features", "data.dataset", numpy),
      with("data.test_target", "data.dataset", numpy),
      with("data.header", "data.dataset", csv),
      with("data.target", "data.dataset", arrays),
      with("data.task", "data.dataset", arrays),
      with("data.columns", "data.dataset", csv),
      with("data.ignore", "data.dataset", csv),
      with("data.categories", "data.dataset", csv),
      with("data.missing", "data.dataset", csv),
      with("data.unseen_category", "data.dataset", csv),
      with("data.target_scale", "data.dataset", csv),
      with("data.image", "data.dataset", shaped),
      with("data.test_fraction", "data.dataset", divided),
      {"data.folds"},
      where("data.fold", {"data.folds"}, "data.folds above 0",
            [](const Json& resolved) { return above_zero(value(resolved, "data.folds")); }),
      {"data.stratify"},
      where("data.seed", {"data.dataset", "data.test_fraction", "data.folds"},
            "points that are drawn, or data.test_fraction or data.folds above 0,", draws_by_data_seed),
      {"data.shards"},
      {"data.shuffle"},
      {"data.normalize"},
      {"data.train_samples"},
      {"data.test_samples"},
      of_images("data.augment.flip"),
      of_images("data.augment.shift"),
      where("data.augment.shift_padding", {"data.augment.shift"}, "data.augment.shift above 0",
            [](const Json& resolved) { return above_zero(value(resolved, "data.augment.shift")); }),
      of_images("data.augment.cutout"),
      {"model.layers"},
      instead_of_layers("model.hidden"),
      of_hidden_layers("model.activation"),
      of_hidden_layers("model.dropout"),
      instead_of_layers("model.output_activation"),
      of_activation("model.leaky_slope", "leaky_relu"),
      of_activation("model.elu_alpha", "elu"),
      of_weighted_layers("model.init", "init"),
      of_weighted_layers("model.bias_init", "bias_init"),
      {"model.loss"},
      {"model.outputs"},
      {"train.epochs", kLength},
      {"train.batch_size"},
      {"train.optimizer"},
      {"train.learning_rate"},
      with("train.label_smoothing", "model.loss", {"cross_entropy"}),
      with("train.momentum", "train.optimizer", with_momentum),
      with("train.nesterov", "train.optimizer", with_momentum),
      with("train.beta1", "train.optimizer", adam),
      with("train.beta2", "train.optimizer", adam),
      with("train.epsilon", "train.optimizer", adam),
      with("train.trust_coefficient", "train.optimizer", {"lars"}),
      {"train.l2"},
      {"train.weight_decay"},
      {"train.schedule"},
      {"train.warmup_epochs"},
      with("train.step_epochs", "train.schedule", {"step"}),
      with("train.step_factor", "train.schedule", {"step"}),
      with("train.initial_learning_rate", "train.schedule", {"triangular"}),
      with("train.final_learning_rate", "train.schedule", {"cosine", "triangular"}),
      {"train.scale_rate"},
      with("train.base_batch_size", "train.scale_rate", {"linear", "sqrt"}),
      {"train.clip_norm"},
      {"train.average_decay"},
      {"train.check_replicas_every", kExecution},
      {"train.max_seconds", kExecution},
      {"train.patience", kExecution},
      {"train.monitor", kExecution},
      {"train.init_from", kExecution},
      of_images("eval.views"),
      {"eval.every_epochs", kExecution},
      {"reduce.mode"},
      {"reduce.wire"},
      {"reduce.overlap", kExecution},
      {"reduce.bucket_bytes", kExecution},
      shared_memory,
      {"reduce.update", kExecution},
      with("reduce.levels", "reduce.update", {"auto", "divided"}, kExecution),
      {"compute.threads", kExecution},
      {"compute.kernels", kExecution},
      {"compute.balance", kExecution},
      {"checkpoint.every_epochs", kExecution},
      {"checkpoint.every_steps", kExecution},
      {"checkpoint.keep", kExecution},
      {"run.watchdog_seconds", kExecution},
      {"log.steps", kExecution},
      {"log.gradients", kExecution},
      {"log.layers", kExecution},
      {"log.film", kExecution},
      {"log.json", kExecution},
      {"log.tensorboard", kExecution},
  };
}

bool schedule_knows_the_end(const Json& resolved) {
  const Json schedule = value(resolved, "train.schedule");
  return schedule == "cosine" || schedule == "triangular";
}

std::string section_of(const std::string& name) { return name.substr(0, name.find('.')); }

}  // namespace

std::span<const Key> keys_of_runs() {
  static const std::vector<Key> keys = make_keys();
  return keys;
}

const Key* find_key(std::span<const Key> keys, const std::string& name) {
  const auto found = std::ranges::find_if(
      keys, [&](const Key& key) { return name == key.name || name.starts_with(key.name + "."); });
  return found == keys.end() ? nullptr : &*found;
}

bool matters(const std::string& name, const Json& resolved) {
  if (const Key* key = find_key(keys_of_runs(), name))
    return key->role == Role::kExperiment || (key->role == Role::kLength && schedule_knows_the_end(resolved));
  const auto in_section = [&](const Key& key) { return section_of(key.name) == section_of(name); };
  return std::ranges::none_of(keys_of_runs(), in_section) ||
         std::ranges::any_of(keys_of_runs(),
                             [&](const Key& key) { return in_section(key) && key.role != Role::kExecution; });
}

std::map<std::string, std::string> deciding_values(const Json& resolved) {
  const bool may_end_early = above_zero(value(resolved, "train.patience"));
  const auto ends_it = [&](const std::string& name) {
    const bool early = name == "train.patience" || name == "train.monitor" || name == "eval.every_epochs";
    return name == "train.epochs" || (early && may_end_early);
  };
  std::map<std::string, std::string> values;
  const Json flat = resolved.flatten();
  for (const auto& [pointer, found] : flat.items()) {
    std::string name = pointer.substr(std::min<std::size_t>(1, pointer.size()));
    std::replace(name.begin(), name.end(), '/', '.');
    if (matters(name, resolved) || ends_it(name)) values[name] = found.dump();
  }
  return values;
}

}  // namespace lockstep::config
