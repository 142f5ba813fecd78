// What the files of this folder share of MPI.
#pragma once

#include <fmt/format.h>
#include <mpi.h>

#include <string_view>

#include "base/error.h"
#include "comm/communicator.h"

namespace lockstep::comm {

struct Communicator::Handle {
  MPI_Comm mpi = MPI_COMM_NULL;
};

// Throws RankError where an MPI call failed.
inline void check(int result, const char* operation) {
  if (result == MPI_SUCCESS) return;
  char text[MPI_MAX_ERROR_STRING];
  int length = 0;
  MPI_Error_string(result, text, &length);
  throw RankError(
      fmt::format("{} failed: {}", operation, std::string_view(text, static_cast<std::size_t>(length))));
}

}  // namespace lockstep::comm
