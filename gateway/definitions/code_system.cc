#include "gateway/definitions/code_system.h"

#include "gateway/base/text.h"
#include "gateway/regex/regex.h"

#include <algorithm>
#include <functional>

namespace lotsen::definitions {

namespace {

using fhir::child;
using fhir::Element;
using fhir::valueAt;

/// The properties that make a second hierarchy beside the nesting.
bool isParentProperty(std::string_view code) {
  return code == "parent" || code == "subsumedBy";
}

}  // namespace

CodeSystem::CodeSystem(const fhir::Document& document)
    : document_(document),
      url_(valueAt(document, document.root(), "url")),
      version_(valueAt(document, document.root(), "version")),
      complete_(valueAt(document, document.root(), "content") == "complete"),
      compositional_(valueAt(document, document.root(), "compositional") == "true"),
      caseSensitive_(valueAt(document, document.root(), "caseSensitive") == "true") {
  addConcepts(document.root(), {});
  for (auto& [code, one] : concepts_) {
    for (const auto& [property, value] : one.properties) {
      if (isParentProperty(property)) link(value, code);
      if (property == "child") link(code, value);
    }
  }
}

void CodeSystem::addConcepts(const Element* parent, std::string_view above) {
  const Element* first = child(document_, parent, "concept");
  for (const Element* one = first; one != nullptr && one->name == first->name; one = one->next) {
    const std::string_view code = valueAt(document_, one, "code");
    Concept& made = concepts_[code];
    made.element = one;
    const Element* property = child(document_, one, "property");
    for (const Element* at = property; at != nullptr && at->name == property->name; at = at->next) {
      const Element* value = child(document_, at, "value");
      if (value == nullptr) continue;
      const std::string_view text = value->hasValue() ? value->value() : valueAt(document_, value, "code");
      made.properties.emplace(valueAt(document_, at, "code"), text);
    }
    if (!above.empty()) link(above, code);
    addConcepts(one, code);
  }
}

void CodeSystem::link(std::string_view parent, std::string_view code) {
  const auto above = concepts_.find(parent);
  const auto below = concepts_.find(code);
  if (below == concepts_.end()) return;
  below->second.parents.push_back(parent);
  if (above != concepts_.end()) above->second.children.push_back(code);
}

CodeSystem::Codes CodeSystem::all() const {
  Codes codes;
  for (const auto& [code, one] : concepts_) codes.insert(code);
  return codes;
}

/// `code` and all that can be reached from it.
CodeSystem::Codes CodeSystem::closure(std::string_view code, std::vector<std::string_view> Concept::*direction) const {
  Codes codes;
  std::vector<std::string_view> todo = {code};
  while (!todo.empty()) {
    const auto found = concepts_.find(todo.back());
    todo.pop_back();
    if (found == concepts_.end() || !codes.insert(found->first).second) continue;
    const auto& next = found->second.*direction;
    todo.insert(todo.end(), next.begin(), next.end());
  }
  return codes;
}

CodeSystem::Codes CodeSystem::without(const Codes& some) const {
  Codes codes = all();
  for (const std::string_view code : some) codes.erase(code);
  return codes;
}

std::optional<CodeSystem::Codes> CodeSystem::filter(std::string_view property, std::string_view op,
                                                    std::string_view value) const {
  const bool known = property == "concept" || property == "code" || property == "display" || property == "parent" ||
                     property == "child" || declares(property);
  if (!known) return {};
  if (auto codes = hierarchy(op, value); codes) return codes;
  return matching(property, op, value);
}

std::optional<CodeSystem::Codes> CodeSystem::hierarchy(std::string_view op, std::string_view value) const {
  if (op == "is-a") return closure(value, &Concept::children);
  if (op == "is-not-a") return without(closure(value, &Concept::children));
  if (op == "generalizes") return closure(value, &Concept::parents);
  if (op != "descendent-of") return {};
  Codes codes = closure(value, &Concept::children);
  codes.erase(value);
  return codes;
}

std::optional<CodeSystem::Codes> CodeSystem::matching(std::string_view property, std::string_view op,
                                                      std::string_view value) const {
  std::function<bool(std::string_view)> fits;
  std::unique_ptr<const regex::Regex> pattern;
  bool wanted = true;  // that a value fits; "not-in" wants that none does
  const auto listed = split(value, ',');
  if (op == "=") {
    fits = [value](std::string_view text) { return text == value; };
  } else if (op == "in" || op == "not-in") {
    wanted = op == "in";
    fits = [&listed](std::string_view text) {
      return std::any_of(listed.begin(), listed.end(), [&](std::string_view one) { return trim(one) == text; });
    };
  } else if (op == "regex") {  // the whole value, as HL7's servers read it
    auto compiled = regex::Regex::compile(value);
    if (!compiled.ok()) return {};
    pattern = std::move(*compiled);
    fits = [&pattern](std::string_view text) { return pattern->match(text); };
  } else if (op == "exists") {
    if (value != "true" && value != "false") return {};
    wanted = value == "true";
    fits = [](std::string_view) { return true; };
  } else {
    return {};
  }
  Codes codes;
  for (const auto& [code, one] : concepts_) {
    bool any = false;
    if (property == "concept" || property == "code") {
      any = fits(code);
    } else if (property == "display") {
      const Element* display = child(document_, one.element, "display");
      any = display != nullptr && fits(display->value());
    } else if (property == "parent") {
      any = std::any_of(one.parents.begin(), one.parents.end(), fits);
    } else if (property == "child") {
      any = std::any_of(one.children.begin(), one.children.end(), fits);
    } else {
      const auto [first, last] = one.properties.equal_range(property);
      any = std::any_of(first, last, [&](const auto& entry) { return fits(entry.second); });
    }
    if (any == wanted) codes.insert(code);
  }
  return codes;
}

/// A property that the code system declares, or that a concept has.
bool CodeSystem::declares(std::string_view property) const {
  const Element* first = child(document_, document_.root(), "property");
  for (const Element* one = first; one != nullptr && one->name == first->name; one = one->next) {
    if (valueAt(document_, one, "code") == property) return true;
  }
  return std::any_of(concepts_.begin(), concepts_.end(),
                     [&](const auto& entry) { return entry.second.properties.contains(property); });
}

}  // namespace lotsen::definitions
