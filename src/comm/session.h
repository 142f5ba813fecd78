// The MPI library's lifetime, and the end of a job that cannot go on, or never was one.
#pragma once

#include <string>

#include "comm/communicator.h"

namespace lockstep::comm {

// Initialises MPI for calls from one thread at a time. One per process, alive while any Communicator is.
// Without mpirun the process is a job of one rank.
class Session {
 public:
  // Throws RankError if MPI gives no support for a program with threads. Ends the process with
  // ExitCode::kRank and a line where MPI has not started within two minutes, for it waits for all ranks.
  Session(int& argc, char**& argv);
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

  // Throws CollectiveError (ExitCode::kConfig) where what started this process (srun, mpirun) started more of
  // them than MPI knows of: each would be a job of its own, and they would all do the same. One of a host
  // says so; the error of the others has no words.
  void require_all_ranks() const;

  // All ranks of the job.
  const Communicator& world() const { return world_; }
  // This rank alone.
  const Communicator& self() const { return self_; }

  // Waits for the other ranks to come here too, then ends MPI. Not called on the way of an error that only
  // this rank knows of: that is what abort is for. code: what the process will return, for launch/run.
  void finalize(int code = 0);

  // Ends all ranks at once; the job's exit code is `code`.
  [[noreturn]] void abort(int code) const;

 private:
  Communicator world_;
  Communicator self_;
};

// Such as "Open MPI 4.1.4".
std::string library_version();

}  // namespace lockstep::comm
