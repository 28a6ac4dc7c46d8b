#include "gateway/letter/address.h"

#include "gateway/base/text.h"
#include "gateway/letter/language.h"
#include "gateway/sweden/address.h"

#include <algorithm>

namespace lotsen::letter {

namespace {

constexpr std::size_t kFewestLines = 3;
constexpr std::size_t kMostLines = 7;
constexpr std::string_view kPostalLanguage = "sv-SE";  // an address in Sweden is Swedish in a letter of any language

bool isDigit(char c) {
  return c >= '0' && c <= '9';
}

/// "12345 Ort", "123 45 Ort", "SE-123 45 Ort" as "123 45  ORT"; empty if it is none of these.
std::string postalLine(std::string_view line, const Language& language) {
  auto end = line.find(' ');
  auto code = sweden::readPostalCode(line.substr(0, end));
  if (!code && end != std::string_view::npos) {
    end = line.find(' ', end + 1);
    code = sweden::readPostalCode(line.substr(0, end));
  }
  if (!code || end == std::string_view::npos) return {};
  const auto town = trim(line.substr(end));
  if (std::any_of(town.begin(), town.end(), isDigit)) return {};
  return *code + "  " + language.upper(town);
}

/// Words that stand where a street should: the address is not known, or must not be.
bool isNoAddress(const std::string& upperLine) {
  const auto has = [&](std::string_view word) { return upperLine.find(word) != std::string::npos; };
  return has("OKÄND") || has("SKYDDAD") || has("SEKRETESS") || has("SAKNAR ADRESS") || has("UTAN FAST");
}

}  // namespace

std::vector<std::string> postalAddress(const std::vector<std::string>& lines, const std::string& source,
                                       fhir::Issues& issues) {
  const auto refuse = [&](std::string text) {
    fhir::Issue issue;
    issue.code = "business-rule";
    issue.rule = "letter-address";
    issue.text = std::move(text);
    issue.source = source;
    issues.add(std::move(issue));
    return std::vector<std::string>();
  };
  if (lines.size() < kFewestLines || lines.size() > kMostLines) {
    return refuse("a postal address has 3 to 7 lines, this one has " + std::to_string(lines.size()) +
                  "; complete the address in the source system");
  }
  const auto language = Language::find(kPostalLanguage);
  std::vector<std::string> printed;
  for (std::size_t i = 0; i < lines.size(); ++i) {
    const std::string line(trim(lines[i]));
    const std::string number = "line " + std::to_string(i + 1) + " of the address ";
    if (line.empty()) return refuse(number + "is blank; complete the address in the source system");
    if (std::string_view("@()=[]\"\\/,<>~").find(line[0]) != std::string_view::npos) {
      return refuse(number + "begins with a sign; correct the address in the source system");
    }
    if (isNoAddress(language->upper(line))) {
      return refuse(number +
                    "says that the address is unknown or protected; do not post this letter, find another way to reach "
                    "the receiver");
    }
    printed.push_back(line);
  }
  printed.back() = postalLine(printed.back(), *language);
  if (printed.back().empty()) {
    return refuse(
        "the last line of the address is not a Swedish postal code and town (123 45 Ort); correct the address in the "
        "source system, or send a letter abroad by hand");
  }
  return printed;
}

}  // namespace lotsen::letter
