#include "run/compare.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "base/error.h"
#include "base/version.h"
#include "compare/comparison.h"
#include "npz/npz.h"
#include "run/setup.h"

namespace lockstep::run {
namespace {

using compare::ComparedArray;
using compare::Comparison;
using compare::Status;
using nlohmann::ordered_json;

// The step that the file of an earlier one has; a configuration beside it must be that one's.
RecordedStep step_of_file(Job& job, const CompareArguments& arguments) {
  RecordedStep step;
  job.world.all_or_none([&] { step = read_step(arguments.against); });
  if (arguments.choice.config.empty()) return step;
  const LoadedConfig loaded = load_config(job.world, arguments.choice.config, arguments.choice.overrides);
  job.world.all_or_none([&] {
    ordered_json of_file;
    config::parse(step.toml, arguments.against, {}, &of_file);
    of_file["train"]["batch_size"] = loaded.resolved["train"]["batch_size"];  // which --samples may have cut
    const std::vector<std::string> keys = config::different_keys(loaded.resolved, of_file);
    if (!keys.empty())
      throw ConfigError(fmt::format("{} was made with another {} than {}, expected the same configuration",
                                    arguments.against, keys.front(), arguments.choice.config));
  });
  return step;
}

// "dW1 (layers.0.weight.grad)".
std::string named(const ComparedArray& array, const train::StepLayout& layout) {
  const std::string& name = layout.arrays()[array.place].name;
  return array.name == name ? name : fmt::format("{} ({})", array.name, name);
}

std::string sentence_of(const compare::Cause& cause, const std::string& array) {
  const std::string where = cause.array == array ? "" : fmt::format("in {}: ", cause.array);
  return fmt::format("{}{} [{}]", where, cause.sentence, cause.id);
}

std::string sentence_of(const compare::Difference& d) {
  if (d.elements == 1) return fmt::format("it is {:.9g}, expected {:.9g}", d.found, d.expected);
  return fmt::format(
      "its norm is {:.4g} times the expected one, the cosine between them {:.6f}; {} of {} elements "
      "differ{}, the first at "
      "[{}]: {:.9g}, expected {:.9g}",
      d.ratio, d.cosine, d.different, d.elements, d.where.empty() ? "" : fmt::format(", all in {}", d.where),
      fmt::join(d.first, ", "), d.found, d.expected);
}

std::string no_cause(const ComparedArray& array) {
  return array.search_cut
             ? "no known cause was found before the search became too long; a step of fewer samples "
               "(--samples), or more of your arrays, make it shorter"
             : "no known cause explains it";
}

// Whether two arrays or more that the step is given, and none computes, are wrong.
bool begins_elsewhere(const Comparison& result, const train::StepLayout& layout) {
  return std::ranges::count_if(result.arrays, [&](const ComparedArray& array) {
           return array.status == Status::kWrong &&
                  layout.arrays()[array.place].kind <= train::ArrayKind::kParameter;
         }) >= 2;
}

void print(report::Console& console, const Comparison& result, const compare::StudentArrays& student,
           const train::StepLayout& layout, const CompareArguments& arguments) {
  for (const std::string& convention : student.conventions) console.line(fmt::format("note: {}", convention));
  console.line(fmt::format("{:<34}{:<12}{:>10}{:>10}", "array", "", "error", "accepted"));
  std::size_t follows = 0;
  for (const ComparedArray& array : result.arrays) {
    console.line(fmt::format("{:<34}{:<12}{:>10.1e}{:>10.0e}", named(array, layout),
                             compare::name(array.status), array.error, array.tolerance));
    follows += array.status == Status::kFollows ? 1 : 0;
  }
  for (const ComparedArray& array : result.arrays)
    if (array.status == Status::kConvention)
      console.line(fmt::format("note: {}: {}; the step is right, so this is no mistake", array.name,
                               array.causes.front().sentence));
  if (!result.first_wrong) {
    console.line(result.arrays.size() == 1 ? "it agrees"
                                           : fmt::format("all {} arrays agree", result.arrays.size()));
    return;
  }
  if (begins_elsewhere(result, layout))
    console.line(
        fmt::format("note: the data or the parameters are not those of this step{}",
                    arguments.against.empty()
                        ? ": --step, --samples and --set must be as they were for trace-step; or --against "
                          "takes the step from its file"
                        : ""));
  const ComparedArray& first = result.arrays[*result.first_wrong];
  const auto name_of = [&](const ComparedArray& array) { return layout.arrays()[array.place].name; };
  console.line(fmt::format("first wrong: {}", named(first, layout)));
  for (std::size_t i = 0; i < first.causes.size(); ++i)
    console.line(
        fmt::format("  {} {}", i == 0 ? "likely:" : "or:    ", sentence_of(first.causes[i], name_of(first))));
  if (first.causes.empty()) console.line(fmt::format("  {}", no_cause(first)));
  if (first.difference) console.line(fmt::format("  {}", sentence_of(*first.difference)));
  for (std::size_t i = *result.first_wrong + 1; i < result.arrays.size(); ++i) {
    const ComparedArray& array = result.arrays[i];
    if (array.status != Status::kWrong) continue;
    console.line(fmt::format(
        "also wrong by itself: {}: {}", named(array, layout),
        array.causes.empty() ? no_cause(array) : sentence_of(array.causes.front(), name_of(array))));
  }
  if (follows > 0)
    console.line(
        fmt::format("{} array{} right, given the earlier arrays of this file: once these are, {} will agree",
                    follows, follows == 1 ? " is" : "s are", follows == 1 ? "it" : "they"));
}

ordered_json as_json(const compare::Cause& cause) {
  return {{"id", cause.id}, {"array", cause.array}, {"sentence", cause.sentence}};
}

ordered_json as_json(const Comparison& result, const compare::StudentArrays& student,
                     const train::StepLayout& layout, const RecordedStep& step,
                     const CompareArguments& arguments) {
  ordered_json object = {{"verdict", result.first_wrong ? "wrong" : "agrees"},
                         {"file", arguments.mine},
                         {"configuration", step.name},
                         {"step", step.trace.start.step + 1},
                         {"samples", step.trace.start.rows()},
                         {"notes", student.conventions},
                         {"first_wrong", nullptr},
                         {"causes", ordered_json::array()},
                         {"arrays", ordered_json::array()}};
  for (const ComparedArray& array : result.arrays) {
    const train::StepArray& what = layout.arrays()[array.place];
    ordered_json entry = {{"name", what.name},
                          {"as", array.name},
                          {"shape", what.shape},
                          {"status", compare::name(array.status)},
                          {"error", array.error},
                          {"tolerance", array.tolerance},
                          {"search_cut", array.search_cut},
                          {"causes", ordered_json::array()}};
    for (const compare::Cause& cause : array.causes) entry["causes"].push_back(as_json(cause));
    if (const auto& d = array.difference)
      entry["difference"] = {{"ratio", d->ratio},       {"cosine", d->cosine}, {"different", d->different},
                             {"elements", d->elements}, {"first", d->first},   {"found", d->found},
                             {"expected", d->expected}};
    object["arrays"].push_back(std::move(entry));
  }
  if (result.first_wrong) {
    object["first_wrong"] = object["arrays"][*result.first_wrong]["name"];
    object["causes"] = object["arrays"][*result.first_wrong]["causes"];
  }
  return object;
}

}  // namespace

bool compare(Job& job, const CompareArguments& arguments) {
  const StepChoice standard;
  job.world.all_or_none([&] {
    if (job.world.size() > 1)
      throw ConfigError(
          fmt::format("compare works on one rank, found {}, expected it without mpirun", job.world.size()));
    const StepChoice& choice = arguments.choice;
    if (arguments.against.empty() && std::filesystem::path(choice.config).extension() == ".npz")
      throw ConfigError(
          fmt::format("compare: {} stands where a configuration is expected: compare CONFIG MINE, or compare "
                      "MINE --against STEP",
                      choice.config));
    if (arguments.mine.empty())
      throw ConfigError(
          "compare: MINE is missing, expected the .npz file of your arrays behind the configuration");
    if (!arguments.against.empty() && (choice.step != standard.step || choice.samples != standard.samples))
      throw ConfigError("--step and --samples have no effect with --against, whose file has the step in it");
  });
  std::optional<npz::NpzFile> file;
  job.world.all_or_none([&] { file.emplace(arguments.mine); });
  const RecordedStep step = arguments.against.empty() ? record_step(job, arguments.choice, "compare")
                                                      : step_of_file(job, arguments);
  train::StepRules rules = step.rules();
  rules.progress = &job.progress;
  const train::StepLayout layout(rules, step.image, step.classes, step.trace.start.rows());
  compare::StudentArrays student;
  job.world.all_or_none(
      [&] { student = compare::student_arrays(arguments.mine, *file, layout, step.trace.start); });
  const Comparison result = compare::compare(layout, step.trace.start, student, arguments.tolerance);
  report::Console& console = job.console;
  if (arguments.json) {
    console.line(as_json(result, student, layout, step, arguments)
                     .dump(2, ' ', false, ordered_json::error_handler_t::replace));
  } else {
    console.line(fmt::format("lockstep {}: {} against step {} of {}, {} samples", kVersion, arguments.mine,
                             step.trace.start.step + 1,
                             arguments.against.empty() ? step.name : arguments.against,
                             step.trace.start.rows()));
    print(console, result, student, layout, arguments);
  }
  return !result.first_wrong;
}

}  // namespace lockstep::run
