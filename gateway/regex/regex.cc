#include "gateway/regex/regex.h"

#include <re2/re2.h>

#include <array>

namespace lotsen::regex {

struct Regex::Compiled {
  explicit Compiled(re2::StringPiece pattern, const re2::RE2::Options& options) : re(pattern, options) {}
  re2::RE2 re;
};

namespace {

re2::StringPiece piece(std::string_view text) {
  return {text.data(), text.size()};
}

/// "$1", "${name}", "\$" to RE2's "\1"; false if a group does not exist.
bool rewrite(const re2::RE2& re, std::string_view replacement, std::string& out) {
  for (std::size_t i = 0; i < replacement.size(); ++i) {
    const char c = replacement[i];
    if (c == '\\' && i + 1 < replacement.size()) {
      const char next = replacement[++i];
      if (next == '\\') out += '\\';
      out += next;
    } else if (c == '$' && i + 1 < replacement.size() && replacement[i + 1] >= '0' && replacement[i + 1] <= '9') {
      out += '\\';
      out += replacement[++i];
      if (replacement[i] - '0' > re.NumberOfCapturingGroups()) return false;
    } else if (c == '$' && i + 1 < replacement.size() && replacement[i + 1] == '{') {
      const std::size_t end = replacement.find('}', i);
      if (end == std::string_view::npos) return false;
      const auto& groups = re.NamedCapturingGroups();
      const auto group = groups.find(std::string(replacement.substr(i + 2, end - i - 2)));
      if (group == groups.end() || group->second > 9) return false;
      out += '\\';
      out += static_cast<char>('0' + group->second);
      i = end;
    } else if (c == '\\') {
      out += "\\\\";
    } else {
      out += c;
    }
  }
  return true;
}

/// RE2 writes named groups (?P<name>…); the rest of the world (?<name>…).
std::string withNamedGroups(std::string_view pattern) {
  std::string result;
  for (std::size_t i = 0; i < pattern.size(); ++i) {
    if (pattern[i] == '\\' && i + 1 < pattern.size()) {
      result += pattern[i++];
    } else if (pattern.substr(i).starts_with("(?<") && i + 3 < pattern.size() && pattern[i + 3] != '=' &&
               pattern[i + 3] != '!') {
      result += "(?P";
      ++i;
      continue;
    }
    result += pattern[i];
  }
  return result;
}

/// Bytes of the UTF-8 character at `at`.
std::size_t characterSize(std::string_view text, std::size_t at) {
  std::size_t end = at + 1;
  while (end < text.size() && (static_cast<unsigned char>(text[end]) & 0xC0U) == 0x80U) ++end;
  return end - at;
}

constexpr std::size_t kMaxPattern = 4096;
constexpr std::int64_t kMaxMemory = 2 << 20;  // of the program and of what matching remembers

}  // namespace

Regex::Regex(std::unique_ptr<Compiled> compiled) : compiled_(std::move(compiled)) {}
Regex::~Regex() = default;

Result<std::unique_ptr<const Regex>> Regex::compile(std::string_view pattern) {
  if (pattern.size() > kMaxPattern)
    return fail(Code::Invalid, "the regular expression has more than " + std::to_string(kMaxPattern) + " bytes");
  re2::RE2::Options options;
  options.set_dot_nl(true);  // FHIRPath: single-line mode, '.' matches new lines
  options.set_log_errors(false);
  options.set_max_mem(kMaxMemory);
  auto compiled = std::make_unique<Compiled>(withNamedGroups(pattern), options);
  if (!compiled->re.ok()) {
    return fail(Code::Invalid, "the regular expression cannot be used (" + compiled->re.error() +
                                   "); look-around and back-references do not exist here");
  }
  return std::unique_ptr<const Regex>(new Regex(std::move(compiled)));
}

bool Regex::find(std::string_view text) const {
  return re2::RE2::PartialMatch(piece(text), compiled_->re);
}
bool Regex::match(std::string_view text) const {
  return re2::RE2::FullMatch(piece(text), compiled_->re);
}

std::size_t Regex::size() const {
  return static_cast<std::size_t>(compiled_->re.ProgramSize());
}

Result<std::string> Regex::replaceAll(std::string_view text, std::string_view replacement, std::size_t most,
                                      const std::function<bool(std::size_t)>& pay) const {
  const re2::RE2& re = compiled_->re;
  std::string rewritten;
  if (!rewrite(re, replacement, rewritten))
    return fail(Code::Invalid, "the replacement names a group that the pattern does not have");
  std::array<re2::StringPiece, 10> groups;
  const int count = 1 + re2::RE2::MaxSubmatch(rewritten);
  const auto tooLarge = [] { return fail(Code::TooLarge, "the text with its replacements is too large"); };
  std::string result;
  std::size_t at = 0;
  std::size_t lastEnd = std::string_view::npos;
  while (at <= text.size()) {
    if (!pay(text.size() - at)) return tooLarge();
    if (!re.Match(piece(text), at, text.size(), re2::RE2::UNANCHORED, groups.data(), count)) break;
    const auto begin = static_cast<std::size_t>(groups[0].data() - text.data());
    result += text.substr(at, begin - at);
    at = begin + groups[0].size();
    if (groups[0].empty() && begin == lastEnd) {  // not where the last match ended: one character on
      if (at == text.size()) return result;
      const std::size_t size = characterSize(text, at);
      result += text.substr(at, size);
      at += size;
      continue;
    }
    re.Rewrite(&result, rewritten, groups.data(), count);
    lastEnd = at;
    if (result.size() > most) return tooLarge();
  }
  if (at < text.size()) result += text.substr(at);
  if (result.size() > most) return tooLarge();
  return result;
}

}  // namespace lotsen::regex
