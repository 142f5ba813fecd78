// The command line: which subcommand it asks for, and with what.
#pragma once

#include <string>

#include "cli/commands.h"

namespace lockstep::cli {

struct CommandLine {
  // Whether the subcommand looks for requests to stop, so that a signal ends it in order.
  bool ends_in_order = false;
  Run run;           // the subcommand; none where there is nothing to do but to say the text or the mistake
  std::string text;  // what --help or --version prints
  std::string mistake;  // what is wrong, in a line
};

// Reads it, prints nothing: every rank has the same, and one speaks.
CommandLine parse(int argc, char** argv);

}  // namespace lockstep::cli
