// The limit is the least of the machine's memory and of what the control groups allow.
#include "base/memory_limit.h"

#include <gtest/gtest.h>

#include "base/file.h"
#include "support.h"

namespace lockstep {
namespace {

namespace fs = std::filesystem;

struct MemoryLimitTest : testing::Test {
  void write(const std::string& name, const std::string& text) const {
    fs::create_directories((folder_.path() / name).parent_path());
    write_file_atomically(folder_.path() / name, text);
  }
  MemoryLimit limit(const std::string& groups) const {
    write("cgroup", groups);
    return memory_limit(1000, {folder_.path() / "cgroup", folder_.path()});
  }
  const test::TemporaryFolder folder_;
};

TEST_F(MemoryLimitTest, IsTheMachinesWithoutAnother) {
  for (const char* groups : {"", "0::/a\n", "5:memory:/a\n", "nonsense\n"}) {
    EXPECT_EQ(limit(groups).bytes, 1000U);
    EXPECT_EQ(limit(groups).from, "the machine's memory");
  }
  write("a/memory.max", "max\n");
  EXPECT_EQ(limit("0::/a\n").bytes, 1000U);
  write("memory/a/memory.limit_in_bytes", "9223372036854771712\n");
  EXPECT_EQ(limit("5:memory:/a\n").bytes, 1000U);
}

TEST_F(MemoryLimitTest, IsTheLeastOfTheGroupAndThoseAbove) {
  write("a/b/memory.max", "700\n");
  EXPECT_EQ(limit("0::/a/b\n").bytes, 700U);
  EXPECT_EQ(limit("0::/a/b\n").from, (folder_.path() / "a/b/memory.max").string());
  write("a/memory.max", "500\n");
  EXPECT_EQ(limit("0::/a/b\n").bytes, 500U);
  write("memory.max", "300\n");  // a container's root
  EXPECT_EQ(limit("0::/elsewhere\n").bytes, 300U);
}

TEST_F(MemoryLimitTest, KnowsVersion1) {
  write("memory/a/memory.limit_in_bytes", "600\n");
  EXPECT_EQ(limit("6:cpu:/a\n5:memory:/a\n").bytes, 600U);
  EXPECT_EQ(limit("5:cpuset:/a\n").bytes, 1000U);
}

TEST(MemoryLimitOfThisMachine, IsMoreThanThisTestNeeds) { EXPECT_GT(memory_limit().bytes, 1U << 24); }

}  // namespace
}  // namespace lockstep
