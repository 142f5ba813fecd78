// Measurements as JSON.
#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <system_error>

#include "base/error.h"
#include "base/file.h"
#include "run/setup.h"
#include "scaling/calibration.h"

namespace lockstep::scaling {
namespace {

nlohmann::ordered_json to_json(const LayoutCost& layout) {
  nlohmann::ordered_json json = {{"ranks_on_host", layout.ranks_on_host}, {"threads", layout.threads}};
  for (const auto& [load, seconds] : layout.steps)
    json["steps"].push_back({{"blocks", load.blocks},
                             {"rows", load.rows},
                             {"forward", seconds.forward},
                             {"backward", seconds.backward},
                             {"update", seconds.update},
                             {"rest", seconds.rest}});
  return json;
}

// Which network it is, by the elements of its tensors. What else it says of sums is for launch/simulate.
std::vector<TensorLoad> tensors_from(const nlohmann::ordered_json& json) {
  std::vector<TensorLoad> tensors;
  for (const auto& elements : json.at("tensors"))
    tensors.push_back({.elements = elements.get<std::size_t>()});
  return tensors;
}

LayoutCost layout_from(const nlohmann::ordered_json& json) {
  LayoutCost layout{json.at("ranks_on_host").get<int>(), json.at("threads").get<int>(), {}};
  for (const auto& step : json.at("steps"))
    layout.steps.push_back({{step.at("blocks").get<std::size_t>(), step.at("rows").get<std::size_t>()},
                            {step.at("forward").get<double>(), step.at("backward").get<double>(),
                             step.at("update").get<double>(), step.at("rest").get<double>()}});
  return layout;
}

// Whether the model can work with it.
bool sensible(const LayoutCost& layout) {
  const auto positive = [](const MeasuredStep& step) {
    const StepSeconds& seconds = step.seconds;
    return std::min({seconds.forward, seconds.backward, seconds.update, seconds.rest}) > 0.0;
  };
  return layout.ranks_on_host > 0 && layout.threads > 0 && !layout.steps.empty() &&
         std::all_of(layout.steps.begin(), layout.steps.end(), positive);
}

nlohmann::ordered_json to_json(const Network& network) {
  return {{"latency", network.latency},
          {"seconds_per_byte", network.seconds_per_byte},
          {"stolen_per_byte", network.stolen_per_byte}};
}

Network network_of_json(const nlohmann::ordered_json& json) {
  return {"measured", json.at("latency").get<double>(), json.at("seconds_per_byte").get<double>(),
          json.at("stolen_per_byte").get<double>()};
}

bool sensible(const std::optional<Network>& network) {
  return !network ||
         (network->latency >= 0.0 && network->seconds_per_byte >= 0.0 && network->stolen_per_byte >= 0.0);
}

}  // namespace

Calibration read_calibration(const std::filesystem::path& path, const Calibration& expected) {
  Calibration calibration;
  try {
    const auto json = nlohmann::ordered_json::parse(read_file(path));
    calibration.sums.tensors = tensors_from(json);
    calibration.kernel_family = json.at("kernel_family").get<std::string>();
    calibration.mode = json.at("mode").get<std::string>();
    for (const auto& layout : json.at("layouts")) calibration.layouts.push_back(layout_from(layout));
    if (json.contains("within_host")) calibration.within_host = network_of_json(json.at("within_host"));
    if (json.contains("between_hosts")) calibration.between_hosts = network_of_json(json.at("between_hosts"));
  } catch (const nlohmann::json::exception& error) {
    throw ConfigError(fmt::format("{}: {}, expected what lockstep predict --calibration wrote", path.string(),
                                  error.what()));
  } catch (const std::system_error& error) {
    throw ConfigError(fmt::format("{}: cannot be read: {}", path.string(), error.code().message()));
  }
  if (!std::all_of(calibration.layouts.begin(), calibration.layouts.end(),
                   [](const LayoutCost& layout) { return sensible(layout); }) ||
      !sensible(calibration.within_host) || !sensible(calibration.between_hosts))
    throw ConfigError(
        fmt::format("{}: a layout without steps, or a time that is not positive, expected "
                    "what lockstep predict --calibration wrote",
                    path.string()));
  const auto same = [](const TensorLoad& a, const TensorLoad& b) { return a.elements == b.elements; };
  if (calibration.layouts.empty() ||
      !std::ranges::equal(calibration.sums.tensors, expected.sums.tensors, same))
    throw ConfigError(fmt::format(
        "{}: is of another network, expected one with the tensors of this configuration", path.string()));
  if (calibration.kernel_family != expected.kernel_family || calibration.mode != expected.mode)
    throw ConfigError(fmt::format("{}: was measured with {} kernels and {} reduction, expected {} and {}",
                                  path.string(), calibration.kernel_family, calibration.mode,
                                  expected.kernel_family, expected.mode));
  return calibration;
}

void write_calibration(const std::filesystem::path& path, const Calibration& calibration) {
  nlohmann::ordered_json json;
  for (const char* list : {"tensors", "backward_work", "forward_work", "in_slices"})
    json[list] = nlohmann::ordered_json::array();
  for (const TensorLoad& tensor : calibration.sums.tensors) {
    json["tensors"].push_back(tensor.elements);
    json["backward_work"].push_back(tensor.backward);
    json["forward_work"].push_back(tensor.forward);
    json["in_slices"].push_back(tensor.in_slices);
  }
  json["few_bytes"] = calibration.sums.few_bytes;
  json["part_sums"] = calibration.sums.part_sums;
  json["kernel_family"] = calibration.kernel_family;
  json["mode"] = calibration.mode;
  json["layouts"] = nlohmann::ordered_json::array();
  for (const LayoutCost& layout : calibration.layouts) json["layouts"].push_back(to_json(layout));
  if (calibration.within_host) json["within_host"] = to_json(*calibration.within_host);
  if (calibration.between_hosts) json["between_hosts"] = to_json(*calibration.between_hosts);
  run::writing(path, [&] { write_file_atomically(path, json.dump(2) + "\n"); });
}

}  // namespace lockstep::scaling
