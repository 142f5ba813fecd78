// A text as a cell of a CSV file (RFC 4180).
#pragma once

#include <string>

namespace lockstep::report {

inline std::string csv_cell(const std::string& text) {
  if (text.find_first_of(",\"\r\n") == std::string::npos) return text;
  std::string cell = "\"";
  for (const char c : text) {
    if (c == '"') cell += c;
    cell += c;
  }
  cell += '"';
  return cell;
}

}  // namespace lockstep::report
