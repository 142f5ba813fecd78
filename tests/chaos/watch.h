// Waits for what happens to the files of a folder.
#pragma once

#include <poll.h>
#include <sys/inotify.h>
#include <unistd.h>

#include <filesystem>
#include <stdexcept>

namespace lockstep::chaos {

// Sees every file that is made in a folder from now on.
class Watch {
 public:
  explicit Watch(const std::filesystem::path& folder) : fd_(::inotify_init1(IN_CLOEXEC | IN_NONBLOCK)) {
    if (fd_ < 0 || ::inotify_add_watch(fd_, folder.c_str(), IN_CREATE) < 0)
      throw std::runtime_error("cannot watch " + folder.string());
  }
  Watch(const Watch&) = delete;
  Watch& operator=(const Watch&) = delete;
  ~Watch() { ::close(fd_); }

  // Whether a file was made since the last call; waits for one as long as that.
  bool made(int milliseconds) {
    pollfd wait{fd_, POLLIN, 0};
    if (::poll(&wait, 1, milliseconds) <= 0) return false;
    alignas(inotify_event) char events[4096];
    return ::read(fd_, events, sizeof events) > 0;
  }

 private:
  int fd_;
};

}  // namespace lockstep::chaos
