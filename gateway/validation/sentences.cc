#include "gateway/validation/sentences.h"

namespace lotsen::validation {

using fhir::Element;

namespace {

constexpr std::size_t kMostCodes = 10;

void append(std::string& text, std::string_view more) {
  if (!text.empty()) text += ", ";
  text += more;
}

std::string quoted(std::string_view text) {
  return '"' + std::string(text) + '"';
}

void leaves(const fhir::Document& definition, const Element* value, const std::string& path, std::string& text) {
  if (value->hasValue()) append(text, path + (path.empty() ? "" : " ") + quoted(value->value()));
  for (const Element* at = value->first; at != nullptr; at = at->next) {
    leaves(definition, at, (path.empty() ? "" : path + ".") + std::string(definition.nameText(at->name)), text);
  }
}

std::string pathOf(const Path& path, const fhir::Schema& schema) {
  std::string text;
  for (const Step& step : path) {
    switch (step.kind) {
      case Step::Kind::Child: text += (text.empty() ? "" : ".") + std::string(schema.nameText(step.name)); break;
      case Step::Kind::Extension: text += (text.empty() ? "extension " : ".extension ") + step.url; break;
      case Step::Kind::Resolve: text += text.empty() ? "what it refers to" : " (what it refers to)"; break;
      case Step::Kind::OfType: break;  // the value says it
    }
  }
  return text;
}

std::string wantedOf(const Condition& condition, const fhir::Schema& schema) {
  switch (condition.kind) {
    case Condition::Kind::Text: return quoted(condition.text);
    case Condition::Kind::ValueSet: return "from " + std::string(condition.text);
    case Condition::Kind::Exists: return "present";
    case Condition::Kind::Absent: return "absent";
    case Condition::Kind::Type: {
      std::string types;
      for (const fhir::TypeId type : condition.types)
        types += (types.empty() ? "" : " or ") + std::string(schema.nameText(schema.type(type).name));
      return "of type " + types;
    }
    case Condition::Kind::Profile: {
      std::string profiles;
      for (const std::string_view profile : condition.profiles)
        profiles += (profiles.empty() ? "" : " or ") + std::string(profile);
      return "by " + profiles;
    }
    case Condition::Kind::Fixed:
    case Condition::Kind::Pattern: break;
  }
  return {};
}

}  // namespace

std::string told(const fhir::Document& definition, const Element* value) {
  std::string text;
  leaves(definition, value, {}, text);
  return text;
}

std::string markOf(const PlanSlice& slice, const Plan& plan) {
  std::string text;
  const fhir::Document& definition = plan.profile().document();
  for (const Condition& condition : slice.conditions) {
    const std::string path = pathOf(condition.path, definition.schema());
    if (condition.value != nullptr) {
      leaves(definition, condition.value, path, text);
    } else {
      append(text, path + (path.empty() ? "" : " ") + wantedOf(condition, definition.schema()));
    }
  }
  return text.empty() ? text : " (" + text + ")";
}

std::string codesOf(const fhir::Schema& schema, std::string_view valueSet) {
  std::string text;
  for (const std::string_view code : schema.codesOf(valueSet, kMostCodes)) append(text, quoted(code));
  return text.empty() ? text : ": " + text;
}

std::string atLeast(std::uint32_t min) {
  return min == 1 ? "is missing" : "must be there at least " + std::to_string(min) + " times";
}

std::string atMost(std::uint32_t max) {
  if (max == 0) return "may not be there";
  return max == 1 ? "may be there only once" : "may be there at most " + std::to_string(max) + " times";
}

}  // namespace lotsen::validation
