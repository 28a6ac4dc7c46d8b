// Identifiers of persons in Swedish care: classify by shape, check, normalise to the form on the wire.
// Used by: service (before the commit), wire, transfer, letter. Thread rule: pure functions.
// Failure rule: a value that is no valid identifier is Invalid; messages never repeat the value.
// Sources: HL7Sweden/basprofiler-r4 (systems), RIVTA TKB clinicalprocess:activity:request 2.2, Skatteverket SKV 704 and
// 707 (personnummer, samordningsnummer), Inera's rules for national and VGR reserve numbers.
#pragma once

#include "gateway/base/phi.h"
#include "gateway/base/result.h"
#include "gateway/sweden/civil_time.h"

#include <string>
#include <string_view>

namespace lotsen::sweden {

enum class PersonalIdKind {
  Personnummer,
  Samordningsnummer,
  NationalReserve,   // nationellt reservnummer, NRID
  VgrReserve,        // Västra Götaland, LRID
  StockholmReserve,  // Region Stockholm
};

/// The FHIR identifier.system that we write for this kind.
std::string_view identifierSystem(PersonalIdKind kind);
/// "personnummer", "samordningsnummer", "nationellt reservnummer" …
std::string_view kindName(PersonalIdKind kind);

struct PersonalId {
  PersonalIdKind kind = PersonalIdKind::Personnummer;
  Phi<std::string> value;  // wire form: 12 characters, no separator
  bool operator==(const PersonalId&) const = default;
};

/// Reads any accepted input form: the wire form (12 characters), YYYYMMDD-NNNC and YYYYMMDD+NNNC, YYMMDD-NNNC,
/// YYMMDD+NNNC and YYMMDDNNNC. `today` decides the century of the short forms: `-` and no sign mean the latest birth
/// date that is not in the future, `+` the latest one in whose hundredth year or later we are. Letters of reserve
/// numbers must be upper case.
Result<PersonalId> readPersonalId(std::string_view input, CivilDate today);

/// The wire form only.
Result<PersonalId> checkPersonalId(std::string_view wire);

/// True if `system` is one that identifies a person and whose values checkPersonalId() understands: also OID forms and
/// the misspelt nationelltReservnumer, which some senders still write. `*kind` (if given) is what it promises.
bool isPersonalIdSystem(std::string_view system, PersonalIdKind* kind = nullptr);

}  // namespace lotsen::sweden
