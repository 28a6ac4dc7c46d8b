// One golden case of a map: what its files say, and how a result is compared with them. Used by: golden.h. Thread rule:
// pure functions. Failure rule: what is wrong is told in words.
#pragma once

#include "gateway/fhir/issues.h"

#include <string>
#include <vector>

namespace lotsen::app {

/// Ids that the map made depend on its text: in what is expected they are counted instead, so that a changed comment
/// changes no expectation. `name` of the case makes them differ between cases.
std::string countedIds(std::string text, const std::string& input, const std::string& name);

/// A Bundle whose entries each have their own fullUrl, which is its resource's id, and whose references all lead to an
/// entry. One sentence a breach.
std::vector<std::string> notSelfContained(const fhir::Document& bundle);

/// What expected.issues.json holds: severity, code, rule and places, without the wording.
std::string issuesJson(const fhir::Issues& issues);

/// "line 7: expected … but got …"
std::string firstDifference(const std::string& expected, const std::string& actual);

}  // namespace lotsen::app
