#include "cli/options.h"

#include <CLI/CLI.hpp>

namespace lockstep::cli {

void Options::argument(const char* name, std::string& value, const char* help) {
  command_.add_option(name, value, help)->required();
}

void Options::optional_argument(const char* name, std::string& value, const char* help) {
  command_.add_option(name, value, help);
}

void Options::arguments(const char* name, std::vector<std::string>& values, const char* help) {
  command_.add_option(name, values, help);
}

void Options::configuration(std::string& config, std::vector<std::string>& overrides, const char* help) {
  argument("CONFIG", config, help);
  this->overrides(overrides);
}

void Options::overrides(std::vector<std::string>& overrides) {
  repeated("--set", overrides,
           "SECTION.KEY=VALUE replaces a value of the configuration, such as --set train.learning_rate=0.1 "
           "or --set model.hidden=[512,256]; may be repeated");
}

void Options::flag(const char* name, bool& value, const char* help) { command_.add_flag(name, value, help); }

void Options::text(const char* name, std::string& value, const char* help) {
  command_.add_option(name, value, help);
}

void Options::choice(const char* name, std::string& value, const std::vector<std::string>& words,
                     const char* help) {
  value = words.front();
  command_.add_option(name, value, help)->check(CLI::IsMember(words));
}

void Options::repeated(const char* name, std::vector<std::string>& values, const char* help) {
  command_.add_option(name, values, help)->take_all()->allow_extra_args(false);
}

void Options::list(const char* name, std::vector<std::string>& values, const std::string& help) {
  command_.add_option(name, values, help)->delimiter(',');
}

void Options::number(const char* name, int& value, int min, int max, const char* help) {
  command_.add_option(name, value, help)->check(CLI::Range(min, max));
}

void Options::number(const char* name, std::size_t& value, std::size_t min, std::size_t max,
                     const char* help) {
  command_.add_option(name, value, help)->check(CLI::Range(min, max));
}

void Options::tolerance(const char* name, double& value, const char* help) {
  command_.add_option(name, value, help)->check(CLI::NonNegativeNumber);
}

void Options::tolerance(const char* name, std::optional<double>& value, const char* help) {
  command_.add_option(name, value, help)->check(CLI::NonNegativeNumber);
}

void Options::footer(const char* text) { command_.footer(text); }

}  // namespace lockstep::cli
