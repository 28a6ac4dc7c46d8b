// What toDate(), toDateTime(), toTime() and unixTo…() compute. Used by: transforms, transform_compiler. Thread rule:
// pure. Failure rule: empty optional: the text is not in the format, or says what no calendar has.
// Spec: the mapping-language guide (HL7, 0.1.0), "Date Time Transformation Details".
//
// A format is a row of codes: yyyy yy MM M dd d HH H hh h mm m ss s S… a Z; any other character stands for itself.
// Names of months and of zones (MMM, MMMM, z) depend on a language and are not known. A zone that the text does not say
// is not made up.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace lotsen::mapping {

enum class MomentKind : std::uint8_t { Date, DateTime, Time };

/// What is wrong with a format; empty: nothing.
std::string formatFault(std::string_view format, MomentKind kind);

/// The text as FHIR writes it. A format that has a fault matches nothing. A time of day of less than seconds gets them.
std::optional<std::string> parseMoment(std::string_view text, std::string_view format, MomentKind kind);

/// Seconds since 1970-01-01T00:00:00Z, as the clocks of `zone` ("+02:00", "Z", or empty for UTC) show them.
std::optional<std::string> unixMoment(std::string_view seconds, std::string_view zone, MomentKind kind);

}  // namespace lotsen::mapping
