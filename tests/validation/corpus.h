// The cases of ../shared/corpora/validator-r4: each a file, what it may know besides R4, and what HL7's Java validator
// said. Read by corpus_test.cc.
#pragma once

#include "gateway/base/text.h"
#include "gateway/fhir/forms.h"
#include "gateway/fhir/xml_form.h"
#include "gtest/gtest.h"
#include "tests/support/files.h"
#include "tests/support/shared.h"

#include <cstdlib>
#include <filesystem>
#include <map>
#include <optional>
#include <set>
#include <sstream>
#include <string>
#include <vector>

namespace lotsen::validation {

using test::fileText;
using test::sharedFolder;

/// What the reference said of a file.
struct Verdict {
  bool valid = false;
  std::vector<std::string> places;  // expressions of its errors
  std::vector<std::string> texts;
};

struct Case {
  std::string name;
  std::string file;
  std::vector<std::string> known;       // files that both passes know
  std::string profile;                  // file or canonical; empty: no profile pass
  std::vector<std::string> supporting;  // files that only the profile pass knows
  bool noExamples = false;              // addresses at example.org are errors
  Verdict base;
  Verdict profiled;
};

inline std::vector<std::string> valuesOf(const fhir::Document& document, const fhir::Element* node,
                                         std::string_view name) {
  std::vector<std::string> values;
  const fhir::Element* first = node == nullptr ? nullptr : fhir::child(document, node, name);
  for (const fhir::Element* at = first; at != nullptr && at->name == first->name; at = at->next) {
    values.emplace_back(at->value());
  }
  return values;
}

inline Verdict verdictOf(const fhir::Document& document, const fhir::Element* node) {
  Verdict verdict;
  if (node == nullptr) return verdict;
  verdict.valid = fhir::valueAt(document, node, "valid") == "true";
  const fhir::Element* first = fhir::child(document, node, "issues");
  for (const fhir::Element* at = first; at != nullptr && at->name == first->name; at = at->next) {
    verdict.places.emplace_back(fhir::valueAt(document, at, "expression"));
    verdict.texts.emplace_back(fhir::valueAt(document, at, "text"));
  }
  return verdict;
}

inline std::vector<Case> corpusCases(const std::filesystem::path& folder) {
  fhir::Issues issues;
  const auto index =
      fhir::readJson("{\"cases\":" + fileText(folder / "index.json") + "}", fhir::Schema::r4(), {}, issues);
  std::vector<Case> cases;
  EXPECT_TRUE(index.ok());
  if (!index.ok()) return cases;
  const auto text = [&](const fhir::Element* at, std::string_view path) {
    return std::string(fhir::valueAt(*index, at, path));
  };
  const fhir::Element* first = fhir::child(*index, index->root(), "cases");
  for (const fhir::Element* at = first; at != nullptr && at->name == first->name; at = at->next) {
    Case test{text(at, "name"),
              text(at, "file"),
              valuesOf(*index, at, "supporting"),
              text(at, "profile.source"),
              {},
              {},
              {},
              {}};
    for (std::string& file : valuesOf(*index, at, "profiles")) test.known.push_back(std::move(file));
    test.supporting = valuesOf(*index, fhir::child(*index, at, "profile"), "supporting");
    test.noExamples = text(at, "options.examples") == "false";
    const fhir::Element* expect = fhir::child(*index, at, "expect");
    test.base = verdictOf(*index, fhir::child(*index, expect, "base"));
    test.profiled = verdictOf(*index, fhir::child(*index, expect, "profile"));
    cases.push_back(std::move(test));
  }
  return cases;
}

/// An expression of the reference or of ours as a plain path: without comments, ofType() and indexes of 0, which one
/// writes where the other does not.
inline std::string plainPlace(std::string_view expression) {
  std::string plain;
  for (std::size_t i = 0; i < expression.size(); ++i) {
    if (expression.compare(i, 2, "/*") == 0) {
      i = std::min(expression.find("*/", i), expression.size() - 2) + 1;
    } else if (expression.compare(i, 8, ".ofType(") == 0) {
      i = std::min(expression.find(')', i), expression.size() - 1);
    } else if (expression.compare(i, 3, "[0]") == 0) {
      i += 2;
    } else {
      plain += expression[i];
    }
  }
  return plain;
}

/// The same element, or one is directly above the other.
inline bool near(const std::string& one, const std::string& other) {
  const auto parent = [](const std::string& path) { return path.substr(0, std::min(path.rfind('.'), path.size())); };
  return !one.empty() && !other.empty() && (one == other || parent(one) == other || one == parent(other));
}

/// Lines "name reason" of a file of tests/conformance; '#' begins a comment.
inline std::map<std::string, std::string> listed(const std::string& file) {
  std::map<std::string, std::string> known;
  std::istringstream lines(fileText(LOTSEN_SOURCE_DIR "/tests/conformance/" + file));
  for (std::string line; std::getline(lines, line);) {
    if (line.empty() || line[0] == '#') continue;
    const std::size_t blank = line.find(' ');
    known[line.substr(0, blank)] = blank == std::string::npos ? "" : line.substr(blank + 1);
  }
  return known;
}

inline Result<fhir::Document> readAny(std::string_view bytes, const std::shared_ptr<const fhir::Schema>& schema,
                                      fhir::Issues& issues) {
  const std::size_t start = bytes.find_first_not_of(" \t\r\n\xEF\xBB\xBF");
  if (start != std::string_view::npos && bytes[start] == '<') return fhir::readXml(bytes, schema, {}, issues);
  return fhir::readJson(bytes, schema, {}, issues);
}

}  // namespace lotsen::validation
