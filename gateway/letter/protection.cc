#include "gateway/letter/protection.h"

#include "gateway/letter/language.h"

namespace lotsen::letter {

namespace {

constexpr std::string_view kLabels = "http://hl7.se/fhir/ig/base/CodeSystem/SecurityLabel";
constexpr std::size_t kShortest = 4;  // shorter texts would be found in anything

/// Calls `visit` for every child of that name.
template <typename Visit>
void each(const fhir::Document& source, const fhir::Element* parent, std::string_view name, Visit visit) {
  const fhir::Element* first = fhir::child(source, parent, name);
  for (const fhir::Element* node = first; node != nullptr && node->name == first->name; node = node->next) visit(node);
}

bool isLabelled(const fhir::Document& source, const fhir::Element* patient) {
  bool labelled = false;
  const fhir::Element* meta = fhir::child(source, patient, "meta");
  if (meta == nullptr) return false;
  each(source, meta, "security", [&](const fhir::Element* label) {
    const auto code = fhir::valueAt(source, label, "code");
    labelled = labelled || (fhir::valueAt(source, label, "system") == kLabels &&
                            (code == "sekretessmarkering" || code == "skyddadFolkbokforing"));
  });
  return labelled;
}

std::vector<const fhir::Element*> protectedPatients(const fhir::Document& source) {
  std::vector<const fhir::Element*> patients;
  if (source.root() == nullptr) return patients;
  each(source, source.root(), "entry", [&](const fhir::Element* entry) {
    const fhir::Element* resource = fhir::child(source, entry, "resource");
    if (resource == nullptr || resource->type == fhir::kNone) return;
    const auto type = source.schema().nameText(source.schema().type(resource->type).name);
    if (type == "Patient" && isLabelled(source, resource)) patients.push_back(resource);
  });
  return patients;
}

}  // namespace

bool hasProtectedPatient(const fhir::Document& source) {
  return !protectedPatients(source).empty();
}

std::vector<std::string> protectedTexts(const fhir::Document& source) {
  std::vector<std::string> texts;
  const auto add = [&](const fhir::Element* value) {
    const auto text = literalText(value->value());
    if (text && text->size() >= kShortest) texts.push_back(*text);
  };
  const auto addPlaces = [&](const fhir::Element* person) {
    each(source, person, "address", [&](const fhir::Element* address) {
      each(source, address, "line", add);
      each(source, address, "text", add);
    });
    each(source, person, "telecom", [&](const fhir::Element* telecom) { each(source, telecom, "value", add); });
  };
  for (const fhir::Element* patient : protectedPatients(source)) {
    addPlaces(patient);
    each(source, patient, "contact", addPlaces);
  }
  return texts;
}

}  // namespace lotsen::letter
