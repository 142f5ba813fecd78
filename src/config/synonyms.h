// What keys of other programs are called here.
#pragma once

#include <optional>
#include <span>
#include <string>

namespace lockstep::config {

// Of a key as other programs name it ("lr", "train.weight_decay", "--batch-size"), or in the wrong section,
// which of the known ones it is; none where it is not known to be one of these.
std::optional<std::string> synonym(const std::string& key, std::span<const std::string> known);

// Of what other programs have a key for and this one has not, what takes its place; "" where that is not
// known.
std::string instead_of(const std::string& key);

}  // namespace lockstep::config
