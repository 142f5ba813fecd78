// Who is named when a job no longer moves.
#include "liveness/diagnosis.h"

#include <gtest/gtest.h>

namespace lockstep::liveness {
namespace {

// Four ranks on two hosts, all in the reduction of step 7.
Heartbeats four_ranks(std::size_t beat) {
  Heartbeats all;
  for (int rank = 0; rank < 4; ++rank)
    all.push_back(Heartbeat{.beat = beat,
                            .step = 7,
                            .host = rank < 2 ? "h0" : "h1",
                            .phase = Activity::kWait,
                            .addresses = {rank < 2 ? "10.0.0.1" : "10.0.0.2"},
                            .unanswered = {}});
  return all;
}

struct Moments {
  Heartbeats before = four_ranks(1), after = four_ranks(5);

  // Its heartbeat does not change any more.
  void stop(std::size_t rank) { after[rank]->beat = before[rank]->beat; }
  std::string missing(int own = 0) const { return diagnose(before, after, own).missing; }
};

TEST(Diagnosis, NamesARankThatHasStopped) {
  Moments job;
  job.stop(2);
  EXPECT_EQ(job.missing(), "rank 2 on h1, at step 7 in reduction, has stopped or cannot be reached");
}

TEST(Diagnosis, NamesAllRanksOfAHostThatHasStoppedAndHowFarTheLastOfThemIs) {
  Moments job;
  job.stop(2);
  job.stop(3);
  job.after[3]->step = 6;
  job.after[3]->phase = Activity::kEvaluation;
  EXPECT_EQ(job.missing(), "ranks 2, 3 on h1, at step 6 in evaluation, have stopped or cannot be reached");
}

TEST(Diagnosis, NamesStoppedRanksHostByHost) {
  Moments job;
  for (const std::size_t rank : {1, 2, 3}) job.stop(rank);
  EXPECT_EQ(job.missing(),
            "rank 1 on h0, at step 7 in reduction; ranks 2, 3 on h1, at step 7 in reduction, have stopped or "
            "cannot be "
            "reached");
}

TEST(Diagnosis, SeesARankWhoseDiskMayBeSlow) {
  Moments job;
  EXPECT_FALSE(diagnose(job.before, job.after, 0).may_be_a_disk);
  job.after[1]->phase = Activity::kWriting;
  EXPECT_TRUE(diagnose(job.before, job.after, 0).may_be_a_disk);
  Moments stopped = job;
  stopped.stop(2);
  EXPECT_FALSE(diagnose(stopped.before, stopped.after, 0).may_be_a_disk) << "that is not what keeps the job";
  Moments cut = job;
  cut.after[0]->unanswered = {"10.0.0.2"};
  EXPECT_FALSE(diagnose(cut.before, cut.after, 0).may_be_a_disk);
}

TEST(Diagnosis, NamesARankWithoutHeartbeatByItsNumber) {
  Moments job;
  job.before[3] = job.after[3] = std::nullopt;
  EXPECT_EQ(job.missing(), "rank 3, never seen, has stopped or cannot be reached");
}

TEST(Diagnosis, TheFirstRankThatLivesSpeaks) {
  Moments job;
  EXPECT_EQ(diagnose(job.before, job.after, 3).speaker, 0);
  job.stop(0);
  EXPECT_EQ(diagnose(job.before, job.after, 3).speaker, 1);
  job.stop(1);
  job.stop(2);
  job.stop(3);  // though its own heartbeat could not be written
  EXPECT_EQ(diagnose(job.before, job.after, 3).speaker, 3);
}

TEST(Diagnosis, NamesTheHostThatMostRanksGetNoAnswerFrom) {
  Moments job;
  job.after[0]->unanswered = {"10.0.0.2"};
  job.after[1]->unanswered = {"10.0.0.2"};
  job.after[2]->unanswered = {"10.0.0.1"};
  const std::string expected = "ranks 2, 3 on h1, at step 7 in reduction, cannot be reached at 10.0.0.2";
  EXPECT_EQ(job.missing(), expected);
  job.after[1]->unanswered = {};  // one against one: the first rank counts
  EXPECT_EQ(job.missing(), expected);
  job.after[3]->unanswered = {"10.0.0.1"};
  EXPECT_EQ(job.missing(), "ranks 0, 1 on h0, at step 7 in reduction, cannot be reached at 10.0.0.1");
}

TEST(Diagnosis, NamesAnAddressThatNoRankHasAndWhoGetsNoAnswer) {
  Moments job;
  job.after[1]->unanswered = {"10.9.9.9"};
  EXPECT_EQ(job.missing(), "rank 1 on h0, at step 7 in reduction, gets no answer from 10.9.9.9");
}

TEST(Diagnosis, ARankThatHasStoppedCountsMoreThanTheNetwork) {
  Moments job;
  job.stop(3);
  job.after[0]->unanswered = {"10.0.0.2"};
  EXPECT_EQ(job.missing(), "rank 3 on h1, at step 7 in reduction, has stopped or cannot be reached");
}

TEST(Diagnosis, NamesTheRankThatIsFurthestBehindWhereAllLiveAndAnswer) {
  Moments job;
  job.after[2]->phase = Activity::kGather;
  EXPECT_EQ(job.missing(), "rank 2 on h1, at step 7 in forward and backward, hangs");
  job.after[1]->step = 6;
  job.after[1]->phase = Activity::kWriting;
  EXPECT_EQ(job.missing(), "rank 1 on h0, at step 6 in writing, hangs");
}

}  // namespace
}  // namespace lockstep::liveness
