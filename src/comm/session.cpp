#include "comm/session.h"

#include <fmt/format.h>
#include <mpi.h>

#include <charconv>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <optional>
#include <system_error>

#include "base/error.h"
#include "comm/start.h"
#include "liveness/launcher.h"

#ifdef LOCKSTEP_SANITIZED
// MPI libraries keep memory until the process ends: not a leak of ours to report.
extern "C" const char* __asan_default_options() { return "detect_leaks=0"; }
#endif

namespace lockstep::comm {
namespace {

// LOCKSTEP_START_SECONDS, which launch/run sets; 0: any.
double start_seconds() {
  constexpr double kTypical = 120.0;
  const char* const text = std::getenv("LOCKSTEP_START_SECONDS");
  if (text == nullptr) return kTypical;
  double seconds = kTypical;
  const auto [end, error] = std::from_chars(text, text + std::strlen(text), seconds);
  return error == std::errc() && *end == '\0' && seconds >= 0.0 ? seconds : kTypical;
}

Communicator initialised_world(int& argc, char**& argv) {
  // For a process without mpirun Open MPI would start a daemon (orted), which takes 0.1 s. Debian's locks
  // itself up now and then when it ends (in PMIx_server_finalize), and keeps the program's output open for
  // ever.
  ::setenv("OMPI_MCA_ess_singleton_isolated", "1", /*overwrite=*/0);
  // Without mpirun Open MPI 4 keeps its files in one folder for all processes of a host; two that start at
  // the same time fail now and then as both make it. A process alone needs none.
  if (!how_started()) ::setenv("OMPI_MCA_orte_create_session_dirs", "0", /*overwrite=*/0);
  // In place Open MPI's MPI_Iallreduce reduces everything to one rank, which sends it back (binomial trees).
  // Rabenseifner's algorithm moves 2 (P-1)/P of the bytes instead of 2 log2(P) times all of them.
  ::setenv("OMPI_MCA_coll_libnbc_iallreduce_algorithm", "3", /*overwrite=*/0);
  // Open MPI 4 reads large messages from the memory of the rank that sends them, and hangs where it may not.
  if (!others_may_read_memory())
    ::setenv("OMPI_MCA_btl_vader_single_copy_mechanism", "none", /*overwrite=*/0);
  std::optional<StartLimit> limit;
  if (const double seconds = start_seconds(); seconds > 0.0) limit.emplace(seconds);
  int provided = MPI_THREAD_SINGLE;
  if (MPI_Init_thread(&argc, &argv, MPI_THREAD_SERIALIZED, &provided) != MPI_SUCCESS)
    throw RankError("MPI_Init_thread failed");
  if (provided < MPI_THREAD_FUNNELED) throw RankError("MPI offers no thread support (MPI_THREAD_FUNNELED)");
  auto world = Communicator::duplicate(Communicator::Group::kWorld);
  // Open MPI's TCP transport writes to a rank that has died and is sent SIGPIPE: mpirun would take the writer
  // for the one that failed.
  if (world.size() > 1) std::signal(SIGPIPE, SIG_IGN);
  if (world.rank() == 0) liveness::tell_launcher("started");
  return world;
}

}  // namespace

Session::Session(int& argc, char**& argv)
    : world_(initialised_world(argc, argv)), self_(Communicator::duplicate(Communicator::Group::kSelf)) {}

void Session::require_all_ranks() const {
  const std::optional<Started> started = how_started();
  if (!started || started->processes <= world_.size()) return;
  if (!speaks_for_siblings()) throw CollectiveError(ExitCode::kConfig, "");
  const std::string library = library_version();
  const std::string of_srun = library.starts_with("Open MPI") ? "pmix" : "pmi2";
  const std::string start =
      started->by == "srun" ? fmt::format("srun --mpi={} lockstep", of_srun) : "the mpirun of " + library;
  throw CollectiveError(ExitCode::kConfig,
                        fmt::format("{} started {} processes, of which MPI knows {}, so that "
                                    "each would do the whole work: expected {}, or "
                                    "launch/run",
                                    started->by, started->processes, world_.size(), start));
}

void Session::finalize(int code) {
  if (world_.rank() == 0) liveness::tell_launcher(fmt::format("finished {}", code));
  MPI_Finalize();
}

void Session::abort(int code) const {
  MPI_Abort(MPI_COMM_WORLD, code);
  std::_Exit(code);
}

std::string library_version() {
  char text[MPI_MAX_LIBRARY_VERSION_STRING];
  int length = 0;
  MPI_Get_library_version(text, &length);
  const std::string whole(text, static_cast<std::size_t>(length));
  const auto end = whole.find_first_of(",\n");
  const std::string first = whole.substr(0, end);
  if (first.starts_with("Open MPI v")) return "Open MPI " + first.substr(10);
  const auto number = first.find_first_not_of(" \t", first.find(':') + 1);  // "MPICH Version:\t4.0.2"
  if (first.starts_with("MPICH Version:") && number != std::string::npos)
    return "MPICH " + first.substr(number);
  return first;
}

}  // namespace lockstep::comm
