#include "report/summary.h"

#include "base/file.h"

namespace lockstep::report {

void write_summary(const std::filesystem::path& path, const Summary& summary) {
  const EpochRow& last = summary.last;
  const nlohmann::ordered_json document = {
      {"name", summary.name},
      {"epochs", last.epoch},
      {"steps", summary.steps},
      {"train_loss", last.train_loss},
      {"train_accuracy", last.train_accuracy},
      {"test_loss", last.test_loss},
      {"test_accuracy", last.test_accuracy},
      {"seconds", summary.total_seconds},
      {"weights_hash", summary.weights_hash},
      {"data", {{"train", summary.data.train}, {"test", summary.data.test}}},
      {"train_samples", summary.train_samples},
      {"parameters", summary.parameters},
      {"ranks", summary.ranks},
      {"threads", summary.threads},
      {"placement", summary.placement},
      {"config", summary.config},
      {"provenance", summary.provenance}};
  write_file_atomically(path, document.dump(2) + "\n");
}

}  // namespace lockstep::report
