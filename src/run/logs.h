// By what other programs follow a training run: events as lines of JSON, and curves and images for
// TensorBoard.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "config/run_options.h"
#include "report/event_log.h"
#include "report/tensorboard.h"
#include "run/tiles.h"

namespace lockstep::run {

// Does nothing where nothing of it is wanted, and before begin(), which rank 0 alone calls.
class Logs {
 public:
  using Fields = report::EventLog::Fields;

  // events: null where none are wanted.
  Logs(const config::LogOptions& options, std::shared_ptr<report::EventLog> events)
      : options_(options), events_(std::move(events)) {}

  // The run starts in this folder, or is resumed, after so many steps and epochs: what the files say of later
  // ones goes. fields: of that event. Throws ConfigError where a file cannot be written.
  void begin(const std::filesystem::path& folder, std::size_t step, std::size_t epoch, bool resumed,
             const Fields& fields);

  // epochs: how many are done before this step's is. loss: a curve with log.steps.
  void after_step(std::size_t step, std::size_t epochs, double loss);
  // with_top5: see report::MetricsFile. norms: of these tensors' gradients; empty without log.gradients.
  // Throws ConfigError where something cannot be written, which is written later.
  void after_epoch(const report::EpochRow& row, bool with_top5, std::size_t step,
                   const std::vector<std::string>& tensors, std::span<const double> norms);
  // May be called by any thread.
  void checkpoint(std::size_t step, std::size_t epoch, const std::filesystem::path& file);

  // Whether image() does anything.
  bool shows_images() const { return options_.tensorboard; }
  void image(std::size_t step, const std::string& tag, const Tiles& tiles);

  void end(const Fields& fields);
  // Throws ConfigError.
  void flush();

 private:
  const config::LogOptions& options_;
  const std::shared_ptr<report::EventLog> events_;
  std::optional<report::TensorBoardFile> tensorboard_;
};

}  // namespace lockstep::run
