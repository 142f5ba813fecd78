// How a process was started, from its environment, and the limit of the time in which MPI must be there.
#include "comm/start.h"

#include <gtest/gtest.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <map>
#include <string>
#include <thread>
#include <tuple>
#include <vector>

namespace lockstep::comm {
namespace {

using Variables = std::map<std::string, std::string>;

// Sets the variables that starters leave, and puts back what they were.
class Environment {
 public:
  explicit Environment(const Variables& values) {
    for (const char* name : {"OMPI_COMM_WORLD_SIZE", "OMPI_COMM_WORLD_RANK", "PMI_SIZE", "PMI_RANK",
                             "SLURM_STEP_NUM_TASKS", "SLURM_PROCID"}) {
      if (const char* value = std::getenv(name)) before_[name] = value;
      ::unsetenv(name);
      names_.emplace_back(name);
    }
    for (const auto& [name, value] : values) ::setenv(name.c_str(), value.c_str(), 1);
  }
  Environment(const Environment&) = delete;
  Environment& operator=(const Environment&) = delete;
  ~Environment() {
    for (const std::string& name : names_) ::unsetenv(name.c_str());
    for (const auto& [name, value] : before_) ::setenv(name.c_str(), value.c_str(), 1);
  }

 private:
  Variables before_;
  std::vector<std::string> names_;
};

TEST(Start, WithoutAStarterNothingIsSaid) {
  const Environment environment(Variables{});
  EXPECT_FALSE(how_started());
}

TEST(Start, EachStarterTellsHowManyThereAre) {
  for (const auto& [size, rank, by] : {std::tuple("OMPI_COMM_WORLD_SIZE", "OMPI_COMM_WORLD_RANK", "mpirun"),
                                       std::tuple("PMI_SIZE", "PMI_RANK", "mpirun"),
                                       std::tuple("SLURM_STEP_NUM_TASKS", "SLURM_PROCID", "srun")}) {
    const Environment environment(Variables{{size, "4"}, {rank, "1"}});
    const auto started = how_started();
    ASSERT_TRUE(started) << size;
    EXPECT_EQ(started->processes, 4);
    EXPECT_EQ(started->by, by);
  }
}

TEST(Start, AnAllocationIsNoStart) {
  const Environment environment(Variables{{"SLURM_STEP_NUM_TASKS", "4"}});
  EXPECT_FALSE(how_started());
}

TEST(Start, MpirunHidesSrunWhichStartsItsDaemons) {
  const Environment environment(Variables{{"SLURM_STEP_NUM_TASKS", "3"},
                                          {"SLURM_PROCID", "2"},
                                          {"OMPI_COMM_WORLD_SIZE", "1"},
                                          {"OMPI_COMM_WORLD_RANK", "0"}});
  EXPECT_EQ(how_started()->processes, 1);
}

TEST(Start, AProcessThatMayNotBeTracedIsNotReadByOthers) {
  ::prctl(PR_SET_DUMPABLE, 0);
  EXPECT_FALSE(others_may_read_memory());
  ::prctl(PR_SET_DUMPABLE, 1);
}

TEST(Start, OfSiblingsOneSpeaks) {
  EXPECT_TRUE(speaks_for_siblings());
  std::jthread sibling([] { EXPECT_TRUE(speaks_for_siblings()); });
  std::this_thread::sleep_for(std::chrono::milliseconds(300));
  EXPECT_FALSE(speaks_for_siblings());
}

using StartDeathTest = testing::Test;

TEST(StartDeathTest, MpiThatDoesNotComeEndsTheProcess) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  const Environment environment(Variables{{"PMI_RANK", "3"}});
  const auto wait_for_mpi = [](double seconds) {
    {
      const StartLimit limit(1.0);
      std::this_thread::sleep_for(std::chrono::duration<double>(seconds));
    }
    ::_exit(0);
  };
  EXPECT_EXIT(wait_for_mpi(0.0), testing::ExitedWithCode(0), "");
  EXPECT_EXIT(wait_for_mpi(60.0), testing::ExitedWithCode(5),
              "lockstep: rank 3 on .*: MPI has not started within 1 s, expected all ranks to");
}

}  // namespace
}  // namespace lockstep::comm
