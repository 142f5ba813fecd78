#include "report/summary.h"

#include <cmath>

#include "base/file.h"

namespace lockstep::report {

void write_summary(const std::filesystem::path& path, const Summary& summary) {
  const EpochRow& metrics = summary.metrics;
  nlohmann::ordered_json document = {{"name", summary.name},
                                     {"epochs", summary.epochs},
                                     {"steps", summary.steps},
                                     {"train_loss", metrics.train_loss},
                                     {"train_accuracy", metrics.train_accuracy},
                                     {"test_loss", metrics.test_loss},
                                     {"test_accuracy", metrics.test_accuracy},
                                     {"seconds", summary.total_seconds},
                                     {"weights_hash", summary.weights_hash},
                                     {"weights_of", summary.weights_of_best ? "best" : "last"},
                                     {"best_epoch", summary.best_epoch},
                                     {"data", {{"train", summary.data.train}, {"test", summary.data.test}}},
                                     {"train_samples", summary.train_samples},
                                     {"parameters", summary.parameters},
                                     {"ranks", summary.ranks},
                                     {"threads", summary.threads},
                                     {"placement", summary.placement},
                                     {"shards", summary.shards},
                                     {"config", summary.config},
                                     {"provenance", summary.provenance}};
  if (!std::isnan(metrics.test_top5_accuracy)) document["test_top5_accuracy"] = metrics.test_top5_accuracy;
  if (!summary.average_hash.empty()) document["average_hash"] = summary.average_hash;
  if (!summary.began_from.empty()) document["began_from"] = summary.began_from;
  write_file_atomically(path, document.dump(2) + "\n");
}

}  // namespace lockstep::report
