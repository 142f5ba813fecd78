#include "cli/run_record.h"

#include <fmt/format.h>

#include <cmath>

#include "base/error.h"
#include "data/schema.h"

namespace lockstep::cli {
namespace {

using nlohmann::json;

// JSON has no NaN: null stands for it.
double number(const json& value) { return value.is_null() ? std::nan("") : value.get<double>(); }

json to_json(const RunRecord& record) {
  const report::EpochRow& row = record.last;
  return {{"last",
           {row.epoch, row.train_loss, row.train_accuracy, row.test_loss, row.test_accuracy,
            row.learning_rate, row.seconds, row.samples_per_second, row.rescaled_steps, row.compute_seconds,
            row.wait_seconds, row.transfer_seconds}},
          {"rescaled_steps", record.rescaled_steps},
          {"seconds", record.seconds},
          {"split", {record.compute_seconds, record.wait_seconds, record.transfer_seconds}},
          {"gradient_norms", record.gradient_norms},
          {"gradient_steps", record.gradient_steps},
          {"total_seconds", record.total_seconds},
          {"best", record.best ? json(*record.best) : json()},
          {"best_epoch", record.best_epoch},
          {"best_saved", record.best_saved ? json(*record.best_saved) : json()}};
}

RunRecord record_of(const json& object) {
  RunRecord record;
  const json& last = object.at("last");
  record.last = {.epoch = last.at(0).get<std::size_t>(),
                 .train_loss = number(last.at(1)),
                 .train_accuracy = number(last.at(2)),
                 .test_loss = number(last.at(3)),
                 .test_accuracy = number(last.at(4)),
                 .learning_rate = number(last.at(5)),
                 .seconds = number(last.at(6)),
                 .samples_per_second = number(last.at(7)),
                 .rescaled_steps = last.at(8).get<std::size_t>(),
                 .compute_seconds = number(last.at(9)),
                 .wait_seconds = number(last.at(10)),
                 .transfer_seconds = number(last.at(11))};
  object.at("rescaled_steps").get_to(record.rescaled_steps);
  object.at("seconds").get_to(record.seconds);
  object.at("split").at(0).get_to(record.compute_seconds);
  object.at("split").at(1).get_to(record.wait_seconds);
  object.at("split").at(2).get_to(record.transfer_seconds);
  object.at("gradient_norms").get_to(record.gradient_norms);
  object.at("gradient_steps").get_to(record.gradient_steps);
  object.at("total_seconds").get_to(record.total_seconds);
  if (!object.at("best").is_null()) record.best = object.at("best").get<double>();
  object.at("best_epoch").get_to(record.best_epoch);
  if (!object.at("best_saved").is_null()) record.best_saved = object.at("best_saved").get<double>();
  return record;
}

}  // namespace

nn::TensorMetadata to_metadata(const SavedRun& run) {
  return {{"config", run.config.dump()},
          {"metrics", run.metrics},
          {"run", to_json(run.record).dump()},
          {data::Schema::kKey, run.trained_on}};
}

SavedRun from_metadata(const nn::TensorMetadata& metadata, const std::string& name) {
  try {
    const auto family = metadata.find("kernel_family"), trained_on = metadata.find(data::Schema::kKey);
    return {.record = record_of(json::parse(metadata.at("run"))),
            .metrics = metadata.at("metrics"),
            .config = nlohmann::ordered_json::parse(metadata.at("config")),
            .trained_on = trained_on == metadata.end() ? "" : trained_on->second,
            .blis_family = family == metadata.end() ? "" : family->second};
  } catch (const std::exception& error) {
    throw ModelError(
        fmt::format("{}: what the checkpoint keeps of the run is not readable: {}", name, error.what()));
  }
}

}  // namespace lockstep::cli
