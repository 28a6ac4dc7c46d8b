#include "gateway/definitions/value_sets.h"

#include <algorithm>
#include <vector>

namespace lotsen::definitions {

namespace {

using fhir::child;
using fhir::Document;
using fhir::Element;
using fhir::valueAt;

constexpr int kDeepest = 16;  // value sets that include each other

/// Calls `visit` for every child of that name.
template <typename Visit>
void forEach(const Document& document, const Element* parent, std::string_view name, const Visit& visit) {
  const Element* first = parent == nullptr ? nullptr : child(document, parent, name);
  for (const Element* node = first; node != nullptr && node->name == first->name; node = node->next) visit(node);
}

}  // namespace

void ValueSets::add(const Document& definition) {
  const Element* root = definition.root();
  const std::string_view url = valueAt(definition, root, "url");
  const bool codeSystem = definition.schema().findType("CodeSystem") == root->type;
  (codeSystem ? codeSystems_ : valueSets_).insert_or_assign(url, &definition);
}

std::optional<ValueSets::Codes> ValueSets::part(const Document& document, const Element* item, int depth) const {
  const std::string_view system = valueAt(document, item, "system");
  Codes codes;
  bool known = true;
  if (child(document, item, "concept") != nullptr) {
    forEach(document, item, "concept",
            [&](const Element* one) { codes.emplace(system, valueAt(document, one, "code")); });
  } else if (!system.empty()) {
    const auto found = codeSystems_.find(system);
    if (child(document, item, "filter") != nullptr || found == codeSystems_.end()) return std::nullopt;
    const Document& codeSystem = *found->second;
    if (valueAt(codeSystem, codeSystem.root(), "content") != "complete") return std::nullopt;
    std::vector<const Element*> todo = {codeSystem.root()};
    while (!todo.empty()) {
      const Element* parent = todo.back();
      todo.pop_back();
      forEach(codeSystem, parent, "concept", [&](const Element* one) {
        codes.emplace(system, valueAt(codeSystem, one, "code"));
        todo.push_back(one);
      });
    }
  }
  bool first = system.empty();
  forEach(document, item, "valueSet", [&](const Element* one) {
    const std::string_view url = one->value();
    const auto other = expand(url.substr(0, url.find('|')), depth + 1);
    known = known && other.has_value();
    if (!other) return;
    if (first) {
      codes = *other;
    } else {
      std::erase_if(codes, [&](const auto& code) { return !other->contains(code); });
    }
    first = false;
  });
  return known ? std::optional(std::move(codes)) : std::nullopt;
}

std::optional<ValueSets::Codes> ValueSets::expand(std::string_view url, int depth) const {
  const auto found = valueSets_.find(url);
  if (found == valueSets_.end() || depth > kDeepest) return std::nullopt;
  const Document& document = *found->second;
  Codes codes;
  bool known = true;
  const Element* compose = child(document, document.root(), "compose");
  if (compose == nullptr) return std::nullopt;
  forEach(document, compose, "include", [&](const Element* item) {
    auto more = part(document, item, depth);
    known = known && more.has_value();
    if (more) codes.merge(*more);
  });
  forEach(document, compose, "exclude", [&](const Element* item) {
    const auto less = part(document, item, depth);
    known = known && less.has_value();
    if (less) std::erase_if(codes, [&](const auto& code) { return less->contains(code); });
  });
  return known ? std::optional(std::move(codes)) : std::nullopt;
}

void ValueSets::addTo(fhir::SchemaBuilder& builder) const {
  for (const auto& [url, document] : valueSets_) {
    const auto codes = expand(url, 0);
    if (!codes) continue;
    const std::vector<std::pair<std::string_view, std::string_view>> rows(codes->begin(), codes->end());
    builder.addValueSet(url, rows);
  }
}

}  // namespace lotsen::definitions
