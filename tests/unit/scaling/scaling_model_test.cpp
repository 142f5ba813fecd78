// The model of scaling against numbers worked out by hand.
#include "scaling/scaling_model.h"

#include <gtest/gtest.h>

#include "base/error.h"
#include "support.h"

namespace lockstep::scaling {
namespace {

// Steps that cost exactly this: forward a line, backward twice that, update and rest always the same.
StepSeconds cost_of(StepLoad load) {
  const auto blocks = static_cast<double>(load.blocks), rows = static_cast<double>(load.rows);
  const double forward = 1e-4 + 2e-5 * blocks + 1e-5 * rows;
  return {forward, 2.0 * forward, 4e-4, 1e-4};
}

LayoutCost layout(int ranks_on_host = 1, int threads = 1, double slower = 1.0) {
  LayoutCost cost{ranks_on_host, threads, {}};
  for (const std::size_t blocks : {1, 2, 4, 8}) {
    for (const std::size_t rows : {16, 64}) {
      StepSeconds seconds = cost_of({blocks, blocks * rows});
      seconds = {slower * seconds.forward, slower * seconds.backward, slower * seconds.update,
                 slower * seconds.rest};
      cost.steps.push_back({{blocks, blocks * rows}, seconds});
    }
  }
  return cost;
}

Workload workload() {
  Workload of{.samples = 5120, .batch = 512, .shards = 8, .sums = {}};
  of.sums.tensors = {{900000, 900000, 900000, true}, {100000, 100000, 100000, true}};
  of.sums.few_bytes = 0;
  return of;
}

const Network kNone{"none", 0.0, 0.0, 0.0};

TEST(Fit, FindsTheLineOfExactMeasurements) {
  std::vector<MeasuredPart> measured;
  for (const MeasuredStep& step : layout().steps) measured.push_back({step.load, step.seconds.forward});
  const CostLine line = fit(measured, {3, 100});
  EXPECT_NEAR(line.fixed, 1e-4, 1e-9);
  EXPECT_NEAR(line.per_block, 2e-5, 1e-9);
  EXPECT_NEAR(line.per_row, 1e-5, 1e-9);
  EXPECT_LT(layout().error(), 1e-6);
}

TEST(Fit, NoCoefficientIsNegative) {
  // Falls with the blocks: no cost does.
  const std::vector<MeasuredPart> measured = {
      {{1, 64}, 3.0}, {{2, 64}, 2.0}, {{4, 64}, 1.0}, {{4, 128}, 2.0}};
  const CostLine line = fit(measured, {2, 64});
  EXPECT_GE(line.fixed, 0.0);
  EXPECT_GE(line.per_block, 0.0);
  EXPECT_GE(line.per_row, 0.0);
  EXPECT_GT(line.seconds({2, 64}), 0.0);
}

TEST(Fit, OneMeasurementIsEnough) {
  const std::vector<MeasuredPart> measured = {{{2, 100}, 0.5}};
  EXPECT_NEAR(fit(measured, {2, 100}).seconds({2, 100}), 0.5, 1e-9);
}

// What lies near the load decides, where no line goes through all.
TEST(Fit, FollowsTheMeasurementsNearTheLoad) {
  std::vector<MeasuredPart> measured;
  for (std::size_t rows = 1; rows <= 1024; rows *= 2)
    measured.push_back({{1, rows}, rows < 64 ? 1.0 : static_cast<double>(rows) / 64.0});
  EXPECT_NEAR(fit(measured, {1, 4}).seconds({1, 4}), 1.0, 0.1);
  EXPECT_NEAR(fit(measured, {1, 512}).seconds({1, 512}), 8.0, 0.8);
}

TEST(ScalingModel, AnEpochOfOneRankIsItsSteps) {
  const ScalingModel model(workload(), {8, kNone, kNone}, {layout()});
  EXPECT_NEAR(model.predict(1, 1).epoch, 10.0 * cost_of({8, 512}).all(), 1e-6);
  Workload ragged = workload();
  ragged.samples = 5120 + 256;  // half a batch more
  const ScalingModel longer(ragged, {8, kNone, kNone}, {layout()});
  EXPECT_NEAR(longer.predict(1, 1).epoch, 10.0 * cost_of({8, 512}).all() + cost_of({8, 256}).all(), 1e-5);
}

TEST(ScalingModel, TheRankWithTheMostShardsDecides) {
  const ScalingModel model(workload(), {8, kNone, kNone}, {layout()});
  EXPECT_NEAR(model.predict(3, 1).step.all(), cost_of({3, 192}).all(), 1e-6);  // 3 of 8 shards
  EXPECT_NEAR(model.predict(4, 1).step.all(), cost_of({2, 128}).all(), 1e-6);
  EXPECT_NEAR(model.predict(5, 1).step.all(), cost_of({2, 128}).all(), 1e-6);
}

TEST(ScalingModel, MoreRanksThanShardsTakeSmallerMicroBatches) {
  const ScalingModel model(workload(), {64, kNone, kNone}, {layout()});
  const Prediction many = model.predict(32, 1);
  EXPECT_EQ(many.shards, 32U);
  EXPECT_NEAR(many.step.all(), cost_of({1, 16}).all(), 1e-6);
}

TEST(ScalingModel, WeakScalingKeepsARanksLoad) {
  const ScalingModel model(workload(), {64, kNone, kNone}, {layout()});
  const Prediction four = model.predict(4, 1, /*weak=*/true);
  EXPECT_EQ(four.batch, 2048U);
  EXPECT_EQ(four.shards, 32U);
  EXPECT_NEAR(four.step.all(), cost_of({8, 512}).all(), 1e-6);
  EXPECT_NEAR(four.epoch, 2.5 * cost_of({8, 512}).all(), 1e-5);
  const Prediction forty =
      model.predict(40, 1, /*weak=*/true);  // a batch of four times as many samples as there are
  EXPECT_NEAR(forty.step.all(), cost_of({8, 512}).all(), 1e-6);
  EXPECT_NEAR(forty.epoch, 0.25 * cost_of({8, 512}).all(), 1e-6);
}

// 4 MB over 4 ranks: 2 * 3/4 * 4e6 bytes, and 2 log2(4) messages; and log2(4) of few numbers.
TEST(ScalingModel, ASumOnOneHostIsWaitedForInFull) {
  const ScalingModel model(workload(), {8, kNone, {"memory", 1e-6, 1e-9, 0.0}}, {layout()});
  const Prediction four = model.predict(4, 1);
  EXPECT_EQ(four.hosts, 1);
  EXPECT_NEAR(four.exposed(), 4e-6 + 2e-6 + 6e-3, 1e-9);
  EXPECT_EQ(four.hidden, 0.0);
}

TEST(ScalingModel, BucketsWithoutOverlapHaveALatencyEach) {
  Workload small = workload();  // 4 MB
  small.sums.overlap_across_hosts = false;
  small.sums.bucket_bytes_at_the_end = 1'500'000;
  const Network link{"link", 1e-5, 1e-9, 0.0};
  const Prediction four = ScalingModel(small, {1, link, kNone}, {layout()}).predict(4, 1);
  EXPECT_EQ(four.hosts, 4);
  EXPECT_NEAR(four.exposed(), 3 * 4e-5 + 2e-5 + 6e-3, 1e-9);  // three buckets of four messages; few numbers
}

TEST(ScalingModel, ASumAcrossHostsHidesBehindBackward) {
  Workload small = workload();
  const double backward = cost_of({4, 256}).backward;  // of 2 ranks: 5.5 ms
  const double per_byte = 0.5 * backward / 4e6;        // half as long as backward
  const Network network{"slow", 0.0, per_byte, 0.0};
  const Prediction hidden = ScalingModel(small, {1, network, kNone}, {layout()}).predict(2, 1);
  EXPECT_EQ(hidden.hosts, 2);
  EXPECT_GT(hidden.hidden, 0.7);
  EXPECT_GT(hidden.exposed(), 0.0);  // the last bucket is ready when backward is over
  EXPECT_LT(hidden.exposed(), 0.3 * 0.5 * backward);
  small.sums.overlap_across_hosts = false;
  const Prediction waited = ScalingModel(small, {1, network, kNone}, {layout()}).predict(2, 1);
  EXPECT_NEAR(waited.exposed(), 0.5 * backward, 1e-6);
  EXPECT_EQ(waited.hidden, 0.0);
}

// Four buckets over a network that takes twice as long as backward, which is idle until the first one is
// there. The few weights of a convolution have nearly all of the work.
TEST(ScalingModel, ASumLeavesWhenTheWorkOfItsTensorsIsDone) {
  const double backward = cost_of({4, 256}).backward;
  const Network network{"slow", 0.0, 2.0 * backward / 4e6, 0.0};
  const auto exposed = [&](std::vector<TensorLoad> tensors) {
    Workload of = workload();
    of.sums.tensors = std::move(tensors);
    return ScalingModel(of, {1, network, kNone}, {layout()}).predict(2, 1).exposed() / backward;
  };
  EXPECT_NEAR(exposed({{500'000, 500'000, 0, true}, {500'000, 500'000, 0, true}}), 1.0 + 0x1p20 / 4e6, 0.01);
  EXPECT_NEAR(exposed({{1000, 99'000'000, 0, true}, {999'000, 1'000'000, 0, true}}), 1.0, 0.01);
  EXPECT_NEAR(exposed({{999'000, 1'000'000, 0, true}, {1000, 99'000'000, 0, true}}), 2.0, 0.01);
}

// 2 ranks move as many bytes as there are: three buckets while backward goes on, the last one behind it.
TEST(ScalingModel, BytesThatMoveMayDelayBackward) {
  const Network free{"free", 0.0, 1e-12, 0.0}, busy{"busy", 0.0, 1e-12, 1e-9};
  const Prediction undelayed = ScalingModel(workload(), {1, free, kNone}, {layout()}).predict(2, 1);
  const Prediction delayed = ScalingModel(workload(), {1, busy, kNone}, {layout()}).predict(2, 1);
  EXPECT_LT(undelayed.exposed(), 1e-5);
  EXPECT_NEAR(delayed.exposed(), 3 * 0x1p20 * 1e-9, 1e-6);
}

TEST(ScalingModel, HalfTheBytesTakeHalfTheTime) {
  Workload narrow = workload();
  narrow.sums.bytes_per_number = 2.0;
  const Cluster cluster{8, kNone, {"memory", 0.0, 1e-9, 0.0}};
  EXPECT_NEAR(ScalingModel(narrow, cluster, {layout()}).predict(4, 1).exposed(),
              0.5 * ScalingModel(workload(), cluster, {layout()}).predict(4, 1).exposed(), 1e-12);
}

TEST(ScalingModel, TheBestLayoutIsTheShortestEpochs) {
  const Cluster cluster{4, kNone, kNone};
  const ScalingModel slow_threads(workload(), cluster, {layout(1, 1), layout(1, 2, 0.7)});
  EXPECT_EQ(slow_threads.best_on(4).threads, 1);
  const ScalingModel fast_threads(workload(), cluster, {layout(1, 1), layout(1, 2, 0.3)});
  EXPECT_EQ(fast_threads.best_on(4).threads, 2);
  EXPECT_EQ(fast_threads.best_on(4).ranks, 2);
  EXPECT_EQ(fast_threads.threads(), (std::vector<int>{1, 2}));
}

TEST(ScalingModel, ACrowdedHostHasItsOwnCosts) {
  const ScalingModel model(workload(), {4, kNone, kNone}, {layout(1), layout(4, 1, 1.5)});
  EXPECT_NEAR(model.predict(1, 1).step.all(), cost_of({8, 512}).all(), 1e-6);
  EXPECT_NEAR(model.predict(4, 1).step.all(), 1.5 * cost_of({2, 128}).all(), 1e-6);
}

// A million numbers are 245 chunks: 62 for the rank with the most of 4.
TEST(ScalingModel, ADividedUpdateIsThatOfTheLargestPart) {
  Workload divided = workload();
  divided.sums.update = reduce::Update::kDivided;
  const ScalingModel model(divided, {8, kNone, kNone}, {layout()});
  EXPECT_NEAR(model.predict(1, 1).step.update, 4e-4, 1e-9);
  EXPECT_NEAR(model.predict(4, 1).step.update, 4e-4 * 62 * 4096 / 1e6, 1e-9);
  EXPECT_NEAR(model.predict(4, 1).step.rest, 1e-4, 1e-9) << "what is not of the arena every rank repeats";
}

// 4 MB over 4 hosts and back, under passes of 1.4 and 2.8 ms: what is waited for is part of the step.
TEST(ScalingModel, ADividedStepWaitsForItsParametersToo) {
  Workload divided = workload();
  divided.sums.update = reduce::Update::kDivided;
  const Network link{"link", 1e-5, 1e-9, 0.0};
  const Prediction four = ScalingModel(divided, {1, link, kNone}, {layout()}).predict(4, 1);
  EXPECT_GT(four.gather, 1e-3);
  EXPECT_NEAR(four.exposed(), four.sum + four.gather, 1e-12);
  EXPECT_NEAR(four.epoch, 10.0 * (four.step.all() + four.exposed()), 1e-9);
  EXPECT_GT(four.hidden, 0.2);
  EXPECT_LT(four.hidden, 0.8);
}

TEST(ScalingModel, NamesWhatTimeIsLostTo) {
  const auto limit = [](const Workload& of, const Network& link, double rest = 0.0) {
    LayoutCost cost = layout();
    for (MeasuredStep& step : cost.steps) step.seconds.rest += rest;
    const ScalingModel model(of, {1, link, kNone}, {cost});
    return ScalingModel::limit(model.predict(1, 1), model.predict(8, 1));
  };
  const Network slow{"slow", 0.0, 1e-6, 0.0};
  Workload divided = workload();
  divided.sums.update = reduce::Update::kDivided;
  EXPECT_EQ(limit(workload(), slow), "the gradients' sum");
  EXPECT_EQ(limit(workload(), kNone), "the update, on every rank");
  EXPECT_EQ(limit(workload(), kNone, 1e-2), "what every rank repeats");
  EXPECT_EQ(limit(divided, kNone, 1e-2), "what every rank repeats");
  divided.sums.bytes_per_number = 1e-3;
  EXPECT_EQ(limit(divided, slow), "gathering the parameters");
}

TEST(Network, IsAPresetOrARateAndALatency) {
  EXPECT_NEAR(network_of("10gbit").seconds_per_byte, 8e-9 / 9.4, 1e-15);
  const Network network = network_of("40:1.5");
  EXPECT_NEAR(network.seconds_per_byte, 0.2e-9, 1e-15);
  EXPECT_NEAR(network.latency, 1.5e-6, 1e-15);
  for (const char* bad : {"", "40", "40:", ":1", "fast", "-1:2", "40:1us", "0:1", "inf:1", "1:inf"})
    test::expect_line_with(test::message_of<ConfigError>([&] { network_of(bad); }),
                           {"25gbit", "GBIT:MICROSECONDS"});
}

}  // namespace
}  // namespace lockstep::scaling
