// The table of a search's trials: trials.csv, and what the terminal shows.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

namespace lockstep::report {

struct Trial {
  std::size_t number = 0;           // 1, 2, ...
  std::vector<std::string> values;  // of the parameters
  std::vector<double> scores;       // of its runs
  double seconds = 0.0;             // of all of them
  std::string error;                // of the first run that failed; empty: none did

  bool ok() const { return error.empty(); }
  double mean() const;    // NaN where a run failed
  double stddev() const;  // of the sample; 0 of a single run
};

// Best first; trials that failed last; of equals the lower number first.
void sort_trials(std::vector<Trial>& trials, bool higher_is_better);

// "trial,status,score_name,score,score_std,runs,PARAMETER...,seconds,error" and a row per trial; `score` is
// the score's name.
std::string trials_csv(const std::vector<std::string>& parameters, const std::vector<Trial>& trials,
                       const std::string& score);

// The same for people, lines of aligned columns.
std::string trials_table(const std::vector<std::string>& parameters, const std::vector<Trial>& trials,
                         const std::string& score);

}  // namespace lockstep::report
