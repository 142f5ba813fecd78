#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "config/reader.h"
#include "config/sweep.h"
#include "run/experiment.h"
#include "run/inspect.h"
#include "run/memory.h"
#include "run/setup.h"

namespace lockstep::run {
namespace {

std::string values_of(const config::Parameter& parameter) {
  switch (parameter.kind) {
    case config::Parameter::Kind::kUniform:
      return fmt::format("{} to {}", parameter.low, parameter.high);
    case config::Parameter::Kind::kLogUniform:
      return fmt::format("{} to {}, by the logarithm", parameter.low, parameter.high);
    case config::Parameter::Kind::kInteger:
      return fmt::format("{} to {}, integers", parameter.first, parameter.first + (parameter.count - 1));
    case config::Parameter::Kind::kList:
      break;
  }
  return fmt::format("{}", fmt::join(parameter.values, ", "));
}

Lines inspect_sweep(const std::filesystem::path& path, const std::string& text) {
  const config::Sweep sweep = config::parse_sweep(text, path.string());
  Lines lines = {
      fmt::format("{}: a search of {} trials, {}", path.string(), sweep.size(),
                  sweep.search == config::Sweep::Search::kGrid ? "every combination" : "drawn at random"),
      fmt::format("of {}, the best {}", sweep.config.string(), sweep.score)};
  if (!sweep.seeds.empty())
    lines.push_back(fmt::format("each with the seeds {}", fmt::join(sweep.seeds, ", ")));
  if (sweep.folds != 0) lines.push_back(fmt::format("each on {} folds", sweep.folds));
  for (const std::string& setting : sweep.overrides) lines.push_back(fmt::format("all with {}", setting));
  for (const config::Parameter& parameter : sweep.parameters)
    lines.push_back(fmt::format("{}: {}", parameter.key, values_of(parameter)));
  return lines;
}

// What a rank takes, for a few numbers of ranks on one host.
std::string describe_memory(const config::RunConfig& run, const data::DatasetInfo& info,
                            const data::ShardPlan& plan, const nn::Model& model) {
  std::vector<std::string> each;
  for (std::size_t ranks = 1; ranks <= std::min<std::size_t>(plan.shards(), 8); ranks *= 2)
    each.push_back(fmt::format(
        "{:.0f} MiB with {}{}",
        static_cast<double>(expected_bytes(run, info, plan, model, 0, static_cast<int>(ranks), 1)) /
            (1 << 20),
        ranks, ranks == 1 ? " rank" : ""));
  return fmt::format("memory of rank 0 (1 thread): {}", fmt::join(each, ", "));
}

}  // namespace

Lines inspect_config(const std::filesystem::path& path, const std::string& text,
                     const std::vector<std::string>& overrides) {
  if (const config::Reader reader(text, path.string(), {}); reader.has("config")) {
    if (!overrides.empty())
      throw ConfigError(fmt::format("{}: is a search, expected a configuration with --set", path.string()));
    return inspect_sweep(path, text);
  }
  const config::RunConfig run = config::parse(text, path.string(), overrides);
  const data::DatasetInfo info = data::open_dataset(run.data)->info();
  const data::ShardPlan plan = plan_of(run, info);
  augmentation_of(run, info);  // these throw where they don't suit the images
  views_of(run, info);
  const nn::Model model = model_of(run, info);
  expect_micro_batches(plan, model);
  Lines lines = {fmt::format("{}: a configuration", path.string()),
                 fmt::format("{}, {}", info.name, describe_data(info))};
  for (const std::string& line : describe_columns(info)) lines.push_back(line);
  if (!info.note.empty()) lines.push_back(info.note);
  for (const std::string& line : layer_table(model)) lines.push_back(line);
  lines.push_back(fmt::format("{} parameters, loss {}", model.parameters(), kernels::name(run.model.loss)));
  lines.push_back(describe_steps(info, plan, run.train.batch_size));
  if (const std::string rates = describe_rates(run); !rates.empty()) lines.push_back(rates);
  lines.push_back(fmt::format("{} epochs, {} steps, seed {}, {} reduction, at most {} ranks",
                              run.train.epochs, run.train.epochs * plan.steps_per_epoch(), run.seed,
                              run.reduce.mode == reduce::Mode::kExact ? "exact" : "float", plan.shards()));
  lines.push_back(describe_memory(run, info, plan, model));
  return lines;
}

}  // namespace lockstep::run
