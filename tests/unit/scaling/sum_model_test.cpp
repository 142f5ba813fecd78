// What messages cost, against numbers worked out by hand.
#include "scaling/sum_model.h"

#include <gtest/gtest.h>

namespace lockstep::scaling {
namespace {

constexpr double kPass = 10e-3;    // seconds of forward, and of backward
constexpr double kAdding = 3e-11;  // seconds a byte

// A microsecond and a nanosecond per byte of memory, ten of each of a link.
Cluster cluster() { return {8, {"link", 1e-5, 1e-8, 0.0}, {"memory", 1e-6, 1e-9, 0.0}}; }

// 4 MiB, 256 chunks, without overlap in one bucket.
constexpr double kBytes = 0x1p22;
Sums sums() {
  Sums of;
  of.tensors = {{786'432, 3, 3, true}, {262'144, 1, 1, true}};
  of.few_bytes = 0;
  of.overlap_across_hosts = false;
  of.bucket_bytes_at_the_end = 1U << 22;
  return of;
}

Sums divided() {
  Sums of = sums();
  of.update = reduce::Update::kDivided;
  return of;
}

Sums under_way(Sums of) {
  of.overlap_across_hosts = true;
  return of;
}

SumSeconds cost(const Sums& of, int ranks, int hosts, double pass = kPass) {
  return sum_seconds(of, cluster(), ranks, hosts, pass, pass);
}
double exposed(const Sums& of, int ranks, int hosts) { return cost(of, ranks, hosts).exposed(); }

TEST(SumModel, RanksOfAHostShareItsLinkAndItsMemory) {
  EXPECT_EQ(exposed(sums(), 1, 1), 0.0);
  EXPECT_NEAR(exposed(sums(), 4, 1), 4e-6 + 2e-6 + 1.5 * kBytes * 1e-9, 1e-12);
  EXPECT_NEAR(exposed(sums(), 4, 4), 4e-5 + 2e-5 + 1.5 * kBytes * 1e-8, 1e-12);
  // 2 hosts of 4: through a link go as many bytes as there are, to and fro.
  EXPECT_NEAR(exposed(sums(), 8, 2), 3e-5 + kBytes * 1e-8 + 6e-6 + 1.5 * kBytes * 1e-9, 1e-12);
  EXPECT_LT(exposed(sums(), 8, 2), exposed(sums(), 8, 8));
}

TEST(SumModel, FewNumbersTravelByThemselves) {
  Sums few = sums();
  few.few_bytes = 1000;
  EXPECT_NEAR(exposed(few, 4, 4) - exposed(sums(), 4, 4), 2 * 1000 * 1e-8, 1e-12);
  EXPECT_NEAR(few_numbers_seconds(cluster(), 8, 2, 1000), 1e-5 + 1e-5 + 2 * (1e-6 + 1e-6), 1e-12);
  // Under way they cost only where nothing else is waited for.
  few = under_way(few);
  few.tensors = {{1, 1'000'000, 1, true}, {9, 1, 1, true}};
  const double alone = exposed(few, 4, 4);
  EXPECT_NEAR(alone, 4e-5, 2e-5);
  few.few_bytes = 100'000;
  EXPECT_NEAR(exposed(few, 4, 4), 2 * (1e-5 + 1e-3), 1e-12);
}

TEST(SumModel, AnExchangeAndAGatherTakeEachHalfOfASumsBytes) {
  // A message beyond 64 KiB asks first.
  const SumSeconds four = cost(divided(), 4, 4);
  EXPECT_NEAR(four.sum, 2e-5 + 3e-5 + 0.75 * kBytes * (1e-8 + kAdding), 1e-12);
  EXPECT_NEAR(four.gather, 3e-5 + 0.75 * kBytes * 1e-8, 1e-12);
  EXPECT_NEAR(four.whole, four.exposed(), 1e-12) << "nothing is hidden";
  const SumSeconds many = cost(divided(), 64, 64);
  EXPECT_NEAR(many.gather, 1e-5 + 63.0 / 64 * kBytes * 1e-8, 1e-12);
  Sums narrow = divided();
  narrow.bytes_per_number = 2.0;
  EXPECT_NEAR(cost(narrow, 4, 4).sum - 5e-5, 0.5 * (four.sum - 5e-5), 1e-12);
  EXPECT_EQ(cost(narrow, 4, 4).gather, four.gather) << "parameters are not narrowed";
}

TEST(SumModel, OneHostReadsWhatIsInItsMemory) {
  const SumSeconds four = cost(divided(), 4, 1);
  EXPECT_NEAR(four.sum, 2e-6 + 2e-6 + 0.75 * kBytes * 1e-9, 1e-12);
  EXPECT_NEAR(four.gather, 2e-6 + 0.75 * kBytes * 1e-9, 1e-12);
  Sums messages = divided();
  messages.in_memory = false;
  EXPECT_NEAR(cost(messages, 4, 1).sum, 2e-6 + 3e-6 + 0.75 * kBytes * (1e-9 + kAdding), 1e-12);
}

TEST(SumModel, HostsOfSeveralRanksSpeakByOneOfThem) {
  const double barriers = 4e-6;  // 2 of 2 messages
  const SumSeconds two = cost(divided(), 8, 2);
  EXPECT_NEAR(two.gather, 3e-5 + barriers + 0.5 * kBytes * 1e-8 + 0.75 * kBytes * 1e-9, 1e-12);
  EXPECT_NEAR(two.sum, two.gather + 1e-5 + 2e-6 + 0.5 * kBytes * kAdding, 1e-12);
  Sums one = divided();
  one.two_levels = false;  // four ranks send half of everything each
  EXPECT_NEAR(cost(one, 8, 2).gather, 3e-5 + 4 * 0.5 * kBytes * 1e-8 + 3.0 / 8 * kBytes * 1e-9, 1e-12);
  // With overlap between hosts meanwhile, here slower than forward, of which a quarter is left then.
  EXPECT_NEAR(cost(under_way(divided()), 8, 2).gather,
              3e-5 + barriers + 0.5 * kBytes * 1e-8 - 0.75 * kPass + 0.75 * kBytes * 1e-9, 1e-12);
  EXPECT_LT(cost(under_way(one), 8, 2).gather, cost(one, 8, 2).gather);
}

// Of ten chunks among eight ranks two have two, and the link of one of these carries them seven times.
TEST(SumModel, TheLargestPartDecides) {
  Sums ten = divided();
  ten.tensors = {{10 * 4096, 1, 1, true}};
  EXPECT_EQ(largest_part(ten, 8, 8), 0.2);
  EXPECT_NEAR(cost(ten, 8, 8).gather, 1e-5 + 7 * 2 * 16384 * 1e-8, 1e-12);
  EXPECT_EQ(largest_part(ten, 64, 64), 0.1) << "no part is smaller than a chunk";
  EXPECT_EQ(largest_part(ten, 1, 1), 1.0);
  ten.update = reduce::Update::kEverywhere;
  EXPECT_EQ(largest_part(ten, 8, 8), 1.0);
}

// 256 chunks.
TEST(SumModel, ByItselfAnArenaIsDividedWhereEachOfThoseThatExchangeHasTwoChunks) {
  Sums by_itself = sums();
  by_itself.update = reduce::Update::kAuto;
  EXPECT_EQ(exposed(by_itself, 128, 128), exposed(divided(), 128, 128));
  EXPECT_EQ(exposed(by_itself, 129, 129), exposed(sums(), 129, 129));
  EXPECT_EQ(largest_part(by_itself, 129, 129), 1.0);
  EXPECT_EQ(exposed(by_itself, 512, 128), exposed(divided(), 512, 128)) << "one of each host exchanges";
  EXPECT_EQ(exposed(by_itself, 200, 1), exposed(divided(), 200, 1)) << "in memory";
}

TEST(SumModel, ABucketHasAChunkForEachRank) {
  Sums small = divided();
  small.bucket_bytes = small.bucket_bytes_at_the_end = 1U << 18;  // 16 chunks
  EXPECT_EQ(largest_part(small, 16, 16), 1.0 / 16);
  EXPECT_EQ(largest_part(small, 64, 64), 1.0 / 64) << "four buckets of 64";
  EXPECT_NEAR(cost(small, 64, 64).sum - cost(divided(), 64, 64).sum, 3 * 1e-5, 1e-12);
  small.bucket_bytes_given = true;
  EXPECT_EQ(largest_part(small, 64, 64), 16.0 / 256)
      << "16 buckets, of each of which most ranks have nothing";
}

// Four buckets of 1 MiB over a link that needs 7.9 ms for each; both passes take 10 ms.
TEST(SumModel, ParametersComeWhileForwardGoesOn) {
  const double bucket = 0.75 * 0x1p20 * 1e-8, message = 3e-5;
  const Sums four = under_way(divided());
  // The network is the slower one: behind the last bucket a quarter of forward is left.
  EXPECT_NEAR(cost(four, 4, 4).gather, 4 * bucket + message + kPass / 4 - kPass, 1e-12);
  EXPECT_NEAR(cost(four, 4, 4).sum, kPass / 4 + 4 * bucket - kPass + 0.75 * 0x1p20 * kAdding, 1e-9)
      << "the mirror of a sum under backward, whose last bucket is added up";
  // Forward is: it waits for the first bucket.
  EXPECT_NEAR(cost(four, 4, 4, 1.0).gather, bucket + message, 1e-12);
  EXPECT_EQ(cost(four, 4, 4, 0.0).gather, 4 * bucket + message);
  Sums whole = four;
  for (TensorLoad& tensor : whole.tensors) tensor.in_slices = false;
  EXPECT_NEAR(cost(whole, 4, 4, 1.0).gather, 3 * bucket + message, 1e-12)
      << "the first tensor is three buckets";
  Sums late = four;
  late.tensors[1].forward = 1'000'000;
  EXPECT_NEAR(cost(late, 4, 4, 1.0).gather, 4 * bucket + message, 1e-4) << "the last bucket has all the work";
}

TEST(SumModel, BytesThatComeMayDelayForward) {
  Cluster busy = cluster();
  busy.between_hosts = {"busy", 0.0, 1e-12, 1e-9};
  const SumSeconds four = sum_seconds(under_way(divided()), busy, 4, 4, kPass, kPass);
  EXPECT_NEAR(four.gather, 0.75 * kBytes * 1e-9, 1e-6);
}

TEST(SumModel, WhatRanksFindInTheirPartsIsAddedUpAfterwards) {
  Sums norms = divided();
  norms.part_sums = {8, 1000};
  EXPECT_NEAR(cost(norms, 4, 4).sum - cost(divided(), 4, 4).sum, 4e-5 + 2 * 1008 * 1e-8, 1e-12);
  norms.update = reduce::Update::kEverywhere;
  EXPECT_EQ(exposed(norms, 4, 4), exposed(sums(), 4, 4)) << "who has everything needs no such sums";
}

TEST(SumModel, MoreTimeToHideInNeverCostsMore) {
  for (const Sums& of : {under_way(sums()), under_way(divided())}) {
    double before = exposed(of, 16, 16) + 1.0;
    for (const double pass : {0.0, 1e-3, 1e-2, 1e-1, 1.0}) {
      const double now = cost(of, 16, 16, pass).exposed();
      EXPECT_LE(now, before + 1e-12);
      before = now;
    }
  }
  for (const int ranks : {2, 4, 16, 64, 256}) {
    EXPECT_LE(exposed(under_way(divided()), ranks, ranks), exposed(divided(), ranks, ranks)) << ranks;
    EXPECT_GE(exposed(divided(), 2 * ranks, 2 * ranks), 0.99 * exposed(divided(), ranks, ranks)) << ranks;
  }
}

TEST(SumModel, ANetworkIsWhatMakesItsMeasurements) {
  const double bytes = 4e6, buckets = 16;
  for (const auto& [ranks, hosts] : {std::pair{2, 1}, {5, 1}, {2, 2}, {8, 2}, {12, 4}}) {
    const Path path = path_of_sum(cluster(), ranks, hosts);
    const Network found =
        network_from(ranks, hosts, cluster().within_host, path.few_numbers(),
                     buckets * path.latency + bytes * path.seconds_per_byte, bytes, buckets);
    const Network expected = hosts == 1 ? cluster().within_host : cluster().between_hosts;
    EXPECT_NEAR(found.latency, expected.latency, 1e-15) << ranks << " on " << hosts;
    EXPECT_NEAR(found.seconds_per_byte, expected.seconds_per_byte, 1e-18) << ranks << " on " << hosts;
  }
  const Network fast = network_from(8, 2, cluster().within_host, 0.0, 0.0, bytes, buckets);
  EXPECT_EQ(fast.latency, 0.0);
  EXPECT_EQ(fast.seconds_per_byte, 0.0);
}

}  // namespace
}  // namespace lockstep::scaling
