// The program's door: exit codes, and the one place that prints errors.
#include <fmt/format.h>
#include <unistd.h>

#include <cstdio>
#include <exception>
#include <new>
#include <optional>
#include <string>

#include "base/error.h"
#include "cli/command_line.h"
#include "comm/session.h"
#include "comm/start.h"
#include "liveness/interruption.h"

namespace {

using lockstep::ExitCode;
using lockstep::cli::CommandLine;
using lockstep::liveness::StopSignals;
using lockstep::run::Job;

// What is left to do where a rank waits for one that does not move any more.
void end_of_a_hang(const std::string& line) {
  const std::string text = line.empty() ? line : fmt::format("lockstep: {}\n", line);
  [[maybe_unused]] const auto ignored = ::write(STDERR_FILENO, text.data(), text.size());
  ::_exit(static_cast<int>(ExitCode::kRank));
}

// Of a command line that asks for no work: says the text or the mistake.
int answer(const CommandLine& line, bool speaks) {
  if (speaks && line.mistake.empty()) std::fputs(line.text.c_str(), stdout);
  if (speaks && !line.mistake.empty()) std::fprintf(stderr, "lockstep: %s\n", line.mistake.c_str());
  return static_cast<int>(line.mistake.empty() ? ExitCode::kDone : ExitCode::kConfig);
}

int run(const lockstep::comm::Session& session, const CommandLine& line, const StopSignals* signals) {
  const bool speaks = session.world().rank() == 0;
  if (!line.run) return answer(line, speaks);
  session.require_all_ranks();
  lockstep::report::Console console(speaks);
  Job job(session.world(), session.self(), console, signals, end_of_a_hang);
  return line.run(job);
}

// Runs the command. Its error, where every rank has it, is printed once, and all ranks end in the ordinary
// way; where only this rank has it, the job is aborted.
int run_and_report(lockstep::comm::Session& session, const CommandLine& line, const StopSignals* signals) {
  const int rank = session.world().rank();
  int code = static_cast<int>(ExitCode::kRank);
  try {
    code = run(session, line, signals);
    session.finalize(code);
    return code;
  } catch (const lockstep::comm::CollectiveError& error) {
    if (rank == 0 && *error.what() != '\0') std::fprintf(stderr, "lockstep: %s\n", error.what());
    code = static_cast<int>(error.code());
    session.finalize(code);
    return code;
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
  const CommandLine line = lockstep::cli::parse(argc, argv);
  if (!line.run && !lockstep::comm::how_started()) return answer(line, true);  // without MPI, in no time
  std::optional<StopSignals> signals;
  if (line.ends_in_order) signals.emplace();  // before MPI spends time on starting
  try {
    lockstep::comm::Session session(argc, argv);
    return run_and_report(session, line, signals ? &*signals : nullptr);
  } catch (const lockstep::Error& error) {  // MPI does not start
    std::fprintf(stderr, "lockstep: %s\n", error.what());
    return static_cast<int>(error.code());
  }
}
