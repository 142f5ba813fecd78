#include "scaling/sum_model.h"

#include <algorithm>
#include <cmath>

namespace lockstep::scaling {
namespace {

double as_double(std::size_t n) { return static_cast<double>(n); }

// Of a sum's bytes, what each of n moves.
double share(double n) { return 2.0 * (n - 1.0) / n; }

double rounds(double n) { return std::ceil(std::log2(n)); }

// The part of backward that it takes to come to so many elements from the arena's end.
double part_of_backward(const Sums& sums, double elements) {
  double done = 0.0, all = 0.0;
  for (auto tensor = sums.tensors.rbegin(); tensor != sums.tensors.rend(); ++tensor) {
    const double size = as_double(tensor->elements), work = as_double(tensor->work);
    done += work * std::clamp(elements / size, 0.0, 1.0);
    all += work;
    elements -= size;
  }
  return done / all;
}

// Bucket after bucket from the arena's end, when backward has done the work of their tensors. Buckets share
// the network; a message waits for a poll, every 100 microseconds while backward goes on, which loses some
// of its core to them.
SumSeconds overlapped(const Sums& sums, const Path& path, double few_numbers, double backward) {
  constexpr double kPoll = 100e-6;
  const double bytes = sums.bytes(), bucket = std::min(bytes, as_double(sums.bucket_bytes));
  const double latency = path.messages > 0.0 ? path.latency / path.messages : 0.0;
  double network_free = 0.0, finish = 0.0, stolen = 0.0;
  for (double sent = 0.0; sent < bytes;) {
    const double size = std::min(bucket, bytes - sent);
    sent += size;
    const double ready = backward * part_of_backward(sums, sent / sums.bytes_per_number);
    const double begin = std::max(network_free, ready), seconds = size * path.seconds_per_byte;
    network_free = begin + seconds;
    const double meanwhile = seconds > 0.0 ? std::clamp((backward - begin) / seconds, 0.0, 1.0) : 0.0;
    stolen += meanwhile * size * path.stolen_per_byte;
    const double passed = std::min(path.messages, (backward - ready) / (latency + kPoll));
    finish = std::max(
        {finish, network_free, ready + passed * (latency + kPoll) + (path.messages - passed) * latency});
  }
  const double exposed =
      std::max({stolen, finish - backward, few_numbers});  // these while the rest is under way
  return {exposed, std::max(exposed, path.latency + bytes * path.seconds_per_byte)};
}

}  // namespace

double Sums::parameters() const {
  double sum = 0.0;
  for (const TensorLoad& tensor : tensors) sum += as_double(tensor.elements);
  return sum;
}

double Sums::bytes() const { return (parameters() + as_double(counters)) * bytes_per_number; }

Path path_of_sum(const Cluster& cluster, int ranks, int hosts) {
  const double h = hosts, r = std::ceil(static_cast<double>(ranks) / h);
  const Network &link = cluster.between_hosts, &memory = cluster.within_host;
  return {share(h) * link.seconds_per_byte + share(r) * memory.seconds_per_byte,
          2.0 * (rounds(h) + rounds(r)), 2.0 * (rounds(h) * link.latency + rounds(r) * memory.latency),
          share(h) / r * link.stolen_per_byte + share(r) * memory.stolen_per_byte};
}

SumSeconds sum_seconds(const Sums& sums, const Cluster& cluster, int ranks, int hosts, double backward) {
  if (ranks == 1) return {};
  Path path = path_of_sum(cluster, ranks, hosts);
  const double few_numbers = as_double(sums.few_numbers) * path.few_numbers();
  double gather = 0.0;
  if (sums.divided_update) {
    path = {0.5 * path.seconds_per_byte, 0.5 * path.messages, 0.5 * path.latency, 0.5 * path.stolen_per_byte};
    gather = path.latency + sums.parameters() * sizeof(float) * path.seconds_per_byte;
  }
  SumSeconds of;
  if (hosts == 1 ? sums.overlap_on_one_host : sums.overlap_across_hosts) {
    of = overlapped(sums, path, few_numbers, backward);
  } else {
    const double buckets =
        hosts == 1 ? 1.0 : std::ceil(sums.bytes() / as_double(sums.bucket_bytes_at_the_end));
    of.exposed = few_numbers + buckets * path.latency + sums.bytes() * path.seconds_per_byte;
    of.whole = of.exposed;
  }
  return {of.exposed + gather, of.whole + gather};
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
