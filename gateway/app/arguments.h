// The command line of one verb: options it declares, positional arguments, --help. Wrong use is told on stderr and ends
// with 2. Thread rule: one thread.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace lotsen::app {

constexpr int kFine = 0;
constexpr int kDataFailed = 1;  // the data or the check failed
constexpr int kWrongUse = 2;    // wrong use, or input that cannot be read

struct Option {
  std::string_view name;   // "--map"
  std::string_view value;  // "FILE"; empty: a flag
  std::string_view help;
  bool repeats = false;
};

struct Usage {
  std::string_view verb;
  std::string_view arguments;  // "SOURCE"
  std::string_view summary;
  std::vector<Option> options;
  std::size_t least = 0, most = 0;  // positional arguments
};

class Arguments {
 public:
  /// nullopt: help was printed or the use was wrong; `exit` is then the exit status.
  static std::optional<Arguments> parse(const Usage& usage, const std::vector<std::string>& words, int& exit);

  const std::vector<std::string>& positional() const { return positional_; }
  bool has(std::string_view name) const { return options_.find(std::string(name)) != options_.end(); }
  std::string one(std::string_view name, std::string_view fallback = {}) const;
  std::vector<std::string> all(std::string_view name) const;

 private:
  std::vector<std::string> positional_;
  std::map<std::string, std::vector<std::string>> options_;
};

}  // namespace lotsen::app
