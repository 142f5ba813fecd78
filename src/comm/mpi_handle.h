// What the files of this folder share of MPI.
#pragma once

#include <fmt/format.h>
#include <mpi.h>

#include <cstdint>
#include <string_view>
#include <type_traits>

#include "base/bfloat16.h"
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

template <typename T>
MPI_Datatype type_of() {
  if constexpr (std::is_same_v<T, float>) return MPI_FLOAT;
  if constexpr (std::is_same_v<T, std::int16_t>) return MPI_INT16_T;
  if constexpr (std::is_same_v<T, std::int32_t>) return MPI_INT32_T;
  if constexpr (std::is_same_v<T, std::int64_t>) return MPI_INT64_T;
  if constexpr (std::is_same_v<T, Bfloat16>) return MPI_UINT16_T;
}

// The sum of two bfloat16 values, rounded to bfloat16: MPI has none.
MPI_Op bfloat16_sum();

template <typename T>
MPI_Op sum_of() {
  if constexpr (std::is_same_v<T, Bfloat16>) return bfloat16_sum();
  return MPI_SUM;
}

}  // namespace lockstep::comm
