#include "process.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <pty.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <sstream>
#include <stdexcept>

namespace lockstep::program {
namespace {

using Clock = std::chrono::steady_clock;

void clean_environment() {
  std::vector<std::string> names;
  for (char** entry = environ; *entry != nullptr; ++entry) {
    const std::string text = *entry;
    if (text.starts_with("OMP_") || text.starts_with("BLIS_") || text.starts_with("CIFAR10_DIR="))
      names.push_back(text.substr(0, text.find('=')));
  }
  for (const std::string& name : names) ::unsetenv(name.c_str());
}

// In the new process: becomes the command.
[[noreturn]] void become(const std::vector<std::string>& words, const Surroundings& surroundings) {
  ::prctl(PR_SET_PDEATHSIG, SIGTERM);
  clean_environment();
  ::setenv("OMP_WAIT_POLICY", "passive", 1);      // there may be more threads than cores
  ::setenv("ASAN_OPTIONS", "detect_leaks=0", 0);  // MPI libraries leave memory behind
  std::vector<char*> arguments;
  for (const std::string& word : words) arguments.push_back(const_cast<char*>(word.c_str()));
  arguments.push_back(nullptr);
  if (::chdir(surroundings.folder.c_str()) == 0) ::execvp(arguments[0], arguments.data());
  ::perror(arguments[0]);
  ::_exit(127);
}

struct Child {
  pid_t id = -1;                       // and its process group's
  std::array<int, 2> outputs{-1, -1};  // of out and err, to read from
};

Child start_on_terminal(const std::vector<std::string>& words, const Surroundings& surroundings) {
  Child child;
  const winsize size{.ws_row = 24, .ws_col = 100, .ws_xpixel = 0, .ws_ypixel = 0};
  child.id = ::forkpty(&child.outputs[0], nullptr, nullptr, &size);
  if (child.id == 0) become(words, surroundings);
  return child;
}

Child start_on_pipes(const std::vector<std::string>& words, const Surroundings& surroundings) {
  Child child;
  int out[2], err[2];
  if (::pipe2(out, O_CLOEXEC) != 0 || ::pipe2(err, O_CLOEXEC) != 0) throw std::runtime_error("no pipes");
  child.id = ::fork();
  if (child.id == 0) {
    ::setpgid(0, 0);
    ::dup2(::open("/dev/null", O_RDONLY), STDIN_FILENO);
    ::dup2(out[1], STDOUT_FILENO);
    ::dup2(err[1], STDERR_FILENO);
    become(words, surroundings);
  }
  ::close(out[1]);
  ::close(err[1]);
  child.outputs = {out[0], err[0]};
  return child;
}

// Appends what there is to text. False at the end (a terminal's is the error EIO).
bool take(int fd, std::string& text) {
  char block[4096];
  const ssize_t n = ::read(fd, block, sizeof block);
  if (n > 0) text.append(block, static_cast<std::size_t>(n));
  return n > 0 || (n < 0 && errno == EINTR);
}

// Reads until both outputs have ended or the time is up, which it returns.
bool read_outputs(Child& child, Outcome& outcome, Clock::time_point deadline) {
  while (child.outputs[0] >= 0 || child.outputs[1] >= 0) {
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(deadline - Clock::now()).count();
    if (left <= 0) return false;
    pollfd waits[2] = {{child.outputs[0], POLLIN, 0}, {child.outputs[1], POLLIN, 0}};
    ::poll(waits, 2, static_cast<int>(left));
    for (int i = 0; i < 2; ++i) {
      if (waits[i].revents == 0) continue;
      if (take(waits[i].fd, i == 0 ? outcome.out : outcome.err)) continue;
      ::close(waits[i].fd);
      child.outputs[i] = -1;
    }
  }
  return true;
}

}  // namespace

Outcome execute(const std::vector<std::string>& words, const Surroundings& surroundings) {
  Child child =
      surroundings.terminal ? start_on_terminal(words, surroundings) : start_on_pipes(words, surroundings);
  if (child.id < 0) throw std::runtime_error("no process for " + words[0]);
  Outcome outcome;
  const auto limit = std::chrono::seconds(surroundings.limit_seconds);
  if (!read_outputs(child, outcome, Clock::now() + limit)) {
    std::string command;
    for (const std::string& word : words) command += " " + word;
    ADD_FAILURE() << "not done after " << limit.count() << " s:" << command;
    ::kill(-child.id, SIGTERM);  // mpirun then ends its ranks
    read_outputs(child, outcome, Clock::now() + std::chrono::seconds(5));
    ::kill(-child.id, SIGKILL);
    for (const int fd : child.outputs)
      if (fd >= 0) ::close(fd);
  }
  int status = 0;
  while (::waitpid(child.id, &status, 0) < 0 && errno == EINTR) {
  }
  outcome.code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  return outcome;
}

std::string program() { return LOCKSTEP_PROGRAM; }
std::string peak_memory() { return LOCKSTEP_PEAK_MEMORY; }

std::vector<std::string> mpirun() {
  std::vector<std::string> words;
  std::istringstream text(LOCKSTEP_MPIRUN);
  for (std::string word; std::getline(text, word, '|');) words.push_back(word);
  return words;
}

Outcome run(const std::vector<std::string>& arguments, int ranks, const Surroundings& surroundings) {
  std::vector<std::string> words;
  if (ranks != kOneProcess) {
    words = mpirun();
    words.insert(words.end(), {"-np", std::to_string(ranks)});
  }
  words.push_back(program());
  words.insert(words.end(), arguments.begin(), arguments.end());
  return execute(words, surroundings);
}

TemporaryFolder::TemporaryFolder() {
  std::string name = (std::filesystem::temp_directory_path() / "lockstep-test-XXXXXX").string();
  if (::mkdtemp(name.data()) == nullptr) throw std::runtime_error("no temporary folder " + name);
  path_ = name;
}

TemporaryFolder::~TemporaryFolder() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

}  // namespace lockstep::program
