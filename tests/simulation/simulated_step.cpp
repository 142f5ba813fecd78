// A training step's time on simulated ranks: computation that was measured passes as simulated time, the
// gradients' sum is messages over a simulated network. To be run by smpirun:
//
//   simulated_step FORWARD BACKWARD UPDATE TENSORS COUNTERS FEW BUCKET OVERLAP ADDING
//
// FORWARD, BACKWARD and UPDATE are the seconds of a rank's step; TENSORS is ELEMENTS:WORK,ELEMENTS:WORK,...
// of the gradient in the arena's order, WORK the share of backward that each takes, in any unit. COUNTERS
// numbers travel behind it, all of 4 bytes; FEW sums of a few numbers go by themselves. BUCKET is the bytes
// of a message, ADDING the seconds that it takes to add a byte that has come. Prints the seconds of a step.
//
// OVERLAP 1: a bucket leaves when backward, which begins at the arena's end, has come to its part of the
// gradient, and what is left after backward is waited for. The sums move on every 100 microseconds of
// backward. OVERLAP 0: after backward they follow one another. Either way a sum is Rabenseifner's, recursive
// halving and doubling, the nearest ranks first, as Open MPI takes it; SMPI's own MPI_Iallreduce sends
// everything to everyone.
//
// The number of ranks is a power of two. What messages hold does not matter: all ranks share one piece of
// memory for it.
#include <mpi.h>
#include <smpi/smpi.h>

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <sstream>
#include <string>
#include <vector>

namespace {

constexpr double kNumber = 4.0;  // bytes

struct Tensor {
  double elements, work;
};

struct Step {
  double forward, backward, update;  // seconds
  std::vector<Tensor> tensors;
  std::size_t counters;
  int few_numbers;
  std::size_t bucket;
  bool overlap;
  double adding;  // seconds a byte

  std::size_t bytes() const {
    double numbers = static_cast<double>(counters);
    for (const Tensor& tensor : tensors) numbers += tensor.elements;
    return static_cast<std::size_t>(kNumber * numbers);
  }
  // Seconds of backward until so many bytes from the arena's end are there.
  double seconds_until(std::size_t sent) const {
    double left = static_cast<double>(sent) / kNumber, done = 0.0, all = 0.0;
    for (auto tensor = tensors.rbegin(); tensor != tensors.rend(); ++tensor) {
      done += tensor->work * std::clamp(left / tensor->elements, 0.0, 1.0);
      all += tensor->work;
      left -= tensor->elements;
    }
    return backward * done / all;
  }
};

// Throws std::exception where it is none.
std::vector<Tensor> tensors_of(const std::string& text) {
  std::vector<Tensor> tensors;
  std::istringstream in(text);
  for (std::string one; std::getline(in, one, ',');) {
    std::size_t colon = 0;
    const double elements = std::stod(one, &colon);
    tensors.push_back({elements, std::stod(one.substr(colon + 1))});
  }
  return tensors;
}

class Rank {
 public:
  explicit Rank(const Step& step)
      : step_(step), out_(SMPI_SHARED_MALLOC(step.bucket)), in_(SMPI_SHARED_MALLOC(step.bucket)) {
    MPI_Comm_rank(MPI_COMM_WORLD, &rank_);
    MPI_Comm_size(MPI_COMM_WORLD, &ranks_);
    halvings_ = std::countr_zero(static_cast<unsigned>(ranks_));
  }
  Rank(const Rank&) = delete;
  Rank& operator=(const Rank&) = delete;
  ~Rank() {
    SMPI_SHARED_FREE(out_);
    SMPI_SHARED_FREE(in_);
  }

  bool is_first() const { return rank_ == 0; }

  void step() {
    smpi_execute(step_.forward);
    if (step_.overlap && ranks_ > 1) {
      backward_with_sums();
      sum_few_numbers();
      wait_for_sums();
    } else {
      smpi_execute(step_.backward);
      sum_few_numbers();
      sum_gradient();
    }
    smpi_execute(step_.update);
  }

 private:
  // A bucket's sum on its way.
  struct Sum {
    std::size_t bytes;
    int round;
  };

  void sum_few_numbers() {
    std::int64_t numbers[8] = {}, sums[8];
    for (int i = 0; i < step_.few_numbers; ++i)
      MPI_Allreduce(numbers, sums, 8, MPI_INT64_T, MPI_SUM, MPI_COMM_WORLD);
  }

  void sum_gradient() {
    for (std::size_t left = ranks_ > 1 ? step_.bytes() : 0; left > 0;) {
      const std::size_t bytes = std::min(step_.bucket, left);
      left -= bytes;
      begin_sum(bytes);
      wait_for_sums();
    }
  }

  void backward_with_sums() {
    constexpr double kPoll = 100e-6;
    double computed = 0.0;
    for (std::size_t sent = 0; sent < step_.bytes();) {
      const std::size_t bytes = std::min(step_.bucket, step_.bytes() - sent);
      sent += bytes;
      const double ready = step_.seconds_until(sent);
      while (computed < ready) {
        const double until = std::min(ready, computed + kPoll);
        smpi_execute(until - computed);
        computed = until;
        int here = 0;
        MPI_Testsome(requests(), requests_.data(), &here, here_.data(), MPI_STATUSES_IGNORE);
        move_on();
      }
      begin_sum(bytes);
    }
  }

  void begin_sum(std::size_t bytes) {
    sums_.push_back({bytes, 0});
    requests_.resize(2 * sums_.size());
    here_.resize(requests_.size());
    exchange(sums_.size() - 1);
  }

  void wait_for_sums() {
    const auto done = [this](const Sum& sum) { return sum.round == 2 * halvings_; };
    while (!std::all_of(sums_.begin(), sums_.end(), done)) {
      int here = 0;
      MPI_Waitsome(requests(), requests_.data(), &here, here_.data(), MPI_STATUSES_IGNORE);
      move_on();
    }
    sums_.clear();
    requests_.clear();
  }

  // Begins the next round of the sums whose messages are here.
  void move_on() {
    for (std::size_t s = 0; s < sums_.size(); ++s) {
      Sum& sum = sums_[s];
      if (sum.round == 2 * halvings_ || requests_[2 * s] != MPI_REQUEST_NULL ||
          requests_[2 * s + 1] != MPI_REQUEST_NULL)
        continue;
      if (sum.round < halvings_)
        smpi_execute(step_.adding * static_cast<double>(sum.bytes >> (sum.round + 1)));
      if (++sum.round < 2 * halvings_) exchange(s);
    }
  }

  // Halvings with the ranks 1, 2, 4... away, then doublings on the way back.
  void exchange(std::size_t s) {
    const auto& [bytes, round] = sums_[s];
    const int halving = std::min(round, 2 * halvings_ - 1 - round), partner = rank_ ^ (1 << halving);
    const int size = static_cast<int>(bytes >> (halving + 1)), tag = static_cast<int>(s);
    MPI_Irecv(in_, size, MPI_BYTE, partner, tag, MPI_COMM_WORLD, &requests_[2 * s]);
    MPI_Isend(out_, size, MPI_BYTE, partner, tag, MPI_COMM_WORLD, &requests_[2 * s + 1]);
  }

  int requests() const { return static_cast<int>(requests_.size()); }

  Step step_;
  void *out_, *in_;
  int rank_ = 0, ranks_ = 1, halvings_ = 0;
  std::vector<Sum> sums_;              // since the last wait
  std::vector<MPI_Request> requests_;  // two of each
  std::vector<int> here_;
};

}  // namespace

int main(int argc, char** argv) {
  MPI_Init(&argc, &argv);
  if (argc != 10) {
    std::fputs("usage: simulated_step FORWARD BACKWARD UPDATE TENSORS COUNTERS FEW BUCKET OVERLAP ADDING\n",
               stderr);
    MPI_Finalize();
    return 2;
  }
  const auto number = [&](int i) { return std::strtod(argv[i], nullptr); };
  const auto size = [&](int i) { return std::strtoull(argv[i], nullptr, 10); };
  {
    Rank rank({number(1), number(2), number(3), tensors_of(argv[4]), size(5), static_cast<int>(size(6)),
               size(7), size(8) != 0, number(9)});
    const double start = MPI_Wtime();  // all ranks' first moment
    rank.step();
    const double own = MPI_Wtime() - start;
    double slowest = 0.0;
    MPI_Allreduce(&own, &slowest, 1, MPI_DOUBLE, MPI_MAX, MPI_COMM_WORLD);
    if (rank.is_first()) std::printf("%.6e\n", slowest);
  }
  MPI_Finalize();
}
