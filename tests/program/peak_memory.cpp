// peak_memory FILE COMMAND [ARGUMENT]...: runs the command, and writes the bytes of its largest resident set
// to FILE.RANK, where RANK is its rank under mpirun, else 0. Exits as the command does.
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <string>

int main(int argc, char** argv) {
  if (argc < 3) return 127;
  const pid_t child = ::fork();
  if (child == 0) {
    ::execvp(argv[2], argv + 2);
    std::perror(argv[2]);
    ::_exit(127);
  }
  int status = 0;
  rusage usage{};
  if (child < 0 || ::wait4(child, &status, 0, &usage) != child) return 127;
  const char* rank = std::getenv("OMPI_COMM_WORLD_RANK");
  std::ofstream file(std::string(argv[1]) + "." + (rank == nullptr ? "0" : rank));
  file << usage.ru_maxrss * 1024 << '\n';  // the system counts in KiB
  if (!file.flush()) return 127;
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}
