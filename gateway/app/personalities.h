// The habits of partners' specifications, from mappings/personalities/*.conf, and what a partner's own section changes
// of them. docs/configuration.md describes every key; each may stand in [personality NAME] and in [partner NAME].
// Used by: loader.h. Thread rule: one thread. Failure rule: faults with file and line, as there.
#pragma once

#include "gateway/app/sections.h"
#include "gateway/service/personality.h"

#include <map>
#include <string>

namespace lotsen::app {

using Personalities = std::map<std::string, service::Personality, std::less<>>;

/// All that `folder`/personalities has; "fhir" is always among them. Appends what it reads to `text`.
Personalities readPersonalities(const std::string& folder, std::string& text, Faults& faults);

/// How a partner's messages leave, as far as its habits depend on it.
enum class Way : std::uint8_t { None, Http, Spool };

/// The personality that the section names ("fhir" if it names none) with what else it says.
service::Personality personalityOf(Section& partner, Way way, const Personalities& known, Faults& faults);

}  // namespace lotsen::app
