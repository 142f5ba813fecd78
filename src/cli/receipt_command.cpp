#include <memory>

#include "cli/commands.h"
#include "run/receipt.h"

namespace lockstep::cli {

Run receipt_command(Options& options) {
  const auto receipt = std::make_shared<run::ReceiptArguments>();
  options.argument("RUN", receipt->run, "The folder of a finished run");
  options.flag("--rerun", receipt->rerun,
               "Train it again in a folder for temporary files, and compare weights and scores");
  options.repeated("--set", receipt->overrides,
                   "With --rerun: SECTION.KEY=VALUE, of a key that no weight depends on, such as --set "
                   "data.dir=DIR; may be repeated");
  options.text("--against", receipt->against, "Compare with a receipt that was handed in, a line in quotes");
  options.flag("--json", receipt->json, "Print JSON, for another program");
  options.footer(
      "Examples:\n"
      "  lockstep receipt runs/spiral\n"
      "  launch/run -np 2 receipt handed-in/spiral --rerun\n"
      "Exit codes: 0 everything holds; 3 the data is not the run's; 4 a file was changed, or training again\n"
      "gives other weights.");
  return [receipt](run::Job& job) {
    run::receipt(job, *receipt);
    return 0;
  };
}

}  // namespace lockstep::cli
