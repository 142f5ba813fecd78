// Trains a small network again and again, each run killed at random moments and resumed at random numbers of
// ranks and threads until it is done; each must end as the undisturbed run does: weights, metrics.csv,
// steps.csv and gradients.csv.
//
// Usage: chaos [RUNS [SEED [WORKERS]]]; LOCKSTEP_CHAOS_RUNS is the default of RUNS (8, the least in which
// every kind of disturbance has its turn). Prints a table; exit code 1 where a run was another one. SEED
// draws what is done and when; what it hits depends on the machine.
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <map>
#include <mutex>
#include <thread>

#include "kills.h"
#include "points_run.h"
#include "processes.h"

namespace lockstep::chaos {
namespace {

namespace fs = std::filesystem;
using Words = std::vector<std::string>;
using Clock = std::chrono::steady_clock;

constexpr int kMaxRanks = 4, kMaxThreads = 2, kFewestKills = 2, kMaxKills = 6;
const Words kSettings = {"checkpoint.every_steps=2", "train.epochs=30"};

struct Tally {
  std::size_t kills = 0, resumed = 0, started_over = 0, steps_lost = 0, most_lost = 0, hung = 0, failures = 0;
  void add(const Tally& other) {
    kills += other.kills;
    resumed += other.resumed;
    started_over += other.started_over;
    steps_lost += other.steps_lost;
    most_lost = std::max(most_lost, other.most_lost);
    hung += other.hung;
    failures += other.failures;
  }
};
using Tallies = std::map<Kill, Tally>;

// The last step in steps.csv, whose last line may be cut.
std::size_t last_logged_step(const fs::path& path) {
  if (!fs::exists(path)) return 0;
  std::string text = program::read_text(path);
  text.erase(text.find_last_of('\n') + 1);
  const std::size_t line = text.size() < 2 ? std::string::npos : text.rfind('\n', text.size() - 2);
  return line == std::string::npos ? 0 : std::strtoul(text.c_str() + line + 1, nullptr, 10);
}

class ChaosRun : public program::PointsRun {
 public:
  ChaosRun(std::uint64_t seed, double seconds) : random_(seed), seconds_(seconds) {}
  void TestBody() override {}

  // Trains without being disturbed. The seconds that took.
  double train_undisturbed() {
    const auto start = Clock::now();
    if (train("out", kSettings, {1, 1}).code != 0) throw std::runtime_error("the undisturbed run fails");
    return std::chrono::duration<double>(Clock::now() - start).count();
  }

  // Trains, killed now and then, first in the way whose turn it is. What went wrong, or "".
  std::string train_to_the_end(const ChaosRun& whole, std::size_t turn, Tallies& tallies) {
    std::string problem;
    Kill last = Kill::kRank;
    try {
      const std::size_t kills = kFewestKills + random_() % (kMaxKills - kFewestKills + 1);
      for (std::size_t i = 0; problem.empty(); ++i) {
        const Kill kill = kKills[(i == 0 ? turn : random_()) % kKills.size()];
        if (attempt(i < kills ? &kill : nullptr, tallies[kill], problem)) break;
        last = kill;
        after(kill, tallies[kill]);
      }
      if (problem.empty()) problem = difference(whole);
    } catch (const std::exception& error) {
      problem = error.what();
    }
    if (!problem.empty()) ++tallies[last].failures;
    return problem;
  }

 private:
  // Starts or goes on, killed or not. Whether the run is done.
  bool attempt(const Kill* kill, Tally& tally, std::string& problem) {
    const program::Layout layout{static_cast<int>(random_() % (kMaxRanks + 1)),  // 0: without mpirun
                                 1 + static_cast<int>(random_() % kMaxThreads)};
    Words more = kSettings;
    if (newest_step("out") > 0) more.insert(more.end(), {"--resume", "latest"});
    program::Running job(words("out", more, layout), program::in(folder_.path(), 60));
    std::vector<pid_t> ranks;
    const bool hit = kill != nullptr && disturb(*kill, job, checkpoints("out"), seconds_, random_, ranks);
    const bool launcher_ended = !hit || program::wait_for_launcher(job.id());
    const program::Outcome outcome = job.wait();
    if (!program::wait_until_gone(ranks) || !launcher_ended) ++tally.hung;
    const bool refused = outcome.code >= 2 && outcome.code <= 4;
    if (refused || (!hit && outcome.code != 0))
      problem = "exit code " + std::to_string(outcome.code) + ": " + outcome.err;
    return outcome.code == 0;
  }

  void after(Kill kill, Tally& tally) {
    ++tally.kills;
    std::size_t newest = newest_step("out");
    if (kill == Kill::kAndCut && newest > 0) {
      const fs::path file = checkpoint("out", newest);
      fs::resize_file(file, fs::file_size(file) / 2);
      newest = 0;  // of the files before it, if there are any
      for (const auto& entry : fs::directory_iterator(checkpoints("out")))
        if (const std::string other = entry.path().filename().string();
            other.starts_with("step-") && other.ends_with(".safetensors") && entry.path() != file)
          newest = std::max(newest, static_cast<std::size_t>(std::stoul(other.substr(5))));
      if (newest == 0) fs::remove(file);  // which --resume latest would refuse, rightly
    }
    ++(newest > 0 ? tally.resumed : tally.started_over);
    const std::size_t logged = last_logged_step(folder_ / "out/steps.csv");
    const std::size_t lost = logged > newest ? logged - newest : 0;
    tally.steps_lost += lost;
    tally.most_lost = std::max(tally.most_lost, lost);
  }

  std::string difference(const ChaosRun& whole) const {
    for (const char* file : {"model.safetensors", "steps.csv", "gradients.csv"})
      if (program::read_text(folder_.path() / "out" / file) !=
          program::read_text(whole.folder_.path() / "out" / file))
        return std::string(file) + " is not the undisturbed run's";
    if (program::metrics_without_times(folder_ / "out/metrics.csv") !=
        program::metrics_without_times(whole.folder_ / "out/metrics.csv"))
      return "metrics.csv is not the undisturbed run's";
    if (program::weights_hash(folder_ / "out") != program::weights_hash(whole.folder_ / "out"))
      return "weights_hash is not the undisturbed run's";
    return "";
  }

  std::mt19937_64 random_;
  double seconds_;
};

void print(const Tallies& tallies) {
  std::printf(
      "| disturbance | times | resumed | started over | steps lost | at most | hung | failures |\n"
      "|---|---|---|---|---|---|---|---|\n");
  const auto row = [](const char* what, const Tally& t) {
    std::printf("| %s | %zu | %zu | %zu | %zu | %zu | %zu | %zu |\n", what, t.kills, t.resumed,
                t.started_over, t.steps_lost, t.most_lost, t.hung, t.failures);
  };
  Tally all;
  for (const Kill kill : kKills) {
    const auto found = tallies.find(kill);
    const Tally tally = found == tallies.end() ? Tally{} : found->second;
    row(name(kill), tally);
    all.add(tally);
  }
  row("all", all);
}

// The number of runs that failed.
std::size_t run(std::size_t runs, std::uint64_t seed, std::size_t workers) {
  ChaosRun whole(seed, 0.0);
  const double seconds = whole.train_undisturbed();
  std::printf("%zu runs, seed %llu, %zu at a time; undisturbed %.2f s, weights %s\n", runs,
              static_cast<unsigned long long>(seed), workers, seconds,
              program::weights_hash(whole.folder() / "out").c_str());
  std::mutex mutex;
  Tallies tallies;
  std::size_t next = 0, failed = 0;
  const auto work = [&] {
    while (true) {
      std::unique_lock lock(mutex);
      if (next == runs) return;
      const std::size_t number = next++;
      lock.unlock();
      Tallies own;
      ChaosRun chaos(seed * 1'000'003 + number, 0.5 * seconds);
      const std::string problem = chaos.train_to_the_end(whole, number, own);
      lock.lock();
      for (const auto& [kill, tally] : own) tallies[kill].add(tally);
      if (problem.empty()) continue;
      ++failed;
      std::printf("run %zu: %s\n", number, problem.c_str());
      std::fflush(stdout);
    }
  };
  std::vector<std::thread> threads;
  for (std::size_t i = 0; i < workers; ++i) threads.emplace_back(work);
  for (std::thread& thread : threads) thread.join();
  print(tallies);
  std::printf("%zu of %zu runs ended as the undisturbed one\n", runs - failed, runs);
  return failed;
}

}  // namespace
}  // namespace lockstep::chaos

int main(int argc, char** argv) {
  const char* asked = std::getenv("LOCKSTEP_CHAOS_RUNS");
  const auto number = [&](int i, unsigned long otherwise) {
    return argc > i ? std::strtoul(argv[i], nullptr, 10) : otherwise;
  };
  const unsigned long runs = number(1, asked != nullptr ? std::strtoul(asked, nullptr, 10) : 8);
  return lockstep::chaos::run(runs, number(2, 1), number(3, 2)) == 0 ? 0 : 1;
}
