// The division of an arena among ranks. "Ranks" are here numbers in one process.
#include "reduce/division.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "arenas.h"
#include "support.h"

namespace lockstep::reduce {
namespace {

TEST(Division, EveryChunkIsOfOneTensorAndOneRank) {
  for_every_layout([](const auto& tensors, const auto& hosts, std::size_t bucket) {
    std::vector<int> owners;
    for (std::size_t rank = 0; rank < hosts.size(); ++rank) {
      const Division division(tensors, hosts, static_cast<int>(rank), bucket);
      EXPECT_TRUE(division.is_divided());
      owners.resize(division.all().size());
      std::size_t place = 0;
      for (const Division::OwnChunk& chunk : division.own()) {
        ++owners[chunk.number];
        EXPECT_EQ(chunk.place, place);
        place += chunk.size;
        const Division::Chunk& same = division.all()[chunk.number];
        EXPECT_EQ(chunk.begin, same.begin);
        EXPECT_EQ(chunk.size, same.size);
        const nn::Tensor& tensor = tensors[chunk.tensor];
        EXPECT_LE(tensor.offset, chunk.begin);
        EXPECT_LE(chunk.begin + chunk.size, tensor.offset + tensor.size);
        EXPECT_EQ((chunk.begin - tensor.offset) % Division::kChunk, 0U);
        EXPECT_LE(chunk.size, Division::kChunk);
      }
      EXPECT_EQ(division.own_size(), place);
      EXPECT_EQ(division.size_of(static_cast<int>(rank)), place);
    }
    EXPECT_TRUE(std::ranges::all_of(owners, [](int count) { return count == 1; }));
  });
}

TEST(Division, BucketsFollowOneAnotherFromTheArenasEndAndKeepAHostsPartsTogether) {
  for_every_layout([](const auto& tensors, const auto& hosts, std::size_t bucket) {
    const Division division(tensors, hosts, 0, bucket);
    std::size_t end = division.parameters();
    for (const Division::Bucket& b : division.buckets()) {
      EXPECT_EQ(b.end(), end);
      EXPECT_TRUE(std::ranges::is_sorted(b.cuts));
      EXPECT_EQ(b.cuts.size(), hosts.size() + 1);
      end = b.begin();
      if (end > 0) {
        EXPECT_GE(b.end() - b.begin(), bucket);
      }
    }
    EXPECT_EQ(end, 0U);
    std::vector<int> host_of_part(hosts.size());
    for (std::size_t rank = 0; rank < hosts.size(); ++rank)
      host_of_part[division.part_of(static_cast<int>(rank))] = hosts[rank];
    EXPECT_TRUE(std::ranges::is_sorted(host_of_part));
  });
}

// No part is larger than its share by more than a chunk.
TEST(Division, IsEvenToAChunk) {
  for_every_layout([](const auto& tensors, const auto& hosts, std::size_t bucket) {
    const Division division(tensors, hosts, 0, bucket);
    for (const Division::Bucket& b : division.buckets())
      for (std::size_t part = 0; part < hosts.size(); ++part)
        EXPECT_LE(b.cuts[part + 1] - b.cuts[part],
                  (b.end() - b.begin()) / hosts.size() + 1 + Division::kChunk);
  });
}

TEST(Division, PutsEveryRanksPartInItsPlace) {
  for_every_layout([](const auto& tensors, const auto& hosts, std::size_t bucket) {
    const std::size_t parameters = Division(tensors).parameters();
    const std::vector<float> arena = test::random_floats(parameters, 3);
    std::vector<float> whole(parameters);
    for (std::size_t rank = 0; rank < hosts.size(); ++rank) {
      const Division division(tensors, hosts, static_cast<int>(rank), bucket);
      const std::vector<float> own = division.own_of(arena);
      EXPECT_EQ(own.size(), division.own_size());
      // Any rank may do it.
      Division(tensors, hosts, 0, bucket).place(static_cast<int>(rank), own, whole);
    }
    EXPECT_TRUE(test::same_bits(whole, arena));
  });
}

TEST(Division, OfNobodyGivesEveryRankEverything) {
  for (const auto& tensors : kArenas) {
    const Division division(tensors);
    EXPECT_FALSE(division.is_divided());
    EXPECT_EQ(division.own().size(), division.all().size());
    EXPECT_EQ(division.own_size(), division.parameters());
    const std::vector<float> arena = test::random_floats(division.parameters(), 3);
    EXPECT_EQ(division.own_of(arena), arena);
  }
}

}  // namespace
}  // namespace lockstep::reduce
