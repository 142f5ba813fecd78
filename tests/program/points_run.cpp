#include "points_run.h"

#include <algorithm>
#include <chrono>
#include <thread>

#include "processes.h"

namespace lockstep::program {
namespace {

namespace fs = std::filesystem;
using namespace std::chrono_literals;

}  // namespace

std::vector<std::map<std::string, std::string>> metrics_without_times(const fs::path& path) {
  Table metrics = read_csv(path);
  for (auto& row : metrics.rows)
    for (const char* timing :
         {"seconds", "samples_per_second", "compute_seconds", "wait_seconds", "transfer_seconds"})
      row.erase(timing);
  return metrics.rows;
}

PointsRun::PointsRun() {
  write_text(folder_ / "points.toml", R"(seed = 11
[data]
dataset = "circle"
n = 800
noise = 0.2
[model]
hidden = [32, 16]
activation = "tanh"
dropout = 0.1
loss = "binary_cross_entropy"
[train]
epochs = 20
batch_size = 64
learning_rate = 0.3
momentum = 0.9
l2 = 0.0001
warmup_epochs = 1.5
[checkpoint]
every_steps = 5
[log]
steps = true
gradients = true
)");
}

std::vector<std::string> PointsRun::words(const std::string& out, const std::vector<std::string>& more,
                                          const Layout& layout) const {
  std::vector<std::string> words = {"train",
                                    "points.toml",
                                    "--quiet",
                                    "--out",
                                    out,
                                    "--set",
                                    "compute.threads=" + std::to_string(layout.threads)};
  for (const std::string& word : more) {
    if (word.find('=') != std::string::npos) words.push_back("--set");
    words.push_back(word);
  }
  return words_of(words, layout.ranks);
}

Outcome PointsRun::train(const std::string& out, const std::vector<std::string>& more,
                         const Layout& layout) const {
  return execute(words(out, more, layout), in(folder_.path(), 60));
}

void PointsRun::finish(const std::string& out, const std::vector<std::string>& more,
                       const Layout& layout) const {
  const Outcome outcome = train(out, more, layout);
  EXPECT_EQ(outcome.code, 0) << outcome.err;
  EXPECT_EQ(outcome.err, "");
}

Outcome PointsRun::disturbed(const std::string& out, const std::vector<std::string>& more,
                             const Layout& layout, std::size_t step,
                             const std::function<void(const std::vector<pid_t>&)>& disturb) const {
  Running job(words(out, more, layout), in(folder_.path(), 60));
  const auto deadline = std::chrono::steady_clock::now() + 30s;
  while (newest_step(out) < step) {
    if (std::chrono::steady_clock::now() > deadline) {
      ADD_FAILURE() << "no checkpoint of step " << step << " after 30 s";
      break;
    }
    std::this_thread::sleep_for(1ms);
  }
  const std::vector<pid_t> ranks = ranks_below(job.id());
  EXPECT_EQ(ranks.size(), layout.ranks == kOneProcess ? 1U : static_cast<std::size_t>(layout.ranks));
  if (!ranks.empty()) disturb(ranks);
  wait_for_launcher(job.id());
  Outcome outcome = job.wait();
  EXPECT_TRUE(wait_until_gone(ranks)) << "a rank goes on after its job has ended";
  return outcome;
}

void PointsRun::expect_same_run(const std::string& a, const std::string& b) const {
  EXPECT_EQ(weights_hash(folder_ / a), weights_hash(folder_ / b));
  for (const char* file : {"steps.csv", "gradients.csv"})
    EXPECT_EQ(read_text(folder_.path() / a / file), read_text(folder_.path() / b / file)) << file;
  EXPECT_EQ(metrics_without_times(folder_.path() / a / "metrics.csv"),
            metrics_without_times(folder_.path() / b / "metrics.csv"));
  EXPECT_TRUE(read_text(folder_.path() / a / "model.safetensors") ==
              read_text(folder_.path() / b / "model.safetensors"));
}

fs::path PointsRun::checkpoint(const std::string& out, std::size_t step) const {
  const std::string digits = std::to_string(step);
  return checkpoints(out) / ("step-" + std::string(9 - digits.size(), '0') + digits + ".safetensors");
}

std::size_t PointsRun::newest_step(const std::string& out) const {
  std::size_t newest = 0;
  std::error_code none;
  for (const auto& entry : fs::directory_iterator(checkpoints(out), none)) {
    const std::string name = entry.path().filename().string();
    if (name.starts_with("step-") && name.ends_with(".safetensors"))
      newest = std::max(newest, static_cast<std::size_t>(std::stoul(name.substr(5))));
  }
  return newest;
}

std::size_t epoch_of_lowest(const Table& metrics, const std::string& column) {
  std::size_t best = 0;
  for (std::size_t i = 1; i < metrics.rows.size(); ++i)
    if (metrics.number(i, column) < metrics.number(best, column)) best = i;
  return best + 1;
}

std::size_t epoch_of_highest(const Table& metrics, const std::string& column) {
  std::size_t best = 0;
  for (std::size_t i = 1; i < metrics.rows.size(); ++i)
    if (metrics.number(i, column) > metrics.number(best, column)) best = i;
  return best + 1;
}

}  // namespace lockstep::program
