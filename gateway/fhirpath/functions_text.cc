// String functions (FHIRPath 2.0 §5.6 and the later encode, escape, trim, split, join, matchesFull). Positions count
// characters.
#include "gateway/crypto/base64.h"
#include "gateway/fhirpath/functions.h"
#include "gateway/fhirpath/machine.h"
#include "gateway/fhirpath/unicode.h"

#include <algorithm>
#include <array>
#include <cstring>

namespace lotsen::fhirpath {
namespace {

using Text = std::optional<std::string_view>;

/// string_view::find in linear time, whatever the texts are.
std::size_t find(std::string_view text, std::string_view part) {
  if (part.empty()) return 0;
  const void* found =
      text.size() < part.size() ? nullptr : ::memmem(text.data(), text.size(), part.data(), part.size());
  return found == nullptr ? std::string_view::npos
                          : static_cast<std::size_t>(static_cast<const char*>(found) - text.data());
}

/// Focus and first argument as text; both must be there, else the result is empty.
bool two(Machine& machine, const PlanNode& node, const Frame& frame, Text& text, Text& argument, bool& present) {
  if (!machine.text(node, frame, 0, text) || !machine.text(node, frame, 1, argument)) return false;
  present = text && argument;
  return true;
}

template <typename Test>
bool test(Machine& machine, const PlanNode& node, const Frame& frame, Test test) {
  Text text;
  Text argument;
  bool present = false;
  if (!two(machine, node, frame, text, argument, present)) return false;
  return !present || machine.result(test(*text, *argument));
}

bool runStartsWith(Machine& machine, const PlanNode& node, const Frame& frame) {
  return test(machine, node, frame,
              [](std::string_view text, std::string_view part) { return text.starts_with(part); });
}
bool runEndsWith(Machine& machine, const PlanNode& node, const Frame& frame) {
  return test(machine, node, frame, [](std::string_view text, std::string_view part) { return text.ends_with(part); });
}
bool runContainsText(Machine& machine, const PlanNode& node, const Frame& frame) {
  return test(machine, node, frame,
              [](std::string_view text, std::string_view part) { return find(text, part) != std::string_view::npos; });
}

bool position(Machine& machine, const PlanNode& node, const Frame& frame, bool last) {
  Text text;
  Text part;
  bool present = false;
  if (!two(machine, node, frame, text, part, present)) return false;
  if (!present) return true;
  if (last && !machine.stepText(text->size() * std::min<std::size_t>(part->size(), text->size()))) return false;
  if (part->empty()) return machine.resultInteger(0);
  const std::size_t found = last ? text->rfind(*part) : find(*text, *part);
  if (found == std::string_view::npos) return machine.resultInteger(-1);
  return machine.resultInteger(static_cast<std::int64_t>(characterCount(text->substr(0, found))));
}

bool runIndexOf(Machine& machine, const PlanNode& node, const Frame& frame) {
  return position(machine, node, frame, false);
}
bool runLastIndexOf(Machine& machine, const PlanNode& node, const Frame& frame) {
  return position(machine, node, frame, true);
}

bool runSubstring(Machine& machine, const PlanNode& node, const Frame& frame) {
  Text text;
  std::optional<std::int64_t> start;
  std::optional<std::int64_t> length;
  if (!machine.text(node, frame, 0, text) || !machine.integer(node, frame, 1, start)) return false;
  if (node.kidCount > 2 && !machine.integer(node, frame, 2, length)) return false;
  if (!text || !start || *start < 0) return true;
  const std::size_t from = characterOffset(*text, static_cast<std::size_t>(*start));
  if (from >= text->size()) return true;
  std::string_view part = text->substr(from);
  if (length)
    part = part.substr(0, characterOffset(part, static_cast<std::size_t>(std::max<std::int64_t>(*length, 0))));
  return machine.result(Item::ofText(ItemKind::String, part));  // a part of text that lives as long
}

bool runUpper(Machine& machine, const PlanNode& node, const Frame& frame) {
  Text text;
  if (!machine.text(node, frame, 0, text)) return false;
  return !text || (machine.room(2 * text->size()) && machine.resultText(toUpper(*text)));
}

bool runLower(Machine& machine, const PlanNode& node, const Frame& frame) {
  Text text;
  if (!machine.text(node, frame, 0, text)) return false;
  return !text || (machine.room(2 * text->size()) && machine.resultText(toLower(*text)));
}

bool runTrim(Machine& machine, const PlanNode& node, const Frame& frame) {
  Text text;
  if (!machine.text(node, frame, 0, text)) return false;
  if (!text) return true;
  constexpr std::string_view kSpace = " \t\r\n\f\v";
  const std::size_t first = text->find_first_not_of(kSpace);
  if (first == std::string_view::npos) return machine.resultText("");
  return machine.result(
      Item::ofText(ItemKind::String, text->substr(first, text->find_last_not_of(kSpace) - first + 1)));
}

bool runLength(Machine& machine, const PlanNode& node, const Frame& frame) {
  Text text;
  if (!machine.text(node, frame, 0, text)) return false;
  return !text || machine.resultInteger(static_cast<std::int64_t>(characterCount(*text)));
}

bool runReplace(Machine& machine, const PlanNode& node, const Frame& frame) {
  Text text;
  Text pattern;
  Text with;
  if (!machine.text(node, frame, 0, text) || !machine.text(node, frame, 1, pattern) ||
      !machine.text(node, frame, 2, with))
    return false;
  if (!text || !pattern || !with) return true;
  std::string out;
  std::string_view rest = *text;
  if (pattern->empty()) {  // between all characters and at both ends
    while (!rest.empty()) {
      const std::size_t size = characterSize(rest);
      if (!machine.append(out, *with) || !machine.append(out, rest.substr(0, size))) return false;
      rest.remove_prefix(size);
    }
    return machine.append(out, *with) && machine.resultText(out);
  }
  for (std::size_t found = find(rest, *pattern); found != std::string_view::npos; found = find(rest, *pattern)) {
    if (!machine.append(out, rest.substr(0, found)) || !machine.append(out, *with)) return false;
    rest.remove_prefix(found + pattern->size());
  }
  return machine.append(out, rest) && machine.resultText(out);
}

/// Pays for a search in text: what a byte costs grows with the program when its states do not fit the memory.
bool payForSearch(Machine& machine, const Regex& regex, std::size_t bytes) {
  return machine.step(1 + bytes * (8 + regex.size()) / 256);
}

/// The pattern: compiled with the plan if it is a literal (node.a - 1 is its place), else now.
bool regexOf(Machine& machine, const PlanNode& node, std::string_view pattern, const Regex*& out) {
  if (node.a == 0) return machine.regex(node, pattern, out);
  out = machine.plan().regexes[node.a - 1].get();
  return true;
}

bool matching(Machine& machine, const PlanNode& node, const Frame& frame, bool whole) {
  Text text;
  Text pattern;
  bool present = false;
  if (!two(machine, node, frame, text, pattern, present)) return false;
  if (!present) return true;
  const Regex* regex = nullptr;
  if (!regexOf(machine, node, *pattern, regex) || !payForSearch(machine, *regex, text->size())) return false;
  return machine.result(whole ? regex->match(*text) : regex->find(*text));
}

bool runMatches(Machine& machine, const PlanNode& node, const Frame& frame) {
  return matching(machine, node, frame, false);
}
bool runMatchesFull(Machine& machine, const PlanNode& node, const Frame& frame) {
  return matching(machine, node, frame, true);
}

bool runReplaceMatches(Machine& machine, const PlanNode& node, const Frame& frame) {
  Text text;
  Text pattern;
  Text with;
  if (!machine.text(node, frame, 0, text) || !machine.text(node, frame, 1, pattern) ||
      !machine.text(node, frame, 2, with))
    return false;
  if (!text || !pattern || !with) return true;
  if (pattern->empty()) return machine.result(Item::ofText(ItemKind::String, *text));
  const Regex* regex = nullptr;
  if (!regexOf(machine, node, *pattern, regex)) return false;
  // A search usually ends long before the text does.
  const auto pay = [&](std::size_t rest) { return payForSearch(machine, *regex, rest / 32); };
  const std::size_t most = machine.environment().limits.bytes / 3;
  auto replaced = regex->replaceAll(*text, *with, most, pay);
  if (!replaced) return machine.fail(node, replaced.error().message, replaced.error().code);
  return machine.resultText(*replaced);
}

bool runToChars(Machine& machine, const PlanNode& node, const Frame& frame) {
  Text text;
  if (!machine.text(node, frame, 0, text)) return false;
  if (!text) return true;
  if (!machine.step(text->size()) || !machine.room(text->size() * sizeof(Item))) return false;
  for (std::string_view rest = *text; !rest.empty(); rest.remove_prefix(characterSize(rest))) {
    machine.push(Item::ofText(ItemKind::String, rest.substr(0, characterSize(rest))));
  }
  return true;
}

bool runSplit(Machine& machine, const PlanNode& node, const Frame& frame) {
  Text text;
  Text separator;
  bool present = false;
  if (!two(machine, node, frame, text, separator, present)) return false;
  if (!present) return true;
  if (separator->empty()) return runToChars(machine, node, frame);
  std::string_view rest = *text;
  for (std::size_t found = find(rest, *separator); found != std::string_view::npos; found = find(rest, *separator)) {
    machine.push(Item::ofText(ItemKind::String, rest.substr(0, found)));
    rest.remove_prefix(found + separator->size());
    if (!machine.step(1) || !machine.withinLimit()) return false;
  }
  return machine.result(Item::ofText(ItemKind::String, rest));
}

bool runJoin(Machine& machine, const PlanNode& node, const Frame& frame) {
  std::uint32_t base = 0;
  Text separator;
  if (!machine.focus(node, frame, base)) return false;
  if (node.kidCount > 1 && !machine.text(node, frame, 1, separator)) return false;
  if (machine.top() == base) return true;
  std::string joined;
  bool first = true;
  for (std::uint32_t i = base; i < machine.top(); ++i) {
    const Item item = machine.at(i);
    const Text text = machine.textOf(item);
    if (!text) continue;
    if (!first && !machine.append(joined, separator.value_or(""))) return false;
    first = false;
    if (!machine.append(joined, *text)) return false;
  }
  machine.truncate(base);
  return machine.resultText(joined);
}

constexpr std::string_view kHexDigits = "0123456789abcdef";

std::optional<std::string> decodeHex(std::string_view text) {
  if (text.size() % 2 != 0) return std::nullopt;
  std::string out;
  for (std::size_t i = 0; i < text.size(); i += 2) {
    const std::string pair = toLower(text.substr(i, 2));
    const std::size_t high = kHexDigits.find(pair[0]);
    const std::size_t low = kHexDigits.find(pair[1]);
    if (high == std::string_view::npos || low == std::string_view::npos) return std::nullopt;
    out.push_back(static_cast<char>(high * 16 + low));
  }
  return out;
}

std::string exchanged(std::string text, std::string_view from, std::string_view to) {
  for (char& c : text) {
    const std::size_t at = from.find(c);
    if (at != std::string_view::npos) c = to[at];
  }
  return text;
}

bool runEncode(Machine& machine, const PlanNode& node, const Frame& frame) {
  Text text;
  Text form;
  bool present = false;
  if (!two(machine, node, frame, text, form, present)) return false;
  if (!present) return true;
  if (!machine.room(4 * text->size())) return false;
  if (*form == "base64") return machine.resultText(crypto::base64Encode(*text));
  if (*form == "urlbase64") return machine.resultText(exchanged(crypto::base64Encode(*text), "+/", "-_"));
  if (*form != "hex") return machine.fail(node, "encode() knows 'base64', 'urlbase64' and 'hex'");
  std::string out;
  for (const char c : *text) {
    out.push_back(kHexDigits[static_cast<unsigned char>(c) >> 4]);
    out.push_back(kHexDigits[static_cast<unsigned char>(c) & 15]);
  }
  return machine.resultText(out);
}

bool runDecode(Machine& machine, const PlanNode& node, const Frame& frame) {
  Text text;
  Text form;
  bool present = false;
  if (!two(machine, node, frame, text, form, present)) return false;
  if (!present) return true;
  if (!machine.room(3 * text->size())) return false;
  std::optional<std::string> decoded;
  if (*form == "hex") {
    decoded = decodeHex(*text);
  } else if (*form == "base64" || *form == "urlbase64") {
    const std::string plain = *form == "base64" ? std::string(*text) : exchanged(std::string(*text), "-_", "+/");
    auto result = crypto::base64Decode(plain);
    if (result) decoded = std::move(*result);
  } else {
    return machine.fail(node, "decode() knows 'base64', 'urlbase64' and 'hex'");
  }
  return !decoded || machine.resultText(*decoded);
}

struct Entity {
  char plain;
  std::string_view escaped;
};
constexpr std::array<Entity, 5> kHtml{{{'&', "&amp;"}, {'<', "&lt;"}, {'>', "&gt;"}, {'"', "&quot;"}, {'\'', "&#39;"}}};
constexpr std::array<Entity, 7> kJson{
    {{'"', "\\\""}, {'\\', "\\\\"}, {'\n', "\\n"}, {'\r', "\\r"}, {'\t', "\\t"}, {'\b', "\\b"}, {'\f', "\\f"}}};

std::span<const Entity> entities(std::string_view form) {
  if (form == "html") return kHtml;
  if (form == "json") return kJson;
  return {};
}

bool runEscape(Machine& machine, const PlanNode& node, const Frame& frame) {
  Text text;
  Text form;
  bool present = false;
  if (!two(machine, node, frame, text, form, present)) return false;
  if (!present) return true;
  const auto table = entities(*form);
  if (table.empty()) return machine.fail(node, "escape() knows 'html' and 'json'");
  constexpr std::size_t kLongest = 6;  // of what one character becomes
  if (!machine.room(2 * kLongest * text->size())) return false;
  std::string out;
  for (const char c : *text) {
    const Entity* found = nullptr;
    for (const Entity& entity : table) {
      if (entity.plain == c) found = &entity;
    }
    if (found != nullptr) {
      out += found->escaped;
    } else {
      out += c;
    }
  }
  return machine.resultText(out);
}

bool runUnescape(Machine& machine, const PlanNode& node, const Frame& frame) {
  Text text;
  Text form;
  bool present = false;
  if (!two(machine, node, frame, text, form, present)) return false;
  if (!present) return true;
  const auto table = entities(*form);
  if (table.empty()) return machine.fail(node, "unescape() knows 'html' and 'json'");
  std::string out;
  for (std::string_view rest = *text; !rest.empty();) {
    const Entity* found = nullptr;
    for (const Entity& entity : table) {
      if (rest.starts_with(entity.escaped)) found = &entity;
    }
    out += found != nullptr ? found->plain : rest[0];
    rest.remove_prefix(found != nullptr ? found->escaped.size() : 1);
  }
  return machine.resultText(out);
}

constexpr FunctionRow kRows[] = {
    {"startsWith", runStartsWith, 1, 1, "x", Gives::Boolean},
    {"endsWith", runEndsWith, 1, 1, "x", Gives::Boolean},
    {"contains", runContainsText, 1, 1, "x", Gives::Boolean},
    {"indexOf", runIndexOf, 1, 1, "x", Gives::Integer},
    {"lastIndexOf", runLastIndexOf, 1, 1, "x", Gives::Integer},
    {"substring", runSubstring, 1, 2, "w", Gives::String},
    {"upper", runUpper, 0, 0, "", Gives::String},
    {"lower", runLower, 0, 0, "", Gives::String},
    {"trim", runTrim, 0, 0, "", Gives::String},
    {"length", runLength, 0, 0, "", Gives::Integer},
    {"replace", runReplace, 2, 2, "x", Gives::String},
    {"matches", runMatches, 1, 1, "r", Gives::Boolean},
    {"matchesFull", runMatchesFull, 1, 1, "r", Gives::Boolean},
    {"replaceMatches", runReplaceMatches, 2, 2, "rx", Gives::String},
    {"toChars", runToChars, 0, 0, "", Gives::String},
    {"split", runSplit, 1, 1, "x", Gives::String},
    {"join", runJoin, 0, 1, "x", Gives::String},
    {"encode", runEncode, 1, 1, "x", Gives::String},
    {"decode", runDecode, 1, 1, "x", Gives::String},
    {"escape", runEscape, 1, 1, "x", Gives::String},
    {"unescape", runUnescape, 1, 1, "x", Gives::String},
};

}  // namespace

std::span<const FunctionRow> textFunctions() {
  return kRows;
}

}  // namespace lotsen::fhirpath
