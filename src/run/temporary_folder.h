// A folder for temporary files, which rank 0 makes.
#pragma once

#include <string>

#include "comm/communicator.h"

namespace lockstep::run {

// A new folder of such a name and some letters; "" where none can be made.
std::string make_temporary_folder(const std::string& name);

class TemporaryFolder {
 public:
  // Throws CollectiveError where it cannot be made. Collective.
  TemporaryFolder(const std::string& name, const comm::Communicator& world);
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;
  // Deletes it, and all that is in it.
  ~TemporaryFolder();

  const std::string& path() const { return path_; }

 private:
  bool owns_;  // rank 0's
  std::string path_;
};

}  // namespace lockstep::run
