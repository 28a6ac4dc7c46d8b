// Gates (spärrar): the conditions of law and agreement that hold a transfer back, each with a stable name.
// Used by: service (at release, and again when a withdrawal or a new version came), `route explain`, docs.
// Thread rule: pure functions. Failure rule: none; a shut gate is a value, never an error.
//
// One table (gates.cc) holds every gate: code, source of the rule, plain words in English (API) and Swedish (clerks),
// where to look and what to do. docs are generated from it. Rejected: a class per gate (the conditions are one line
// each and read better together), gates as configuration (a region must not be able to switch the law off; what it may
// choose is RegionPolicy).
#pragma once

#include "gateway/transfer/agreement.h"
#include "gateway/transfer/facts.h"

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace lotsen::transfer {

/// The records of one case that have come so far, each in its newest version.
struct Case {
  std::optional<ReferralFacts> referral;
  std::optional<ConsentFacts> consent;
  std::optional<BtfFacts> btf;
  std::string source;  // partner id of the system that sent the referral
};

/// A row of the table. Everything points to static text.
struct GateRule {
  std::string_view code;    // "consent-missing"
  std::string_view source;  // law, agreement or decision
  std::string_view text;    // what is wrong
  std::string_view remedy;  // what to do
  std::string_view textSwedish;
  std::string_view remedySwedish;
  std::string_view path;  // FHIRPath in the canonical Bundle of the record that is judged
};

using ShutGate = GateRule;

/// All gates, in the order in which they are judged.
std::span<const GateRule> gateRules();
/// The row of this code, or nullptr.
const GateRule* findGate(std::string_view code);

/// The gates that hold the case back on this day, in table order; empty: it may be released. Without a referral nothing
/// else can be judged, so referral-missing stands alone. `agreement` is the one that the referral names, nullptr if it
/// is not known.
std::vector<ShutGate> shutGates(const Case& theCase, const Agreement* agreement, const RegionPolicy& policy,
                                CivilDate today);

/// True if the patient has said no or has taken a yes back: unsent legs are cancelled and sent ones recalled, whatever
/// the agreement.
bool isRefused(const Case& theCase);

/// The shortest validity of a BTF (S0-25): `until` is inclusive, so a period of exactly six calendar months passes.
bool lastsSixMonths(CivilDate from, CivilDate until);

/// The days on which a release of this case holds. REQUIRES: shutGates() is empty for some day.
sweden::CivilPeriod validity(const Case& theCase, const Agreement& agreement);

/// On what ground the legs leave: "consent", "implied-consent" or "internal-policy". REQUIRES: as validity().
std::string_view legalBasis(const Case& theCase, const Agreement& agreement);

}  // namespace lotsen::transfer
