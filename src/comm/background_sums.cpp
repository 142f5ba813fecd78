#include "comm/background_sums.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <deque>
#include <functional>
#include <limits>
#include <mutex>
#include <thread>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "comm/mpi_handle.h"

namespace lockstep::comm {
namespace {

constexpr std::size_t kAny = std::numeric_limits<std::size_t>::max();
constexpr std::size_t kInTurn = 2;  // under way together: one travels while the next is agreed on

}  // namespace

// The mutex guards every MPI call between start and wait.
struct BackgroundSums::State {
  State(MPI_Comm communicator, liveness::Progress* observer)
      : mpi(communicator),
        progress(observer),
        thread([this](const std::stop_token& stop) { look_after(stop); }) {}

  template <typename T>
  void begin_sum(std::span<T> x) {
    constexpr std::size_t kMax = std::size_t{1} << 30;
    require(x.size() <= kMax, "BackgroundSums: too many values for one message");
    start("MPI_Iallreduce", kAny, [this, x](MPI_Request* request) {
      return MPI_Iallreduce(MPI_IN_PLACE, x.data(), static_cast<int>(x.size()), type_of<T>(), sum_of<T>(),
                            mpi, request);
    });
  }

  // call(&request) is the MPI function of this name; it begins when fewer than so many are under way.
  void start(const char* name, std::size_t together, std::function<int(MPI_Request*)> call) {
    const std::lock_guard lock(mutex);
    if (failure != MPI_SUCCESS) return;
    waiting.push_back({name, together, std::move(call)});
    begin_waiting();
    active = failure == MPI_SUCCESS;
    wake.notify_one();
  }

  // With the mutex held: begins what waits for its turn and need not any more.
  void begin_waiting() {
    while (failure == MPI_SUCCESS && !waiting.empty() && open < waiting.front().together) {
      operation = waiting.front().name;
      begun.push_back(nanoseconds_now());
      requests.push_back(MPI_REQUEST_NULL);
      failure = waiting.front().call(&requests.back());
      waiting.pop_front();
      ++open;
    }
  }

  // With the mutex held: moves the messages on, and notes which are done.
  void test() {
    int count = 0;
    done.resize(requests.size());
    failure = MPI_Testsome(static_cast<int>(requests.size()), requests.data(), &count, done.data(),
                           MPI_STATUSES_IGNORE);
    for (int i = 0; failure == MPI_SUCCESS && i < count; ++i) {
      const auto which = static_cast<std::size_t>(done[static_cast<std::size_t>(i)]);
      if (progress != nullptr)
        progress->add({liveness::Activity::kBucket, static_cast<std::uint32_t>(which), begun[which],
                       nanoseconds_now()});
      --open;
    }
    begin_waiting();
    if (told != nullptr && failure == MPI_SUCCESS)
      std::atomic_ref(*told).store(told_before + in_place(), std::memory_order_release);
    if (open == 0 || failure != MPI_SUCCESS) active = false;
  }

  // With the mutex held: of those begun, how many are done, from the first on.
  std::size_t in_place() const {
    const auto is_open = [](MPI_Request request) { return request != MPI_REQUEST_NULL; };
    return static_cast<std::size_t>(std::ranges::find_if(requests, is_open) - requests.begin());
  }

  void look_after(const std::stop_token& stop) {
    std::unique_lock lock(mutex);
    while (!stop.stop_requested() && wake.wait(lock, stop, [this] { return active; })) {
      test();
      lock.unlock();
      std::this_thread::sleep_for(std::chrono::microseconds(100));
      lock.lock();
    }
  }

  MPI_Comm mpi;
  liveness::Progress* progress;
  std::mutex mutex;
  std::condition_variable_any wake;
  struct Waiting {
    const char* name;
    std::size_t together;
    std::function<int(MPI_Request*)> call;
  };
  std::deque<Waiting> waiting;        // started, not yet begun
  std::vector<MPI_Request> requests;  // since the last wait
  std::vector<std::int64_t> begun;    // when
  std::vector<int> done;
  std::uint64_t* told = nullptr;  // how many are done, from the first on, and what comes before that
  std::uint64_t told_before = 0;
  std::size_t open = 0;  // of the requests
  bool active = false;   // may the thread call MPI?
  int failure = MPI_SUCCESS;
  const char* operation = "";  // the last begun
  std::jthread thread;         // last: it uses all of these
};

bool BackgroundSums::possible() {
  int provided = MPI_THREAD_SINGLE;
  MPI_Query_thread(&provided);
  return provided >= MPI_THREAD_SERIALIZED;
}

BackgroundSums::BackgroundSums(const Communicator& communicator, liveness::Progress* progress)
    : state_(std::make_unique<State>(communicator.handle_->mpi, progress)) {}

BackgroundSums::~BackgroundSums() = default;

void BackgroundSums::start(std::span<float> x) { state_->begin_sum(x); }
void BackgroundSums::start(std::span<Bfloat16> x) { state_->begin_sum(x); }
void BackgroundSums::start(std::span<std::int16_t> x) { state_->begin_sum(x); }
void BackgroundSums::start(std::span<std::int32_t> x) { state_->begin_sum(x); }

void BackgroundSums::start(std::span<const std::byte> out, const Parts& of_out, std::span<std::byte> in,
                           const Parts& of_in) {
  state_->start("MPI_Ialltoallv", kAny, [=, &of_out, &of_in, mpi = state_->mpi](MPI_Request* request) {
    return MPI_Ialltoallv(out.data(), of_out.sizes.data(), of_out.places.data(), MPI_BYTE, in.data(),
                          of_in.sizes.data(), of_in.places.data(), MPI_BYTE, mpi, request);
  });
}

void BackgroundSums::start_in_turn(const Communicator::Gathered& gathered) {
  state_->start("MPI_Iallgatherv", kInTurn, [gathered, mpi = state_->mpi](MPI_Request* request) {
    const auto& [buffer, parts] = gathered;
    return MPI_Iallgatherv(MPI_IN_PLACE, 0, MPI_BYTE, buffer.data(), parts->sizes.data(),
                           parts->places.data(), MPI_BYTE, mpi, request);
  });
}

void BackgroundSums::tell(std::uint64_t& in_place, std::uint64_t before) {
  const std::lock_guard lock(state_->mutex);
  state_->told = &in_place;
  state_->told_before = before;
}

void BackgroundSums::pause() {
  const std::lock_guard lock(state_->mutex);
  state_->active = false;
  check(state_->failure, state_->operation);
}

std::size_t BackgroundSums::wait_for(std::size_t count) {
  const std::lock_guard lock(state_->mutex);
  if (state_->open > 0 && state_->failure == MPI_SUCCESS) state_->test();
  while (state_->in_place() < count && state_->open > 0 && state_->failure == MPI_SUCCESS) state_->test();
  check(state_->failure, state_->operation);
  return state_->in_place();
}

void BackgroundSums::wait() {
  const std::lock_guard lock(state_->mutex);
  while (state_->open > 0 && state_->failure == MPI_SUCCESS) state_->test();
  state_->active = false;
  state_->told = nullptr;
  state_->waiting.clear();
  state_->requests.clear();
  state_->begun.clear();
  state_->open = 0;
  check(state_->failure, state_->operation);
}

}  // namespace lockstep::comm
