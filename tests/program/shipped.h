// The configurations and sweeps that come with the program, found by walking its folder configs/, and what
// makes them short enough for a test: a few samples and epochs, made up in place of CIFAR-10's.
#pragma once

#include <gtest/gtest.h>

#include <filesystem>
#include <string>
#include <vector>

namespace lockstep::program {

// Paths below configs/, in order. Those in sweeps/ are sweeps, all others configurations.
std::vector<std::string> shipped_configurations();
std::vector<std::string> shipped_sweeps();
std::filesystem::path shipped(const std::string& name);

// "courses_circle" for courses/circle.toml.
std::string name_of_shipped(const testing::TestParamInfo<std::string>& info);

// Keys and values that shorten the configuration in this file, as TOML.
std::vector<std::pair<std::string, std::string>> shortening(const std::filesystem::path& configuration);
// The same as arguments: "--set", "train.epochs=2", ...
std::vector<std::string> shortened(const std::filesystem::path& configuration);

// The text of a sweep, shortened, with the absolute path of its configuration.
std::string shortened_sweep(const std::filesystem::path& sweep);

}  // namespace lockstep::program
