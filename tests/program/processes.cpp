#include "processes.h"

#include <signal.h>

#include <algorithm>
#include <cctype>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <map>
#include <string>
#include <thread>

#include "process.h"

namespace lockstep::program {
namespace {

namespace fs = std::filesystem;
using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;

// A process's state letter and parent, from /proc/ID/stat: "ID (name) S PARENT ...".
struct Stat {
  char state = 'X';
  pid_t parent = 0;
};
Stat stat_of(pid_t id) {
  std::ifstream file("/proc/" + std::to_string(id) + "/stat");
  std::string text;
  std::getline(file, text);
  const auto name_end = text.rfind(')');
  if (name_end == std::string::npos || name_end + 4 >= text.size()) return {};
  return {text[name_end + 2], static_cast<pid_t>(std::strtol(text.c_str() + name_end + 4, nullptr, 10))};
}

bool is_program(pid_t id) {
  std::error_code gone;
  return fs::read_symlink("/proc/" + std::to_string(id) + "/exe", gone) == program() && !gone;
}

// The process and all below it.
std::vector<pid_t> tree_of(pid_t id) {
  std::multimap<pid_t, pid_t> children;
  for (const auto& entry : fs::directory_iterator("/proc")) {
    const std::string name = entry.path().filename().string();
    if (!std::isdigit(static_cast<unsigned char>(name[0]))) continue;
    const auto process = static_cast<pid_t>(std::strtol(name.c_str(), nullptr, 10));
    children.emplace(stat_of(process).parent, process);
  }
  std::vector<pid_t> tree = {id};
  for (std::size_t i = 0; i < tree.size(); ++i) {
    const auto [first, last] = children.equal_range(tree[i]);
    for (auto child = first; child != last; ++child) tree.push_back(child->second);
  }
  return tree;
}

}  // namespace

pid_t parent_of(pid_t id) { return stat_of(id).parent; }

std::vector<pid_t> ranks_below(pid_t id) {
  std::vector<pid_t> ranks = tree_of(id);
  std::erase_if(ranks, [](pid_t process) { return !is_program(process); });
  return ranks;
}

bool is_alive(pid_t id) {
  const char state = stat_of(id).state;
  return state != 'X' && state != 'Z';
}

bool wait_until_gone(const std::vector<pid_t>& ids) {
  const auto deadline = Clock::now() + 20s;
  while (std::any_of(ids.begin(), ids.end(), is_alive)) {
    if (Clock::now() > deadline) {
      for (const pid_t id : ids)
        if (is_alive(id) && is_program(id)) ::kill(id, SIGKILL);
      return false;
    }
    std::this_thread::sleep_for(5ms);
  }
  return true;
}

bool wait_for_launcher(pid_t job) {
  auto busy = Clock::now();  // when there last were ranks
  while (is_alive(job)) {
    if (!ranks_below(job).empty()) busy = Clock::now();
    if (Clock::now() - busy > 10s) {
      for (const pid_t id : tree_of(job)) ::kill(id, SIGKILL);
      return false;
    }
    std::this_thread::sleep_for(20ms);
  }
  return true;
}

}  // namespace lockstep::program
