#include <fmt/format.h>

#include <memory>

#include "cli/commands.h"
#include "scaling/predict.h"
#include "scaling/scaling_model.h"

namespace lockstep::cli {

Run predict_command(Options& options) {
  const auto predict = std::make_shared<scaling::PredictArguments>();
  options.configuration(predict->config, predict->overrides, "A TOML file, such as one of configs/");
  options.list("--network", predict->networks,
               fmt::format("Between hosts: {}; may be a list (default: this job's, else 25gbit)",
                           scaling::kNetworkNames));
  options.list("--at", predict->at,
               "Layouts to predict, as RANKSxTHREADS (default: the best of 1, 2, 4, ... cores)");
  options.number("--most", predict->most, 1, 1 << 20, "The most cores (default: 4096)");
  options.number("--cores-per-host", predict->cores_per_host, 1, 4096,
                 "Cores of a host (default: as many as were measured together)");
  options.flag("--weak", predict->weak,
               "Every rank has the configuration's batch: the global one grows with the ranks");
  options.text("--calibration", predict->calibration,
               "A file of measurements: read if it is there, and this job's added");
  options.flag("--no-measure", predict->no_measure, "The calibration's measurements are enough");
  options.text("--csv", predict->csv, "Write the predictions as a table, too");
  options.footer(
      "Run it as the job would run on one host, such as launch/run -np 2 predict CONFIG; once for each\n"
      "layout of ranks and threads, with one --calibration file, to have them compared.");
  return [predict](run::Job& job) {
    scaling::predict(job, *predict);
    return 0;
  };
}

}  // namespace lockstep::cli
