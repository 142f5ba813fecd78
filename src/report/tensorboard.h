// Event files for TensorBoard: records of TensorFlow's framing around protobuf messages.
//
// A file begins for each start of a run, and is called after the step from which it goes on, so that their
// names are in the order of the steps. Sources:
// https://github.com/tensorflow/tensorflow/blob/master/tensorflow/core/lib/io/record_writer.h (framing),
// .../core/util/event.proto and .../core/framework/summary.proto (messages).
#pragma once

#include <cstddef>
#include <filesystem>
#include <string>
#include <vector>

#include "base/protobuf.h"
#include "report/run_files.h"

namespace lockstep::report {

class TensorBoardFile {
 public:
  // Begins the file of a run that has done so many steps. In other files of the folder records of later
  // steps, or that are not whole, are cut off; files of later steps go. Throws ConfigError where that fails.
  TensorBoardFile(const std::filesystem::path& folder, std::size_t step);

  // The files of a folder, in the order of their steps.
  static std::vector<std::filesystem::path> files(const std::filesystem::path& folder);

  // After a step, by the name of the curve. Not written before flush().
  void scalar(std::size_t step, const std::string& tag, double value);
  // png: the image as such a file, width x height pixels.
  void image(std::size_t step, const std::string& tag, std::size_t width, std::size_t height,
             const std::string& png);

  // Writes what was added. Throws ConfigError where it cannot be written; the next call writes it then.
  void flush() { file_.flush(); }

 private:
  void add(const ProtobufMessage& event);

  RowsFile file_;
};

}  // namespace lockstep::report
