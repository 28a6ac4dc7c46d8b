#include "gateway/definitions/element_facts.h"

#include <charconv>

namespace lotsen::definitions {

namespace {

using fhir::Element;
using fhir::NameId;

/// The names of ElementDefinition's elements: known to every Schema under the ids of R4.
struct Names {
  static NameId of(std::string_view text) { return fhir::Schema::r4()->findName(text); }

  NameId id = of("id"), path = of("path"), sliceName = of("sliceName"), min = of("min"), max = of("max"),
         maxLength = of("maxLength"), type = of("type"), constraint = of("constraint"), fixed = of("fixed"),
         pattern = of("pattern"), minValue = of("minValue"), maxValue = of("maxValue"), binding = of("binding"),
         slicing = of("slicing"), contentReference = of("contentReference"), mustSupport = of("mustSupport"),
         modifier = of("isModifier"), summary = of("isSummary"), code = of("code"), profile = of("profile"),
         targetProfile = of("targetProfile"), aggregation = of("aggregation"), key = of("key"),
         severity = of("severity"), human = of("human"), expression = of("expression"), source = of("source"),
         strength = of("strength"), valueSet = of("valueSet"), discriminator = of("discriminator"),
         ordered = of("ordered"), rules = of("rules"), extension = of("extension"), url = of("url"),
         value = of("value"), constrainsSlice = of("sliceIsConstraining");
};

const Names& names() {
  static const Names names;
  return names;
}

constexpr std::string_view kOfR5 = "http://hl7.org/fhir/5.0/StructureDefinition/extension-ElementDefinition.";

std::string_view textOf(const Element* parent, NameId name) {
  const Element* found = child(parent, name);
  return found == nullptr ? std::string_view() : found->value();
}

fhir::Strength strengthOf(std::string_view code) {
  if (code == "required") return fhir::Strength::Required;
  if (code == "extensible") return fhir::Strength::Extensible;
  if (code == "preferred") return fhir::Strength::Preferred;
  return code == "example" ? fhir::Strength::Example : fhir::Strength::None;
}

SlicingRules rulesOf(std::string_view code) {
  if (code == "closed") return SlicingRules::Closed;
  return code == "openAtEnd" ? SlicingRules::OpenAtEnd : SlicingRules::Open;
}

DiscriminatorType discriminatorOf(std::string_view code) {
  if (code == "exists") return DiscriminatorType::Exists;
  if (code == "pattern") return DiscriminatorType::Pattern;
  if (code == "type") return DiscriminatorType::Type;
  return code == "profile" ? DiscriminatorType::Profile : DiscriminatorType::Value;
}

std::uint8_t aggregationOf(std::string_view code) {
  if (code == "contained") return kContained;
  return code == "bundled" ? kBundled : kReferenced;
}

class Reader {
 public:
  Reader(const Origin& origin, const fhir::Schema& schema, TextPool& texts, fhir::Issues& issues)
      : origin_(origin), schema_(schema), texts_(texts), issues_(issues) {}

  Stated read(const Element* element) {
    Stated stated;
    stated.element = element;
    for (const Element* part = element->first; part != nullptr; part = part->next) take(part, stated);
    return stated;
  }

 private:
  void take(const Element* part, Stated& stated) {
    const Names& name = names();
    const NameId is = part->name;
    if (is == name.id) {
      stated.id = part->value();
    } else if (is == name.path) {
      stated.path = part->value();
    } else if (is == name.sliceName) {
      stated.sliceName = part->value();
    } else if (is == name.min) {
      stated.min = number(part);
    } else if (is == name.max) {
      stated.max = part->value() == "*" ? std::optional(fhir::kUnbounded) : number(part);
    } else if (is == name.maxLength) {
      stated.maxLength = number(part);
    } else if (is == name.type) {
      stated.types.push_back(type(part));
    } else if (is == name.constraint) {
      constraint(part, stated);
    } else if (is == name.binding) {
      stated.binding = true;
      stated.valueSet = textOf(part, name.valueSet);
      stated.strength = strengthOf(textOf(part, name.strength));
    } else if (is == name.slicing) {
      slicing(part, stated);
    } else if (is == name.contentReference) {
      stated.contentReference = part->value();
    } else if (is == name.extension) {
      extension(part, stated);
    } else {
      takeRest(part, stated);
    }
  }

  static void takeRest(const Element* part, Stated& stated) {
    const Names& name = names();
    const NameId is = part->name;
    if (is == name.fixed) stated.fixed = part;
    if (is == name.pattern) stated.pattern = part;
    if (is == name.minValue) stated.minValue = part;
    if (is == name.maxValue) stated.maxValue = part;
    if (is == name.mustSupport) stated.mustSupport = part->value() == "true";
    if (is == name.modifier) stated.modifier = part->value() == "true";
    if (is == name.summary) stated.summary = part->value() == "true";
    if (is == name.constrainsSlice) stated.constrainsSlice = part->value() == "true";
  }

  /// What R5 has elements for, as R4 writes it.
  static void extension(const Element* part, Stated& stated) {
    const std::string_view url = textOf(part, names().url);
    if (!url.starts_with(kOfR5)) return;
    const std::string_view element = url.substr(kOfR5.size());
    const std::string_view value = textOf(part, names().value);
    if (element == "mustHaveValue") stated.mustHaveValue = value == "true";
    if (element == "valueAlternatives") stated.valueAlternatives.push_back(value);
  }

  /// The canonical of a type's profile, "#" and an element's id after it if only that element of the profile is meant.
  std::string_view profile(const Element* part) const {
    const Element* first = child(part, names().extension);
    for (const Element* one = first; one != nullptr && one->name == first->name; one = one->next) {
      if (textOf(one, names().url) != kProfileElement) continue;
      return texts_.emplace_back(std::string(part->value()) + "#" + std::string(textOf(one, names().value)));
    }
    return part->value();
  }

  std::optional<std::uint32_t> number(const Element* part) {
    const std::string_view text = part->value();
    std::uint32_t value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error == std::errc{} && end == text.data() + text.size()) return value;
    tell(issues_, fhir::Severity::Error, origin_, part, "is not a number");
    return {};
  }

  TypeFacts type(const Element* part) const {
    const Names& name = names();
    TypeFacts facts;
    for (const Element* one = part->first; one != nullptr; one = one->next) {
      if (one->name == name.code) facts.code = one->value();
      if (one->name == name.profile) facts.profiles.push_back(profile(one));
      if (one->name == name.targetProfile) facts.targets.push_back(one->value());
      if (one->name == name.aggregation)
        facts.aggregation = static_cast<std::uint8_t>(facts.aggregation | aggregationOf(one->value()));
    }
    if (!facts.code.starts_with(kSystemTypes)) facts.type = schema_.findType(facts.code);
    return facts;
  }

  void constraint(const Element* part, Stated& stated) const {
    const Names& name = names();
    ProfileConstraint row;
    row.key = textOf(part, name.key);
    row.expression = textOf(part, name.expression);
    row.human = textOf(part, name.human);
    row.source = textOf(part, name.source);
    row.error = textOf(part, name.severity) != "warning";
    if (!row.expression.empty()) stated.constraints.push_back(row);  // XPath only: not for us
  }

  static void slicing(const Element* part, Stated& stated) {
    const Names& name = names();
    stated.slicing = true;
    for (const Element* one = part->first; one != nullptr; one = one->next) {
      if (one->name == name.ordered) stated.ordered = one->value() == "true";
      if (one->name == name.rules) stated.rules = rulesOf(one->value());
      if (one->name == name.discriminator)
        stated.discriminators.push_back({discriminatorOf(textOf(one, name.type)), textOf(one, name.path)});
    }
  }

  const Origin& origin_;
  const fhir::Schema& schema_;
  TextPool& texts_;
  fhir::Issues& issues_;
};

}  // namespace

void tell(fhir::Issues& issues, fhir::Severity severity, const Origin& origin, const Element* at, std::string text) {
  fhir::Issue issue;
  issue.severity = severity;
  issue.code = severity <= fhir::Severity::Error ? "structure" : "informational";
  issue.rule = "definition";
  issue.text = std::move(text);
  issue.source = origin.file;
  if (at != nullptr) {
    issue.expression = fhir::pathOf(*origin.document, at);
    issue.at = at->at;
  }
  issues.add(std::move(issue));
}

Stated readElement(const Origin& origin, const Element* element, const fhir::Schema& schema, TextPool& texts,
                   fhir::Issues& issues) {
  return Reader(origin, schema, texts, issues).read(element);
}

Facts factsOf(const Stated& stated) {
  Facts facts;
  facts.min = stated.min.value_or(0);
  facts.max = stated.max.value_or(1);
  facts.maxLength = stated.maxLength.value_or(0);
  facts.types = stated.types;
  facts.constraints = stated.constraints;
  facts.fixed = stated.fixed;
  facts.pattern = stated.pattern;
  facts.minValue = stated.minValue;
  facts.maxValue = stated.maxValue;
  facts.valueSet = stated.valueSet;
  facts.contentReference = stated.contentReference;
  facts.strength = stated.strength;
  facts.sliced = stated.slicing;
  facts.ordered = stated.ordered.value_or(false);
  facts.rules = stated.rules.value_or(SlicingRules::Open);
  facts.discriminators = stated.discriminators;
  facts.mustSupport = stated.mustSupport.value_or(false);
  facts.modifier = stated.modifier.value_or(false);
  facts.summary = stated.summary.value_or(false);
  facts.mustHaveValue = stated.mustHaveValue;
  facts.valueAlternatives = stated.valueAlternatives;
  return facts;
}

Facts factsOf(const ProfileElement& row) {
  Facts facts;
  facts.min = row.min;
  facts.max = row.max;
  facts.maxLength = row.maxLength;
  for (const AllowedType& type : row.types) {
    facts.types.push_back({type.code,
                           type.code.starts_with(kSystemTypes) ? fhir::kNone : type.type,
                           {type.profiles.begin(), type.profiles.end()},
                           {type.targets.begin(), type.targets.end()},
                           type.aggregation});
  }
  facts.constraints.assign(row.constraints.begin(), row.constraints.end());
  facts.fixed = row.fixed;
  facts.pattern = row.pattern;
  facts.minValue = row.minValue;
  facts.maxValue = row.maxValue;
  facts.valueSet = row.valueSet;
  facts.contentReference = row.contentReference;
  facts.strength = row.strength;
  facts.sliced = row.slicing != nullptr;
  if (facts.sliced) {
    facts.ordered = row.slicing->ordered;
    facts.rules = row.slicing->rules;
    facts.discriminators.assign(row.slicing->discriminators.begin(), row.slicing->discriminators.end());
  }
  facts.mustSupport = row.mustSupport;
  facts.modifier = row.modifier;
  facts.summary = row.summary;
  facts.mustHaveValue = row.mustHaveValue;
  facts.valueAlternatives.assign(row.valueAlternatives.begin(), row.valueAlternatives.end());
  return facts;
}

}  // namespace lotsen::definitions
