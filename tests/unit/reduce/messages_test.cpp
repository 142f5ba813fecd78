// What ranks send each other of a divided arena. "Ranks" are here numbers in one process.
#include "reduce/messages.h"

#include <gtest/gtest.h>

#include <numeric>

#include "arenas.h"

namespace lockstep::reduce {
namespace {

constexpr std::size_t kWidth = 2;  // bytes of a sum's number: other than a parameter's

// Of those that exchange, in the order of their ranks, what each sends and receives; and of all ranks, which
// of these speaks for it.
struct Exchange {
  std::vector<Messages> messages;
  std::vector<std::size_t> member_of_rank;
};

Exchange exchange_of(const Division& division, const std::vector<int>& speakers) {
  Exchange exchange;
  for (int rank = 0; rank < static_cast<int>(speakers.size()); ++rank)
    if (speakers[static_cast<std::size_t>(rank)] == rank)
      exchange.messages.push_back(plan_messages(division, speakers, rank, kWidth));
  for (const int speaker : speakers) {
    std::size_t member = 0;
    for (int rank = 0; rank < speaker; ++rank) member += speakers[static_cast<std::size_t>(rank)] == rank;
    exchange.member_of_rank.push_back(member);
  }
  return exchange;
}

// body(division, exchange), every rank for itself, and one of each host for all of it.
template <typename Body>
void for_every_exchange(Body&& body) {
  for_every_layout([&](const auto& tensors, const auto& hosts, std::size_t bucket) {
    const Division division(tensors, hosts, 0, bucket);
    std::vector<int> each(hosts.size());
    std::iota(each.begin(), each.end(), 0);
    for (const std::vector<int>& speakers : {each, hosts}) body(division, exchange_of(division, speakers));
  });
}

int bytes(std::size_t elements, std::size_t width) { return static_cast<int>(elements * width); }

TEST(Messages, WhatOneSendsTheOtherReceives) {
  for_every_exchange([](const Division& division, const Exchange& exchange) {
    for (std::size_t b = 0; b < division.buckets().size(); ++b)
      for (std::size_t from = 0; from < exchange.messages.size(); ++from)
        for (std::size_t to = 0; to < exchange.messages.size(); ++to) {
          const Message& sender = exchange.messages[from].of_bucket[b];
          const Message& receiver = exchange.messages[to].of_bucket[b];
          ASSERT_EQ(sender.out.sizes[to], receiver.in.sizes[from]);
          ASSERT_EQ(sender.out.sizes[to], from == to ? 0 : bytes(receiver.own_size, kWidth));
          ASSERT_EQ(sender.out.places[to], bytes(receiver.own_begin - division.buckets()[b].begin(), kWidth));
        }
  });
}

TEST(Messages, AreReceivedOneAfterTheOther) {
  for_every_exchange([](const Division& division, const Exchange& exchange) {
    for (std::size_t me = 0; me < exchange.messages.size(); ++me) {
      std::size_t before = 0;
      for (std::size_t b = 0; b < division.buckets().size(); ++b) {
        const Message& message = exchange.messages[me].of_bucket[b];
        ASSERT_EQ(message.received, before);
        std::size_t place = 0;
        for (std::size_t other = 0; other < exchange.messages.size(); ++other) {
          if (other == me) continue;
          ASSERT_EQ(message.in.places[other], bytes(place, kWidth));
          place += message.own_size;
        }
        before += place;
      }
      ASSERT_EQ(exchange.messages[me].received, before);
    }
  });
}

TEST(Messages, EachReadsThePartsOfThoseItSpeaksForAndHasTheirParameters) {
  for_every_exchange([](const Division& division, const Exchange& exchange) {
    for (std::size_t b = 0; b < division.buckets().size(); ++b) {
      const Division::Bucket& bucket = division.buckets()[b];
      std::vector<std::size_t> sizes(exchange.messages.size());
      for (std::size_t rank = 0; rank < exchange.member_of_rank.size(); ++rank) {
        const std::size_t part = division.part_of(static_cast<int>(rank)),
                          member = exchange.member_of_rank[rank];
        const Message& message = exchange.messages[member].of_bucket[b];
        ASSERT_GE(bucket.cuts[part], message.own_begin);
        ASSERT_LE(bucket.cuts[part + 1], message.own_begin + message.own_size);
        sizes[member] += bucket.cuts[part + 1] - bucket.cuts[part];
      }
      for (std::size_t member = 0; member < sizes.size(); ++member) {
        const Message& message = exchange.messages[member].of_bucket[b];
        ASSERT_EQ(message.own_size, sizes[member]);
        for (const Messages& of_any : exchange.messages) {
          const comm::Parts& parameters = of_any.of_bucket[b].parameters;
          ASSERT_EQ(parameters.sizes[member], bytes(message.own_size, sizeof(float)));
          ASSERT_EQ(parameters.places[member], bytes(message.own_begin - bucket.begin(), sizeof(float)));
        }
      }
    }
  });
}

}  // namespace
}  // namespace lockstep::reduce
