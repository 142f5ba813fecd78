#include "scaling/sum_model.h"

#include <algorithm>
#include <cmath>
#include <iterator>
#include <numeric>

#include "reduce/division.h"
#include "reduce/ways.h"

namespace lockstep::scaling {
namespace {

double in_double(std::size_t n) { return static_cast<double>(n); }

// Of a sum's bytes, what each of n moves; one way, what each of n sends to the others.
double share(double n) { return 2.0 * (n - 1.0) / n; }
double one_way(double n) { return (n - 1.0) / n; }

double rounds(double n) { return std::ceil(std::log2(n)); }

double ranks_a_host(int ranks, int hosts) { return std::ceil(static_cast<double>(ranks) / hosts); }

// Elements of the largest part, where chunks of `numbers` are divided among so many.
double largest_part_of(double numbers, double members) {
  constexpr double kChunk = reduce::Division::kChunk;
  return std::min(numbers, kChunk * std::ceil(std::ceil(numbers / kChunk) / members));
}

// Whether an exchange takes the memory of a host that all ranks share.
bool all_in_memory(const Sums& sums, int hosts) {
  return hosts == 1 && sums.in_memory && !sums.overlap_on_one_host;
}

// Whether ranks of several hosts are one in an exchange between these.
bool two_levels(const Sums& sums, int ranks, int hosts) {
  return hosts > 1 && hosts < ranks && sums.two_levels;
}

// Those that exchange.
int members(const Sums& sums, int ranks, int hosts) { return two_levels(sums, ranks, hosts) ? hosts : ranks; }

// The arena's elements from `begin` on, so many; moved: as many as it would take to cost the same if they
// were spread evenly.
struct Bucket {
  double begin, numbers, moved;
};

// From the arena's end.
std::vector<Bucket> buckets_of(const Sums& sums, int ranks, int hosts) {
  const bool overlapped = sums.overlap(hosts), divided = sums.divided(ranks, hosts);
  std::size_t bytes = overlapped ? sums.bucket_bytes : sums.bucket_bytes_at_the_end;
  if (divided) bytes = std::max(bytes, sums.bucket_bytes);  // as reduce::division_of
  double size = in_double(bytes) / sums.bytes_per_number;
  if (hosts == 1 && (divided ? all_in_memory(sums, hosts) : !overlapped)) {
    size = sums.parameters();
  } else if (divided && !sums.bucket_bytes_given) {
    size = std::max(size, static_cast<double>(ranks) * reduce::Division::kChunk);  // as reduce::division_of
  }
  std::vector<Bucket> buckets;
  const double among = members(sums, ranks, hosts);
  for (double end = sums.parameters(); end > 0.0;) {
    const double numbers = std::min(size, end);
    end -= numbers;
    buckets.push_back({end, numbers, divided ? among * largest_part_of(numbers, among) : numbers});
  }
  return buckets;
}

double moved(const std::vector<Bucket>& buckets) {
  return std::accumulate(buckets.begin(), buckets.end(), 0.0,
                         [](double sum, const Bucket& bucket) { return sum + bucket.moved; });
}

// The part of backward that it takes to come to element `begin`, from the arena's end.
double part_of_backward(const Sums& sums, double begin) {
  double done = 0.0, all = 0.0, end = sums.parameters();
  for (auto tensor = sums.tensors.rbegin(); tensor != sums.tensors.rend(); ++tensor) {
    const double size = in_double(tensor->elements), work = in_double(tensor->backward);
    done += work * std::clamp((end - begin) / size, 0.0, 1.0);
    all += work;
    end -= size;
  }
  return done / all;
}

// The part of forward that cannot begin before the elements from `begin` on are there.
double part_of_forward(const Sums& sums, double begin) {
  double left = 0.0, all = 0.0, end = 0.0;
  for (const TensorLoad& tensor : sums.tensors) {
    const double size = in_double(tensor.elements), work = in_double(tensor.forward);
    end += size;
    const double missing = std::clamp((end - begin) / size, 0.0, 1.0);
    left += work * (tensor.in_slices ? missing : std::ceil(missing));
    all += work;
  }
  return all > 0.0 ? left / all : 0.0;
}

// Of an exchange, or a gather, of messages of so many bytes.
Path path_of_exchange(const Sums& sums, const Cluster& cluster, int ranks, int hosts, double message) {
  constexpr double kEager = 64.0 * 1024;
  const double h = hosts, r = ranks_a_host(ranks, hosts), asking = message > kEager ? 3.0 : 1.0;
  const Network &link = cluster.between_hosts, &memory = cluster.within_host;
  if (all_in_memory(sums, hosts))
    return {one_way(r) * memory.seconds_per_byte, rounds(r), rounds(r) * memory.latency,
            one_way(r) * memory.stolen_per_byte};
  if (hosts == 1)
    return {one_way(r) * memory.seconds_per_byte, asking, asking * memory.latency,
            one_way(r) * memory.stolen_per_byte};
  if (ranks == hosts || two_levels(sums, ranks, hosts)) {
    const double barriers = 2.0 * rounds(r);
    return {one_way(h) * link.seconds_per_byte + one_way(r) * memory.seconds_per_byte, asking + barriers,
            asking * link.latency + barriers * memory.latency,
            one_way(h) * link.stolen_per_byte + one_way(r) * memory.stolen_per_byte};
  }
  const double in_memory = (r - 1.0) / ranks;
  return {r * one_way(h) * link.seconds_per_byte + in_memory * memory.seconds_per_byte, asking,
          asking * link.latency, one_way(h) * link.stolen_per_byte + in_memory * memory.stolen_per_byte};
}

// Bucket after bucket from the arena's end, when backward has done the work of their tensors. Buckets share
// the network; a message waits for a poll, every 100 microseconds while backward goes on, which loses some
// of its core to them. Each bucket that is there is added up, `adding` seconds a byte, when the sum of few
// numbers has followed backward.
double sum_under_way(const Sums& sums, const std::vector<Bucket>& buckets, const Path& path, double backward,
                     double few, double adding) {
  constexpr double kPoll = 100e-6;
  const double latency = path.messages > 0.0 ? path.latency / path.messages : 0.0;
  double network_free = 0.0, finish = 0.0, stolen = 0.0, all_added = 0.0, added = backward + few;
  for (const Bucket& bucket : buckets) {
    const double bytes = bucket.moved * sums.bytes_per_number;
    const double ready = backward * part_of_backward(sums, bucket.begin);
    const double begin = std::max(network_free, ready), seconds = bytes * path.seconds_per_byte;
    network_free = begin + seconds;
    const double meanwhile = seconds > 0.0 ? std::clamp((backward - begin) / seconds, 0.0, 1.0) : 0.0;
    stolen += meanwhile * bytes * path.stolen_per_byte;
    const double passed = std::min(path.messages, (backward - ready) / (latency + kPoll));
    finish = std::max(
        {finish, network_free, ready + passed * (latency + kPoll) + (path.messages - passed) * latency});
    added = std::max(added, finish) + adding * bytes;
    all_added += adding * bytes;
  }
  return std::max(stolen + few + all_added, added - backward);
}

// The mirror of a sum under way: buckets come from the arena's beginning, one behind the other, and forward
// goes on with what they bring. Who waits for one polls by itself.
double gather_under_way(const Sums& sums, const std::vector<Bucket>& buckets, const Path& path,
                        double forward) {
  double network_free = 0.0, finish = 0.0, stolen = 0.0;
  for (auto bucket = buckets.rbegin(); bucket != buckets.rend(); ++bucket) {
    const double bytes = bucket->moved * sizeof(float), seconds = bytes * path.seconds_per_byte;
    const double meanwhile = seconds > 0.0 ? std::clamp((forward - network_free) / seconds, 0.0, 1.0) : 0.0;
    stolen += meanwhile * bytes * path.stolen_per_byte;
    network_free += seconds;
    finish = std::max(finish, network_free + path.latency + forward * part_of_forward(sums, bucket->begin));
  }
  return std::max(stolen, finish - forward);
}

}  // namespace

bool Sums::divided(int ranks, int hosts) const {
  using reduce::Update;
  if (ranks == 1 || update == Update::kEverywhere) return false;
  return update == Update::kDivided || all_in_memory(*this, hosts) ||
         reduce::worth_dividing(static_cast<std::size_t>(parameters()),
                                static_cast<std::size_t>(members(*this, ranks, hosts)));
}

double Sums::parameters() const {
  double sum = 0.0;
  for (const TensorLoad& tensor : tensors) sum += in_double(tensor.elements);
  return sum;
}

Path path_of_sum(const Cluster& cluster, int ranks, int hosts) {
  const double h = hosts, r = ranks_a_host(ranks, hosts);
  const Network &link = cluster.between_hosts, &memory = cluster.within_host;
  return {share(h) * link.seconds_per_byte + share(r) * memory.seconds_per_byte,
          2.0 * (rounds(h) + rounds(r)), 2.0 * (rounds(h) * link.latency + rounds(r) * memory.latency),
          share(h) / r * link.stolen_per_byte + share(r) * memory.stolen_per_byte};
}

double few_numbers_seconds(const Cluster& cluster, int ranks, int hosts, double bytes) {
  const auto round = [bytes](const Network& of) { return of.latency + bytes * of.seconds_per_byte; };
  return rounds(hosts) * round(cluster.between_hosts) +
         rounds(ranks_a_host(ranks, hosts)) * round(cluster.within_host);
}

double largest_part(const Sums& sums, int ranks, int hosts) {
  if (!sums.divided(ranks, hosts)) return 1.0;
  double largest = 0.0;
  for (const Bucket& bucket : buckets_of(sums, ranks, hosts))
    largest += largest_part_of(bucket.numbers, ranks);
  return largest / sums.parameters();
}

SumSeconds sum_seconds(const Sums& sums, const Cluster& cluster, int ranks, int hosts, double forward,
                       double backward) {
  constexpr double kAdding = 3e-11;  // a byte that has come, by one core
  if (ranks == 1) return {};
  const bool divided = sums.divided(ranks, hosts);
  const double few = few_numbers_seconds(cluster, ranks, hosts, in_double(sums.few_bytes));
  const std::vector<Bucket> buckets = buckets_of(sums, ranks, hosts);
  const double among = members(sums, ranks, hosts), bytes = moved(buckets) * sums.bytes_per_number;
  const auto exchange = [&](double width) {
    return path_of_exchange(sums, cluster, ranks, hosts, width * buckets.front().moved / among);
  };
  const Path path = divided ? exchange(sums.bytes_per_number) : path_of_sum(cluster, ranks, hosts);
  const bool by_messages = !all_in_memory(sums, hosts) && !two_levels(sums, ranks, hosts);
  const bool meanwhile = sums.overlap(hosts) && by_messages;
  const bool added_meanwhile = meanwhile && sums.part_sums.empty();  // these need all of the sum
  const double adding = divided && !all_in_memory(sums, hosts) ? kAdding * one_way(among) : 0.0;  // a byte
  SumSeconds of;
  if (sums.overlap(hosts)) {
    of.sum = sum_under_way(sums, buckets, path, backward, few, added_meanwhile ? adding : 0.0);
    of.whole = std::max(of.sum, path.latency + bytes * path.seconds_per_byte);
  } else {
    of.sum = few + in_double(buckets.size()) * path.latency + bytes * path.seconds_per_byte;
    of.whole = of.sum;
  }
  if (!divided) return of;
  double after = added_meanwhile ? 0.0 : adding * bytes;
  for (const std::size_t few_bytes : sums.part_sums)
    after += few_numbers_seconds(cluster, ranks, hosts, in_double(few_bytes));
  of.sum += after;
  const Path back = exchange(sizeof(float));
  const double all_of_gather = back.latency + moved(buckets) * sizeof(float) * back.seconds_per_byte;
  if (meanwhile) {
    of.gather = gather_under_way(sums, buckets, back, forward);
  } else if (sums.overlap(hosts) && two_levels(sums, ranks, hosts)) {
    // Between hosts meanwhile; each rank copies what the others of its host and of other hosts have updated.
    Path link = back;
    const double copying = one_way(ranks_a_host(ranks, hosts)) * cluster.within_host.seconds_per_byte;
    link.seconds_per_byte -= copying;
    of.gather = gather_under_way(sums, buckets, link, forward) + moved(buckets) * sizeof(float) * copying;
  } else {
    of.gather = all_of_gather;
  }
  of.whole += after + std::max(of.gather, all_of_gather);
  return of;
}

Network network_from(int ranks, int hosts, const Network& within, double few_numbers, double whole,
                     double bytes, double buckets) {
  const bool one_host = hosts == 1;
  const double n = one_host ? ranks : hosts;  // that the network joins
  const Path inside = one_host ? Path{} : path_of_sum({1, {}, within}, ranks, hosts);
  Network network{"measured", 0.0, 0.0, 0.0};
  network.latency = std::max(0.0, few_numbers - inside.few_numbers()) / rounds(n);
  const double latencies = buckets * (inside.latency + 2.0 * rounds(n) * network.latency);
  network.seconds_per_byte =
      std::max(0.0, whole - latencies - bytes * inside.seconds_per_byte) / (share(n) * bytes);
  return network;
}

}  // namespace lockstep::scaling
