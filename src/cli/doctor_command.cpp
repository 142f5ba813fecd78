#include "cli/commands.h"
#include "scaling/doctor.h"

namespace lockstep::cli {

Run doctor_command(Options&) {
  return [](run::Job& job) {
    scaling::doctor(job);
    return 0;
  };
}

}  // namespace lockstep::cli
