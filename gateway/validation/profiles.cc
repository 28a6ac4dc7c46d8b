// What the profiles at an element ask of it.
#include "gateway/fhir/forms.h"
#include "gateway/fhir/r4/types.h"
#include "gateway/validation/sentences.h"
#include "gateway/validation/values.h"
#include "gateway/validation/walk.h"

#include <algorithm>
#include <array>

namespace lotsen::validation {

using definitions::AllowedType;
using definitions::kNoRow;
using definitions::ProfileElement;
using fhir::child;
using fhir::Element;
using fhir::kNone;

const Plan* Walk::plan(std::string_view canonical) {
  const auto [found, first] = found_.try_emplace(canonical, nullptr);
  if (first) found->second = validator_.plans_->find(canonical);
  return found->second;
}

/// What the profile of a type names: a profile, or one element of it.
Walk::Part Walk::part(std::string_view name) {
  const auto hash = name.find('#');
  const Plan* known = plan(name.substr(0, hash));
  if (known == nullptr || hash == std::string_view::npos) return {known, 0};
  const RowId row = known->profile().find(name.substr(hash + 1));
  return row == kNoRow ? Part() : Part{known, row};
}

/// Adds a profile, or an element of one, to the places from `from` on, once.
void Walk::place(const Part& part, std::size_t from) {
  for (std::size_t at = from; at < places_.size(); ++at) {
    if (places_[at].plan == part.plan && places_[at].row == part.row) return;
  }
  places_.push_back({part.plan, part.row, 0, 0, false});
}

/// The profiles that a resource claims. REQUIRES: its places are the top of the stack.
void Walk::claimed(const Element* resource) {
  const Element* meta = child(resource, names_.meta);
  const Element* first = meta == nullptr ? nullptr : child(meta, names_.profile);
  for (const Element* at = first; at != nullptr && at->name == first->name; at = at->next) {
    if (!at->hasValue()) continue;
    const Plan* known = plan(at->value());
    if (known == nullptr) {
      if (schema_.findType(at->value()) != kNone) continue;
      report_.add(options_.unknownProfiles, "not-found", "profile-unknown",
                  "this profile is not known here, so the resource was not checked against it", at);
    } else if (!schema_.isA(resource->type, known->profile().type())) {
      report_.error(
          "structure", "profile-type",
          "this profile is for " + typeName(known->profile().type()) + ", not for " + typeName(resource->type), at);
    } else {
      places_.push_back({known, 0, 0, 0, false});
    }
  }
}

/// The profiles that loaded ImplementationGuides put on every resource of its type.
void Walk::global(const Element* resource, std::size_t from) {
  for (const definitions::GlobalProfile& wanted : validator_.plans_->definitions().guides.globalProfiles()) {
    if (wanted.type != resource->type) continue;
    const Plan* known = plan(wanted.canonical);
    if (known != nullptr) {
      if (schema_.isA(resource->type, known->profile().type())) place({known, 0}, from);
    } else if (schema_.findType(wanted.canonical) == kNone) {
      report_.add(options_.unknownProfiles, "not-found", "profile-unknown",
                  "the profile " + wanted.canonical +
                      ", which a guide puts on every resource of this type, is not known here, so it was not checked",
                  resource);
    }
  }
}

void Walk::profiles(const Element* node, std::size_t from) {
  for (std::size_t at = from; at < places_.size(); ++at) {
    if (places_[at].plan->at(places_[at].row).checks != 0) check(node, at, from);
  }
}

void Walk::check(const Element* node, std::size_t at, std::size_t from) {
  const Place place = places_[at];
  const unsigned checks = place.plan->at(place.row).checks;
  if ((checks & kTypes) != 0 && !typesOf(node, place)) return;  // what follows is about the right type
  if ((checks & (kFixed | kPattern | kRange | kLength)) != 0) valueOf(node, place);
  if ((checks & kValue) != 0 && !node->hasValue()) withoutValue(node, place);
  if ((checks & kBinding) != 0) bindingOf(node, place);
  if ((checks & kTargets) != 0) referenceOf(node, place);
  if ((checks & kRules) != 0) rulesOf(node, place);
  if ((checks & kProfiles) != 0) profilesOf(node, place, from);
}

bool Walk::typesOf(const Element* node, const Place& place) {
  std::string allowed;
  for (const AllowedType& type : place.element().types) {
    if (schema_.isA(node->type, type.type)) return true;
    allowed += (allowed.empty() ? "" : ", ") + std::string(type.code);
  }
  report_.error("structure", "type",
                '"' + name(node) + "\" must be of type " + allowed + ", not " + typeName(node->type), node,
                place.url());
  return false;
}

/// Profiles of the element's type: one of them is enough.
void Walk::profilesOf(const Element* node, const Place& place, std::size_t from) {
  std::vector<Part> parts;
  std::string types;  // profiles that are types themselves
  for (const AllowedType& type : place.element().types) {
    if (!schema_.isA(node->type, type.type)) continue;
    if (type.profiles.empty()) return;
    for (const std::string_view canonical : type.profiles) {
      const Part known = part(canonical);
      if (known.plan == nullptr) {
        const fhir::TypeId named = schema_.findType(canonical);
        if (type.type == fhir::r4::kExtension || (named != kNone && schema_.isA(node->type, named))) return;
        if (named != kNone) {
          types += (types.empty() ? "" : ", ") + typeName(named);
          continue;
        }
        return report_.add(options_.unknownProfiles, "not-found", "profile-unknown",
                           "the profile " + std::string(canonical) + " is not known here, so it was not checked", node,
                           place.url());
      }
      parts.push_back(known);
    }
  }
  if (parts.empty()) {
    if (!types.empty()) report_.error("structure", "type", "must be a " + types, node, place.url());
    return;
  }
  if (parts.size() == 1) {
    const fhir::TypeId wanted = parts[0].plan->profile().type();
    if (parts[0].row != 0 || schema_.isA(node->type, wanted)) return this->place(parts[0], from);
    return report_.error("structure", "type", "must be a " + typeName(wanted), node, place.url());
  }
  std::string why;
  for (const Part& part : parts) {
    if (conforms(node, part, report_.isFull("profile") ? nullptr : &why)) return;
  }
  report_.error("structure", "profile", "conforms to none of the profiles that may stand here; " + why, node,
                place.url());
}

void Walk::valueOf(const Element* node, const Place& place) {
  const ProfileElement& row = place.element();
  const fhir::Document& definition = place.plan->profile().document();
  if (row.fixed != nullptr && !isFixed(row.fixed, node)) {
    report_.error("value", "fixed", "must be " + told(definition, row.fixed), node, place.url());
  }
  if (row.pattern != nullptr && !hasPattern(row.pattern, node)) {
    report_.error("value", "pattern", "must contain " + told(definition, row.pattern), node, place.url());
  }
  if (row.minValue != nullptr && compare(document_, node, definition, row.minValue).value_or(0) < 0) {
    report_.error("value", "min-value", "must be at least " + told(definition, row.minValue), node, place.url());
  }
  if (row.maxValue != nullptr && compare(document_, node, definition, row.maxValue).value_or(0) > 0) {
    report_.error("value", "max-value", "may be at most " + told(definition, row.maxValue), node, place.url());
  }
  if (row.maxLength > 0 && node->hasValue() && characters(node->value()) > row.maxLength) {
    report_.error("too-long", "max-length", "may have at most " + std::to_string(row.maxLength) + " characters", node,
                  place.url());
  }
}

/// REQUIRES: a profile asks for a value, or for an extension that says why there is none.
void Walk::withoutValue(const Element* node, const Place& place) {
  const ProfileElement& row = place.element();
  if (row.mustHaveValue) {
    return report_.error("required", "value-missing", "must have a value; an extension in its stead is not enough",
                         node, place.url());
  }
  std::string wanted;
  for (const std::string_view canonical : row.valueAlternatives) {
    const std::string_view url = canonical.substr(0, canonical.find('|'));
    const Element* first = child(node, names_.extension);
    for (const Element* at = first; at != nullptr && at->name == first->name; at = at->next) {
      if (fhir::valueAt(document_, at, "url") == url) return;
    }
    wanted += (wanted.empty() ? "" : " or ") + std::string(url);
  }
  report_.error("required", "value-missing", "must have a value, or the extension " + wanted, node, place.url());
}

void Walk::rulesOf(const Element* node, const Place& place) {
  // Asked by what holds the resource (Bundle.entry.resource), %resource is the holder.
  const bool held = node->isResource && place.row != 0 && node->parent != nullptr;
  if (held) {
    const Element* holder = node->parent;
    while (!holder->isResource && holder->parent != nullptr) holder = holder->parent;
    enter(holder);
  }
  evaluate(node, place);
  if (held) enter(node);
}

void Walk::evaluate(const Element* node, const Place& place) {
  for (const PlanRule& rule : place.plan->rules(place.row)) {
    const definitions::ProfileConstraint& constraint = *rule.constraint;
    if (!rule.program) {
      report_.add(fhir::Severity::Warning, "processing", constraint.key, "the rule could not be checked: " + rule.fault,
                  node, place.url());
      continue;
    }
    const auto holds = test(*rule.program, node);
    if (holds.ok() && *holds) continue;
    if (!holds.ok()) {
      report_.add(fhir::Severity::Warning, "processing", constraint.key, "the rule could not be evaluated here", node,
                  place.url());
      continue;
    }
    std::string text = constraint.human.empty() ? "the rule does not hold: " + std::string(constraint.expression)
                                                : std::string(constraint.human);
    report_.add(constraint.error ? fhir::Severity::Error : fhir::Severity::Warning, "invariant", constraint.key,
                std::move(text), node, place.url());
  }
}

namespace {

std::uint32_t countOf(const Element* first) {
  std::uint32_t count = 0;
  if (first == nullptr) return count;
  for (const Element* at = first; at != first->runLast->next; at = at->next) ++count;
  return count;
}

}  // namespace

/// The profiles of vital signs hold for every Observation with one of their codes (R4, observation-vitalsigns).
void Walk::vitalSigns(const Element* observation) {
  struct Sign {
    std::string_view code, profile;
  };
  constexpr std::string_view kBase = "http://hl7.org/fhir/StructureDefinition/";
  static constexpr std::array<Sign, 11> kSigns = {{{"85353-1", "vitalspanel"},
                                                   {"9279-1", "resprate"},
                                                   {"8867-4", "heartrate"},
                                                   {"2708-6", "oxygensat"},
                                                   {"59408-5", "oxygensat"},
                                                   {"8310-5", "bodytemp"},
                                                   {"8302-2", "bodyheight"},
                                                   {"9843-4", "headcircum"},
                                                   {"29463-7", "bodyweight"},
                                                   {"39156-5", "bmi"},
                                                   {"85354-9", "bp"}}};
  const std::size_t from = places_.size();
  const Element* code = child(document_, observation, "code");
  const Element* first = code == nullptr ? nullptr : child(document_, code, "coding");
  for (const Element* at = first; at != nullptr && at->name == first->name; at = at->next) {
    if (fhir::valueAt(document_, at, "system") != "http://loinc.org") continue;
    const std::string_view text = fhir::valueAt(document_, at, "code");
    const auto* sign =
        std::find_if(kSigns.begin(), kSigns.end(), [&](const Sign& known) { return known.code == text; });
    if (sign == kSigns.end()) continue;
    if (const Plan* known = validator_.plans_->find(std::string(kBase) + std::string(sign->profile)))
      place({known, 0}, from);
  }
}

/// What must be below an element and is not.
void Walk::lacking(const Element* node, const Place& place) {
  for (const PlanChild& wanted : place.plan->children(place.row)) {
    const ProfileElement& row = place.plan->row(wanted.row);
    if (row.def == kNone) {
      ownValue(node, place, wanted.row);
      continue;
    }
    const Element* first = child(node, wanted.name);
    std::uint32_t slices = 0;  // a missing slice says more than a missing element
    if (first == nullptr) {
      for (RowId slice = row.firstSlice; slice != kNoRow; slice = place.plan->row(slice).nextSlice) {
        const ProfileElement& part = place.plan->row(slice);
        if (part.min == 0) continue;
        slices += part.min;
        report_.error(
            "required", "slice-min",
            sliceText(std::string(document_.nameText(wanted.name)), *place.plan, slice) + " " + atLeast(part.min), node,
            place.url());
      }
    }
    if (row.min <= schema_.def(row.def).min || row.min <= slices) continue;
    const std::uint32_t count = countOf(first);
    if (count >= row.min) continue;
    const Element* value = row.fixed != nullptr ? row.fixed : row.pattern;
    report_.error("required", "cardinality-min",
                  '"' + std::string(document_.nameText(wanted.name)) + "\" " + atLeast(row.min) +
                      (value == nullptr ? "" : "; it must be " + told(place.plan->profile().document(), value)),
                  node, place.url());
  }
}

/// The row that stands for the value of a primitive itself.
void Walk::ownValue(const Element* node, const Place& place, RowId row) {
  const ProfileElement& value = place.plan->row(row);
  if (value.min > 0 && !node->hasValue())
    report_.error("required", "cardinality-min", "must have a value", node, place.url());
  if (value.max == 0 && node->hasValue())
    report_.error("structure", "cardinality-max", "may not have a value", node, place.url());
  if (node->hasValue() && place.plan->at(row).checks != 0) valueOf(node, {place.plan, row, 0, 0, false});
}

void Walk::cardinality(const Element* first, const Place& place) {
  const ProfileElement& row = place.element();
  if (row.max == fhir::kUnbounded || row.max >= schema_.def(row.def).max || countOf(first) <= row.max) return;
  const Element* surplus = first;
  for (std::uint32_t i = 0; i < row.max; ++i) surplus = surplus->next;
  report_.error("structure", "cardinality-max", '"' + name(first) + "\" " + atMost(row.max), surplus, place.url());
}

/// A trial: would the element be right by this profile? A circle of references that asks itself is answered yes.
bool Walk::conforms(const Element* node, const Part& part, std::string* why) {
  const fhir::TypeId wanted = part.plan->profile().type();
  if (part.row == 0 && !schema_.isA(node->type, wanted)) {
    if (why != nullptr) *why = "it is a " + typeName(node->type) + ", not a " + typeName(wanted);
    return false;
  }
  const auto [known, first] = tried_.try_emplace({node, part}, true);
  if (!first && (known->second || why == nullptr)) return known->second;
  const Report::Trial trial(report_, why != nullptr);
  const std::size_t from = places_.size();
  places_.push_back({part.plan, part.row, 0, 0, false});
  if (node->isResource) {
    resource(node, from);
  } else {
    this->node(node, from);
  }
  places_.resize(from);
  if (why != nullptr && trial.failed()) *why = trial.why();
  return known->second = !trial.failed();
}

std::optional<bool> Walk::conformsTo(const Element* node, std::string_view profile) {
  if (const Plan* known = validator_.plans_->find(profile)) return conforms(node, {known, 0});
  if (const fhir::TypeId type = schema_.findType(profile); type != kNone) return schema_.isA(node->type, type);
  return std::nullopt;
}

}  // namespace lotsen::validation
