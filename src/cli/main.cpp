// The program's door: exit codes, and the one place that prints errors.
#include <cstdio>
#include <exception>
#include <new>
#include <string_view>

#include "base/error.h"
#include "cli/command_line.h"
#include "comm/session.h"
#include "liveness/interruption.h"

namespace {

using lockstep::ExitCode;
using lockstep::cli::CommandLine;

int run(const lockstep::comm::Session& session, const CommandLine& line) {
  const bool speaks = session.world().rank() == 0;
  if (!line.run) {
    if (speaks && line.mistake.empty()) std::fputs(line.text.c_str(), stdout);
    if (speaks && !line.mistake.empty()) std::fprintf(stderr, "lockstep: %s\n", line.mistake.c_str());
    return static_cast<int>(line.mistake.empty() ? ExitCode::kDone : ExitCode::kConfig);
  }
  session.require_all_ranks();
  lockstep::report::Console console(speaks);
  lockstep::run::Job job{session.world(), session.self(), console};
  return line.run(job);
}

// Runs the command. Its error, where every rank has it, is printed once, and all ranks end in the ordinary
// way; where only this rank has it, the job is aborted.
int run_and_report(lockstep::comm::Session& session, const CommandLine& line) {
  const int rank = session.world().rank();
  int code = static_cast<int>(ExitCode::kRank);
  try {
    code = run(session, line);
    session.finalize();
    return code;
  } catch (const lockstep::comm::CollectiveError& error) {
    if (rank == 0 && *error.what() != '\0') std::fprintf(stderr, "lockstep: %s\n", error.what());
    session.finalize();
    return static_cast<int>(error.code());
  } catch (const lockstep::Error& error) {
    std::fprintf(stderr, "lockstep: rank %d: %s\n", rank, error.what());
    code = static_cast<int>(error.code());
  } catch (const std::bad_alloc&) {
    std::fprintf(stderr, "lockstep: rank %d: out of memory\n", rank);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "lockstep: rank %d: %s\n", rank, error.what());
  }
  session.abort(code);
}

}  // namespace

int main(int argc, char** argv) {
  if (argc > 1 && std::string_view(argv[1]) == "train")
    lockstep::liveness::note_signals();  // before MPI spends time on starting
  try {
    const CommandLine line = lockstep::cli::parse(argc, argv);
    lockstep::comm::Session session(argc, argv);
    return run_and_report(session, line);
  } catch (const lockstep::Error& error) {  // MPI does not start
    std::fprintf(stderr, "lockstep: %s\n", error.what());
    return static_cast<int>(error.code());
  }
}
