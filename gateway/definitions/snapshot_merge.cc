#include "gateway/definitions/snapshot_merge.h"

#include "gateway/fhir/r4/types.h"

#include <algorithm>

namespace lotsen::definitions {

namespace {

using fhir::kNone;

std::string countText(std::uint32_t count) {
  return count == fhir::kUnbounded ? "*" : std::to_string(count);
}

bool canBeBound(const fhir::Schema& schema, const TypeFacts& type) {
  constexpr fhir::TypeId kBindable[] = {fhir::r4::kCode,   fhir::r4::kCoding, fhir::r4::kCodeableConcept,
                                        fhir::r4::kString, fhir::r4::kUri,    fhir::r4::kQuantity};
  return type.type == kNone || std::any_of(std::begin(kBindable), std::end(kBindable),
                                           [&](fhir::TypeId one) { return schema.isA(type.type, one); });
}

class Merger {
 public:
  Merger(const SnapshotContext& context, const Stated& stated, Node& node)
      : context_(context), stated_(stated), node_(node), facts_(node.facts) {}

  void run() {
    if (!node_.inherited && !isNewSlice(node_)) node_.inherited = std::make_unique<Facts>(facts_);
    node_.sources.insert(node_.sources.begin(), stated_.element);
    types();
    cardinality();
    takeRootOf();
    values();
    bindings();
    constraints();
    slicing();
    if (facts_.mustSupport && stated_.mustSupport == false) {
      fault("takes back mustSupport, which the base has set; leave it out");
    } else if (stated_.mustSupport) {
      facts_.mustSupport = *stated_.mustSupport;
    }
    if (stated_.modifier) facts_.modifier = *stated_.modifier;
    if (stated_.summary) facts_.summary = *stated_.summary;
    facts_.mustHaveValue = facts_.mustHaveValue || stated_.mustHaveValue;
    if (!stated_.valueAlternatives.empty()) facts_.valueAlternatives = stated_.valueAlternatives;
  }

 private:
  void fault(std::string text) {
    tell(context_.issues, fhir::Severity::Error, context_.origin, stated_.element,
         std::string(stated_.id.empty() ? stated_.path : stated_.id) + ": " + std::move(text));
  }

  void warn(std::string text) {
    tell(context_.issues, fhir::Severity::Warning, context_.origin, stated_.element,
         std::string(stated_.id.empty() ? stated_.path : stated_.id) + ": " + std::move(text));
  }

  void cardinality() {
    if (stated_.max) {
      if (*stated_.max > facts_.max && node_.parent != nullptr) {
        const std::string text =
            "max " + countText(*stated_.max) + " is more than the base allows (" + countText(facts_.max) + ")";
        // Editors write "*" without meaning it: the base's bound stays.
        *stated_.max == fhir::kUnbounded ? warn(text) : fault(text);
      } else {
        facts_.max = *stated_.max;
      }
    }
    if (stated_.min) {
      if (*stated_.min < facts_.min) {
        fault("min " + countText(*stated_.min) + " is less than the base asks for (" + countText(facts_.min) + ")");
      } else {
        facts_.min = *stated_.min;
      }
    }
    if (facts_.min > facts_.max) fault("min " + countText(facts_.min) + " is more than max " + countText(facts_.max));
  }

  void types() {
    if (stated_.types.empty()) return;
    std::vector<TypeFacts> narrowed;
    for (TypeFacts type : stated_.types) {
      const TypeFacts* base = allowedBy(type);
      if (base == nullptr) {
        fault("the base does not allow the type " + std::string(type.code) + "; it allows " + allowedTypes());
        continue;
      }
      if (type.code == base->code || base->code.starts_with(kSystemTypes)) {
        if (type.profiles.empty()) type.profiles = base->profiles;
        if (type.targets.empty()) type.targets = base->targets;
        if (type.aggregation == 0) type.aggregation = base->aggregation;
      }
      checkProfiles(type);
      narrowed.push_back(std::move(type));
    }
    if (narrowed.empty()) return;
    facts_.types = std::move(narrowed);
  }

  const TypeFacts* allowedBy(const TypeFacts& type) const {
    if (node_.parent == nullptr) return &type;  // of a root: its own type
    for (const TypeFacts& base : facts_.types) {
      if (base.code == type.code) return &base;
      if (base.code.starts_with(kSystemTypes)) return &base;  // "string" or "uri" for the System type
      if (base.type != kNone && type.type != kNone && context_.schema.isA(type.type, base.type)) return &base;
    }
    return facts_.types.empty() ? &type : nullptr;
  }

  std::string allowedTypes() const {
    std::string text;
    for (const TypeFacts& type : facts_.types) text += (text.empty() ? "" : ", ") + std::string(type.code);
    return text;
  }

  /// A profile on another type than the one it is named for can be met by nothing. A Resource with the "profile"
  /// Patient is how older tools wrote Patient: no profile, but its meaning is clear.
  void checkProfiles(const TypeFacts& type) {
    for (const std::string_view canonical : type.profiles) {
      if (canonical == context_.url) {
        if (node_.parent == nullptr) fault("the definition asks of its root to meet the definition itself");
        continue;
      }
      const fhir::TypeId named = context_.schema.findType(canonical);
      if (named == kNone || named == type.type) continue;
      const std::string text = "the type " + std::string(type.code) + " cannot have the profile " +
                               std::string(canonical) + ", which is a type itself: name that type";
      context_.schema.isA(named, type.type) ? warn(text) : fault(text);
    }
  }

  /// An extension slice has the cardinality of its extension where this definition does not say another, and modifies
  /// what the extension does.
  void takeRootOf() {
    if (node_.sliceName.empty() || stated_.types.empty() || facts_.types.size() != 1 ||
        facts_.types[0].profiles.size() != 1)
      return;
    if (facts_.types[0].type != fhir::r4::kExtension || facts_.types[0].profiles[0] == context_.url) return;
    const Profile* profile = context_.lookup(facts_.types[0].profiles[0]);
    if (profile == nullptr) return;
    const ProfileElement& root = (*profile)[0];
    if (!stated_.max) facts_.max = std::min(facts_.max, root.max);
    if (!stated_.min) facts_.min = std::min(std::max(facts_.min, root.min), facts_.max);
    facts_.modifier = root.modifier;
  }

  void values() {
    if (stated_.fixed != nullptr && valueTypeFits(stated_.fixed, "fixed")) facts_.fixed = stated_.fixed;
    if (stated_.pattern != nullptr && valueTypeFits(stated_.pattern, "pattern")) facts_.pattern = stated_.pattern;
    if (stated_.minValue != nullptr) facts_.minValue = stated_.minValue;
    if (stated_.maxValue != nullptr) facts_.maxValue = stated_.maxValue;
    if (stated_.maxLength) facts_.maxLength = *stated_.maxLength;
    if (!stated_.contentReference.empty() && facts_.types.empty()) facts_.contentReference = stated_.contentReference;
  }

  bool valueTypeFits(const fhir::Element* value, std::string_view what) {
    const auto fits = [&](const TypeFacts& type) {
      return type.code.starts_with(kSystemTypes) || type.type == value->type;
    };
    if (facts_.types.empty() || std::any_of(facts_.types.begin(), facts_.types.end(), fits)) return true;
    const std::string_view name = context_.schema.nameText(context_.schema.type(value->type).name);
    fault(std::string(what) + " value of type " + std::string(name) + ", but the element allows " + allowedTypes());
    return false;
  }

  /// The strength may be raised without naming the value set again. A binding of a type without codes says nothing.
  void bindings() {
    if (!stated_.binding || !canBeBound(context_.schema, facts_.types)) return;
    if (stated_.strength != fhir::Strength::None) {
      if (facts_.strength != fhir::Strength::None && stated_.strength > facts_.strength) {
        return fault("loosens the binding's strength; keep it or make it stricter");
      }
      facts_.strength = stated_.strength;
    }
    if (!stated_.valueSet.empty()) facts_.valueSet = stated_.valueSet;
  }

  /// All that the base asks for stays; a key that comes again replaces nothing.
  void constraints() {
    for (ProfileConstraint added : stated_.constraints) {
      if (added.source.empty()) added.source = context_.url;
      const bool known = std::any_of(facts_.constraints.begin(), facts_.constraints.end(),
                                     [&](const ProfileConstraint& one) { return one.key == added.key; });
      if (!known) facts_.constraints.push_back(added);
    }
  }

  void slicing() {
    if (!stated_.slicing) return;
    if (facts_.sliced && facts_.rules == SlicingRules::Closed && stated_.rules &&
        *stated_.rules != SlicingRules::Closed)
      fault("opens slicing that the base has closed");
    facts_.sliced = true;
    if (stated_.rules) facts_.rules = *stated_.rules;
    if (stated_.ordered) facts_.ordered = *stated_.ordered;
    if (!stated_.discriminators.empty()) facts_.discriminators = stated_.discriminators;
  }

  const SnapshotContext& context_;
  const Stated& stated_;
  Node& node_;
  Facts& facts_;
};

}  // namespace

bool canBeBound(const fhir::Schema& schema, const std::vector<TypeFacts>& types) {
  return types.empty() ||
         std::any_of(types.begin(), types.end(), [&](const TypeFacts& type) { return canBeBound(schema, type); });
}

void merge(const SnapshotContext& context, const Stated& stated, Node& node) {
  Merger(context, stated, node).run();
}

}  // namespace lotsen::definitions
