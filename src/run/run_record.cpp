#include "run/run_record.h"

#include <fmt/format.h>

#include <cmath>
#include <utility>

#include "base/error.h"
#include "data/schema.h"

namespace lockstep::run {
namespace {

using nlohmann::json;

// JSON has no NaN: null stands for it.
double number(const json& value) { return value.is_null() ? std::nan("") : value.get<double>(); }

json to_json(const report::EpochRow& row) {
  json cells = {row.epoch,          row.train_loss,      row.train_accuracy, row.test_loss,
                row.test_accuracy,  row.learning_rate,   row.seconds,        row.samples_per_second,
                row.rescaled_steps, row.compute_seconds, row.wait_seconds,   row.transfer_seconds};
  if (!std::isnan(row.test_top5_accuracy)) cells.push_back(row.test_top5_accuracy);
  return cells;
}

report::EpochRow row_of(const json& row) {
  return {.epoch = row.at(0).get<std::size_t>(),
          .train_loss = number(row.at(1)),
          .train_accuracy = number(row.at(2)),
          .test_loss = number(row.at(3)),
          .test_accuracy = number(row.at(4)),
          .learning_rate = number(row.at(5)),
          .seconds = number(row.at(6)),
          .samples_per_second = number(row.at(7)),
          .rescaled_steps = row.at(8).get<std::size_t>(),
          .compute_seconds = number(row.at(9)),
          .wait_seconds = number(row.at(10)),
          .transfer_seconds = number(row.at(11)),
          .test_top5_accuracy = row.size() > 12 ? number(row.at(12)) : std::nan("")};
}

json to_json(const RunRecord& record) {
  return {{"last", to_json(record.last)},
          {"rescaled_steps", record.rescaled_steps},
          {"seconds", record.seconds},
          {"split", {record.compute_seconds, record.wait_seconds, record.transfer_seconds}},
          {"gradient_norms", record.gradient_norms},
          {"gradient_steps", record.gradient_steps},
          {"total_seconds", record.total_seconds},
          {"best", record.best ? json(*record.best) : json()},
          {"best_epoch", record.best_epoch},
          {"best_row", to_json(record.best_row)},
          {"best_saved", record.best_saved ? json(*record.best_saved) : json()},
          {"began_from", record.began_from}};
}

RunRecord record_of(const json& object) {
  RunRecord record;
  record.last = row_of(object.at("last"));
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
  if (object.contains("best_row")) record.best_row = row_of(object.at("best_row"));
  record.began_from = object.value("began_from", "");
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
    const std::string& metrics = metadata.at("metrics");
    RunRecord record = record_of(json::parse(metadata.at("run")));
    if (record.best_row.epoch != record.best_epoch)  // version 0.1 did not keep it
      record.best_row = report::row_of_epoch(metrics, record.best_epoch);
    return {.record = std::move(record),
            .metrics = metrics,
            .config = nlohmann::ordered_json::parse(metadata.at("config")),
            .trained_on = trained_on == metadata.end() ? "" : trained_on->second,
            .blis_family = family == metadata.end() ? "" : family->second};
  } catch (const std::exception& error) {
    throw ModelError(
        fmt::format("{}: what the checkpoint keeps of the run is not readable: {}", name, error.what()));
  }
}

}  // namespace lockstep::run
