#include "gateway/letter/profile.h"

#include "gateway/base/text.h"

#include <algorithm>
#include <array>
#include <charconv>

namespace lotsen::letter {

namespace {

constexpr double kMillimetre = 72.0 / 25.4;
constexpr double kFoldWidth = 0.5;
constexpr double kFoldGray = 0.4;

struct Key {
  std::string_view name;
  std::size_t numbers;
  bool required;
};
constexpr std::array<Key, 14> kKeys{{{"page", 2, true},
                                     {"window", 4, true},
                                     {"window-inset", 1, true},
                                     {"address", 3, true},
                                     {"sender", 3, true},
                                     {"reference", 3, true},
                                     {"first-page", 4, true},
                                     {"next-pages", 4, true},
                                     {"footer", 3, true},
                                     {"text", 2, true},
                                     {"small", 2, true},
                                     {"max-pages", 1, true},
                                     {"fold", 3, false},
                                     {"keep-free", 4, false}}};

bool readNumbers(std::string_view text, std::vector<double>& numbers) {
  for (const auto word : split(text, ' ')) {
    if (word.empty()) continue;
    double value = 0;
    const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), value);
    if (error != std::errc() || end != word.data() + word.size() || value < 0 || value > 2000) return false;
    numbers.push_back(value);
  }
  return true;
}

double millimetres(double value) {
  return value * kMillimetre;
}

Box box(const std::vector<double>& n) {
  return {millimetres(n[0]), millimetres(n[1]), millimetres(n[2]), n.size() > 3 ? millimetres(n[3]) : 0};
}

void set(PrintProfile& profile, std::string_view key, const std::vector<double>& n) {
  if (key == "page") {
    profile.width = millimetres(n[0]);
    profile.height = millimetres(n[1]);
  }
  if (key == "window") profile.window = box(n);
  if (key == "window-inset") profile.windowInset = millimetres(n[0]);
  if (key == "address") {
    profile.addressLeft = millimetres(n[0]);
    profile.address = {n[1], n[2]};
  }
  if (key == "sender") profile.sender = box(n);
  if (key == "reference") profile.reference = box(n);
  if (key == "first-page") profile.firstPage = box(n);
  if (key == "next-pages") profile.nextPages = box(n);
  if (key == "footer") profile.footer = box(n);
  if (key == "text") profile.text = {n[0], n[1]};
  if (key == "small") profile.small = {n[0], n[1]};
  if (key == "max-pages") profile.maxPages = static_cast<std::size_t>(n[0]);
  if (key == "fold") {
    profile.folds.push_back({{millimetres(n[1]), millimetres(n[0]), millimetres(n[2] - n[1]), kFoldWidth}, kFoldGray});
  }
  if (key == "keep-free") profile.keepFree.push_back(box(n));
}

bool inside(const Box& inner, double width, double height) {
  return inner.right() <= width && inner.bottom() <= height;
}

/// Measures that no letter could be laid out with.
std::string_view impossible(const PrintProfile& profile) {
  if (!inside(profile.window, profile.width, profile.height)) return "the window is outside the page";
  if (!inside(profile.firstPage, profile.width, profile.height) ||
      !inside(profile.nextPages, profile.width, profile.height)) {
    return "a box for the text is outside the page";
  }
  for (const TextSize& size : {profile.address, profile.text, profile.small}) {
    if (size.size < 6 || size.size > 40 || size.leading < size.size) {
      return "a text size must be 6 to 40 points and its leading no less";
    }
  }
  if (std::min(profile.firstPage.height, profile.nextPages.height) < 4 * profile.text.leading ||
      std::min(profile.firstPage.width, profile.nextPages.width) < 10 * profile.text.size) {
    return "a box for the text is too small";
  }
  if (profile.maxPages == 0) return "max-pages must be at least 1";
  return "";
}

}  // namespace

Result<PrintProfile> parseProfile(std::string_view text, std::string_view file, fhir::Issues& issues) {
  PrintProfile profile;
  profile.file = file;
  bool good = true;
  const auto fault = [&](std::uint32_t line, std::string message) {
    good = false;
    fhir::Issue issue;
    issue.code = "structure";
    issue.rule = "print-profile";
    issue.text = std::move(message);
    issue.source = profile.file + ":" + std::to_string(line);
    issue.at = {line, 1};
    issues.add(std::move(issue));
  };
  std::vector<std::string_view> seen;
  std::uint32_t number = 0;
  for (const auto raw : split(text, '\n')) {
    ++number;
    const auto line = trim(raw);
    if (line.empty() || line[0] == '#') continue;
    const auto colon = line.find(':');
    const auto name = trim(line.substr(0, colon));
    const auto key = std::find_if(kKeys.begin(), kKeys.end(), [&](const Key& k) { return k.name == name; });
    std::vector<double> numbers;
    if (colon == std::string_view::npos || key == kKeys.end()) {
      fault(number, "'" + std::string(name) + "' is no key of a print profile");
    } else if (!readNumbers(line.substr(colon + 1), numbers) || numbers.size() != key->numbers) {
      fault(number, "'" + std::string(name) + "' takes " + std::to_string(key->numbers) + " numbers, 0 to 2000");
    } else {
      if (key->required && std::find(seen.begin(), seen.end(), key->name) != seen.end()) {
        fault(number, "'" + std::string(name) + "' stands twice; remove one of them");
      }
      seen.push_back(key->name);
      set(profile, key->name, numbers);
    }
  }
  for (const Key& key : kKeys) {
    if (key.required && std::find(seen.begin(), seen.end(), key.name) == seen.end()) {
      fault(1, "the profile lacks '" + std::string(key.name) + "'");
    }
  }
  if (good) {
    if (const auto why = impossible(profile); !why.empty()) fault(1, std::string(why));
  }
  if (!good) return fail(Code::Invalid, "print profile " + profile.file + " has faults and cannot be used");
  return profile;
}

}  // namespace lotsen::letter
