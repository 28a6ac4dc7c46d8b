// Dates as HL7 v2 and v3 write them, 20130921050000.5-0800, and as FHIR does, 2013-09-21T05:00:00.5-08:00. An element
// of a logical model with that format (XmlForm::v3Date) holds FHIR's writing, so that maps and FHIRPath can work with
// it, and keeps its precision: 201309210500 becomes 2013-09-21T05:00, which is less than FHIR's own dateTime asks for.
// Used by: the JSON and XML forms. Thread rule: pure. Failure rule: nullopt for what is no date. Private to
// gateway/fhir.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace lotsen::fhir {

std::optional<std::string> fromV3Date(std::string_view text);
/// The other way; "Z" becomes +0000.
std::optional<std::string> toV3Date(std::string_view text);

}  // namespace lotsen::fhir
