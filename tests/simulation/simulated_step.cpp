// A training step's time on simulated ranks: computation that was measured passes as simulated time, the
// gradients' sum is messages over a simulated network. To be run by smpirun:
//
//   simulated_step FORWARD BACKWARD UPDATE TENSORS FEW BUCKET OVERLAP ADDING WAY RANKS_A_HOST
//
// FORWARD, BACKWARD and UPDATE are the seconds of a rank's step; TENSORS is
// ELEMENTS:BACKWARD:FORWARD:SLICES,... of the gradient in the arena's order: numbers of 4 bytes; the shares
// of backward and of forward that each takes, in any unit; whether forward goes on with a part of the tensor
// (1) or needs all of it (0). FEW is the bytes of each sum that goes by itself, BYTES,...: the first one
// while the others are under way, the rest after them. BUCKET is the bytes of a message, ADDING the seconds
// that it takes to add a byte that has come. Prints the seconds of a step.
//
// WAY everywhere: a sum is Rabenseifner's, recursive halving and doubling, the nearest ranks first, as Open
// MPI takes it; SMPI's own MPI_Iallreduce sends everything to everyone.
//
// WAY divided: an exchange, in which each rank sends every other one its part of the bucket, chunks of 16
// KiB; then a gather, in which each sends its part of the parameters to all. Of P hosts, those whose numbers
// differ from a rank's in the same highest bit are one partner, to whom goes what is for all of them: log2(P)
// messages instead of P - 1, over the same links with the same bytes, for thousands of ranks. Where hosts
// have several ranks, each first reads as many bytes of the host's memory as the others have for it: a
// message from its neighbour; and then exchanges with its like on the other hosts, which together put the
// same on the host's link as one that speaks for it. A gather goes the other way round.
//
// OVERLAP 1: a bucket leaves when backward, which begins at the arena's end, has come to its part of the
// gradient, and what is left after backward is waited for and added up bucket by bucket. The sums move on
// every 100 microseconds of backward. The parameters that a divided update gathers come
// while the next forward goes on, from the arena's beginning, each bucket when the one before is there: a
// step begins with them. OVERLAP 0: all of that follows one another.
//
// The numbers of ranks and of those on a host are powers of two. What messages hold does not matter: all
// ranks share one piece of memory for it.
#include <mpi.h>
#include <smpi/smpi.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstddef>
#include <cstdio>
#include <cstdlib>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

namespace {

constexpr std::size_t kNumber = 4, kChunk = 4096 * kNumber;  // bytes; of reduce::Division

struct Tensor {
  double bytes, backward, forward;
  bool in_slices;
};

struct Step {
  double forward, backward, update;  // seconds
  std::vector<Tensor> tensors;
  std::vector<std::size_t> few_bytes;
  std::size_t bucket;
  bool overlap;
  double adding;  // seconds a byte
  bool divided;
  int ranks_a_host;

  std::size_t bytes() const {
    double bytes = 0.0;
    for (const Tensor& tensor : tensors) bytes += tensor.bytes;
    return static_cast<std::size_t>(bytes);
  }
  // Seconds of backward until so many bytes from the arena's end are there.
  double seconds_until(std::size_t sent) const {
    double left = static_cast<double>(sent), done = 0.0, all = 0.0;
    for (auto tensor = tensors.rbegin(); tensor != tensors.rend(); ++tensor) {
      done += tensor->backward * std::clamp(left / tensor->bytes, 0.0, 1.0);
      all += tensor->backward;
      left -= tensor->bytes;
    }
    return backward * done / all;
  }
  // Seconds of forward that so many bytes from the arena's beginning are enough for.
  double seconds_with(std::size_t here) const {
    double left = static_cast<double>(here), done = 0.0, all = 0.0;
    for (const Tensor& tensor : tensors) {
      const double part = std::clamp(left / tensor.bytes, 0.0, 1.0);
      done += tensor.forward * (tensor.in_slices ? part : std::floor(part));
      all += tensor.forward;
      left -= tensor.bytes;
    }
    return forward * done / all;
  }
};

std::vector<std::string> split(const std::string& text, char at) {
  std::vector<std::string> parts;
  std::istringstream in(text);
  for (std::string one; std::getline(in, one, at);) parts.push_back(one);
  return parts;
}

// Throws std::exception where it is none.
std::vector<Tensor> tensors_of(const std::string& text) {
  std::vector<Tensor> tensors;
  for (const std::string& one : split(text, ',')) {
    const std::vector<std::string> parts = split(one, ':');
    tensors.push_back({kNumber * std::stod(parts.at(0)), std::stod(parts.at(1)), std::stod(parts.at(2)),
                       parts.at(3) == "1"});
  }
  return tensors;
}

std::vector<std::size_t> sizes_of(const std::string& text) {
  std::vector<std::size_t> sizes;
  for (const std::string& one : split(text, ',')) sizes.push_back(std::stoul(one));
  return sizes;
}

int log2_of(int power) { return std::countr_zero(static_cast<unsigned>(power)); }

class Rank {
 public:
  explicit Rank(const Step& step) : step_(step) {
    MPI_Comm_rank(MPI_COMM_WORLD, &rank_);
    MPI_Comm_size(MPI_COMM_WORLD, &ranks_);
    bits_ = log2_of(ranks_);
    host_bits_ = std::min(bits_, log2_of(step.ranks_a_host));
    // The largest message: of a bucket that is one chunk, half of the ranks'.
    const std::size_t message =
        std::max(std::min(step.bucket, step.bytes()), static_cast<std::size_t>(ranks_) * kChunk);
    out_ = SMPI_SHARED_MALLOC(message);
    in_ = SMPI_SHARED_MALLOC(message);
  }
  Rank(const Rank&) = delete;
  Rank& operator=(const Rank&) = delete;
  ~Rank() {
    SMPI_SHARED_FREE(out_);
    SMPI_SHARED_FREE(in_);
  }

  bool is_first() const { return rank_ == 0; }

  void step() {
    const bool overlap = step_.overlap && ranks_ > 1;
    const bool gather_first = overlap && step_.divided;
    if (gather_first)
      forward_with_gathers();
    else
      smpi_execute(step_.forward);
    if (overlap)
      backward_with_sums();
    else
      smpi_execute(step_.backward);
    sum_few_numbers(0);
    if (overlap)
      wait_for_sums();
    else
      sum_gradient();
    for (std::size_t i = 1; i < step_.few_bytes.size(); ++i) sum_few_numbers(i);
    smpi_execute(step_.update);
    if (step_.divided && !gather_first) gather();
  }

 private:
  // A bucket under way.
  struct Sum {
    enum class Kind { kEverywhere, kExchange, kGather } kind;
    std::size_t bytes;
    int round;
    std::vector<MPI_Request> requests;  // of this round
    double to_add = 0.0;                // seconds
  };

  void sum_few_numbers(std::size_t i) {
    std::vector<std::byte> numbers(step_.few_bytes[i]), sums(numbers.size());
    MPI_Allreduce(numbers.data(), sums.data(), static_cast<int>(numbers.size()), MPI_BYTE, MPI_BOR,
                  MPI_COMM_WORLD);
  }

  void sum_gradient() {
    for (const std::size_t bytes : buckets()) {
      begin_sum(bytes);
      wait_for_sums();
    }
  }

  // Of one rank none; else from the arena's end.
  std::vector<std::size_t> buckets() const {
    std::vector<std::size_t> sizes;
    for (std::size_t left = ranks_ > 1 ? step_.bytes() : 0; left > 0; left -= sizes.back())
      sizes.push_back(std::min(step_.bucket, left));
    return sizes;
  }

  void backward_with_sums() {
    std::size_t sent = 0;
    computed_ = 0.0;
    for (const std::size_t bytes : buckets()) {
      sent += bytes;
      compute_until(step_.seconds_until(sent), [&] { move_on(); });
      begin_sum(bytes);
    }
  }

  void begin_sum(std::size_t bytes) {
    sums_.push_back({step_.divided ? Sum::Kind::kExchange : Sum::Kind::kEverywhere, bytes, 0, {}});
    begin_round(sums_.back());
  }

  // What came is added up: where hosts have several ranks, or sums of parts follow, when all is there.
  void wait_for_sums() {
    double later = 0.0;
    for (std::size_t i = 0; i < sums_.size(); ++i) {
      while (!is_over(sums_[i])) {
        wait_for_a_message();
        move_on();
      }
      if (host_bits_ == 0 && step_.few_bytes.size() == 1)
        smpi_execute(sums_[i].to_add);
      else
        later += sums_[i].to_add;
    }
    smpi_execute(later);
    sums_.clear();
  }

  void gather() {
    for (const std::size_t bytes : buckets()) {
      sums_.push_back({Sum::Kind::kGather, bytes, 0, {}});
      begin_round(sums_.back());
    }
    wait_for_sums();
  }

  void forward_with_gathers() {
    std::vector<std::size_t> left = buckets();
    std::size_t here = 0;
    computed_ = 0.0;
    const auto begin_next = [&] {
      sums_.push_back({Sum::Kind::kGather, left.back(), 0, {}});
      left.pop_back();
      begin_round(sums_.back());
    };
    const auto look = [&] {
      move_on();
      if (!is_over(sums_.back())) return;
      here += sums_.back().bytes;
      sums_.clear();
      if (!left.empty()) begin_next();
    };
    begin_next();
    while (!sums_.empty()) {
      if (const double ready = step_.seconds_with(here); computed_ < ready)
        compute_until(ready, [&] {
          if (!sums_.empty()) look();
        });
      if (sums_.empty()) break;
      wait_for_a_message();
      look();
    }
    compute_until(step_.forward, [] {});
  }

  // Polls every 100 microseconds.
  template <typename Poll>
  void compute_until(double ready, Poll&& poll) {
    constexpr double kPoll = 100e-6;
    while (computed_ < ready) {
      const double until = std::min(ready, computed_ + kPoll);
      smpi_execute(until - computed_);
      computed_ = until;
      for (Sum& sum : sums_) {
        int all = 0;
        if (!sum.requests.empty())
          MPI_Testall(static_cast<int>(sum.requests.size()), sum.requests.data(), &all, MPI_STATUSES_IGNORE);
      }
      poll();
    }
  }

  void wait_for_a_message() {
    std::vector<MPI_Request*> from;
    std::vector<MPI_Request> open;
    for (Sum& sum : sums_) {
      for (MPI_Request& request : sum.requests) {
        if (request == MPI_REQUEST_NULL) continue;
        from.push_back(&request);
        open.push_back(request);
      }
    }
    std::vector<int> which(open.size());
    int here = 0;
    MPI_Waitsome(static_cast<int>(open.size()), open.data(), &here, which.data(), MPI_STATUSES_IGNORE);
    for (std::size_t i = 0; i < open.size(); ++i) *from[i] = open[i];
  }

  bool is_over(const Sum& sum) const { return sum.round == rounds_of(sum); }
  int rounds_of(const Sum& sum) const {
    if (sum.kind == Sum::Kind::kEverywhere) return 2 * bits_;
    return (host_bits_ > 0 ? 1 : 0) + (bits_ > host_bits_ ? 1 : 0);
  }

  // Begins the next round of the sums whose messages are here.
  void move_on() {
    for (Sum& sum : sums_) {
      const auto done = [](MPI_Request request) { return request == MPI_REQUEST_NULL; };
      if (is_over(sum) || !std::ranges::all_of(sum.requests, done)) continue;
      sum.requests.clear();
      if (sum.kind == Sum::Kind::kEverywhere && sum.round < bits_)
        smpi_execute(step_.adding * static_cast<double>(sum.bytes >> (sum.round + 1)));
      if (++sum.round < rounds_of(sum)) begin_round(sum);
    }
  }

  void begin_round(Sum& sum) {
    if (sum.kind == Sum::Kind::kEverywhere) return halve_or_double(sum);
    const bool within_host = host_bits_ > 0 && (sum.round == 0) == (sum.kind == Sum::Kind::kExchange);
    exchange(sum, within_host || bits_ == host_bits_);
  }

  // Halvings with the ranks 1, 2, 4... away, then doublings on the way back.
  void halve_or_double(Sum& sum) {
    const int halving = std::min(sum.round, 2 * bits_ - 1 - sum.round), partner = rank_ ^ (1 << halving);
    send_and_receive(sum, partner, sum.bytes >> (halving + 1), sum.bytes >> (halving + 1));
  }

  // What all ranks of a host, or all hosts, send to one another.
  void exchange(Sum& sum, bool within_host) {
    if (within_host) {
      const std::size_t on_host = std::size_t{1} << host_bits_;
      return exchange_with(sum, rank_ ^ 1, (on_host - 1) * (sum.bytes / on_host),
                           (on_host - 1) * (sum.bytes / on_host));
    }
    for (int bit = host_bits_; bit < bits_; ++bit) {
      const int partner = rank_ ^ (1 << bit);
      const std::size_t count = std::size_t{1} << (bit - host_bits_);  // that the partner stands for
      exchange_with(sum, partner, count * part_of(rank_, sum.bytes), count * part_of(partner, sum.bytes));
    }
  }

  // own: what comes to this rank by an exchange, and leaves it by a gather.
  void exchange_with(Sum& sum, int partner, std::size_t own, std::size_t other) {
    if (sum.kind == Sum::Kind::kGather) return send_and_receive(sum, partner, own, other);
    send_and_receive(sum, partner, other, own);
    sum.to_add += step_.adding * static_cast<double>(own);
  }

  // Of a bucket, what is between hosts: the chunks of the rank's host, shared by those of it.
  std::size_t part_of(int rank, std::size_t bucket) const {
    const auto host = static_cast<std::size_t>(rank >> host_bits_),
               hosts = static_cast<std::size_t>(ranks_ >> host_bits_);
    const std::size_t chunks = (bucket + kChunk - 1) / kChunk;
    const auto before = [&](std::size_t part) { return std::min(bucket, chunks * part / hosts * kChunk); };
    return (before(host + 1) - before(host)) >> host_bits_;
  }

  void send_and_receive(Sum& sum, int partner, std::size_t out, std::size_t in) {
    const int tag = static_cast<int>(&sum - sums_.data());
    for (const auto& [bytes, sends] : {std::pair{in, false}, std::pair{out, true}}) {
      if (bytes == 0) continue;
      MPI_Request& request = sum.requests.emplace_back();
      const int count = static_cast<int>(bytes);
      if (sends)
        MPI_Isend(out_, count, MPI_BYTE, partner, tag, MPI_COMM_WORLD, &request);
      else
        MPI_Irecv(in_, count, MPI_BYTE, partner, tag, MPI_COMM_WORLD, &request);
    }
  }

  Step step_;
  void *out_, *in_;
  int rank_ = 0, ranks_ = 1;
  int bits_ = 0, host_bits_ = 0;  // log2 of the ranks, and of those on a host
  std::vector<Sum> sums_;         // since the last wait
  double computed_ = 0.0;         // of this pass
};

}  // namespace

int main(int argc, char** argv) {
  MPI_Init(&argc, &argv);
  if (argc != 11) {
    std::fputs(
        "usage: simulated_step FORWARD BACKWARD UPDATE TENSORS FEW BUCKET OVERLAP ADDING WAY RANKS_A_HOST\n",
        stderr);
    MPI_Finalize();
    return 2;
  }
  const auto number = [&](int i) { return std::strtod(argv[i], nullptr); };
  const auto size = [&](int i) { return std::strtoull(argv[i], nullptr, 10); };
  {
    Rank rank({number(1), number(2), number(3), tensors_of(argv[4]), sizes_of(argv[5]), size(6), size(7) != 0,
               number(8), std::string(argv[9]) == "divided", static_cast<int>(size(10))});
    const double start = MPI_Wtime();  // all ranks' first moment
    rank.step();
    const double own = MPI_Wtime() - start;
    double slowest = 0.0;
    MPI_Allreduce(&own, &slowest, 1, MPI_DOUBLE, MPI_MAX, MPI_COMM_WORLD);
    if (rank.is_first()) std::printf("%.6e\n", slowest);
  }
  MPI_Finalize();
}
