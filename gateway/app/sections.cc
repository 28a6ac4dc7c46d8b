#include "gateway/app/sections.h"

#include "gateway/base/text.h"

#include <charconv>

namespace lotsen::app {

std::optional<milliseconds> parseDuration(std::string_view text) {
  std::int64_t value = 0;
  const char* end = text.data() + text.size();
  const auto parsed = std::from_chars(text.data(), end, value);
  const std::string_view unit(parsed.ptr, static_cast<std::size_t>(end - parsed.ptr));
  const std::int64_t scale = unit == "ms"    ? 1
                             : unit == "s"   ? 1000
                             : unit == "min" ? 60'000
                             : unit == "h"   ? 3'600'000
                             : unit == "d"   ? 86'400'000
                                             : 0;
  if (parsed.ec != std::errc() || value < 0 || value > 100'000'000 || scale == 0) return std::nullopt;
  return milliseconds(value * scale);
}

std::string told(const Fault& fault) {
  std::string text = fault.file;
  if (fault.line > 0) text += ":" + std::to_string(fault.line);
  if (fault.line > 0 && fault.column > 0) text += ":" + std::to_string(fault.column);
  return text + ": " + fault.text;
}

std::vector<Section> parseSections(const std::string& file, std::string_view text, Faults& faults) {
  std::vector<Section> sections;
  int number = 0;
  for (const auto raw : split(text, '\n')) {
    ++number;
    const auto line = trim(raw);
    if (line.empty() || line.front() == '#') continue;
    if (line.front() == '[') {
      if (line.back() != ']') {
        faults.add(file, number, "a section must end with ]");
        continue;
      }
      const auto inside = trim(line.substr(1, line.size() - 2));
      const auto blank = inside.find(' ');
      Section section;
      section.kind = std::string(inside.substr(0, blank));
      section.name = blank == std::string_view::npos ? "" : std::string(trim(inside.substr(blank)));
      section.file = file;
      section.line = number;
      for (const auto& other : sections) {
        if (other.kind == section.kind && other.name == section.name) {
          faults.add(file, number,
                     "section [" + std::string(inside) + "] stands a second time; the first is in line " +
                         std::to_string(other.line));
        }
      }
      sections.push_back(std::move(section));
      continue;
    }
    const auto equals = line.find('=');
    if (equals == std::string_view::npos || equals == 0) {
      faults.add(file, number, "expected key = value");
    } else if (sections.empty()) {
      faults.add(file, number, "a key before the first [section]");
    } else {
      sections.back().entries.push_back(
          {std::string(trim(line.substr(0, equals))), std::string(trim(line.substr(equals + 1))), number});
    }
  }
  return sections;
}

Entry* Section::one(std::string_view key, Faults& faults) {
  Entry* found = nullptr;
  for (auto& entry : entries) {
    if (entry.key != key) continue;
    if (found != nullptr) faults.add(file, entry.line, "key " + entry.key + " stands twice; it takes one value");
    entry.read = true;
    found = found == nullptr ? &entry : found;
  }
  return found;
}

std::string Section::required(std::string_view key, Faults& faults) {
  const Entry* entry = one(key, faults);
  if (entry == nullptr || entry->value.empty()) {
    faults.add(file, entry == nullptr ? line : entry->line,
               "[" + kind + (name.empty() ? "" : " " + name) + "] needs " + std::string(key) + " = …");
    return {};
  }
  return entry->value;
}

std::string Section::optional(std::string_view key, std::string_view fallback, Faults& faults) {
  const Entry* entry = one(key, faults);
  return entry == nullptr ? std::string(fallback) : entry->value;
}

std::vector<std::string> Section::all(std::string_view key) {
  std::vector<std::string> values;
  for (auto& entry : entries) {
    if (entry.key != key) continue;
    entry.read = true;
    values.push_back(entry.value);
  }
  return values;
}

bool Section::isAllowed(std::string_view key, const Entry& entry, const std::vector<std::string_view>& allowed,
                        Faults& faults) const {
  std::string listed;
  for (const auto word : allowed) {
    if (word == entry.value) return true;
    listed += (listed.empty() ? "" : ", ") + std::string(word);
  }
  faults.add(file, entry.line, std::string(key) + " must be one of: " + listed);
  return false;
}

std::string Section::choice(std::string_view key, std::string_view fallback,
                            const std::vector<std::string_view>& allowed, Faults& faults) {
  const Entry* entry = one(key, faults);
  return entry != nullptr && isAllowed(key, *entry, allowed, faults) ? entry->value : std::string(fallback);
}

std::vector<Entry> Section::words(std::string_view key, Faults& faults) {
  std::vector<Entry> found;
  for (auto& entry : entries) {
    const std::string_view whole = entry.key;
    if (!whole.starts_with(key) || (whole.size() > key.size() && whole[key.size()] != ' ')) continue;
    entry.read = true;
    const std::string word(trim(whole.substr(key.size())));
    for (const auto& other : found) {
      if (other.key == word)
        faults.add(file, entry.line, entry.key + " stands twice; the first is in line " + std::to_string(other.line));
    }
    found.push_back({word, entry.value, entry.line, true});
  }
  return found;
}

std::vector<Entry> Section::choices(std::string_view key, const std::vector<std::string_view>& allowed,
                                    Faults& faults) {
  auto found = words(key, faults);
  std::erase_if(found, [&](const Entry& entry) { return !isAllowed(key, entry, allowed, faults); });
  return found;
}

bool Section::flag(std::string_view key, bool fallback, Faults& faults) {
  return choice(key, fallback ? "yes" : "no", {"yes", "no"}, faults) == "yes";
}

std::int64_t Section::number(std::string_view key, std::int64_t fallback, std::int64_t least, std::int64_t most,
                             Faults& faults) {
  const Entry* entry = one(key, faults);
  if (entry == nullptr) return fallback;
  std::int64_t value = 0;
  const char* end = entry->value.data() + entry->value.size();
  const auto parsed = std::from_chars(entry->value.data(), end, value);
  if (parsed.ec == std::errc() && parsed.ptr == end && value >= least && value <= most) return value;
  faults.add(
      file, entry->line,
      std::string(key) + " must be a whole number from " + std::to_string(least) + " to " + std::to_string(most));
  return fallback;
}

milliseconds Section::duration(std::string_view key, milliseconds fallback, Faults& faults) {
  const Entry* entry = one(key, faults);
  if (entry == nullptr) return fallback;
  if (const auto duration = parseDuration(entry->value)) return *duration;
  faults.add(file, entry->line, std::string(key) + " must be a duration such as 250ms, 30s, 15min, 72h or 400d");
  return fallback;
}

void Section::refuseUnread(Faults& faults) const {
  std::vector<std::string_view> known;
  for (const auto& entry : entries) {
    if (entry.read) known.push_back(entry.key);
  }
  for (const auto& entry : entries) {
    if (entry.read) continue;
    const auto near = nearest(entry.key, known);
    faults.add(file, entry.line,
               "unknown key " + entry.key + " in [" + kind + "]" +
                   (near.empty() ? "" : "; did you mean " + std::string(near) + "?"));
  }
}

}  // namespace lotsen::app
