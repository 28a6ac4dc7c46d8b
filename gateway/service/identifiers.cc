#include "gateway/service/identifiers.h"

#include "gateway/sweden/organisation.h"
#include "gateway/sweden/personal_id.h"

namespace lotsen::service {

namespace {

// Calls check(element) for every element at the path, all repetitions included.
template <typename Check>
void forEach(const fhir::Document& record, const fhir::Element* from, std::string_view path, const Check& check) {
  const auto dot = path.find('.');
  const auto name = path.substr(0, dot);
  for (const fhir::Element* element = fhir::child(record, from, name);
       element != nullptr && record.nameText(element->name) == name; element = element->next) {
    if (dot == std::string_view::npos) {
      check(*element);
    } else {
      forEach(record, element, path.substr(dot + 1), check);
    }
  }
}

}  // namespace

void checkIdentifiers(const fhir::Document& record, const Channel& channel, sweden::CivilDate today,
                      fhir::Issues& issues) {
  const auto report = [&](const fhir::Element& element, std::string_view rule, const Error& error) {
    issues.error("value", rule, error.message, fhir::pathOf(record, &element), element.at);
  };
  for (const auto& person : channel.persons) {
    // A system that is not a Swedish personal identifier's (an LMA-nummer, another country's) has no rule of ours.
    const auto system =
        person.systemPath.empty() ? std::string_view() : fhir::valueAt(record, record.root(), person.systemPath);
    if (!system.empty() && !sweden::isPersonalIdSystem(system)) continue;
    forEach(record, record.root(), person.path, [&](const fhir::Element& element) {
      // A record is kept for decades, so its numbers carry their century; short forms are for what people type.
      const auto id = element.value().size() < 12 ? sweden::checkPersonalId(element.value())
                                                  : sweden::readPersonalId(element.value(), today);
      if (!id.ok()) report(element, "personal-id", id.error());
    });
  }
  for (const auto& path : channel.numbers) {
    forEach(record, record.root(), path, [&](const fhir::Element& element) {
      const auto number = sweden::readOrganisationNumber(element.value());
      if (!number.ok()) report(element, "organisation-number", number.error());
    });
  }
  for (const auto& path : channel.units) {
    forEach(record, record.root(), path, [&](const fhir::Element& element) {
      const auto id = sweden::readHsaId(element.value());
      if (!id.ok()) {
        report(element, "hsa-id", id.error());
      } else if (!id->numberIsSound) {
        issues.warning("value", "hsa-id-number", "the organisation number inside this HSA-id fails its check digit",
                       fhir::pathOf(record, &element), element.at);
      }
    });
  }
}

}  // namespace lotsen::service
