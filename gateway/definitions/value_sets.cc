#include "gateway/definitions/value_sets.h"

#include <algorithm>
#include <vector>

namespace lotsen::definitions {

namespace {

using fhir::child;
using fhir::Document;
using fhir::Element;
using fhir::valueAt;

/// Calls `visit` for every child of that name.
template <typename Visit>
void forEach(const Document& document, const Element* parent, std::string_view name, const Visit& visit) {
  const Element* first = parent == nullptr ? nullptr : child(document, parent, name);
  for (const Element* node = first; node != nullptr && node->name == first->name; node = node->next) visit(node);
}

}  // namespace

void ValueSets::Content::add(const Content& more) {
  codes.insert(more.codes.begin(), more.codes.end());
  open.insert(more.open.begin(), more.open.end());
}

/// What is in both: a code that is known on one side and open on the other stays open.
void ValueSets::Content::keep(const Content& other) {
  const auto isOpen = [](const std::set<std::string_view>& systems, std::string_view system) {
    return systems.contains(system) || systems.contains("");
  };
  Content both;
  for (const auto& code : codes) {
    if (other.codes.contains(code)) both.codes.insert(code);
    if (!other.codes.contains(code) && isOpen(other.open, code.first)) both.open.insert(code.first);
  }
  for (const auto& code : other.codes) {
    if (!codes.contains(code) && isOpen(open, code.first)) both.open.insert(code.first);
  }
  for (const std::string_view system : open) {
    if (isOpen(other.open, system)) both.open.insert(system);
  }
  for (const std::string_view system : other.open) {
    if (isOpen(open, system)) both.open.insert(system);
  }
  *this = std::move(both);
}

/// Where it is not known what is taken away, nothing of that system is known any more.
void ValueSets::Content::remove(const Content& less) {
  for (auto at = codes.begin(); at != codes.end();) {
    const bool unsure = less.open.contains(at->first) || less.open.contains("");
    if (unsure) open.insert(at->first);
    at = unsure || less.codes.contains(*at) ? codes.erase(at) : std::next(at);
  }
}

void ValueSets::add(const Document& definition) {
  const Element* root = definition.root();
  const std::string_view url = valueAt(definition, root, "url");
  const std::string_view version = valueAt(definition, root, "version");
  if (definition.schema().findType("CodeSystem") == root->type) {
    const CodeSystem& system = systems_.emplace_back(definition);
    if (valueAt(definition, root, "content") != "supplement") codeSystems_.add(url, version, &system);
  } else {
    valueSets_.add(url, version, &definition);
    all_.push_back(&definition);
  }
}

void ValueSets::addTo(fhir::SchemaBuilder& builder) {
  builder_ = &builder;
  for (const Document* document : all_) {
    const Content& content = expand(*document);
    const std::vector<std::pair<std::string_view, std::string_view>> rows(content.codes.begin(), content.codes.end());
    const std::vector<std::string_view> open(content.open.begin(), content.open.end());
    const std::string_view url = valueAt(*document, document->root(), "url");
    const std::string_view version = valueAt(*document, document->root(), "version");
    if (valueSets_.find(url) == document) builder.addValueSet(url, rows, open);
    if (!version.empty()) builder.addValueSet(std::string(url) + "|" + std::string(version), rows, open);
  }
}

KnownCodes ValueSets::knownCodes() const {
  KnownCodes known;
  for (const CodeSystem& system : systems_) {
    if (system.closed()) known.add(system);
  }
  return known;
}

/// A circle of value sets stays open where it closes.
const ValueSets::Content& ValueSets::expand(const Document& valueSet) {
  static const Content kOpen = unknown({});
  if (const auto known = expanded_.find(&valueSet); known != expanded_.end()) return known->second;
  if (!begun_.insert(&valueSet).second) return kOpen;
  return expanded_.emplace(&valueSet, compose(valueSet)).first->second;
}

ValueSets::Content ValueSets::compose(const Document& valueSet) {
  Content content;
  const Element* composition = child(valueSet, valueSet.root(), "compose");
  if (composition == nullptr) return listing(valueSet, content) ? content : unknown({});
  forEach(valueSet, composition, "include", [&](const Element* item) { content.add(part(valueSet, item)); });
  forEach(valueSet, composition, "exclude", [&](const Element* item) { content.remove(part(valueSet, item)); });
  return content;
}

/// From the expansion, if it is whole.
bool ValueSets::listing(const Document& valueSet, Content& content) {
  const Element* expansion = child(valueSet, valueSet.root(), "expansion");
  if (expansion == nullptr || child(valueSet, expansion, "contains") == nullptr) return false;
  std::vector<const Element*> todo = {expansion};
  std::size_t count = 0;
  while (!todo.empty()) {
    const Element* parent = todo.back();
    todo.pop_back();
    forEach(valueSet, parent, "contains", [&](const Element* one) {
      ++count;
      todo.push_back(one);
      const std::string_view code = valueAt(valueSet, one, "code");
      if (!code.empty() && valueAt(valueSet, one, "abstract") != "true")
        content.codes.emplace(valueAt(valueSet, one, "system"), code);
    });
  }
  const std::string_view total = valueAt(valueSet, expansion, "total");
  return total.empty() || total == std::to_string(count) || total == std::to_string(content.codes.size());
}

/// All conditions of an include hold together.
ValueSets::Content ValueSets::part(const Document& valueSet, const Element* item) {
  const std::string_view system = valueAt(valueSet, item, "system");
  bool any = !system.empty();
  Content content = any ? ofSystem(valueSet, item, system) : Content();
  forEach(valueSet, item, "valueSet", [&](const Element* one) {
    const Content other = imported(one->value());
    if (any) {
      content.keep(other);
    } else {
      content = other;
    }
    any = true;
  });
  return content;
}

ValueSets::Content ValueSets::ofSystem(const Document& valueSet, const Element* item, std::string_view system) const {
  Content content;
  if (child(valueSet, item, "concept") != nullptr) {
    forEach(valueSet, item, "concept",
            [&](const Element* one) { content.codes.emplace(system, valueAt(valueSet, one, "code")); });
    return content;
  }
  const std::string_view version = valueAt(valueSet, item, "version");
  const CodeSystem* known =
      codeSystems_.find(version.empty() ? std::string(system) : std::string(system) + "|" + std::string(version));
  if (known == nullptr || !known->complete()) return unknown(system);
  CodeSystem::Codes codes = known->all();
  bool sure = true;
  forEach(valueSet, item, "filter", [&](const Element* one) {
    const auto passed = known->filter(valueAt(valueSet, one, "property"), valueAt(valueSet, one, "op"),
                                      valueAt(valueSet, one, "value"));
    sure = sure && passed.has_value();
    if (passed) std::erase_if(codes, [&](std::string_view code) { return !passed->contains(code); });
  });
  if (!sure) return unknown(system);
  for (const std::string_view code : codes) content.codes.emplace(system, code);
  return content;
}

ValueSets::Content ValueSets::imported(std::string_view canonical) {
  if (const Document* known = valueSets_.find(canonical); known != nullptr) return expand(*known);
  Content content;
  if (!builder_->codesOf(canonical, content.codes)) return unknown({});
  return content;
}

}  // namespace lotsen::definitions
