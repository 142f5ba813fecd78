// What a misspelt word was meant to be.
#pragma once

#include <optional>
#include <span>
#include <string>

namespace lockstep {

// The candidate that the fewest insertions, deletions, replacements and swaps of characters lead to; none
// where even that is far: more than one of them, and one more for every four characters of the word, or half
// its characters.
std::optional<std::string> nearest(const std::string& word, std::span<const std::string> candidates);

}  // namespace lockstep
