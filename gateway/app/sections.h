// The configuration format: sections of keys, one a line.
//
//     # a comment
//     [partner hjartkliniken]
//     name = Hjärtkliniken Exempel AB
//     sender = SE5565594230-A001        a key may stand more than once: it is a list
//
// Used by app for the main file, the folders beside it and mappings/*/channels.conf. Every fault is told with file and
// line, all at once; a key that nobody reads is a fault. Rejected: JSON (no comments), YAML (surprises), TOML (no
// library in Debian 12). Thread rule: one thread. Failure rule: faults are collected, never thrown; values read after a
// fault are defaults.
#pragma once

#include "gateway/base/clock.h"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace lotsen::app {

struct Fault {
  std::string file;
  int line = 0;
  std::string text;
  int column = 0;  // where one is known
};

struct Faults {
  std::vector<Fault> list;
  void add(const std::string& file, int line, std::string text, int column = 0) {
    list.push_back({file, line, std::move(text), column});
  }
  bool any() const { return !list.empty(); }
};

/// 250ms 30s 15min 72h 400d; none: it is something else.
std::optional<milliseconds> parseDuration(std::string_view text);

/// "file:line:column: text", as far as the place is known.
std::string told(const Fault& fault);

struct Entry {
  std::string key, value;
  int line = 0;
  bool read = false;
};

class Section {
 public:
  std::string kind, name, file;
  int line = 0;
  std::vector<Entry> entries;

  // Each marks the key as read. A missing required key, a wrong form or a key given twice is a fault.
  std::string required(std::string_view key, Faults& faults);
  std::string optional(std::string_view key, std::string_view fallback, Faults& faults);
  std::vector<std::string> all(std::string_view key);
  bool flag(std::string_view key, bool fallback, Faults& faults);  // yes | no
  std::int64_t number(std::string_view key, std::int64_t fallback, std::int64_t least, std::int64_t most,
                      Faults& faults);
  milliseconds duration(std::string_view key, milliseconds fallback, Faults& faults);  // see parseDuration()
  /// `fallback` if absent; a fault if it is not one of `allowed`.
  std::string choice(std::string_view key, std::string_view fallback, const std::vector<std::string_view>& allowed,
                     Faults& faults);
  /// "KEY WORD = value": with the word (or nothing) as key, each word once.
  std::vector<Entry> words(std::string_view key, Faults& faults);
  /// "KEY = value" and "KEY WORD = value": what is allowed of it, with the word (or nothing) as key, each word once.
  std::vector<Entry> choices(std::string_view key, const std::vector<std::string_view>& allowed, Faults& faults);
  /// Faults for all keys nobody read, with the nearest one that somebody did.
  void refuseUnread(Faults& faults) const;

 private:
  bool isAllowed(std::string_view key, const Entry& entry, const std::vector<std::string_view>& allowed,
                 Faults& faults) const;
  Entry* one(std::string_view key, Faults& faults);
};

std::vector<Section> parseSections(const std::string& file, std::string_view text, Faults& faults);

}  // namespace lotsen::app
