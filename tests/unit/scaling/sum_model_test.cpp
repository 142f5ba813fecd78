// What messages cost, against numbers worked out by hand.
#include "scaling/sum_model.h"

#include <gtest/gtest.h>

namespace lockstep::scaling {
namespace {

constexpr double kBackward = 10e-3;

// A microsecond and a nanosecond per byte of memory, ten of each of a link.
Cluster cluster() { return {8, {"link", 1e-5, 1e-8, 0.0}, {"memory", 1e-6, 1e-9, 0.0}}; }

// 4 MB, without overlap in one bucket.
Sums sums() {
  Sums of;
  of.tensors = {{900'000, 900'000}, {100'000, 100'000}};
  of.few_numbers = 0;
  of.overlap_across_hosts = false;
  of.bucket_bytes_at_the_end = 4'000'000;
  return of;
}

double exposed(const Sums& of, int ranks, int hosts) {
  return sum_seconds(of, cluster(), ranks, hosts, kBackward).exposed;
}

TEST(SumModel, RanksOfAHostShareItsLinkAndItsMemory) {
  EXPECT_EQ(exposed(sums(), 1, 1), 0.0);
  EXPECT_NEAR(exposed(sums(), 4, 1), 4e-6 + 1.5 * 4e6 * 1e-9, 1e-12);
  EXPECT_NEAR(exposed(sums(), 4, 4), 4e-5 + 1.5 * 4e6 * 1e-8, 1e-12);
  // 2 hosts of 4: through a link go as many bytes as there are, to and fro.
  EXPECT_NEAR(exposed(sums(), 8, 2), 2e-5 + 4e6 * 1e-8 + 4e-6 + 1.5 * 4e6 * 1e-9, 1e-12);
  EXPECT_LT(exposed(sums(), 8, 2), exposed(sums(), 8, 8));
}

TEST(SumModel, CountersTravelWithTheGradientsAndFewNumbersByThemselves) {
  Sums more = sums();
  more.counters = 500'000;  // 2 MB, in a bucket more
  EXPECT_NEAR(exposed(more, 4, 4), 2 * 4e-5 + 1.5 * 6e6 * 1e-8, 1e-12);
  Sums few = sums();
  few.few_numbers = 2;
  EXPECT_NEAR(exposed(few, 4, 4) - exposed(sums(), 4, 4), 2 * 2e-5, 1e-12);
  // Under way they cost only where nothing else is waited for.
  few.overlap_across_hosts = true;
  few.tensors = {{1, 1'000'000}, {9, 1}};
  const double alone = exposed(few, 4, 4);
  EXPECT_NEAR(alone, 4e-5, 2e-5);
  few.few_numbers = 20;
  EXPECT_NEAR(exposed(few, 4, 4), 20 * 2e-5, 1e-12);
}

TEST(SumModel, ADividedUpdateGathersWhatTheSumNeedNot) {
  Sums divided = sums();
  divided.divided_update = true;
  EXPECT_NEAR(exposed(divided, 4, 4), exposed(sums(), 4, 4), 1e-12) << "nothing is hidden: halves add up";
  divided.bytes_per_number = 2.0;
  EXPECT_NEAR(exposed(divided, 4, 4), 4e-5 + 0.75 * (2e6 + 4e6) * 1e-8, 1e-12)
      << "parameters are not narrowed";
  Sums under_way = sums();
  under_way.overlap_across_hosts = true;
  Sums both = under_way;
  both.divided_update = true;
  const double longer = 10.0;  // backward hides the sum but its last bucket
  const auto cost = [&](const Sums& of) { return sum_seconds(of, cluster(), 4, 4, longer).exposed; };
  EXPECT_NEAR(cost(both) - 0.5 * cost(under_way), 0.75 * 4e6 * 1e-8, 1e-4)
      << "of the gather nothing is hidden";
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
