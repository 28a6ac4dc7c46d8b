#include "gateway/app/arguments.h"

#include "gateway/base/text.h"

#include <iostream>

namespace lotsen::app {

namespace {

void printHelp(std::ostream& out, const Usage& usage) {
  out << "usage: lotsen " << usage.verb;
  for (const auto& option : usage.options) {
    out << " [" << option.name << (option.value.empty() ? "" : " ") << option.value << ']'
        << (option.repeats ? "…" : "");
  }
  out << (usage.arguments.empty() ? "" : " ") << usage.arguments << "\n\n" << usage.summary << '\n';
  if (!usage.options.empty()) out << '\n';
  for (const auto& option : usage.options) {
    std::string left = "  " + std::string(option.name) + (option.value.empty() ? "" : " ") + std::string(option.value);
    left.resize(std::max<std::size_t>(left.size() + 2, 28), ' ');
    out << left << option.help << '\n';
  }
}

}  // namespace

std::optional<Arguments> Arguments::parse(const Usage& usage, const std::vector<std::string>& words, int& exit) {
  Arguments result;
  const auto wrong = [&](const std::string& text) -> std::optional<Arguments> {
    std::cerr << "lotsen " << usage.verb << ": " << text << "; see lotsen " << usage.verb << " --help\n";
    exit = kWrongUse;
    return std::nullopt;
  };
  std::vector<std::string_view> known;
  known.reserve(usage.options.size());
  for (const auto& option : usage.options) known.push_back(option.name);

  bool optionsEnd = false;
  for (std::size_t i = 0; i < words.size(); ++i) {
    const std::string& word = words[i];
    if (optionsEnd || word.size() < 2 || word[0] != '-') {
      result.positional_.push_back(word);
      continue;
    }
    if (word == "--") {
      optionsEnd = true;
      continue;
    }
    if (word == "--help" || word == "-h") {
      printHelp(std::cout, usage);
      exit = kFine;
      return std::nullopt;
    }
    const auto equals = word.find('=');
    const std::string name = word.substr(0, equals);
    const Option* option = nullptr;
    for (const auto& candidate : usage.options) {
      if (candidate.name == name) option = &candidate;
    }
    if (option == nullptr) {
      const auto near = nearest(name, known);
      return wrong("unknown option " + name + (near.empty() ? "" : ", did you mean " + std::string(near) + "?"));
    }
    auto& values = result.options_[name];
    if (!values.empty() && !option->repeats) return wrong(name + " stands twice");
    if (option->value.empty()) {
      if (equals != std::string::npos) return wrong(name + " takes no value");
      values.emplace_back("yes");
    } else if (equals != std::string::npos) {
      values.push_back(word.substr(equals + 1));
    } else if (i + 1 < words.size()) {
      values.push_back(words[++i]);
    } else {
      return wrong(name + " needs a value");
    }
  }
  if (result.positional_.size() < usage.least)
    return wrong("too few arguments, expected " + std::string(usage.arguments));
  if (result.positional_.size() > usage.most)
    return wrong("too many arguments, expected " + (usage.arguments.empty() ? "none" : std::string(usage.arguments)));
  return result;
}

std::string Arguments::one(std::string_view name, std::string_view fallback) const {
  const auto found = options_.find(std::string(name));
  return found == options_.end() ? std::string(fallback) : found->second.front();
}

std::vector<std::string> Arguments::all(std::string_view name) const {
  const auto found = options_.find(std::string(name));
  return found == options_.end() ? std::vector<std::string>{} : found->second;
}

}  // namespace lotsen::app
