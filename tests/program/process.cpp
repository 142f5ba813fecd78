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
#include <utility>

namespace lockstep::program {
namespace {

using Clock = std::chrono::steady_clock;

void clean_environment() {
  std::vector<std::string> names;
  for (char** entry = environ; *entry != nullptr; ++entry) {
    const std::string text = *entry;
    if (text.starts_with("OMP_") || text.starts_with("BLIS_") || text.starts_with("CIFAR10_DIR=") ||
        text.starts_with("COLUMNS=") || text.starts_with("NO_COLOR="))
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
  for (const auto& [name, value] : surroundings.environment) ::setenv(name.c_str(), value.c_str(), 1);
  std::vector<char*> arguments;
  for (const std::string& word : words) arguments.push_back(const_cast<char*>(word.c_str()));
  arguments.push_back(nullptr);
  if (::chdir(surroundings.folder.c_str()) == 0) ::execvp(arguments[0], arguments.data());
  ::perror(arguments[0]);
  ::_exit(127);
}

// Starts a process; outputs become where its out and err are read from.
pid_t start_on_terminal(const std::vector<std::string>& words, const Surroundings& surroundings,
                        std::array<int, 2>& outputs) {
  const winsize size{.ws_row = 24, .ws_col = surroundings.columns, .ws_xpixel = 0, .ws_ypixel = 0};
  const pid_t id = ::forkpty(&outputs[0], nullptr, nullptr, &size);
  if (id == 0) become(words, surroundings);
  return id;
}

pid_t start_on_pipes(const std::vector<std::string>& words, const Surroundings& surroundings,
                     std::array<int, 2>& outputs) {
  int out[2], err[2];
  if (::pipe2(out, O_CLOEXEC) != 0 || ::pipe2(err, O_CLOEXEC) != 0) throw std::runtime_error("no pipes");
  const pid_t id = ::fork();
  if (id == 0) {
    ::setpgid(0, 0);
    ::dup2(::open("/dev/null", O_RDONLY), STDIN_FILENO);
    ::dup2(out[1], STDOUT_FILENO);
    ::dup2(err[1], STDERR_FILENO);
    become(words, surroundings);
  }
  ::close(out[1]);
  ::close(err[1]);
  outputs = {out[0], err[0]};
  return id;
}

// Appends what there is to text. False at the end (a terminal's is the error EIO).
bool take(int fd, std::string& text) {
  char block[4096];
  const ssize_t n = ::read(fd, block, sizeof block);
  if (n > 0) text.append(block, static_cast<std::size_t>(n));
  return n > 0 || (n < 0 && errno == EINTR);
}

// Without what mpirun says of a job that failed, from one line of dashes to the next.
std::string without_mpiruns_words(const std::string& text) {
  constexpr std::size_t kRule = 70;
  std::istringstream lines(text);
  std::string kept;
  bool inside = false;
  for (std::string line; std::getline(lines, line);) {
    if (line.size() >= kRule && line.find_first_not_of('-') == std::string::npos)
      inside = !inside;
    else if (!inside)
      kept += line + (lines.eof() ? "" : "\n");
  }
  return kept;
}

}  // namespace

Running::Running(const std::vector<std::string>& words, const Surroundings& surroundings)
    : limit_(surroundings.limit_seconds) {
  for (const std::string& word : words) command_ += " " + word;
  id_ = surroundings.terminal ? start_on_terminal(words, surroundings, outputs_)
                              : start_on_pipes(words, surroundings, outputs_);
  if (id_ < 0) throw std::runtime_error("no process for" + command_);
}

Running::~Running() {
  if (id_ < 0) return;
  ::kill(-id_, SIGTERM);  // mpirun then ends its ranks
  read_outputs(std::chrono::seconds(5));
  ::kill(-id_, SIGKILL);
  ended();
}

bool Running::read_outputs(std::chrono::milliseconds limit) {
  const auto deadline = Clock::now() + limit;
  while (outputs_[0] >= 0 || outputs_[1] >= 0) {
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(deadline - Clock::now()).count();
    if (left <= 0) return false;
    pollfd waits[2] = {{outputs_[0], POLLIN, 0}, {outputs_[1], POLLIN, 0}};
    ::poll(waits, 2, static_cast<int>(left));
    for (int i = 0; i < 2; ++i) {
      if (waits[i].revents == 0) continue;
      if (take(waits[i].fd, i == 0 ? outcome_.out : outcome_.err)) continue;
      ::close(waits[i].fd);
      outputs_[i] = -1;
    }
  }
  return true;
}

int Running::ended() {
  for (int& fd : outputs_)
    if (fd >= 0) ::close(std::exchange(fd, -1));
  int status = 0;
  while (::waitpid(id_, &status, 0) < 0 && errno == EINTR) {
  }
  id_ = -1;
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

Outcome Running::wait() {
  if (!read_outputs(limit_)) {
    ADD_FAILURE() << "not done after " << limit_.count() << " s:" << command_;
    ::kill(-id_, SIGTERM);
    read_outputs(std::chrono::seconds(5));
    ::kill(-id_, SIGKILL);
  }
  outcome_.code = ended();
  outcome_.err = without_mpiruns_words(outcome_.err);
  return outcome_;
}

Outcome execute(const std::vector<std::string>& words, const Surroundings& surroundings) {
  return Running(words, surroundings).wait();
}

std::string program() { return LOCKSTEP_PROGRAM; }
std::string peak_memory() { return LOCKSTEP_PEAK_MEMORY; }

std::vector<std::string> mpirun() {
  std::vector<std::string> words;
  std::istringstream text(LOCKSTEP_MPIRUN);
  for (std::string word; std::getline(text, word, '|');) words.push_back(word);
  return words;
}

std::vector<std::string> words_of(const std::vector<std::string>& arguments, int ranks) {
  std::vector<std::string> words;
  if (ranks != kOneProcess) {
    words = mpirun();
    words.insert(words.end(), {"-np", std::to_string(ranks)});
  }
  words.push_back(program());
  words.insert(words.end(), arguments.begin(), arguments.end());
  return words;
}

Outcome run(const std::vector<std::string>& arguments, int ranks, const Surroundings& surroundings) {
  return execute(words_of(arguments, ranks), surroundings);
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
