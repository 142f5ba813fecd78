// Memory of a process that the other ranks of its host can use as their own.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "comm/communicator.h"

namespace lockstep::comm {

// Anonymous memory (memfd_create), found by the others in /proc: nothing is left behind, however a process
// ends. Making and destroying it concern this process alone; what others have mapped stays while they have
// it. Move-only.
//
// Who writes, who reads and when is up to its users: between a write and another rank's read lies a barrier.
class SharedMemory {
 public:
  // Zeros, from a cache line on. Where it is not to be shared, or the system cannot, it is private, and
  // connect() says so. Throws std::bad_alloc.
  explicit SharedMemory(std::size_t bytes, bool to_be_shared = true);
  SharedMemory(SharedMemory&& other) noexcept;
  SharedMemory& operator=(SharedMemory&&) = delete;
  ~SharedMemory();

  // Makes every rank's memory visible to all. False on all ranks where any of them cannot see another's, as
  // with namespaces of processes that differ. Collective; once.
  bool connect(const Communicator& communicator);

  std::span<std::byte> own() const { return own_.content(); }
  // Requires: connected.
  std::span<std::byte> of(int rank) const { return of_rank_[static_cast<std::size_t>(rank)].content(); }

 private:
  struct Mapping {
    std::byte* data = nullptr;
    std::size_t size = 0;
    std::span<std::byte> content() const;
  };
  bool map_others(const Communicator& communicator, bool possible);
  void unmap_others();

  Mapping own_;
  int fd_ = -1;                   // of the memory, until it is connected
  std::vector<Mapping> of_rank_;  // own_ among them
};

// Such bytes as the values that they are.
template <typename T>
std::span<T> values_in(std::span<std::byte> bytes) {
  return {reinterpret_cast<T*>(bytes.data()), bytes.size() / sizeof(T)};
}

}  // namespace lockstep::comm
