// The postal address of a letter, as Swedish post and window envelopes want it. Used by: layout.h.
// Thread rule: pure. Failure rule: what cannot be posted is an issue with what to do; the lines of the address are
// never told. Rules: 3 to 7 lines; the last one a Swedish postal code and town, printed "NNN NN  ORT"; no line that
// begins with a sign; no "unknown" or "protected" instead of a street. Addresses abroad are for a person to send.
#pragma once

#include "gateway/fhir/issues.h"

#include <string>
#include <vector>

namespace lotsen::letter {

/// The lines as they are printed; empty if there was an issue. `source` is the place in the template for the message.
std::vector<std::string> postalAddress(const std::vector<std::string>& lines, const std::string& source,
                                       fhir::Issues& issues);

}  // namespace lotsen::letter
