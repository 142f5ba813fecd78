#include "liveness/network.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <array>
#include <cstdlib>
#include <set>

namespace lockstep::liveness {
namespace {

// In words; "" if it is neither IPv4 nor IPv6. An IPv4 address in IPv6's form is the IPv4 address.
std::string text_of(const sockaddr* address) {
  std::array<char, INET6_ADDRSTRLEN> text{};
  if (address->sa_family == AF_INET) {
    const auto* ip = reinterpret_cast<const sockaddr_in*>(address);
    ::inet_ntop(AF_INET, &ip->sin_addr, text.data(), text.size());
  } else if (address->sa_family == AF_INET6) {
    const auto* ip = reinterpret_cast<const sockaddr_in6*>(address);
    if (IN6_IS_ADDR_V4MAPPED(&ip->sin6_addr))
      ::inet_ntop(AF_INET, &ip->sin6_addr.s6_addr[12], text.data(), text.size());
    else
      ::inet_ntop(AF_INET6, &ip->sin6_addr, text.data(), text.size());
  }
  return text.data();
}

#ifdef __linux__
bool was_sent_again(int fd) {
  tcp_info info{};
  socklen_t size = sizeof info;
  return ::getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &size) == 0 && info.tcpi_state == TCP_ESTABLISHED &&
         info.tcpi_retransmits > 0;
}
#else
bool was_sent_again(int) { return false; }
#endif

}  // namespace

std::vector<std::string> own_addresses() {
  ifaddrs* all = nullptr;
  if (::getifaddrs(&all) != 0) return {};
  std::set<std::string> found;
  for (const ifaddrs* one = all; one != nullptr; one = one->ifa_next)
    if (one->ifa_addr != nullptr && (one->ifa_flags & IFF_LOOPBACK) == 0)
      found.insert(text_of(one->ifa_addr));
  ::freeifaddrs(all);
  found.erase("");
  return {found.begin(), found.end()};
}

std::vector<std::string> unanswered_addresses() {
  DIR* open_files = ::opendir("/proc/self/fd");
  if (open_files == nullptr) return {};
  std::set<std::string> found;
  while (const dirent* entry = ::readdir(open_files)) {
    const int fd = std::atoi(entry->d_name);
    sockaddr_storage peer{};
    socklen_t size = sizeof peer;
    auto* const address = reinterpret_cast<sockaddr*>(&peer);
    if (was_sent_again(fd) && ::getpeername(fd, address, &size) == 0) found.insert(text_of(address));
  }
  ::closedir(open_files);
  found.erase("");
  return {found.begin(), found.end()};
}

}  // namespace lockstep::liveness
