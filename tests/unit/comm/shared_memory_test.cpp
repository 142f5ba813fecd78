// Memory that the ranks of a host share.
#include "comm/shared_memory.h"

#include <gtest/gtest.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <optional>
#include <string>

#include "mpi_main.h"

namespace lockstep::comm {
namespace {

using test::world;

std::span<int> numbers(std::span<std::byte> bytes) {
  return {reinterpret_cast<int*>(bytes.data()), bytes.size() / sizeof(int)};
}

std::size_t size_of(int rank) { return 1000 * (static_cast<std::size_t>(rank) + 1); }

// What this process holds of shared memory: descriptors and mappings.
std::size_t held() {
  std::size_t count = 0;
  const std::string name = "memfd:lockstep";
  for (const auto& entry : std::filesystem::directory_iterator("/proc/self/fd")) {
    std::error_code gone;
    count += std::filesystem::read_symlink(entry.path(), gone).string().find(name) != std::string::npos;
  }
  std::ifstream maps("/proc/self/maps");
  for (std::string line; std::getline(maps, line);) count += line.find(name) != std::string::npos;
  return count;
}

// No file can be opened while it lives.
class NoMoreFiles {
 public:
  NoMoreFiles() {
    ::getrlimit(RLIMIT_NOFILE, &before_);
    const int lowest = ::dup(0);
    ::close(lowest);
    rlimit none = before_;
    none.rlim_cur = static_cast<rlim_t>(lowest);
    ::setrlimit(RLIMIT_NOFILE, &none);
  }
  NoMoreFiles(const NoMoreFiles&) = delete;
  NoMoreFiles& operator=(const NoMoreFiles&) = delete;
  ~NoMoreFiles() { ::setrlimit(RLIMIT_NOFILE, &before_); }

 private:
  rlimit before_{};
};

TEST(SharedMemory, IsZeroAtFirstAndItsOwnersAlone) {
  SharedMemory memory(size_of(0) * sizeof(int));
  ASSERT_EQ(numbers(memory.own()).size(), size_of(0));
  EXPECT_EQ(reinterpret_cast<std::uintptr_t>(memory.own().data()) % 64, 0U);
  for (const int x : numbers(memory.own())) ASSERT_EQ(x, 0);
}

TEST(SharedMemory, IsSeenAndWrittenByAllRanks) {
  const int rank = world().rank(), size = world().size();
  SharedMemory memory(size_of(rank) * sizeof(int));
  std::fill(numbers(memory.own()).begin(), numbers(memory.own()).end(), 100 + rank);
  ASSERT_TRUE(memory.connect(world()));
  world().barrier();
  for (int r = 0; r < size; ++r) {
    ASSERT_EQ(numbers(memory.of(r)).size(), size_of(r));
    for (const int x : numbers(memory.of(r))) ASSERT_EQ(x, 100 + r);
  }
  world().barrier();
  numbers(memory.of((rank + 1) % size)).back() = -rank;
  world().barrier();
  EXPECT_EQ(numbers(memory.own()).back(), -((rank + size - 1) % size));
  world().barrier();
}

TEST(SharedMemory, MayBeOneRanks) {
  SharedMemory memory(world().rank() == 0 ? sizeof(int) : 0);
  ASSERT_TRUE(memory.connect(world()));
  if (world().rank() == world().size() - 1) numbers(memory.of(0)).front() = 42;
  world().barrier();
  EXPECT_EQ(numbers(memory.of(0)).front(), 42);
  world().barrier();
}

TEST(SharedMemory, StaysWithThoseWhoHaveItWhenItsOwnerHasGone) {
  std::optional<SharedMemory> memory(std::in_place, sizeof(int));
  numbers(memory->own()).front() = 7 + world().rank();
  ASSERT_TRUE(memory->connect(world()));
  if (world().rank() == 0) memory.reset();
  world().barrier();
  if (memory) {
    EXPECT_EQ(numbers(memory->of(0)).front(), 7);
  }
  world().barrier();
}

TEST(SharedMemory, LeavesNothingBehind) {
  const std::size_t before = held();
  {
    SharedMemory unconnected(100), connected(100);
    ASSERT_TRUE(connected.connect(world()));
    SharedMemory moved(std::move(connected));
    EXPECT_GT(held(), before);
  }
  EXPECT_EQ(held(), before);
}

TEST(SharedMemory, IsRefusedToAllWhereOneRankCannotShareItsOwn) {
  world().barrier();
  const std::size_t before = held();
  {
    std::optional<NoMoreFiles> none;
    if (world().rank() == world().size() - 1) none.emplace();
    SharedMemory memory(size_of(0) * sizeof(int));
    none.reset();
    EXPECT_FALSE(memory.connect(world()));
    numbers(memory.own()).back() = 5;
    EXPECT_EQ(numbers(memory.own()).back(), 5);
  }
  EXPECT_EQ(held(), before);
}

TEST(SharedMemory, IsRefusedToAllWhereOneRankCannotSeeAnothers) {
  if (world().size() == 1) return;  // there is no other
  const std::size_t before = held();
  {
    SharedMemory memory(size_of(0) * sizeof(int));
    world().barrier();  // Open MPI may need files for the first messages
    std::optional<NoMoreFiles> none;
    if (world().rank() == 0) none.emplace();
    EXPECT_FALSE(memory.connect(world()));
  }
  EXPECT_EQ(held(), before);
}

}  // namespace
}  // namespace lockstep::comm
