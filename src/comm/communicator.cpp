#include "comm/communicator.h"

#include <fmt/format.h>
#include <mpi.h>

#include <algorithm>
#include <new>
#include <optional>
#include <utility>

namespace lockstep::comm {
namespace {

constexpr std::size_t kLargestMessage = std::size_t{1} << 30;  // elements; MPI counts in int

void check(int result, const char* operation) {
  if (result == MPI_SUCCESS) return;
  char text[MPI_MAX_ERROR_STRING];
  int length = 0;
  MPI_Error_string(result, text, &length);
  throw RankError(
      fmt::format("{} failed: {}", operation, std::string_view(text, static_cast<std::size_t>(length))));
}

template <typename T>
void allreduce_in_place(std::span<T> x, MPI_Datatype type, MPI_Comm mpi, MPI_Op operation = MPI_SUM) {
  for (std::size_t begin = 0; begin < x.size(); begin += kLargestMessage) {
    const auto part = x.subspan(begin, std::min(kLargestMessage, x.size() - begin));
    check(MPI_Allreduce(MPI_IN_PLACE, part.data(), static_cast<int>(part.size()), type, operation, mpi),
          "MPI_Allreduce");
  }
}

}  // namespace

struct Request::Handle {
  MPI_Request mpi;
};

Request::Request(std::unique_ptr<Handle> handle) : handle_(std::move(handle)) {}
Request::Request(Request&&) noexcept = default;
Request& Request::operator=(Request&&) noexcept = default;
Request::~Request() = default;

void Request::wait() {
  if (const auto handle = std::exchange(handle_, nullptr))
    check(MPI_Wait(&handle->mpi, MPI_STATUS_IGNORE), "MPI_Wait");
}

struct Communicator::Handle {
  MPI_Comm mpi = MPI_COMM_NULL;
};

std::string host_name() {
  char name[MPI_MAX_PROCESSOR_NAME];
  int length = 0;
  MPI_Get_processor_name(name, &length);
  return {name, static_cast<std::size_t>(length)};
}

Communicator::Communicator() = default;
Communicator::Communicator(Communicator&&) noexcept = default;
Communicator& Communicator::operator=(Communicator&&) noexcept = default;
Communicator::~Communicator() = default;

Communicator Communicator::owning(Handle handle) {
  Communicator owner;
  owner.handle_ = std::make_unique<Handle>(handle);
  check(MPI_Comm_rank(handle.mpi, &owner.rank_), "MPI_Comm_rank");
  check(MPI_Comm_size(handle.mpi, &owner.size_), "MPI_Comm_size");
  MPI_Comm_set_errhandler(handle.mpi, MPI_ERRORS_RETURN);
  return owner;
}

Communicator Communicator::duplicate(Group group) {
  const MPI_Comm mpi = group == Group::kWorld ? MPI_COMM_WORLD : MPI_COMM_SELF;
  Handle copy;
  check(MPI_Comm_dup(mpi, &copy.mpi), "MPI_Comm_dup");
  return owning(copy);
}

Communicator Communicator::split(int colour) const {
  Handle part;
  check(MPI_Comm_split(handle_->mpi, colour, rank_, &part.mpi), "MPI_Comm_split");
  return owning(part);
}

Communicator Communicator::of_this_host() const {
  Handle host;
  check(MPI_Comm_split_type(handle_->mpi, MPI_COMM_TYPE_SHARED, rank_, MPI_INFO_NULL, &host.mpi),
        "MPI_Comm_split_type");
  return owning(host);
}

void Communicator::allreduce_sum(std::span<float> x) const {
  if (size_ > 1) allreduce_in_place(x, MPI_FLOAT, handle_->mpi);
}

void Communicator::allreduce_sum(std::span<std::int32_t> x) const {
  if (size_ > 1) allreduce_in_place(x, MPI_INT32_T, handle_->mpi);
}

void Communicator::allreduce_sum(std::span<std::int64_t> x) const {
  if (size_ > 1) allreduce_in_place(x, MPI_INT64_T, handle_->mpi);
}

Request Communicator::start_allreduce_sum(std::span<std::int64_t> x) const {
  require(x.size() <= kLargestMessage, "start_allreduce_sum: too many elements for one message");
  if (size_ == 1) return {};
  auto handle = std::make_unique<Request::Handle>(Request::Handle{MPI_REQUEST_NULL});
  check(MPI_Iallreduce(MPI_IN_PLACE, x.data(), static_cast<int>(x.size()), MPI_INT64_T, MPI_SUM, handle_->mpi,
                       &handle->mpi),
        "MPI_Iallreduce");
  return Request(std::move(handle));
}

void Communicator::allreduce_max(std::span<std::int64_t> x) const {
  if (size_ > 1) allreduce_in_place(x, MPI_INT64_T, handle_->mpi, MPI_MAX);
}

std::int64_t Communicator::allreduce_min(std::int64_t x) const {
  if (size_ > 1)
    check(MPI_Allreduce(MPI_IN_PLACE, &x, 1, MPI_INT64_T, MPI_MIN, handle_->mpi), "MPI_Allreduce");
  return x;
}

std::vector<std::int64_t> Communicator::allgather(std::int64_t x) const {
  std::vector<std::int64_t> all(static_cast<std::size_t>(size_), x);
  if (size_ > 1) {
    check(MPI_Allgather(&x, 1, MPI_INT64_T, all.data(), 1, MPI_INT64_T, handle_->mpi), "MPI_Allgather");
  }
  return all;
}

void Communicator::broadcast(std::span<std::byte> bytes, int root) const {
  if (size_ == 1) return;
  for (std::size_t begin = 0; begin < bytes.size(); begin += kLargestMessage) {
    const auto part = bytes.subspan(begin, std::min(kLargestMessage, bytes.size() - begin));
    check(MPI_Bcast(part.data(), static_cast<int>(part.size()), MPI_BYTE, root, handle_->mpi), "MPI_Bcast");
  }
}

void Communicator::broadcast(std::string& text, int root) const {
  std::size_t length = text.size();
  broadcast(std::as_writable_bytes(std::span(&length, 1)), root);
  text.resize(length);
  broadcast(std::as_writable_bytes(std::span(text)), root);
}

void Communicator::together(const std::function<void()>& action) const {
  std::optional<ExitCode> failure;
  std::string message;
  try {
    action();
  } catch (const Error& error) {
    failure = error.code();
    message = error.what();
  } catch (const std::bad_alloc&) {
    failure = ExitCode::kRank;
    message = "out of memory";
  } catch (const std::exception& error) {
    failure = ExitCode::kRank;
    message = error.what();
  }
  std::int64_t failures = failure ? 1 : 0;
  allreduce_sum(std::span(&failures, 1));
  if (failures == 0) return;
  const auto first = static_cast<int>(allreduce_min(failure ? rank_ : size_));
  std::int64_t code = rank_ == first ? static_cast<std::int64_t>(*failure) : 0;
  allreduce_sum(std::span(&code, 1));
  broadcast(message, first);
  if (first > 0 && failures < size_) message = fmt::format("rank {}: {}", first, message);
  throw AgreedError(static_cast<ExitCode>(code), message);
}

}  // namespace lockstep::comm
