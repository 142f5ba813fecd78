#include "cli/commands.h"
#include "scaling/doctor.h"

namespace lockstep::cli {

Run doctor_command(Options& options) {
  options.footer("Run it as the job would run, such as launch/run -np 2 doctor.");
  return [](run::Job& job) {
    scaling::doctor(job);
    return 0;
  };
}

}  // namespace lockstep::cli
