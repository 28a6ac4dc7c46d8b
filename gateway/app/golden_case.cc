#include "gateway/app/golden_case.h"

#include "gateway/base/text.h"
#include "gateway/crypto/digest.h"
#include "gateway/fhir/outcome.h"
#include "gateway/json/writer.h"

#include <cstdio>
#include <map>
#include <set>

namespace lotsen::app {

namespace {

constexpr std::size_t kUuidLength = 36;

bool isUuidAt(std::string_view text, std::size_t at) {
  for (std::size_t i = 0; i < kUuidLength; ++i) {
    const char c = text[at + i];
    const bool dash = i == 8 || i == 13 || i == 18 || i == 23;
    if (dash ? c != '-' : !((c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'))) return false;
  }
  return true;
}

void addReferences(const fhir::Document& document, const fhir::Element* node,
                   std::vector<const fhir::Element*>& found) {
  for (const auto* child = node->first; child != nullptr; child = child->next) {
    if (document.nameText(child->name) == "reference" && child->hasValue()) found.push_back(child);
    addReferences(document, child, found);
  }
}

}  // namespace

std::string countedIds(std::string text, const std::string& input, const std::string& name) {
  std::map<std::string, std::string> counted;
  const std::string space = crypto::sha256Hex(name).substr(0, 8);
  for (std::size_t at = 0; at + kUuidLength <= text.size(); ++at) {
    if (!isUuidAt(text, at)) continue;
    const std::string id = text.substr(at, kUuidLength);
    if (input.find(id) == std::string::npos) {
      auto [known, fresh] = counted.try_emplace(id);
      if (fresh) {
        char number[16];
        std::snprintf(number, sizeof number, "%012zu", counted.size());
        known->second = space + "-0000-5000-8000-" + number;
      }
      text.replace(at, kUuidLength, known->second);
    }
    at += kUuidLength - 1;
  }
  return text;
}

std::vector<std::string> notSelfContained(const fhir::Document& bundle) {
  std::vector<std::string> breaches;
  std::set<std::string> urls;
  const auto* entry = fhir::child(bundle, bundle.root(), "entry");
  for (const auto name = entry == nullptr ? fhir::kNone : entry->name; entry != nullptr && entry->name == name;
       entry = entry->next) {
    const std::string url(fhir::valueAt(bundle, entry, "fullUrl"));
    if (!urls.insert(url).second) breaches.push_back(fhir::pathOf(bundle, entry) + ": its fullUrl stands twice");
    if (url != "urn:uuid:" + std::string(fhir::valueAt(bundle, entry, "resource.id")))
      breaches.push_back(fhir::pathOf(bundle, entry) + ": the fullUrl is not urn:uuid: and the resource's id");
  }
  std::vector<const fhir::Element*> references;
  addReferences(bundle, bundle.root(), references);
  for (const auto* reference : references) {
    if (!urls.contains(std::string(reference->value())))
      breaches.push_back(fhir::pathOf(bundle, reference) + ": leads to no entry");
  }
  return breaches;
}

std::string issuesJson(const fhir::Issues& issues) {
  std::string text;
  json::Writer writer(text, 1);
  writer.startArray();
  for (const auto& issue : issues.list()) {
    writer.startObject().member("severity", fhir::severityCode(issue.severity)).member("code", issue.code);
    writer.member("rule", issue.rule).member("expression", issue.expression).member("source", issue.source);
    writer.member("line", static_cast<std::int64_t>(issue.at.line)).endObject();
  }
  writer.endArray();
  return text + "\n";
}

std::string firstDifference(const std::string& expected, const std::string& actual) {
  const auto was = split(expected, '\n'), is = split(actual, '\n');
  std::size_t line = 0;
  while (line < was.size() && line < is.size() && was[line] == is[line]) ++line;
  const auto at = [line](const auto& lines) {
    return line < lines.size() ? std::string(trim(lines[line])) : "the end";
  };
  return "line " + std::to_string(line + 1) + ": expected " + at(was) + " but got " + at(is);
}

}  // namespace lotsen::app
