#include "comm/shared_memory.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdint>
#include <cstring>
#include <filesystem>
#include <new>
#include <string>
#include <system_error>
#include <utility>

namespace lockstep::comm {
namespace {

// Before the content: a random number, by which others know that they have found the right memory.
constexpr std::size_t kHeader = 64;

const std::string kName = "lockstep";

std::int64_t mark_of(const std::byte* mapping) {
  std::int64_t mark = 0;
  std::memcpy(&mark, mapping, sizeof mark);
  return mark;
}

}  // namespace

std::span<std::byte> SharedMemory::Mapping::content() const { return {data + kHeader, size - kHeader}; }

SharedMemory::SharedMemory(std::size_t bytes, bool to_be_shared) {
  own_.size = kHeader + bytes;
  std::int64_t mark = 0;
  if (to_be_shared) fd_ = ::memfd_create(kName.c_str(), MFD_CLOEXEC);
  if (fd_ >= 0 && (::ftruncate(fd_, static_cast<off_t>(own_.size)) != 0 ||
                   ::getrandom(&mark, sizeof mark, 0) != static_cast<ssize_t>(sizeof mark)))
    ::close(std::exchange(fd_, -1));
  const int how = fd_ >= 0 ? MAP_SHARED : MAP_PRIVATE | MAP_ANONYMOUS;
  void* const mapped = ::mmap(nullptr, own_.size, PROT_READ | PROT_WRITE, how, fd_, 0);
  if (mapped == MAP_FAILED) {
    if (fd_ >= 0) ::close(fd_);
    throw std::bad_alloc();
  }
  own_.data = static_cast<std::byte*>(mapped);
  std::memcpy(own_.data, &mark, sizeof mark);
}

SharedMemory::SharedMemory(SharedMemory&& other) noexcept
    : own_(std::exchange(other.own_, {})),
      fd_(std::exchange(other.fd_, -1)),
      of_rank_(std::exchange(other.of_rank_, {})) {}

SharedMemory::~SharedMemory() {
  unmap_others();
  if (own_.data != nullptr) ::munmap(own_.data, own_.size);
  if (fd_ >= 0) ::close(fd_);
}

void SharedMemory::unmap_others() {
  for (const Mapping& mapping : std::exchange(of_rank_, {}))
    if (mapping.data != own_.data) ::munmap(mapping.data, mapping.size);
}

bool SharedMemory::map_others(const Communicator& communicator, bool possible) {
  const std::vector<std::int64_t> processes = communicator.allgather(::getpid()),
                                  descriptors = communicator.allgather(fd_),
                                  sizes = communicator.allgather(static_cast<std::int64_t>(own_.size)),
                                  marks = communicator.allgather(mark_of(own_.data));
  for (std::size_t rank = 0; possible && rank < sizes.size(); ++rank) {
    if (static_cast<int>(rank) == communicator.rank()) {
      of_rank_.push_back(own_);
      continue;
    }
    const auto size = static_cast<std::size_t>(sizes[rank]);
    const std::filesystem::path link = fmt::format("/proc/{}/fd/{}", processes[rank], descriptors[rank]);
    std::error_code unseen;
    if (!std::filesystem::read_symlink(link, unseen).string().starts_with("/memfd:" + kName)) return false;
    const int fd = ::open(link.c_str(), O_RDWR | O_CLOEXEC);
    if (fd < 0) return false;
    struct stat status {};
    void* mapped = MAP_FAILED;
    if (::fstat(fd, &status) == 0 && status.st_size == sizes[rank])
      mapped = ::mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    ::close(fd);
    if (mapped == MAP_FAILED) return false;
    of_rank_.push_back({static_cast<std::byte*>(mapped), size});
    if (mark_of(of_rank_.back().data) != marks[rank]) return false;
  }
  return possible;
}

bool SharedMemory::connect(const Communicator& communicator) {
  const bool possible = communicator.allreduce_min(fd_ >= 0 ? 1 : 0) == 1;
  const bool mapped = map_others(communicator, possible);
  const bool connected = communicator.allreduce_min(mapped ? 1 : 0) == 1;  // nobody needs fd_ any more
  if (fd_ >= 0) ::close(std::exchange(fd_, -1));
  if (!connected) unmap_others();
  return connected;
}

}  // namespace lockstep::comm
