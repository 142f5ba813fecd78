// CPU quotas of the group and of those above it, in both versions of control groups.
#include "base/control_groups.h"

#include <gtest/gtest.h>

#include "base/file.h"
#include "support.h"

namespace lockstep {
namespace {

namespace fs = std::filesystem;

struct QuotaTest : testing::Test {
  void write(const std::string& name, const std::string& text) const {
    fs::create_directories((folder_.path() / name).parent_path());
    write_file_atomically(folder_.path() / name, text);
  }
  std::optional<int> cores(const std::string& membership) const {
    write("cgroup", membership);
    return quota_cores({folder_.path() / "cgroup", folder_.path()});
  }
  const test::TemporaryFolder folder_;
};

TEST_F(QuotaTest, IsNoneWhereNobodySetsOne) {
  for (const char* membership : {"", "0::/a\n", "5:cpu:/a\n", "nonsense\n"}) EXPECT_FALSE(cores(membership));
  write("a/cpu.max", "max 100000\n");
  EXPECT_FALSE(cores("0::/a\n"));
  write("cpu/a/cpu.cfs_quota_us", "-1\n");
  write("cpu/a/cpu.cfs_period_us", "100000\n");
  EXPECT_FALSE(cores("5:cpu:/a\n"));
}

TEST_F(QuotaTest, IsInWholeCoresAndAtLeastOne) {
  write("a/cpu.max", "250000 100000\n");
  EXPECT_EQ(cores("0::/a\n"), 2);
  write("a/cpu.max", "50000 100000\n");
  EXPECT_EQ(cores("0::/a\n"), 1);
}

TEST_F(QuotaTest, IsTheLeastOfTheGroupAndThoseAbove) {
  write("a/b/cpu.max", "800000 100000\n");
  write("a/cpu.max", "300000 100000\n");
  EXPECT_EQ(cores("0::/a/b\n"), 3);
  write("cpu.max", "200000 100000\n");  // a container's root
  EXPECT_EQ(cores("0::/elsewhere\n"), 2);
}

TEST_F(QuotaTest, KnowsVersion1AndVersion2BesideIt) {
  write("cpu,cpuacct/a/cpu.cfs_quota_us", "600000\n");
  write("cpu,cpuacct/a/cpu.cfs_period_us", "100000\n");
  EXPECT_EQ(cores("5:cpu,cpuacct:/a\n"), 6);
  EXPECT_FALSE(cores("5:cpuset:/a\n"));
  write("unified/a/cpu.max", "200000 100000\n");
  EXPECT_EQ(cores("0::/a\n"), 2);
}

}  // namespace
}  // namespace lockstep
