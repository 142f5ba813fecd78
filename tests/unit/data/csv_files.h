// CSV files that tests write and read.
#pragma once

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <string>

#include "data/csv.h"
#include "data/points.h"
#include "support.h"

namespace lockstep::test {

class CsvFiles : public testing::Test {
 protected:
  // The path of a new file of this text.
  std::filesystem::path write(const std::string& text, const std::string& name = "train.csv") const {
    std::ofstream(folder_.path() / name, std::ios::binary) << text;
    return folder_.path() / name;
  }

  static data::DataOptions options_for(const std::filesystem::path& file) {
    data::DataOptions options;
    options.dataset = "csv";
    options.file = file;
    return options;
  }

  data::Csv read(const std::string& text) const { return data::Csv(options_for(write(text))); }

  const TemporaryFolder folder_;
};

}  // namespace lockstep::test
